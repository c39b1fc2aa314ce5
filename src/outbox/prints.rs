//! Fingerprints of recorded events, one blob per batch, in input order. A pending batch's blob is on file but not seen.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{OutboxError, int};

/// Keyed digest of one event, to know it again.
pub type Fingerprint = u128;

const WIDTH: usize = size_of::<Fingerprint>();

/// Writes the batch's fingerprints; returns the batch's number, 0 where there is nothing to write.
pub(super) fn insert(transaction: &Transaction<'_>, prints: &[Fingerprint]) -> Result<i64, OutboxError> {
    if prints.is_empty() {
        return Ok(0);
    }
    let blob: Vec<u8> = prints.iter().flat_map(|print| print.to_be_bytes()).collect();
    let sql = "INSERT INTO fingerprints (n, prints) VALUES (?1, ?2)";
    transaction.prepare_cached(sql)?.execute(params![int(prints.len() as u64), blob])?;
    Ok(transaction.last_insert_rowid())
}

/// Fingerprints on file, without those of a pending batch.
pub(super) fn count(connection: &Connection) -> Result<u64, OutboxError> {
    let sql = "SELECT coalesce(sum(n), 0) FROM fingerprints WHERE batch NOT IN (SELECT batch FROM pending)";
    Ok(super::count(connection.query_one(sql, [], |row| row.get(0))?))
}

/// The last `most` in input order.
pub(super) fn last(connection: &Connection, most: usize) -> Result<Vec<Fingerprint>, OutboxError> {
    let sql = "SELECT prints FROM fingerprints WHERE batch NOT IN (SELECT batch FROM pending) ORDER BY batch DESC";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut prints = Vec::new();
    while prints.len() < most {
        let Some(row) = rows.next()? else { break };
        prints.extend(newest_first(row.get_ref(0)?.as_blob().map_err(|_| OutboxError::Corrupt("a fingerprint"))?));
    }
    prints.truncate(most);
    prints.reverse();
    Ok(prints)
}

fn newest_first(blob: &[u8]) -> impl Iterator<Item = Fingerprint> + '_ {
    let (whole, _) = blob.as_chunks::<WIDTH>();
    whole.iter().rev().map(|bytes| Fingerprint::from_be_bytes(*bytes))
}

/// Lets the oldest batches go while at least `keep` of the `held` remain; returns how many fingerprints went.
pub(super) fn prune(transaction: &Transaction<'_>, held: u64, keep: u64) -> Result<u64, OutboxError> {
    let mut gone = 0;
    while let Some((batch, n)) = oldest(transaction)? {
        if held - gone < keep.saturating_add(n) {
            break;
        }
        transaction.prepare_cached("DELETE FROM fingerprints WHERE batch = ?1")?.execute([batch])?;
        gone += n;
    }
    Ok(gone)
}

fn oldest(transaction: &Transaction<'_>) -> Result<Option<(i64, u64)>, OutboxError> {
    let sql = "SELECT batch, n FROM fingerprints ORDER BY batch LIMIT 1";
    let row = transaction.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, super::count(row.get(1)?))));
    Ok(row.optional()?)
}
