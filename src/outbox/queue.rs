//! The couriers' side of the state database. A row is leased while a courier has it in hand; a lease that ran out is free
//! again, so a notice is delivered at least once, and a receiver knows a repetition by its id.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::finding::{self, Finding};
use super::owed::{ACKNOWLEDGED, PENDING, REPEAT, TOLD};
use super::spec::ChannelSpec;
use super::{OutboxError, begin, count, int, schema};

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

/// What a parcel says of its finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The channel never heard of it.
    Created,
    /// It changed.
    Updated,
    /// Nothing new.
    Repeated,
    /// Somebody acknowledged it.
    Acknowledged,
}

/// A leased notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The finding as it stands.
    pub finding: Finding,
    /// Failures so far.
    pub attempts: u32,
    /// What is said of it.
    pub news: News,
}

impl Parcel {
    /// Key by which a receiver knows a repetition: `<finding>.<revision>`, or `<finding>.<revision>.ack`.
    pub fn notice_id(&self) -> String {
        let id = self.finding.notice_id();
        match self.news {
            News::Created | News::Updated | News::Repeated => id,
            News::Acknowledged => format!("{id}.ack"),
        }
    }
}

/// How a try went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// Not this time; the text says why and carries no value of the finding.
    Failed(String),
    /// Not before so many ms have passed, as the receiver said.
    Later(String, i64),
    /// Never in this form.
    Refused(String),
    /// Not tried; the row is free again.
    Returned,
}

/// What is owed to one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Findings and letters owed.
    pub pending: u64,
    /// Those that are due now.
    pub due: u64,
    /// Since when the oldest is owed, ms since the epoch.
    pub oldest: Option<i64>,
    /// Findings held back, to be counted in a letter to come.
    pub held: u64,
    /// Notices and letters given up.
    pub dead: u64,
    /// Since when the receiver is known to be gone, ms since the epoch.
    pub closed: Option<i64>,
}

/// The couriers' and the operator's side of the state database.
#[derive(Debug)]
pub struct Queue {
    pub(super) connection: Connection,
}

impl Queue {
    /// Opens the file that [`super::Outbox::open`] made.
    ///
    /// # Errors
    /// The file does not exist yet, or is of a newer layout.
    pub fn open(path: &Path) -> Result<Self, OutboxError> {
        Ok(Self { connection: schema::open_for_courier(path)? })
    }

    /// Frees what an earlier process had in hand. To be called when nobody else can be at work on the channel.
    ///
    /// # Errors
    /// The database refuses.
    pub fn reclaim(&self, channel: &str) -> Result<(), OutboxError> {
        for table in ["outbox", "letters"] {
            let sql =
                format!("UPDATE {table} SET lease_until = 0 WHERE channel = ?1 AND state = 0 AND lease_until > 0");
            self.connection.execute(&sql, [channel])?;
        }
        Ok(())
    }

    /// Leases up to `most` due notices of a channel, those waiting longest first.
    ///
    /// # Errors
    /// The database refuses; nothing is leased then.
    pub fn lease(&mut self, channel: &str, now: i64, most: usize) -> Result<Vec<Parcel>, OutboxError> {
        let transaction = begin(&mut self.connection)?;
        let due = lease_rows(&transaction, channel, now, most)?;
        let mut parcels = Vec::with_capacity(due.len());
        for (id, attempts, news) in due {
            // A notice without its finding cannot be told; there is none unless the file was edited by hand.
            if let Some(finding) = finding::get(&transaction, &id)? {
                parcels.push(Parcel { finding, attempts, news });
            }
        }
        transaction.commit()?;
        Ok(parcels)
    }

    /// Takes down how tries went, in one transaction. A finding that changed meanwhile stays owed in its new revision.
    ///
    /// # Errors
    /// The database refuses; the leases run out and the notices are tried again.
    pub fn settle_all(&mut self, spec: &ChannelSpec, tried: &[(Parcel, Outcome)], now: i64) -> Result<(), OutboxError> {
        let transaction = begin(&mut self.connection)?;
        for (parcel, outcome) in tried {
            settle(&transaction, spec, parcel, outcome, now)?;
        }
        Ok(transaction.commit()?)
    }

    /// The same for one.
    ///
    /// # Errors
    /// As [`Queue::settle_all`].
    pub fn settle(
        &mut self,
        spec: &ChannelSpec,
        parcel: &Parcel,
        outcome: &Outcome,
        now: i64,
    ) -> Result<(), OutboxError> {
        self.settle_all(spec, &[(parcel.clone(), outcome.clone())], now)
    }

    /// Makes everything that backs off due: the channel is known to work again. Returns how many.
    ///
    /// # Errors
    /// The database refuses.
    pub fn wake(&self, channel: &str, now: i64) -> Result<usize, OutboxError> {
        let of = |table: &str| {
            format!(
                "UPDATE {table} SET next_at = ?2 WHERE channel = ?1 AND state = 0 AND attempts > 0 AND next_at > ?2"
            )
        };
        let notices = self.connection.prepare_cached(&of("outbox"))?.execute(params![channel, now])?;
        Ok(notices + self.connection.prepare_cached(&of("letters"))?.execute(params![channel, now])?)
    }

    /// What is owed to a channel.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn backlog(&self, channel: &str, now: i64) -> Result<Backlog, OutboxError> {
        let sql = "SELECT
            (SELECT count(*) FROM outbox WHERE channel = ?1 AND state = 0)
                + (SELECT count(*) FROM letters WHERE channel = ?1 AND state = 0),
            (SELECT count(*) FROM outbox WHERE channel = ?1 AND state = 0 AND next_at <= ?2)
                + (SELECT count(*) FROM letters WHERE channel = ?1 AND state = 0),
            nullif(min(coalesce((SELECT min(created) FROM outbox WHERE channel = ?1 AND state = 0), 1 << 62),
                coalesce((SELECT min(created) FROM letters WHERE channel = ?1 AND state = 0), 1 << 62)), 1 << 62),
            (SELECT count(*) FROM outbox WHERE channel = ?1 AND state = 3),
            (SELECT count(*) FROM outbox WHERE channel = ?1 AND state = 2 AND letter IS NULL)
                + (SELECT count(*) FROM letters WHERE channel = ?1 AND state = 2),
            (SELECT closed_at FROM channels WHERE name = ?1 AND closed_at > 0)";
        Ok(self.connection.prepare_cached(sql)?.query_one(params![channel, now], |row| {
            Ok(Backlog {
                pending: count(row.get(0)?),
                due: count(row.get(1)?),
                oldest: row.get(2)?,
                held: count(row.get(3)?),
                dead: count(row.get(4)?),
                closed: row.get(5)?,
            })
        })?)
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

fn settle(
    transaction: &Transaction<'_>,
    spec: &ChannelSpec,
    parcel: &Parcel,
    outcome: &Outcome,
    now: i64,
) -> Result<(), OutboxError> {
    match outcome {
        Outcome::Delivered => delivered(transaction, spec, parcel, now),
        Outcome::Failed(why) => failed(transaction, spec, parcel, why, 0, now),
        Outcome::Later(why, wait) => failed(transaction, spec, parcel, why, *wait, now),
        Outcome::Refused(why) => refused(transaction, spec, parcel, why, now),
        Outcome::Returned => {
            let sql = "UPDATE outbox SET lease_until = 0 WHERE finding = ?1 AND channel = ?2";
            transaction.prepare_cached(sql)?.execute([&parcel.finding.id, &spec.name])?;
            Ok(())
        }
    }
}

fn delivered(transaction: &Transaction<'_>, spec: &ChannelSpec, parcel: &Parcel, now: i64) -> Result<(), OutboxError> {
    let sql = "UPDATE outbox SET
        delivered = max(delivered, ?3), delivered_at = ?4, told = ?6, told_severity = ?7,
        lease_until = 0, attempts = 0, last_error = NULL,
        state = iif(revision > ?3, 0, 1),
        why = 0,
        created = iif(revision > ?3, ?4, created),
        next_at = iif(revision > ?3, ?4 + ?5, next_at),
        repeat_at = iif(?8 > 0, ?4 + ?8, 0)
        WHERE finding = ?1 AND channel = ?2";
    let finding = &parcel.finding;
    let ends = parcel.news == News::Acknowledged || finding.severity < spec.repeat_from;
    let repeat = if ends { 0 } else { spec.repeat.unwrap_or(0) };
    let (revision, told) = (int(finding.revision), int(finding.count));
    transaction.prepare_cached(sql)?.execute(params![
        finding.id,
        spec.name,
        revision,
        now,
        spec.interval,
        told,
        finding.severity as u8,
        repeat,
    ])?;
    Ok(())
}

fn failed(
    transaction: &Transaction<'_>,
    spec: &ChannelSpec,
    parcel: &Parcel,
    why: &str,
    least: i64,
    now: i64,
) -> Result<(), OutboxError> {
    let Some(wait) = back_off(&parcel.finding.id, parcel.attempts) else {
        return refused(transaction, spec, parcel, why, now);
    };
    let sql = "UPDATE outbox SET attempts = ?3, next_at = ?4, lease_until = 0, last_error = ?5
        WHERE finding = ?1 AND channel = ?2";
    let next_at = now.saturating_add(wait.max(least));
    let values = params![parcel.finding.id, spec.name, parcel.attempts + 1, next_at, why];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// A newer revision may fare better, so only the one that was tried is given up.
fn refused(
    transaction: &Transaction<'_>,
    spec: &ChannelSpec,
    parcel: &Parcel,
    why: &str,
    now: i64,
) -> Result<(), OutboxError> {
    let sql = "UPDATE outbox SET attempts = ?3, lease_until = 0, last_error = ?4, state = iif(revision > ?5, 0, 2)
        WHERE finding = ?1 AND channel = ?2";
    let revision = int(parcel.finding.revision);
    let values = params![parcel.finding.id, spec.name, parcel.attempts + 1, why, revision];
    transaction.prepare_cached(sql)?.execute(values)?;
    super::trouble::note(transaction, spec, super::letter::Mishap::GivenUp, why, now)
}

fn lease_rows(
    transaction: &Transaction<'_>,
    channel: &str,
    now: i64,
    most: usize,
) -> Result<Vec<(String, u32, News)>, OutboxError> {
    let sql = "UPDATE outbox SET lease_until = ?4 WHERE channel = ?1 AND finding IN (
            SELECT finding FROM outbox WHERE channel = ?1 AND state = 0 AND next_at <= ?2 AND lease_until <= ?2
            ORDER BY next_at LIMIT ?3)
        RETURNING finding, attempts, why, delivered";
    let mut statement = transaction.prepare_cached(sql)?;
    let lease_until = now.saturating_add(LEASE_MS);
    let rows = statement.query_map(params![channel, now, int(most as u64), lease_until], |row| {
        Ok((row.get(0)?, row.get(1)?, news(row.get(2)?, row.get(3)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn news(why: u8, delivered: i64) -> News {
    match (why, delivered) {
        (ACKNOWLEDGED, _) => News::Acknowledged,
        (_, 0) => News::Created,
        (REPEAT, _) => News::Repeated,
        (_, _) => News::Updated,
    }
}

/// Waiting time after one more failure; `None` when the schedule is at its end. Half of it is spread by the id and the try,
/// so that a backlog does not come back all at once.
pub(super) fn back_off(id: &str, failures: u32) -> Option<i64> {
    let full = *BACK_OFF_MS.get(failures as usize)?;
    let seed = failures.to_le_bytes();
    let spread = id.bytes().chain(seed).fold(0u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte)));
    Some(full / 2 + full / 2 * i64::from(spread) / i64::from(u16::MAX))
}

/// Owes again what a receiver must hear of again: told long enough ago, changed lately enough, and not acknowledged. The
/// others are left in peace for good.
pub(super) fn sweep_repeats(transaction: &Transaction<'_>, spec: &ChannelSpec, now: i64) -> Result<usize, OutboxError> {
    let open = "finding IN (SELECT f.id FROM findings AS f WHERE f.id = outbox.finding AND f.changed >= ?5
        AND NOT EXISTS (SELECT 1 FROM acknowledgements AS a WHERE a.finding = f.id AND a.severity >= f.severity))";
    let sql = format!(
        "UPDATE outbox SET state = iif({open}, ?3, state), why = iif({open}, ?4, why), created = iif({open}, ?2, created),
        next_at = iif({open}, ?2, next_at), attempts = 0, repeat_at = 0
        WHERE channel = ?1 AND state = ?6 AND repeat_at > 0 AND repeat_at <= ?2"
    );
    let since = now.saturating_sub(spec.repeat_for);
    let values = params![spec.name, now, PENDING, REPEAT, since, TOLD];
    Ok(transaction.prepare_cached(&sql)?.execute(values)?)
}
