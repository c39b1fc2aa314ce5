//! The writer: one process, one batch at a time, in two steps. [`Log::stage`] puts everything on disk but the promise;
//! [`Log::publish`] makes the promise. Between the two the caller writes its own transaction, which counts once the log
//! has at least the staged size.
//!
//! The log never decides what to record, never retries, and never writes on after a failed step: the state on disk is
//! then unknown, and the recovery of the next [`Log::open`] is the only code that settles it.

use std::path::{Path, PathBuf};

use super::batch::{Batch, Note};
use super::checkpoint::Checkpoint;
use super::compose::{Composer, Plan};
use super::deed::{Deed, Deletion, Filing, Rotation};
use super::disk::{Disk, Faults};
use super::edge::Edge;
use super::error::EvidenceError;
use super::holds::Holds;
use super::index::Index;
use super::journal::{self, ROTATE_BYTES};
use super::keyring::Keyring;
use super::keys::{self, Keys, holds_path, subjects_path};
use super::lanes::{Joint, Lanes};
use super::lock::WriterLock;
use super::recipients::Told;
use super::segment::{Cursor, SEGMENT_BYTES, Sealer};
use super::{delete, reader, recover};
use crate::pipeline::ports::Reached;

/// How a log is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the log, first line of every checkpoint, such as `harbourwatch/evidence/hk-prod`. Fixed for good.
    pub origin: String,
    /// age X25519 recipients (`age1…`) that can open the frames; none: frames are compressed but not encrypted.
    pub recipients: Vec<String>,
    /// Where the signing key lies, outside the archive; made with mode 0600 together with a new log.
    pub key: PathBuf,
    /// Where the keys of the subjects lie, under which personal fields are sealed; made together with a new log. `None`:
    /// personal fields are not sealed.
    pub subjects: Option<PathBuf>,
    /// Whether to wait for the medium. Always `true` in production.
    pub sync: bool,
    /// Bytes from which a segment is finished.
    pub segment_bytes: u64,
    /// Decides the fate of each step on disk; for tests.
    pub faults: Option<Faults>,
}

impl Options {
    /// Options as in production, without recipients.
    pub fn new(origin: impl Into<String>, key: impl Into<PathBuf>) -> Self {
        let key = key.into();
        Self {
            origin: origin.into(),
            recipients: Vec::new(),
            subjects: Some(subjects_path(&key)),
            key,
            sync: true,
            segment_bytes: SEGMENT_BYTES,
            faults: None,
        }
    }
}

/// A batch on disk that is not part of the log yet. Hand it to [`Log::publish`]; dropped, it leaves the log closed.
#[derive(Debug)]
#[must_use = "a staged batch becomes part of the log only when it is published"]
pub struct Staged {
    size: u64,
}

impl Staged {
    /// Size of the log once the batch is published.
    pub fn size(&self) -> u64 {
        self.size
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    Staged(u64),
    Poisoned,
}

/// A log open for writing.
pub struct Log {
    pub(super) dir: PathBuf,
    pub(super) disk: Disk,
    pub(super) keys: Keys,
    pub(super) sealer: Sealer,
    pub(super) keyring: Option<Keyring>,
    holds: Holds,
    /// Where the signing key lies.
    key: PathBuf,
    /// To whom frames are encrypted, and whether the log says so yet.
    recipients: Told,
    /// Deeds of the staged batch, to be carried out when it is published.
    staged_deeds: Vec<Filing>,
    pub(super) published: Checkpoint,
    pub(super) edge: Edge,
    pub(super) cursor: Option<Cursor>,
    pub(super) index: Index,
    pub(super) segment_bytes: u64,
    journal_bytes: u64,
    lanes: Lanes,
    all_lanes_known: bool,
    state: State,
    _lock: WriterLock,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("dir", &self.dir).field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Log {
    /// Opens the log in `dir`, or makes one; settles what a crash left behind.
    ///
    /// # Errors
    /// [`EvidenceError::Locked`] while another process writes it; [`EvidenceError::Contradiction`] if the files cannot
    /// have come from a crash; [`EvidenceError::Key`] and [`EvidenceError::Disk`] as they say.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, EvidenceError> {
        let disk = Disk::new(options.sync, options.faults.clone());
        let sealer = Sealer::new(&options.recipients)?;
        disk.create_dir(dir)?;
        let lock = WriterLock::take(dir)?;
        let settled = recover::settle(dir, &disk, options)?;
        Ok(Self {
            dir: dir.to_owned(),
            disk,
            keys: settled.keys,
            sealer,
            keyring: settled.keyring,
            holds: Holds::read(&holds_path(&options.key))?,
            key: options.key.clone(),
            recipients: Told::read(&options.key, &options.recipients)?,
            staged_deeds: Vec::new(),
            all_lanes_known: settled.published.size == 0,
            published: settled.published,
            edge: settled.edge,
            cursor: settled.cursor,
            index: settled.index,
            segment_bytes: options.segment_bytes,
            journal_bytes: 0,
            lanes: Lanes::default(),
            state: State::Ready,
            _lock: lock,
        })
    }

    /// Entries that are published.
    pub fn size(&self) -> u64 {
        self.published.size
    }

    /// The checkpoint that is published.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.published
    }

    /// The public key that verifies the log. Give it to the auditor by another way than the archive.
    pub fn vkey(&self) -> String {
        self.keys.signer.verifier().vkey()
    }

    /// Per lane the furthest position that the entries at or after index `size` tell of; 0 asks the whole log.
    ///
    /// # Errors
    /// A bundle cannot be read.
    pub fn coverage_since(&self, size: u64) -> Result<Vec<Reached>, EvidenceError> {
        let mut lanes = Lanes::default();
        reader::entries(&self.dir, size, self.size(), |_, entry| lanes.apply(&entry))?;
        Ok(lanes.reached())
    }

    /// Puts a batch on disk, all but the promise.
    ///
    /// # Errors
    /// [`EvidenceError::Refused`] leaves everything as it was; any other error closes the log.
    pub fn stage(&mut self, batch: &Batch<'_>) -> Result<Staged, EvidenceError> {
        if self.state != State::Ready {
            self.state = State::Poisoned;
            return Err(EvidenceError::Poisoned);
        }
        self.learn_lanes(batch)?;
        let plan = Composer::new(
            &self.published,
            batch.now_ms,
            (&self.sealer, &self.keys.tag, self.keyring.as_mut()),
            (self.cursor.clone(), self.lanes.clone()),
        )?
        .segments_of(self.segment_bytes)
        .compose(batch, self.recipients.untold())?;
        self.state = State::Poisoned;
        self.write(plan)?;
        self.staged_deeds = batch.notes.iter().filter_map(Note::filing).cloned().collect();
        let size = self.edge.size();
        self.state = State::Staged(size);
        Ok(Staged { size })
    }

    /// Makes a staged batch part of the log. When this returns, the batch is recorded for good.
    ///
    /// # Errors
    /// Any error closes the log. The batch may be recorded or not; the next [`Log::open`] tells by its size.
    #[expect(clippy::needless_pass_by_value, reason = "the token is used up: a batch is published once")]
    pub fn publish(&mut self, staged: Staged) -> Result<Checkpoint, EvidenceError> {
        if self.state != State::Staged(staged.size) {
            self.state = State::Poisoned;
            return Err(EvidenceError::Poisoned);
        }
        self.state = State::Poisoned;
        let checkpoint = Checkpoint::sign(&self.keys.signer, self.edge.size(), self.edge.root());
        self.disk.replace(&self.dir.join("checkpoint"), checkpoint.note().as_bytes())?;
        let old = std::mem::replace(&mut self.published, checkpoint.clone()).size;
        self.edge.drop_outgrown(&self.disk, old)?;
        let deeds = std::mem::take(&mut self.staged_deeds);
        deeds.iter().try_for_each(|filing| self.carry_out(filing))?;
        self.recipients.is_told(&self.disk)?;
        self.state = State::Ready;
        Ok(checkpoint)
    }

    /// Does what a recorded deed says is done. Doing it again changes nothing.
    ///
    /// # Errors
    /// The disk refuses; the deed is recorded all the same, and is carried out at the next start.
    pub fn carry_out(&mut self, filing: &Filing) -> Result<(), EvidenceError> {
        self.keyring.as_mut().map_or(Ok(()), |keyring| keyring.obey(&self.disk, filing.deed()))?;
        self.holds.obey(&self.disk, filing)?;
        match filing.deed() {
            Deed::Deleted(Deletion::Segment { segment, .. }) => {
                delete::segment(&self.dir, &self.disk, &mut self.index, *segment)?;
            }
            Deed::Deleted(Deletion::Tiles { minimum, .. }) => delete::tiles(&self.dir, &self.disk, *minimum)?,
            Deed::Deleted(Deletion::Keys { .. })
            | Deed::Acknowledged { .. }
            | Deed::Accessed { .. }
            | Deed::Erased { .. }
            | Deed::Held { .. }
            | Deed::Rotated(_) => (),
        }
        if let Deed::Rotated(Rotation::Signer { to, .. }) = filing.deed()
            && let Some(next) = keys::next(&self.key)?.filter(|next| next.verifier().vkey() == *to)
        {
            recover::take_next(&self.dir, &self.key, &next, &self.disk)?;
            self.keys.signer = next;
        }
        Ok(())
    }

    /// Whether a deed can be recorded now: a change of the signing key wants the key that is to follow, and what is being
    /// written is not deleted.
    pub fn may_record(&self, deed: &Deed) -> bool {
        match deed {
            Deed::Rotated(Rotation::Signer { from, to, .. }) => {
                let next = keys::next(&self.key).ok().flatten();
                self.vkey() == *from && next.is_some_and(|next| next.verifier().vkey() == *to)
            }
            Deed::Deleted(Deletion::Segment { segment, .. }) => {
                self.cursor.as_ref().is_some_and(|cursor| segment.number < cursor.id.number)
            }
            Deed::Deleted(Deletion::Tiles { minimum, .. }) => *minimum <= self.size(),
            Deed::Deleted(Deletion::Keys { .. })
            | Deed::Acknowledged { .. }
            | Deed::Accessed { .. }
            | Deed::Erased { .. }
            | Deed::Held { .. }
            | Deed::Rotated(Rotation::Recipients { .. }) => true,
        }
    }

    /// Stops cleanly: everything on the medium, no journal. Dropping the log does the same, but cannot say how it went.
    ///
    /// # Errors
    /// What is published stays so; the next [`Log::open`] recovers.
    pub fn close(mut self) -> Result<(), EvidenceError> {
        self.settle_down()
    }

    fn settle_down(&mut self) -> Result<(), EvidenceError> {
        if std::mem::replace(&mut self.state, State::Poisoned) != State::Ready {
            return Ok(()); // What is on disk is for the next start to judge.
        }
        self.edge.sync(&self.disk)?;
        self.index.sync(&self.disk)?;
        let size = self.size();
        self.keyring.as_mut().map_or(Ok(()), |keyring| keyring.swept(&self.disk, size))?;
        self.disk.remove(&journal::path(&self.dir))?;
        self.disk.sync_dir(&self.dir)
    }

    /// A lane of which this process knows nothing yet may be known to the log: then its end is read, once for all lanes.
    fn learn_lanes(&mut self, batch: &Batch<'_>) -> Result<(), EvidenceError> {
        let gaps = batch.notes.iter().filter_map(|note| match note {
            Note::Gap { lane, .. } => Some(lane),
            Note::Config { .. } | Note::Life { .. } | Note::Deed(_) => None,
        });
        let mut lanes = batch.coverage.iter().map(|coverage| &coverage.lane).chain(gaps);
        if self.all_lanes_known || lanes.all(|lane| self.lanes.joint(lane, 0) != Joint::First) {
            return Ok(());
        }
        let mut lanes = Lanes::default();
        reader::entries(&self.dir, 0, self.size(), |_, entry| lanes.apply(&entry))?;
        (self.lanes, self.all_lanes_known) = (lanes, true);
        Ok(())
    }

    /// Steps 1–3 of the order of durable steps.
    fn write(&mut self, plan: Plan) -> Result<(), EvidenceError> {
        if self.journal_bytes >= ROTATE_BYTES {
            self.rotate_journal()?;
        }
        self.keyring.as_mut().map_or(Ok(()), |keyring| keyring.commit(&self.disk))?;
        self.write_segments(&plan)?;
        let Plan { entries, rows, cursor, lanes, .. } = plan;
        let old = self.size();
        let staged = journal::Staged { first: old, entries, rows };
        let path = journal::path(&self.dir);
        let bytes = journal::encode(&staged).map_err(|error| EvidenceError::disk("encode", &path, error))?;
        self.disk.append(&path, &bytes)?;
        self.journal_bytes += bytes.len() as u64;
        staged.entries.iter().try_for_each(|entry| self.edge.push(&self.disk, entry))?;
        self.edge.write_partial(&self.disk, old)?;
        self.index.replace(&self.disk, old, u64::MAX, &staged.rows)?;
        (self.cursor, self.lanes) = (cursor, lanes);
        Ok(())
    }

    fn write_segments(&self, plan: &Plan) -> Result<(), EvidenceError> {
        for append in &plan.appends {
            let path = append.segment.path(&self.dir);
            let above: Vec<&Path> = path.ancestors().skip(1).take_while(|above| above.starts_with(&self.dir)).collect();
            above.first().map_or(Ok(()), |month| self.disk.create_dir(month))?;
            self.disk.append(&path, &append.bytes)?;
            if append.begins {
                above.iter().try_for_each(|dir| self.disk.sync_dir(dir))?;
            }
        }
        Ok(())
    }

    fn rotate_journal(&mut self) -> Result<(), EvidenceError> {
        start_journal(&self.dir, &self.disk, &mut self.edge, &mut self.index)?;
        self.journal_bytes = 0;
        Ok(())
    }
}

/// Makes tiles and index durable by themselves, then starts an empty journal.
pub(super) fn start_journal(dir: &Path, disk: &Disk, edge: &mut Edge, index: &mut Index) -> Result<(), EvidenceError> {
    edge.sync(disk)?;
    index.sync(disk)?;
    let path = journal::path(dir);
    let bytes = journal::begin(edge.size(), edge.base());
    disk.replace(&path, &bytes.map_err(|error| EvidenceError::disk("encode", &path, error))?)
}

impl Drop for Log {
    fn drop(&mut self) {
        // Nobody to tell; whatever is left undone the next start does.
        self.settle_down().ok();
    }
}
