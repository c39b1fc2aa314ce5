//! What an operator sees of the outbox and does to it: lists, tries again, drops. Nothing is dropped without being told to.

use rusqlite::{OptionalExtension, params};

use super::finding;
use super::letter::{Arrangement, Digest};
use super::letter::{Body, Kind};
use super::owed::{DEAD, LETTERED, PENDING, TOLD};
use super::{Finding, OutboxError, Queue, begin, count, int, stored_letter, tally};
use crate::domain::verdict::Severity;

/// Something that a channel owes or has given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Id of the finding or letter.
    pub id: String,
    /// Which channel.
    pub channel: String,
    /// `notice`, or the kind of letter.
    pub kind: String,
    /// `pending`, `given up`, `held`, `in a letter`.
    pub state: &'static str,
    /// Failures.
    pub attempts: u32,
    /// Since when it is owed, ms since the epoch.
    pub created: i64,
    /// When it is tried next, ms since the epoch.
    pub next_at: i64,
    /// What the last failure said.
    pub last_error: String,
}

impl Queue {
    /// What is not told yet, of one channel or all, the given up first, then by age; at most `most`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entries(&self, channel: Option<&str>, only_dead: bool, most: usize) -> Result<Vec<Entry>, OutboxError> {
        let sql = "SELECT * FROM (
                SELECT finding, channel, 'notice' AS kind, state, attempts, created, next_at, coalesce(last_error, '')
                FROM outbox WHERE state <> 1 AND letter IS NULL
                UNION ALL
                SELECT id, channel, kind, state, attempts, created, next_at, coalesce(last_error, '')
                FROM letters WHERE state <> 1)
            WHERE (?1 IS NULL OR channel = ?1) AND (NOT ?2 OR state = 2)
            ORDER BY state <> 2, created, 1 LIMIT ?3";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map(params![channel, only_dead, int(most as u64)], |row| {
            Ok(Entry {
                id: row.get(0)?,
                channel: row.get(1)?,
                kind: row.get(2)?,
                state: state_name(row.get(3)?),
                attempts: row.get(4)?,
                created: row.get(5)?,
                next_at: row.get(6)?,
                last_error: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A letter that is not sent yet.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn letter(&self, id: &str) -> Result<Option<(String, Kind, Body)>, OutboxError> {
        let sql = "SELECT channel, kind, body FROM letters WHERE id = ?1 AND state <> 1";
        let row = self.connection.query_row(sql, [id], |row| {
            let kind = Kind::parse(row.get_ref(1)?.as_str()?).unwrap_or(Kind::Findings);
            Ok((row.get(0)?, kind, stored_letter::from_json(row.get_ref(2)?.as_str()?)))
        });
        let Some((channel, kind, body)) = row.optional()? else { return Ok(None) };
        Ok(Some((channel, kind, body.ok_or(OutboxError::Corrupt("a letter"))?)))
    }

    /// Tries again what was given up or backs off, from the start: of one id, of a channel, or of both. A channel that was
    /// closed is opened. Returns how many.
    ///
    /// # Errors
    /// The database refuses; nothing has changed then.
    pub fn retry(&mut self, channel: Option<&str>, id: Option<&str>, now: i64) -> Result<usize, OutboxError> {
        let transaction = begin(&mut self.connection)?;
        let which = "(?1 IS NULL OR channel = ?1) AND state IN (0, 2) AND (state = 2 OR attempts > 0)";
        let sql = format!(
            "UPDATE outbox SET state = {PENDING}, attempts = 0, next_at = ?3, lease_until = 0
            WHERE (?2 IS NULL OR finding = ?2) AND letter IS NULL AND {which}"
        );
        let notices = transaction.execute(&sql, params![channel, id, now])?;
        let sql = format!(
            "UPDATE outbox SET state = {LETTERED} WHERE state = {DEAD} AND letter IN
            (SELECT id FROM letters WHERE (?1 IS NULL OR channel = ?1) AND (?2 IS NULL OR id = ?2) AND state = 2)"
        );
        transaction.execute(&sql, params![channel, id])?;
        let sql = format!(
            "UPDATE letters SET state = 0, attempts = 0, next_at = ?3, lease_until = 0, failing_since = 0
            WHERE (?2 IS NULL OR id = ?2) AND {which}"
        );
        let letters = transaction.execute(&sql, params![channel, id, now])?;
        if id.is_none() {
            let sql = "UPDATE channels SET closed_at = 0, closed_why = '' WHERE ?1 IS NULL OR name = ?1";
            transaction.execute(sql, params![channel])?;
        }
        transaction.commit()?;
        Ok(notices + letters)
    }

    /// Lets go of what was given up: of one id, of a channel, or of both. Returns how many.
    ///
    /// # Errors
    /// The database refuses; nothing has changed then.
    pub fn drop_dead(&mut self, channel: Option<&str>, id: Option<&str>) -> Result<usize, OutboxError> {
        let transaction = begin(&mut self.connection)?;
        let sql = format!(
            "UPDATE outbox SET state = {TOLD}, letter = NULL WHERE state = {DEAD} AND letter IN
            (SELECT id FROM letters WHERE (?1 IS NULL OR channel = ?1) AND (?2 IS NULL OR id = ?2) AND state = 2)"
        );
        transaction.execute(&sql, params![channel, id])?;
        let sql = format!(
            "UPDATE outbox SET state = {TOLD} WHERE state = {DEAD} AND letter IS NULL
            AND (?1 IS NULL OR channel = ?1) AND (?2 IS NULL OR finding = ?2)"
        );
        let notices = transaction.execute(&sql, params![channel, id])?;
        let sql = "DELETE FROM letters WHERE state = 2 AND (?1 IS NULL OR channel = ?1) AND (?2 IS NULL OR id = ?2)";
        let letters = transaction.execute(sql, params![channel, id])?;
        transaction.execute("DELETE FROM letter_items WHERE letter NOT IN (SELECT id FROM letters)", [])?;
        transaction.commit()?;
        Ok(notices + letters)
    }

    /// Findings changed since a moment, the gravest first, at most `most`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn recent(&self, since: i64, minimum: Severity, most: usize) -> Result<Vec<Finding>, OutboxError> {
        finding::recent(&self.connection, since, minimum, most)
    }

    /// What a daily summary counts of a span, at most `most` arrangements. Its remarks are the caller's.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn digest(&self, from: i64, to: i64, most: usize) -> Result<Digest, OutboxError> {
        let sql = "SELECT count(*) FROM findings AS f WHERE severity >= ?1 AND changed >= ?2
            AND NOT EXISTS (SELECT 1 FROM acknowledgements AS a WHERE a.finding = f.id AND a.severity >= f.severity)";
        let month = to.saturating_sub(30 * 86_400_000);
        let open = self.connection.query_row(sql, params![Severity::Medium as u8, month], |row| row.get(0))?;
        let arrangements: Vec<Arrangement> = tally::arrangements(&self.connection, from, to, most)?;
        Ok(Digest {
            from,
            to,
            flows: tally::flows(&self.connection, from, to)?,
            arrangements,
            open: count(open),
            intake: tally::intake(&self.connection, from, to)?,
            ..Digest::default()
        })
    }
}

fn state_name(state: u8) -> &'static str {
    match state {
        PENDING => "pending",
        TOLD => "told",
        DEAD => "given up",
        LETTERED => "in a letter",
        _ => "held",
    }
}
