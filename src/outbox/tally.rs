//! What the daily summary counts, kept by quarters of an hour of this machine's clock so that no record falls between two
//! summaries or into both; and the destinations and recipients that were seen before.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};
use sha2::{Digest as _, Sha256};

use super::delta::Increment;
use super::letter::{Arrangement, FlowSum, Intake};
use super::{OutboxError, count, int};
use crate::domain::event::Personal;
use crate::domain::hex::hex;

/// Length of a slot, in ms. A summary begins and ends at the boundary of one.
pub const SLOT_MS: i64 = 15 * 60_000;

/// Adds what a batch brought; `is_new` says of each increment whether its finding began with it.
pub(super) fn add(
    transaction: &Transaction<'_>,
    increments: &[Increment],
    is_new: &[bool],
    now: i64,
) -> Result<(), OutboxError> {
    let sql = "INSERT INTO arrangements VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let mut arrange = transaction.prepare_cached(sql)?;
    let mut sums = BTreeMap::<(&str, &str), (i64, i64)>::new();
    for (increment, is_new) in increments.iter().zip(is_new) {
        let Increment { kind, destination, verdict, facts, .. } = increment;
        let (findings, records) = sums.entry((kind, verdict)).or_default();
        *findings += i64::from(*is_new);
        *records = (*records).saturating_add(int(increment.count)).min(1 << 60);
        if *is_new {
            let recipient = facts.recipient.reveal();
            let key = key(&[&facts.tenant, kind, destination, recipient]);
            arrange.execute(params![key, now, kind, destination.as_str(), recipient.as_str(), verdict])?;
        }
    }
    let sql = "INSERT INTO tallies VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET
        findings = min(findings + excluded.findings, 1 << 60), records = min(records + excluded.records, 1 << 60)";
    let mut tally = transaction.prepare_cached(sql)?;
    for ((kind, verdict), (findings, records)) in sums {
        tally.execute(params![now.div_euclid(SLOT_MS), kind, verdict, findings, records])?;
    }
    Ok(())
}

/// Adds the events of a batch.
pub(super) fn add_intake(transaction: &Transaction<'_>, intake: &Intake, now: i64) -> Result<(), OutboxError> {
    let Intake { received, judged, rejected, duplicate, missing } = *intake;
    let sql = "INSERT INTO intake VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET
        received = min(received + excluded.received, 1 << 60), judged = min(judged + excluded.judged, 1 << 60),
        rejected = min(rejected + excluded.rejected, 1 << 60),
        duplicate = min(duplicate + excluded.duplicate, 1 << 60), missing = min(missing + excluded.missing, 1 << 60)";
    let [received, judged, rejected, duplicate, missing] =
        [received, judged, rejected, duplicate, missing].map(|n| int(n).min(1 << 60));
    let values = params![now.div_euclid(SLOT_MS), received, judged, rejected, duplicate, missing];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Records of a span, whose ends are boundaries of slots, by kind and verdict.
pub(super) fn flows(connection: &Connection, from: i64, to: i64) -> Result<Vec<FlowSum>, OutboxError> {
    let sql = "SELECT kind, verdict, sum(findings), sum(records) FROM tallies WHERE slot >= ?1 AND slot < ?2
        GROUP BY kind, verdict ORDER BY sum(records) DESC, kind, verdict";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([from.div_euclid(SLOT_MS), to.div_euclid(SLOT_MS)], |row| {
        Ok(FlowSum {
            kind: row.get(0)?,
            verdict: row.get(1)?,
            findings: count(row.get(2)?),
            records: count(row.get(3)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Events of a span.
pub(super) fn intake(connection: &Connection, from: i64, to: i64) -> Result<Intake, OutboxError> {
    let sql = "SELECT coalesce(sum(received), 0), coalesce(sum(judged), 0), coalesce(sum(rejected), 0),
        coalesce(sum(duplicate), 0), coalesce(sum(missing), 0) FROM intake WHERE slot >= ?1 AND slot < ?2";
    let slots = [from.div_euclid(SLOT_MS), to.div_euclid(SLOT_MS)];
    Ok(connection.prepare_cached(sql)?.query_one(slots, |row| {
        Ok(Intake {
            received: count(row.get(0)?),
            judged: count(row.get(1)?),
            rejected: count(row.get(2)?),
            duplicate: count(row.get(3)?),
            missing: count(row.get(4)?),
        })
    })?)
}

/// Arrangements first seen in a span, at most `most`.
pub(super) fn arrangements(
    connection: &Connection,
    from: i64,
    to: i64,
    most: usize,
) -> Result<Vec<Arrangement>, OutboxError> {
    let sql = "SELECT kind, destination, recipient, verdict FROM arrangements WHERE first >= ?1 AND first < ?2
        ORDER BY first, key LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![from, to, int(most as u64)], |row| {
        Ok(Arrangement {
            kind: row.get(0)?,
            destination: row.get(1)?,
            recipient: Personal::new(row.get(2)?),
            verdict: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Lets go of slots that ended before `before`.
pub(super) fn prune(transaction: &Transaction<'_>, before: i64) -> Result<(), OutboxError> {
    let slot = before.div_euclid(SLOT_MS);
    transaction.execute("DELETE FROM tallies WHERE slot < ?1", [slot])?;
    transaction.execute("DELETE FROM intake WHERE slot < ?1", [slot])?;
    Ok(())
}

fn key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(hash.finalize().get(..12).unwrap_or_default())
}
