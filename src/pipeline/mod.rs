//! The order of things: batch → decode → legs → locate → judge → tally → record → commit.
//!
//! This room owns the ports [`ports::Source`] and [`ports::Recorder`] and knows nothing of what stands behind them.
//! One batch is in hand at a time; inside it the work is parallel, outside it everything is in order. While the recorder
//! makes a batch durable, the next ones are filled and judged; they take off together when the one before has landed.

pub mod batch;
pub mod crew;
pub mod dedupe;
pub mod fingerprint;
mod flight;
pub mod ports;
pub mod record;
pub mod report;
pub mod scene;
pub mod standing;
mod storage;
pub mod tally;
pub mod told;
pub mod view;
pub mod work;
pub mod world;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use batch::{Batch, Limits};
use crew::{Crew, WorkerLost};
use flight::{Flight, Landing, Room};
use ports::{InFlight as _, Polled, RecordError, Recorder, Source, SourceError};
use report::{BatchReport, InForce};
use tally::{Counts, Joined, Tally};
use work::Task;
use world::World;

/// Full batches that may wait for the recorder. Then the source waits too.
const WAITING: u64 = 4;

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
    /// Runs until the source ends or a stop is asked for. While a batch is made durable, the next ones are filled and judged.
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
            let flight = Flight::start(scope, recorder, room);
            let mut turns = Turns { run: self, source, crew, tally, seen, flight, aloft: VecDeque::new() };
            let ended = turns.all();
            // what took off before a failure is committed all the same
            let landed = turns.land();
            ended.and(landed)
        })
    }
}

/// A batch that took off, as onlookers will be told of it.
struct Aloft {
    counts: Counts,
    lines: Vec<u8>,
    bytes: usize,
    judging: Duration,
    window: usize,
    progress: Option<(u64, u64)>,
}

impl Aloft {
    /// Takes the one after it along.
    fn join(&mut self, later: Self) {
        self.counts.join(later.counts);
        self.lines.extend_from_slice(&later.lines);
        self.bytes += later.bytes;
        self.judging += later.judging;
        (self.window, self.progress) = (later.window, later.progress);
    }
}

/// The pipeline at work.
struct Turns<'t, 'scope, S, F> {
    run: &'t Run<'t>,
    source: &'t mut S,
    crew: &'t mut Crew,
    tally: &'t mut Tally,
    seen: &'t mut F,
    flight: Flight<'scope>,
    /// Batches that took off and were not told of, in order.
    aloft: VecDeque<Aloft>,
}

impl<S: Source, F: FnMut(&Seen<'_>)> Turns<'_, '_, S, F> {
    fn all(&mut self) -> Result<(), RunError> {
        let mut batch = Arc::new(Batch::default());
        while !self.run.stop.load(Ordering::Relaxed) {
            // workers have given their shares back, so this never copies
            let filling = Arc::make_mut(&mut batch);
            filling.clear();
            let polled = poll(self.source, filling, &self.limits(), &mut self.flight)?;
            let (is_empty, was_aloft) = (filling.is_empty(), self.flight.is_aloft());
            self.landed()?;
            // what was handed over counts, whatever else the poll says
            if !is_empty {
                self.take_off(&batch)?;
                continue;
            }
            self.land()?;
            match polled {
                Polled::Filled | Polled::Idle if was_aloft => {}
                Polled::Filled | Polled::Idle => self.flight.idle()?,
                Polled::End => break,
            }
        }
        Ok(())
    }

    fn limits(&self) -> Limits {
        let limits = self.run.limits;
        let wait_ms = if self.flight.is_aloft() { limits.wait_ms.min(SHORT_MS) } else { limits.wait_ms };
        Limits { wait_ms, ..limits }
    }

    /// Judges a batch and sends it off; waits where too much waits already.
    fn take_off(&mut self, batch: &Arc<Batch>) -> Result<(), RunError> {
        let (report, aloft) = self.judge(batch)?;
        if !self.flight.takes(&report) {
            self.land()?;
        }
        self.flight.take_off(report);
        self.aloft.push_back(aloft);
        let alive = |source: &mut S| source.keep_alive();
        self.flight.make_room(&mut || alive(self.source));
        self.landed()
    }

    fn judge(&mut self, batch: &Arc<Batch>) -> Result<(BatchReport, Aloft), RunError> {
        let (begun, task, world) = (Instant::now(), self.run.task, (self.run.world)());
        let lanes: Arc<[_]> = self.source.lanes().into();
        let slices = self.crew.judge(&world, batch, &lanes, task)?;
        let mut lines = Vec::new();
        let joined = Joined { batch, lanes: &lanes, slices };
        let (mut report, counts) = self.tally.join(joined, task.lines.then_some(&mut lines));
        self.source.describe(&mut report.rejected);
        report.in_force = InForce { policy: world.policy.digest.clone(), geo: world.geo.digest().to_owned() };
        let (judging, window) = (begun.elapsed(), self.tally.window());
        let (bytes, progress) = (batch.byte_len(), self.source.progress());
        Ok((report, Aloft { counts, lines, bytes, judging, window, progress }))
    }

    /// Waits until all that took off is durable, commits it, tells the onlooker.
    fn land(&mut self) -> Result<(), RunError> {
        let alive = |source: &mut S| source.keep_alive();
        while let Some(landing) = self.flight.land(&mut || alive(self.source))? {
            self.tell(&landing)?;
        }
        Ok(())
    }

    /// The same for what is durable now.
    fn landed(&mut self) -> Result<(), RunError> {
        self.flight.landed()?.map_or(Ok(()), |landing| self.tell(&landing))
    }

    fn tell(&mut self, landing: &Landing) -> Result<(), RunError> {
        let Landing { durable, batches, recording } = landing;
        self.source.commit(durable)?;
        let told = self.aloft.drain(..(*batches).min(self.aloft.len())).reduce(|mut all, one| {
            all.join(one);
            all
        });
        if let Some(Aloft { counts, lines, bytes, judging, window, progress }) = told {
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
    flight: &mut Flight<'_>,
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
