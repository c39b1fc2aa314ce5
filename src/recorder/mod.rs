//! Makes a batch durable, in the order that a crash at any step cannot spoil:
//!
//! 1. dead letters appended, synced
//! 2. evidence staged: frame, entries, tiles, synced
//! 3. what the state must learn (findings, positions, fingerprints) prepared as one pending row of the state database
//! 4. evidence published: the checkpoint replaced
//! 5. the pending row applied
//!
//! Only then does the receipt exist. At the next start the published checkpoint decides: a pending row at or below it is
//! applied, one above it is dropped together with the staged evidence and the dead letters of its batch.

pub mod dead_letters;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use thiserror::Error;

use crate::evidence::disk::Disk;
use crate::evidence::inbox::Waiting;
use crate::evidence::{self, EvidenceError, Inbox, Log, Note};
use crate::outbox::{Bounds, ChannelSpec, Outbox, OutboxError};
use crate::pipeline::ports::{Durable, Reached, RecordError, Recorder, Seal};
use crate::pipeline::report::{BatchReport, Gap};
use dead_letters::{DeadLetterTopic, DeadLetters};

/// Why the records of earlier runs cannot be opened. The text says what to do.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The evidence log.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The state database.
    #[error(transparent)]
    State(#[from] OutboxError),
    /// Folders and the dead-letter file.
    #[error("cannot open {path}: {source}; give the process a folder that it may write to (--data DIR)")]
    Folder {
        /// What could not be opened.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Where everything durable of one instance lives.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The evidence log; may be handed to an auditor as it is.
    pub evidence: PathBuf,
    /// Keys, state database, dead letters; stays with the operator.
    pub state: PathBuf,
}

/// Evidence, state and dead letters of one instance.
pub struct Ledger {
    log: Log,
    outbox: Outbox,
    dead_letters: DeadLetters,
    inbox: Inbox,
    notes: Vec<Note>,
    /// A step failed: what is on disk is for the next start to judge, and nothing is recorded a second time here.
    failed: bool,
    /// Records written by this process.
    pub records: u64,
}

impl Ledger {
    /// Opens what is there, or begins it; settles what a crash left behind.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        folders: &Folders,
        options: &evidence::Options,
        channels: &[ChannelSpec],
        bounds: Bounds,
        dead_letters: DeadLetterTopic,
    ) -> Result<Self, OpenError> {
        make_private(&folders.evidence)?;
        make_private(&folders.state)?;
        let mut log = Log::open(&folders.evidence, options)?;
        let mut outbox = Outbox::open(&folders.state.join("state.db"), channels)?.with_bounds(bounds);
        outbox.recover(log.size())?;
        let behind = log.size() > outbox.applied_size();
        if behind {
            tracing::warn!(
                evidence = log.size(),
                state = outbox.applied_size(),
                "the state database is older than the evidence; positions are taken from the evidence, findings and verdict lines in between are not told again"
            );
            outbox.adopt(&log.coverage_since(outbox.applied_size())?, log.size())?;
        }
        let inbox = Inbox::new(&folders.state).through(Disk::new(options.sync, options.faults.clone()));
        let recorded = inbox.recorded(&folders.evidence)?;
        recorded.iter().try_for_each(|waiting| log.carry_out(waiting.filing()))?;
        inbox.remove(&recorded)?;
        let path = folders.state.join("dead-letters.ndjson");
        let dead_letters = DeadLetters::open(&path, dead_letters, &outbox.reached()?)
            .map_err(|source| OpenError::Folder { path: path.clone(), source })?;
        Ok(Self { log, outbox, dead_letters, inbox, notes: Vec::new(), failed: false, records: 0 })
    }

    /// How far each lane is recorded.
    ///
    /// # Errors
    /// The state database cannot be read.
    pub fn reached(&self) -> Result<Vec<Reached>, OutboxError> {
        self.outbox.reached()
    }

    /// The state, for reading.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Entries in the published log.
    pub fn size(&self) -> u64 {
        self.log.size()
    }

    /// Name of the log and of its key, as `<origin>+<key id>`: tells this log from every other.
    pub fn name(&self) -> String {
        let vkey = self.log.vkey();
        vkey.rsplit_once('+').map_or(vkey.clone(), |(name, _)| name.to_owned())
    }

    /// Adds an entry about the monitor itself (start, stop, digests in force, gaps) to the next batch.
    pub fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// Lets go of findings whose last event is before `before` (ms since the epoch) and of which nothing is owed. The
    /// evidence of their records stays.
    ///
    /// # Errors
    /// The database refuses; nothing has changed then.
    pub fn prune(&mut self, before: i64) -> Result<usize, OutboxError> {
        self.outbox.prune(before)
    }

    /// Publishes notes that no batch has taken along, and deeds that wait in the inbox: at the end, and while the source
    /// is idle.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        let idle = self.notes.is_empty() && self.waiting().is_empty();
        if idle { Ok(()) } else { self.write(&BatchReport::default()) }
    }

    /// What waits in the inbox. An inbox that cannot be read keeps deeds waiting, not the stream.
    fn waiting(&self) -> Vec<Waiting> {
        let mut waiting = self.inbox.waiting().unwrap_or_else(|why| {
            tracing::warn!(%why, "deeds wait to be recorded");
            Vec::new()
        });
        waiting.retain(|waiting| {
            let may = self.log.may_record(waiting.filing().deed());
            if !may {
                self.inbox.refuse(waiting);
            }
            may
        });
        waiting
    }

    /// Closes the log in order. Dropping the ledger loses nothing either; it only leaves more to settle at the next start.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn close(self) -> Result<(), EvidenceError> {
        self.log.close()
    }

    fn write(&mut self, report: &BatchReport) -> Result<(), RecordError> {
        if self.failed {
            return Err(RecordError("an earlier step failed; start again, the next start recovers".to_owned()));
        }
        let written = self.write_all(report);
        self.failed = written.is_err();
        written
    }

    fn write_all(&mut self, report: &BatchReport) -> Result<(), RecordError> {
        let failed = |what: &str, why: &dyn std::fmt::Display| {
            RecordError(format!("{what}: {why}; nothing of this batch is committed, mend the cause and start again"))
        };
        self.dead_letters.keep(&report.rejected).map_err(|why| failed("dead letters not kept", &why))?;
        self.notes.extend(report.gaps.iter().map(gap));
        let waiting = self.waiting();
        self.notes.extend(waiting.iter().map(|waiting| Note::Deed(waiting.filing().clone())));
        let batch = evidence::Batch {
            records: &report.records,
            coverage: &report.coverage,
            rejected: &report.rejected,
            notes: &self.notes,
            now_ms: now_ms(),
        };
        let staged = self.log.stage(&batch).map_err(|why| failed("evidence not written", &why))?;
        let size = staged.size();
        self.outbox.prepare(size, report).map_err(|why| failed("state not written", &why))?;
        self.log.publish(staged).map_err(|why| failed("evidence checkpoint not written", &why))?;
        self.outbox.apply(size).map_err(|why| failed("state not applied", &why))?;
        self.inbox.remove(&waiting).map_err(|why| failed("deeds not taken off the inbox", &why))?;
        self.notes.clear();
        self.records += report.records.len() as u64;
        Ok(())
    }
}

impl Recorder for Ledger {
    fn record(&mut self, report: &BatchReport, seal: Seal) -> Result<Durable, RecordError> {
        self.write(report)?;
        let reached = report.coverage.iter().map(|share| Reached {
            lane: share.lane.clone(),
            next: share.next,
            last_digest: share.last_digest.clone(),
        });
        Ok(seal.attest(reached.collect()))
    }

    fn idle(&mut self) -> Result<(), RecordError> {
        self.flush()
    }
}

fn gap(gap: &Gap) -> Note {
    let Gap { lane, from, to, why } = gap;
    Note::Gap { lane: lane.clone(), from: *from, to: *to, reason: why.name().to_owned() }
}

fn make_private(folder: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| OpenError::Folder { path: folder.to_owned(), source })
}

/// Now, in ms since the epoch.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
