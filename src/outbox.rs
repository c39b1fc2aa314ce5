//! What is still to be told, and to whom; with the state that must agree with the evidence: findings, the positions that
//! were reached, fingerprints for duplicates, the counts of conservation. One SQLite file.
//!
//! A batch passes in two durable steps around the publication of the evidence: [`Outbox::prepare`] writes down what the
//! batch will change, unseen by any reader; the evidence checkpoint is published; [`Outbox::apply`] makes the change. A
//! crash between the two leaves a pending batch, and [`Outbox::recover`] settles it by one comparison: what the published
//! evidence includes is applied, what it does not include never happened.
//!
//! This room never sends anything, never decides a verdict, and never touches the source.

mod acknowledge;
mod delta;
mod desk;
mod finding;
mod letter;
mod letters;
mod owed;
mod post;
mod prints;
mod queue;
mod schema;
pub mod silence;
mod spec;
mod stored;
mod stored_letter;
mod tally;
mod trouble;
mod verdicts;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use thiserror::Error;

use crate::pipeline::ports::Reached;
use crate::pipeline::report::BatchReport;

use delta::Delta;
pub use desk::Entry;
pub use finding::{Filter, Finding};
pub use letter::{
    Arrangement, Body, Digest, FlowSum, Held, Intake, Kind, Mishap, Reason, Remark, Snapshot, Sum, Trouble,
};
pub use letters::Sealed;
pub use post::{Decision, Draft, Filed, Waiting, Why};
pub use prints::Fingerprint;
pub use queue::{Backlog, News, Outcome, Parcel, Queue};
pub use silence::{Matcher, Silence};
pub use spec::{ChannelSpec, Escalation, Manner, Wait};
pub use tally::SLOT_MS;
pub use verdicts::{Untold, VerdictLines};

/// Why the state could not be read or written. Every kind is fatal for the recorder: nothing may be committed after it.
#[derive(Debug, Error)]
pub enum OutboxError {
    /// SQLite refused: disk full, file locked by another process, file damaged.
    #[error("state database: {0}; check free space, permissions and that no other harbourwatch uses the same file")]
    Database(#[from] rusqlite::Error),
    /// The file could not be made or protected.
    #[error("state database {path}: {source}; check that the folder exists and is writable")]
    File {
        /// Path as configured.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The random key for fingerprints could not be drawn.
    #[error("state database: the system gave no random bytes for the fingerprint key")]
    Random,
    /// Stored data cannot be read back.
    #[error("state database: {0} is unreadable; restore the file from a backup together with the evidence")]
    Corrupt(&'static str),
    /// Written by a newer version.
    #[error("state database has layout {found}, this program knows {known}; use the newer program")]
    Newer {
        /// Layout of the file.
        found: i64,
        /// Newest layout of this program.
        known: i64,
    },
    /// The state is ahead of the evidence, so one of the two was restored from an older copy.
    #[error(
        "state database is at evidence size {applied}, the published evidence ends at {published}; restore both from the same moment"
    )]
    Ahead {
        /// Size that the state includes.
        applied: u64,
        /// Size of the published evidence.
        published: u64,
    },
    /// Steps called out of order.
    #[error("state database: {0}; the batch is not recorded")]
    Order(&'static str),
}

/// Bounds that the settings may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Objects of one series in an hour from which its severity is raised by one step.
    pub bulk_objects: u64,
    /// Fingerprints kept, at least; whole batches are let go.
    pub fingerprints: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { bulk_objects: 100, fingerprints: 1 << 20 }
    }
}

/// Conservation over all time: `received = judged + rejected + duplicate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Totals {
    pub received: u64,
    pub judged: u64,
    pub rejected: u64,
    pub duplicate: u64,
}

impl Totals {
    /// Whether every event that came in came out.
    pub fn is_conserved(&self) -> bool {
        self.received == self.judged + self.rejected + self.duplicate
    }
}

/// The recorder's side of the state database. One per process; couriers use a [`Queue`] of their own.
#[derive(Debug)]
pub struct Outbox {
    connection: Connection,
    channels: Vec<ChannelSpec>,
    bounds: Bounds,
    applied: u64,
    /// Fingerprints on file, to prune without counting.
    prints: u64,
    dedupe_key: [u8; 16],
    /// What was prepared, with its size: what is on file need not be read again, unless that was in another life.
    prepared: Option<(u64, Delta)>,
    now: fn() -> i64,
}

impl Outbox {
    /// Opens the file, or makes it with mode 0600 and a random fingerprint key.
    ///
    /// # Errors
    /// The file cannot be made, is not ours, or is of a newer layout.
    pub fn open(path: &Path, channels: &[ChannelSpec]) -> Result<Self, OutboxError> {
        let connection = schema::open_for_recorder(path)?;
        let prints = prints::count(&connection)?;
        let (applied, dedupe_key) = schema::meta(&connection)?;
        let (channels, bounds) = (channels.to_vec(), Bounds::default());
        Ok(Self { connection, channels, bounds, applied, prints, dedupe_key, prepared: None, now: wall_clock })
    }

    /// The same with other bounds.
    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// The same with another clock (ms since the epoch), for tests.
    #[must_use]
    pub fn with_clock(mut self, now: fn() -> i64) -> Self {
        self.now = now;
        self
    }

    /// Writes down, durably and unseen, what the batch changes. `tree_size` is the size that the evidence will have once
    /// the batch is published.
    ///
    /// # Errors
    /// A batch is pending already, or the database refuses; nothing has changed then.
    pub fn prepare(&mut self, tree_size: u64, report: &BatchReport) -> Result<(), OutboxError> {
        if tree_size < self.applied {
            return Err(OutboxError::Order("a batch would shrink the evidence"));
        }
        self.prepared = None;
        let delta = Delta::of(report);
        let json = delta.to_json()?;
        let transaction = begin(&mut self.connection)?;
        if pending_size(&transaction)?.is_some() {
            return Err(OutboxError::Order("the previous batch was prepared but never applied"));
        }
        let batch = prints::insert(&transaction, &report.fingerprints)?;
        verdicts::insert(&transaction, tree_size, report)?;
        transaction
            .prepare_cached("INSERT INTO pending (only, tree_size, delta, batch) VALUES (1, ?1, ?2, ?3)")?
            .execute(params![int(tree_size), json, batch])?;
        transaction.commit()?;
        self.prepared = Some((tree_size, delta));
        Ok(())
    }

    /// Makes the prepared batch visible: findings, notices, positions, fingerprints, counts. One transaction, which does not
    /// wait for the medium: what a power cut undoes is on the medium as the pending batch, and [`Outbox::recover`] applies it
    /// again.
    ///
    /// # Errors
    /// No batch of this size is pending, or the database refuses; nothing has changed then.
    pub fn apply(&mut self, tree_size: u64) -> Result<(), OutboxError> {
        schema::wait_for_medium(&self.connection, false)?;
        let applied = self.apply_pending(tree_size);
        schema::wait_for_medium(&self.connection, true)?;
        applied
    }

    fn apply_pending(&mut self, tree_size: u64) -> Result<(), OutboxError> {
        let (bounds, now) = (self.bounds, (self.now)());
        let prepared = self.prepared.take().filter(|(size, _)| *size == tree_size);
        let transaction = begin(&mut self.connection)?;
        let Some(delta) = take_pending(&transaction, tree_size, prepared.map(|(_, delta)| delta))? else {
            return Err(OutboxError::Order("no batch of this size is prepared"));
        };
        delta.apply_lanes(&transaction)?;
        let (changed, is_new) = finding::apply(&transaction, &delta.findings, bounds.bulk_objects, now)?;
        owed::enqueue(&transaction, &self.channels, &changed, now)?;
        tally::add(&transaction, &delta.findings, &is_new, now)?;
        tally::add_intake(&transaction, &delta.intake, now)?;
        let mut prints = self.prints + delta.prints;
        prints -= prints::prune(&transaction, prints, bounds.fingerprints)?;
        set_applied(&transaction, tree_size)?;
        transaction.commit()?;
        (self.prints, self.applied) = (prints, tree_size);
        Ok(())
    }

    /// Settles what a crash left. To be called once at start, with the size of the published evidence.
    ///
    /// # Errors
    /// [`OutboxError::Ahead`]: state and evidence are not of the same moment.
    pub fn recover(&mut self, published_size: u64) -> Result<(), OutboxError> {
        let applied = self.applied;
        if applied > published_size {
            return Err(OutboxError::Ahead { applied, published: published_size });
        }
        match pending_size(&self.connection)? {
            Some(size) if size <= published_size => self.apply(size),
            Some(_) => self.discard(),
            None => Ok(()),
        }
    }

    fn discard(&mut self) -> Result<(), OutboxError> {
        let transaction = begin(&mut self.connection)?;
        transaction.execute("DELETE FROM fingerprints WHERE batch IN (SELECT batch FROM pending)", [])?;
        verdicts::discard(&transaction)?;
        transaction.execute("DELETE FROM pending", [])?;
        Ok(transaction.commit()?)
    }

    /// Takes positions over from the evidence where the state is behind it, as when it was restored from an older copy or
    /// begun anew. Findings in between are not known to the state.
    ///
    /// # Errors
    /// The database refuses; nothing has changed then.
    pub fn adopt(&mut self, reached: &[Reached], size: u64) -> Result<(), OutboxError> {
        let transaction = begin(&mut self.connection)?;
        delta::adopt(&transaction, reached)?;
        set_applied(&transaction, size)?;
        transaction.commit()?;
        self.applied = size;
        Ok(())
    }

    /// Size of the evidence that the state includes.
    pub fn applied_size(&self) -> u64 {
        self.applied
    }

    /// How far each lane is recorded.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn reached(&self) -> Result<Vec<Reached>, OutboxError> {
        delta::reached(&self.connection)
    }

    /// Fingerprints of the last `most` new events, in input order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn fingerprints(&self, most: usize) -> Result<Vec<Fingerprint>, OutboxError> {
        prints::last(&self.connection, most)
    }

    /// Key of the fingerprints: random, made when the file was made, so that fingerprints say nothing to other readers.
    pub fn dedupe_key(&self) -> [u8; 16] {
        self.dedupe_key
    }

    /// Counts of all batches so far.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn totals(&self) -> Result<Totals, OutboxError> {
        delta::totals(&self.connection)
    }

    /// Findings that pass the filter, latest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn findings(&self, filter: &Filter) -> Result<Vec<Finding>, OutboxError> {
        finding::select(&self.connection, filter)
    }

    /// The `most` gravest findings: by severity, then by count, then the latest.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn worst(&self, most: usize) -> Result<Vec<Finding>, OutboxError> {
        finding::worst(&self.connection, most)
    }

    /// Lets go of findings whose last event is before `before` (ms since the epoch) and of which nothing is owed to
    /// anybody, of letters that were sent before, and of counts of that time. Returns how many findings.
    ///
    /// # Errors
    /// The database refuses; nothing has changed then.
    pub fn prune(&mut self, before: i64) -> Result<usize, OutboxError> {
        prune(&mut self.connection, before)
    }
}

fn prune(connection: &mut Connection, before: i64) -> Result<usize, OutboxError> {
    let transaction = begin(connection)?;
    let gone = finding::prune(&transaction, before)?;
    transaction.execute("DELETE FROM letters WHERE state = 1 AND sent_at < ?1", [before])?;
    transaction.execute("DELETE FROM silences WHERE ends < ?1", [before])?;
    tally::prune(&transaction, before)?;
    transaction.commit()?;
    Ok(gone)
}

/// Takes the write lock at once, so that a courier's short transaction is waited for and never makes ours fail midway.
fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn pending_size(connection: &Connection) -> Result<Option<u64>, OutboxError> {
    let size = connection.query_row("SELECT tree_size FROM pending", [], |row| row.get(0)).optional()?;
    Ok(size.map(count))
}

/// Takes the pending batch of this size from the file; what it says is only read where it is not `prepared` here.
fn take_pending(
    transaction: &Transaction<'_>,
    tree_size: u64,
    prepared: Option<Delta>,
) -> Result<Option<Delta>, OutboxError> {
    if let Some(delta) = prepared {
        let taken =
            transaction.prepare_cached("DELETE FROM pending WHERE tree_size = ?1")?.execute([int(tree_size)])?;
        return Ok((taken == 1).then_some(delta));
    }
    let sql = "DELETE FROM pending WHERE tree_size = ?1 RETURNING delta";
    let json: Option<String> =
        transaction.prepare_cached(sql)?.query_row([int(tree_size)], |row| row.get(0)).optional()?;
    json.map(|json| Delta::from_json(&json)).transpose()
}

fn set_applied(transaction: &Transaction<'_>, tree_size: u64) -> Result<(), OutboxError> {
    transaction.prepare_cached("UPDATE meta SET applied_size = ?1")?.execute([int(tree_size)])?;
    Ok(())
}

/// SQLite's integers are signed; counts beyond stay at the largest, which no real input reaches.
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Ms since the epoch by the system's clock.
pub(crate) fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
