//! The two ports of the pipeline. A source gives batches and takes receipts; a recorder turns the outcome of a batch into
//! evidence and gives the receipt. "Committed but not recorded" does not compile: [`Source::commit`] wants a [`Durable`],
//! a [`Durable`] comes only from a [`Seal`], and only the pipeline hands a seal to a recorder.

use std::time::Duration;

use thiserror::Error;

use super::batch::{Batch, Limits};
use super::report::{BatchReport, Rejected};
use crate::domain::position::Lane;

/// How far each lane is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which lane.
    pub lane: Lane,
    /// First offset that is not recorded yet.
    pub next: u64,
    /// SHA-256 (first 16 hex digits) of the last recorded message's bytes, to tell whether a file is still the same.
    pub last_digest: String,
}

/// What a poll brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The batch holds at least one message.
    Filled,
    /// Nothing came within [`Limits::wait_ms`].
    Idle,
    /// The source is exhausted; no message will come again.
    End,
}

/// Why a source gave nothing.
#[derive(Debug, Error)]
pub enum SourceError {
    /// May pass; the pipeline tries again, with a bound.
    #[error("{0}")]
    Transient(String),
    /// Will not pass; the process stops without commit. The text says where and what to do.
    #[error("{0}")]
    Fatal(String),
}

/// Gives batches in order and learns how far they are durable.
pub trait Source {
    /// Fills `batch`, which comes empty. Within a lane, messages come in offset order and none is left out. A message that
    /// was put into the batch is not given again, even if the poll then ends or fails for a passing reason.
    ///
    /// The batch before is judged meanwhile, and those before it may still be on their way to the disk. A source that must
    /// give a lane away waits for them in `flight` and commits them first.
    ///
    /// # Errors
    /// [`SourceError::Transient`] may be tried again; after [`SourceError::Fatal`] the source is not polled any more.
    fn poll(&mut self, batch: &mut Batch, limits: &Limits, flight: &mut dyn InFlight) -> Result<Polled, SourceError>;

    /// Adds what came along with rejected messages of one batch, which are in input order: of the last batch, or the one
    /// before it while the next is filled.
    fn describe(&self, _rejected: &mut [Rejected]) {}

    /// Called a few times a second while the recorder takes long, so that a source with a session keeps it alive. Gives
    /// no message.
    fn keep_alive(&mut self) {}

    /// All lanes seen so far; a `LaneId` is the index.
    fn lanes(&self) -> &[Lane];

    /// Learns that everything below the positions of `durable` is recorded.
    ///
    /// # Errors
    /// A refused commit is not a loss: the evidence is ahead and wins at the next start.
    fn commit(&mut self, durable: &Durable) -> Result<(), SourceError>;

    /// Bytes of input done and in all, where known, for the progress bar.
    fn progress(&self) -> Option<(u64, u64)> {
        None
    }
}

/// The batches that are judged or on their way to the disk while the next one is filled.
pub trait InFlight {
    /// Waits until all are durable, at most for `patience`. Gives the receipt for what is durable and was not committed
    /// yet; `None` if there is nothing of that kind. `describe` is the source's own [`Source::describe`].
    fn wait(&mut self, patience: Duration, describe: &dyn Fn(&mut [Rejected])) -> Option<&Durable>;

    /// Whether anything is still on its way.
    fn is_aloft(&self) -> bool;
}

/// Nothing is on its way, as where the source is used without a pipeline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grounded;

impl InFlight for Grounded {
    fn wait(&mut self, _: Duration, _: &dyn Fn(&mut [Rejected])) -> Option<&Durable> {
        None
    }

    fn is_aloft(&self) -> bool {
        false
    }
}

/// Makes the outcome of a batch durable.
pub trait Recorder {
    /// Writes evidence, then outbox; returns when both are on disk.
    ///
    /// # Errors
    /// Nothing of the batch counts as recorded; the process stops without commit and the next start recovers.
    fn record(&mut self, report: &BatchReport, seal: Seal) -> Result<Durable, RecordError>;

    /// Called when nothing came in for a while, for what is to be written without a batch.
    ///
    /// # Errors
    /// As for [`Recorder::record`].
    fn idle(&mut self) -> Result<(), RecordError> {
        Ok(())
    }
}

/// Why a batch could not be recorded. Always fatal: state on disk is settled by the recovery of the next start.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct RecordError(pub String);

/// Permission to attest durability, given by the pipeline with each batch.
#[derive(Debug)]
pub struct Seal(());

impl Seal {
    pub(super) fn new() -> Self {
        Self(())
    }

    /// Attests that everything below `reached` is on disk.
    pub fn attest(self, reached: Vec<Reached>) -> Durable {
        Durable { reached, _seal: self }
    }
}

/// Receipt that a batch is on disk.
#[derive(Debug)]
pub struct Durable {
    reached: Vec<Reached>,
    _seal: Seal,
}

impl Durable {
    /// Takes a later receipt along.
    pub(super) fn join(&mut self, later: Self) {
        for one in later.reached {
            match self.reached.iter_mut().find(|known| known.lane == one.lane) {
                Some(known) => *known = one,
                None => self.reached.push(one),
            }
        }
    }

    /// How far each lane of the batch is recorded.
    pub fn reached(&self) -> &[Reached] {
        &self.reached
    }
}
