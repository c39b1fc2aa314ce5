//! The order of things: batch → decode → legs → locate → judge → tally → record → commit.
//!
//! This room owns the ports [`ports::Source`] and [`ports::Recorder`] and knows nothing of what stands behind them.
//! One batch is in hand at a time; inside it the work is parallel, outside it everything is in order.

pub mod batch;
pub mod crew;
pub mod dedupe;
pub mod fingerprint;
pub mod ports;
pub mod record;
pub mod report;
pub mod scene;
pub mod tally;
pub mod view;
pub mod work;
pub mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use thiserror::Error;

use batch::{Batch, Limits};
use crew::{Crew, WorkerLost};
use ports::{Polled, RecordError, Recorder, Seal, Source, SourceError};
use tally::{Counts, Joined, Tally};
use work::Task;
use world::World;

/// Tries of a poll that fails for a passing reason, before the process stops.
const POLL_TRIES: u32 = 8;

/// Why the pipeline stopped without commit.
#[derive(Debug, Error)]
pub enum RunError {
    /// The source failed for good.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A batch could not be made durable.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A worker ended.
    #[error(transparent)]
    Worker(#[from] WorkerLost),
}

/// What an onlooker is told after each batch, when it is durable.
pub struct Seen<'a> {
    /// The counts.
    pub counts: &'a Counts,
    /// Verdict lines, if asked for.
    pub lines: &'a [u8],
    /// Bytes of the batch.
    pub bytes: usize,
    /// Time from poll to verdicts.
    pub judging: Duration,
    /// Time to make it durable.
    pub recording: Duration,
    /// Fingerprints held by the duplicate check.
    pub window: usize,
    /// Input done and in all, where known.
    pub progress: Option<(u64, u64)>,
}

/// What the pipeline runs on.
pub struct Run<'a> {
    /// Gives the generation in force; asked once a batch.
    pub world: &'a dyn Fn() -> Arc<World>,
    /// Bounds on a batch.
    pub limits: Limits,
    /// What workers are asked for.
    pub task: Task,
    /// Set to stop after the batch in hand.
    pub stop: &'a AtomicBool,
}

impl Run<'_> {
    /// Runs until the source ends or a stop is asked for.
    ///
    /// # Errors
    /// See [`RunError`]; whatever was not recorded is not committed.
    pub fn through<S: Source, R: Recorder>(
        &self,
        source: &mut S,
        recorder: &mut R,
        crew: &mut Crew,
        tally: &mut Tally,
        seen: &mut impl FnMut(&Seen<'_>),
    ) -> Result<(), RunError> {
        let mut batch = Arc::new(Batch::default());
        let mut lines = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            // workers have given their shares back, so this never copies
            let filling = Arc::make_mut(&mut batch);
            filling.clear();
            let polled = poll(source, filling, &self.limits)?;
            // what was handed over counts, whatever else the poll says
            if filling.is_empty() {
                match polled {
                    Polled::Filled | Polled::Idle => continue,
                    Polled::End => break,
                }
            }
            let begun = Instant::now();
            let lanes: Arc<[_]> = source.lanes().into();
            let slices = crew.judge(&(self.world)(), &batch, &lanes, self.task)?;
            lines.clear();
            let joined = Joined { batch: &batch, lanes: &lanes, slices };
            let (report, counts) = tally.join(joined, self.task.lines.then_some(&mut lines));
            let judged = Instant::now();
            let durable = recorder.record(&report, Seal::new())?;
            source.commit(&durable)?;
            let (judging, recording, window) = (judged - begun, judged.elapsed(), tally.window());
            let (bytes, progress) = (batch.byte_len(), source.progress());
            seen(&Seen { counts: &counts, lines: &lines, bytes, judging, recording, window, progress });
        }
        Ok(())
    }
}

/// Polls, and polls again after a passing failure, with a bound. What was read before a failure goes first: a failure that
/// lasts shows again at the next poll.
fn poll<S: Source>(source: &mut S, batch: &mut Batch, limits: &Limits) -> Result<Polled, SourceError> {
    let mut pause = Duration::from_millis(100);
    for _ in 1..POLL_TRIES {
        match source.poll(batch, limits) {
            Err(SourceError::Transient(_)) if !batch.is_empty() => return Ok(Polled::Filled),
            Err(SourceError::Transient(why)) => {
                tracing::warn!(%why, "source failed, trying again");
                std::thread::sleep(pause);
                pause *= 2;
            }
            other => return other,
        }
    }
    source.poll(batch, limits)
}
