//! The order of things: batch → decode → legs → locate → judge → tally → record → commit.
//!
//! This room owns the ports [`ports::Source`] and [`ports::Recorder`] and knows nothing of what stands behind them.
//! Inside a batch the work is parallel, outside it everything is in order. Three batches are in hand at a time: while the
//! recorder makes one durable, the workers judge the next, and the source fills the one after it. What is judged while the
//! recorder is busy takes off together when the one before has landed.

pub mod batch;
pub mod crew;
pub mod dedupe;
mod facts;
pub mod fingerprint;
mod flight;
pub mod flows;
mod json;
mod judging;
pub mod ports;
pub mod record;
pub mod report;
pub mod scene;
mod shape;
mod shown;
mod siphash;
pub mod standing;
mod storage;
pub mod tally;
pub mod told;
pub mod view;
pub mod work;
pub mod world;

use std::mem::swap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use thiserror::Error;

use batch::{Batch, Limits};
use crew::{Crew, WorkerLost};
use flight::{Flight, Landing, Room};
use judging::{Aloft, Judging};
use ports::{InFlight as _, Polled, RecordError, Recorder, Source, SourceError};
use tally::{Counts, Tally};
use work::Task;
use world::World;

/// Full batches that may wait for the recorder. Then the source waits too. Of a batch only its records and what was
/// rejected wait, and these are bounded in bytes besides.
const WAITING: u64 = 16;

/// A batch of at least this part of a full one has others right behind it, for which it may wait before it is recorded.
const MANY: usize = 16;

/// How long a source may wait for messages while batches are on their way to the disk, in ms: their landing is not to be
/// told late for want of new ones.
const SHORT_MS: u64 = 10;

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
    /// Time from the poll's end to verdicts and counts.
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
    /// Runs until the source ends or a stop is asked for. While a batch is made durable, the next is judged, and the one after
    /// it filled.
    ///
    /// # Errors
    /// See [`RunError`]; whatever was not recorded is not committed.
    pub fn through<S: Source, R: Recorder + Send>(
        &self,
        source: &mut S,
        recorder: &mut R,
        crew: &mut Crew,
        tally: &mut Tally,
        seen: &mut impl FnMut(&Seen<'_>),
    ) -> Result<(), RunError> {
        thread::scope(|scope| {
            let room = Room { events: WAITING.saturating_mul(self.limits.messages as u64), bytes: self.limits.bytes };
            let judging = Judging::new(crew, tally, self.task, Flight::start(scope, recorder, room));
            let mut turns = Turns { run: self, source, seen, judging };
            let ended = turns.all();
            // what was read before a failure is recorded and committed all the same
            let landed = turns.finish();
            ended.and(landed)
        })
    }
}

/// The pipeline at work.
struct Turns<'t, 'scope, S, F> {
    run: &'t Run<'t>,
    source: &'t mut S,
    seen: &'t mut F,
    judging: Judging<'t, 'scope>,
}

impl<S: Source, F: FnMut(&Seen<'_>)> Turns<'_, '_, S, F> {
    fn all(&mut self) -> Result<(), RunError> {
        let (mut batch, mut other) = (Arc::new(Batch::default()), Arc::new(Batch::default()));
        while !self.run.stop.load(Ordering::Relaxed) {
            // workers have given their shares back, so this never copies
            let filling = Arc::make_mut(&mut batch);
            filling.clear();
            let polled = poll(self.source, filling, &self.limits(), &mut self.judging)?;
            let (is_empty, was_aloft) = (filling.is_empty(), self.judging.is_aloft());
            let lingers = filling.messages().len() >= self.run.limits.messages / MANY;
            self.judging.collect()?;
            // what was handed over counts, whatever else the poll says
            if !is_empty {
                self.judging.begin((self.run.world)(), &batch, &*self.source)?;
                swap(&mut batch, &mut other);
            }
            self.take_off(lingers)?;
            if !is_empty {
                continue;
            }
            self.land()?;
            match polled {
                Polled::Filled | Polled::Idle if was_aloft => {}
                Polled::Filled | Polled::Idle => self.judging.flight().idle()?,
                Polled::End => break,
            }
        }
        Ok(())
    }

    fn limits(&self) -> Limits {
        let limits = self.run.limits;
        let wait_ms = if self.judging.is_aloft() { limits.wait_ms.min(SHORT_MS) } else { limits.wait_ms };
        Limits { wait_ms, ..limits }
    }

    /// Sends off what is judged; waits where too much waits already.
    fn take_off(&mut self, lingers: bool) -> Result<(), RunError> {
        self.judging.tally(&|rejected| self.source.describe(rejected));
        while !self.judging.depart(lingers) {
            self.land()?;
        }
        let alive = |source: &mut S| source.keep_alive();
        self.judging.flight().make_room(&mut || alive(self.source));
        self.landed()
    }

    /// Judges, records and commits what is in hand.
    fn finish(&mut self) -> Result<(), RunError> {
        self.judging.collect()?;
        self.take_off(false)?;
        self.land()
    }

    /// Waits until all that took off is durable, commits it, tells the onlooker.
    fn land(&mut self) -> Result<(), RunError> {
        let alive = |source: &mut S| source.keep_alive();
        while let Some(landing) = self.judging.flight().land(&mut || alive(self.source))? {
            self.tell(&landing)?;
        }
        Ok(())
    }

    /// The same for what is durable now.
    fn landed(&mut self) -> Result<(), RunError> {
        self.judging.flight().landed()?.map_or(Ok(()), |landing| self.tell(&landing))
    }

    fn tell(&mut self, landing: &Landing) -> Result<(), RunError> {
        let Landing { durable, batches, recording } = landing;
        self.source.commit(durable)?;
        if let Some(Aloft { counts, lines, bytes, judging, window, progress }) = self.judging.landed(*batches) {
            let recording = *recording;
            (self.seen)(&Seen { counts: &counts, lines: &lines, bytes, judging, recording, window, progress });
        }
        Ok(())
    }
}

/// Polls, and polls again after a passing failure, with a bound. What was read before a failure goes first: a failure that
/// lasts shows again at the next poll.
fn poll<S: Source>(
    source: &mut S,
    batch: &mut Batch,
    limits: &Limits,
    flight: &mut Judging<'_, '_>,
) -> Result<Polled, SourceError> {
    let mut pause = Duration::from_millis(100);
    for _ in 1..POLL_TRIES {
        match source.poll(batch, limits, flight) {
            Err(SourceError::Transient(_)) if !batch.is_empty() => return Ok(Polled::Filled),
            Err(SourceError::Transient(why)) => {
                tracing::warn!(%why, "source failed, trying again");
                thread::sleep(pause);
                pause *= 2;
            }
            other => return other,
        }
    }
    source.poll(batch, limits, flight)
}
