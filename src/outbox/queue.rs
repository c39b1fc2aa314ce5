//! What is owed to each channel. One row per finding and channel: a finding that changes while its notice waits is told
//! once, as it then stands. A row is leased while a courier has it in hand; a lease that ran out is free again, so a
//! notice is delivered at least once, and a receiver knows a repetition by its id.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::finding::{self, Changed, Finding};
use super::{ChannelSpec, OutboxError, begin, count, int, schema};

/// How long a courier may hold a row, in ms. Longer than any channel's own time-out.
pub(super) const LEASE_MS: i64 = 60_000;

/// Waiting times after the first, second, … failure in ms, then dead: about three days in all (Standard Webhooks 1.0.0,
/// "Retry schedule").
pub(super) const BACK_OFF_MS: [i64; 9] = [
    5_000,
    5 * 60_000,
    30 * 60_000,
    2 * 3_600_000,
    5 * 3_600_000,
    10 * 3_600_000,
    14 * 3_600_000,
    20 * 3_600_000,
    24 * 3_600_000,
];

/// Owed.
const PENDING: u8 = 0;
/// Told in its latest revision.
const TOLD: u8 = 1;
/// Given up; stays on file until somebody tries it again or drops it.
const DEAD: u8 = 2;

/// A leased notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The finding as it stands.
    pub finding: Finding,
    /// Failures so far.
    pub attempts: u32,
}

/// How a try went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// Not this time; the text says why and carries no value of the finding.
    Failed(String),
    /// Never in this form.
    Refused(String),
    /// Not tried; the row is free again.
    Returned,
}

/// What is owed to one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Notices owed.
    pub pending: u64,
    /// Since when the oldest is owed, ms since the epoch.
    pub oldest: Option<i64>,
    /// Notices given up.
    pub dead: u64,
}

/// A notice that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Finding's id.
    pub finding: String,
    /// Which channel gave it up.
    pub channel: String,
    /// Failures.
    pub attempts: u32,
    /// What the last one said.
    pub last_error: String,
}

/// Notes what each channel owes for the changed findings.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    channels: &[ChannelSpec],
    changed: &[Changed],
    now: i64,
) -> Result<(), OutboxError> {
    for channel in channels {
        for change in changed.iter().filter(|change| change.severity >= channel.minimum) {
            owe(transaction, channel, change, now)?;
        }
    }
    Ok(())
}

/// A waiting row keeps its age and its schedule and takes the new revision; one that was told is owed afresh.
fn owe(transaction: &Transaction<'_>, spec: &ChannelSpec, change: &Changed, now: i64) -> Result<(), OutboxError> {
    let sql = "INSERT INTO outbox VALUES (?1, ?2, ?3, 0, 0, 0, ?4, ?4 + ?5, 0, 0, NULL) ON CONFLICT DO UPDATE SET
        revision = excluded.revision,
        state = 0,
        created = iif(state = 0, created, ?4),
        next_at = iif(state = 0, next_at, max(?4, delivered_at + ?6)),
        attempts = iif(state = 0, attempts, 0)";
    transaction.prepare_cached(sql)?.execute(params![
        change.id,
        spec.name,
        change.revision,
        now,
        spec.wait,
        spec.interval
    ])?;
    Ok(())
}

/// The couriers' side of the state database.
#[derive(Debug)]
pub struct Queue {
    connection: Connection,
}

impl Queue {
    /// Opens the file that [`super::Outbox::open`] made.
    ///
    /// # Errors
    /// The file does not exist yet, or is of a newer layout.
    pub fn open(path: &Path) -> Result<Self, OutboxError> {
        Ok(Self { connection: schema::open_for_courier(path)? })
    }

    /// Leases up to `most` due notices of a channel, those waiting longest first.
    ///
    /// # Errors
    /// The database refuses; nothing is leased then.
    pub fn lease(&mut self, channel: &str, now: i64, most: usize) -> Result<Vec<Parcel>, OutboxError> {
        let transaction = begin(&mut self.connection)?;
        let due = lease_rows(&transaction, channel, now, most)?;
        let mut parcels = Vec::with_capacity(due.len());
        for (id, attempts) in due {
            // A notice without its finding cannot be told; there is none unless the file was edited by hand.
            if let Some(finding) = finding::get(&transaction, &id)? {
                parcels.push(Parcel { finding, attempts });
            }
        }
        transaction.commit()?;
        Ok(parcels)
    }

    /// Takes down how a try went. A finding that changed meanwhile stays owed in its new revision.
    ///
    /// # Errors
    /// The database refuses; the lease runs out and the notice is tried again.
    pub fn settle(
        &mut self,
        channel: &ChannelSpec,
        parcel: &Parcel,
        outcome: &Outcome,
        now: i64,
    ) -> Result<(), OutboxError> {
        let id = &parcel.finding.id;
        match outcome {
            Outcome::Delivered => self.delivered(channel, &parcel.finding, now),
            Outcome::Failed(why) => self.failed(&channel.name, parcel, why, now),
            Outcome::Refused(why) => self.refused(&channel.name, parcel, why),
            Outcome::Returned => self.returned(&channel.name, id),
        }
    }

    fn delivered(&self, channel: &ChannelSpec, finding: &Finding, now: i64) -> Result<(), OutboxError> {
        let sql = "UPDATE outbox SET
            delivered = max(delivered, ?3), delivered_at = ?4, lease_until = 0, attempts = 0, last_error = NULL,
            state = iif(revision > ?3, 0, 1),
            created = iif(revision > ?3, ?4, created),
            next_at = iif(revision > ?3, ?4 + ?5, next_at)
            WHERE finding = ?1 AND channel = ?2";
        let revision = int(finding.revision);
        let values = params![finding.id, channel.name, revision, now, channel.interval];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn failed(&self, channel: &str, parcel: &Parcel, why: &str, now: i64) -> Result<(), OutboxError> {
        let Some(wait) = back_off(&parcel.finding.id, parcel.attempts) else {
            return self.refused(channel, parcel, why);
        };
        let sql = "UPDATE outbox SET attempts = ?3, next_at = ?4, lease_until = 0, last_error = ?5
            WHERE finding = ?1 AND channel = ?2";
        let values = params![parcel.finding.id, channel, parcel.attempts + 1, now.saturating_add(wait), why];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// A newer revision may fare better, so only the one that was tried is given up.
    fn refused(&self, channel: &str, parcel: &Parcel, why: &str) -> Result<(), OutboxError> {
        let sql = "UPDATE outbox SET attempts = ?3, lease_until = 0, last_error = ?4, state = iif(revision > ?5, 0, 2)
            WHERE finding = ?1 AND channel = ?2";
        let revision = int(parcel.finding.revision);
        let values = params![parcel.finding.id, channel, parcel.attempts + 1, why, revision];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn returned(&self, channel: &str, finding: &str) -> Result<(), OutboxError> {
        let sql = "UPDATE outbox SET lease_until = 0 WHERE finding = ?1 AND channel = ?2";
        self.connection.prepare_cached(sql)?.execute([finding, channel])?;
        Ok(())
    }

    /// Makes everything that backs off due: the channel is known to work again. Returns how many.
    ///
    /// # Errors
    /// The database refuses.
    pub fn wake(&self, channel: &str, now: i64) -> Result<usize, OutboxError> {
        let sql = "UPDATE outbox SET next_at = ?2 WHERE channel = ?1 AND state = 0 AND attempts > 0 AND next_at > ?2";
        Ok(self.connection.prepare_cached(sql)?.execute(params![channel, now])?)
    }

    /// What is owed to a channel.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn backlog(&self, channel: &str) -> Result<Backlog, OutboxError> {
        let sql = "SELECT count(*), min(created) FROM outbox WHERE channel = ?1 AND state = 0";
        let (pending, oldest) =
            self.connection.prepare_cached(sql)?.query_one([channel], |row| Ok((count(row.get(0)?), row.get(1)?)))?;
        let sql = "SELECT count(*) FROM outbox WHERE channel = ?1 AND state = 2";
        let dead = self.connection.prepare_cached(sql)?.query_one([channel], |row| row.get(0))?;
        Ok(Backlog { pending, oldest, dead: count(dead) })
    }

    /// Notices that were given up, of all channels.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, OutboxError> {
        let sql = "SELECT finding, channel, attempts, coalesce(last_error, '') FROM outbox WHERE state = ?1
            ORDER BY channel, finding";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([DEAD], |row| {
            Ok(DeadLetter {
                finding: row.get(0)?,
                channel: row.get(1)?,
                attempts: row.get(2)?,
                last_error: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Owes the given-up notices of a channel again, from the start. Returns how many.
    ///
    /// # Errors
    /// The database refuses.
    pub fn retry_dead(&self, channel: &str, now: i64) -> Result<usize, OutboxError> {
        let sql = "UPDATE outbox SET state = ?3, attempts = 0, next_at = ?2 WHERE channel = ?1 AND state = ?4";
        Ok(self.connection.execute(sql, params![channel, now, PENDING, DEAD])?)
    }

    /// Lets go of the given-up notices of a channel. Returns how many.
    ///
    /// # Errors
    /// The database refuses.
    pub fn drop_dead(&self, channel: &str) -> Result<usize, OutboxError> {
        let sql = "UPDATE outbox SET state = ?2 WHERE channel = ?1 AND state = ?3";
        Ok(self.connection.execute(sql, params![channel, TOLD, DEAD])?)
    }

    /// The revision of a finding that a channel has told last; `None` if none yet.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn told(&self, finding: &str, channel: &str) -> Result<Option<u64>, OutboxError> {
        let sql = "SELECT delivered FROM outbox WHERE finding = ?1 AND channel = ?2 AND delivered > 0";
        let told = self.connection.query_row(sql, [finding, channel], |row| row.get(0)).optional()?;
        Ok(told.map(count))
    }
}

fn lease_rows(
    transaction: &Transaction<'_>,
    channel: &str,
    now: i64,
    most: usize,
) -> Result<Vec<(String, u32)>, OutboxError> {
    let sql = "UPDATE outbox SET lease_until = ?4 WHERE channel = ?1 AND finding IN (
            SELECT finding FROM outbox WHERE channel = ?1 AND state = 0 AND next_at <= ?2 AND lease_until <= ?2
            ORDER BY next_at LIMIT ?3)
        RETURNING finding, attempts";
    let mut statement = transaction.prepare_cached(sql)?;
    let lease_until = now.saturating_add(LEASE_MS);
    let rows = statement
        .query_map(params![channel, now, int(most as u64), lease_until], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Waiting time after one more failure; `None` when the schedule is at its end. Half of it is spread by the finding's id,
/// so that a backlog does not come back all at once.
fn back_off(id: &str, failures: u32) -> Option<i64> {
    let full = *BACK_OFF_MS.get(failures as usize)?;
    let spread = i64::from(id.bytes().fold(0u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte))));
    Some(full / 2 + full / 2 * spread / i64::from(u16::MAX))
}
