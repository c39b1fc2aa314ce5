//! The batch that the workers judge while the source fills the next one, and what becomes of it: its counts are taken when
//! the next is with the workers already, then it takes off. A source that must give a lane away has all of this done at
//! once, in the middle of its poll, through [`InFlight`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::crew::{Crew, WorkerLost};
use super::flight::Flight;
use super::ports::{Durable, InFlight, Source};
use super::report::{BatchReport, InForce, Rejected};
use super::tally::{Counts, Joined, Tally};
use super::work::Task;
use super::world::World;
use crate::domain::position::Lane;

/// A batch that took off, as onlookers will be told of it.
pub(super) struct Aloft {
    pub(super) counts: Counts,
    pub(super) lines: Vec<u8>,
    pub(super) bytes: usize,
    pub(super) judging: Duration,
    pub(super) window: usize,
    pub(super) progress: Option<(u64, u64)>,
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

/// A batch that is with the workers, or came back from them.
struct Begun {
    batch: Arc<Batch>,
    lanes: Arc<[Lane]>,
    world: Arc<World>,
    progress: Option<(u64, u64)>,
    at: Instant,
}

/// Where batches are between the source and the disk.
pub(super) struct Judging<'t, 'scope> {
    crew: &'t mut Crew,
    tally: &'t mut Tally,
    task: Task,
    flight: Flight<'scope>,
    /// With the workers.
    begun: Option<Begun>,
    /// Back from them, and how long it was there; not counted yet.
    back: Option<(Begun, Duration)>,
    /// Counted; takes off when it goes together with what waits at the gate.
    ready: Option<(BatchReport, Aloft)>,
    /// Batches that took off and were not told of, in order.
    aloft: VecDeque<Aloft>,
    lost: Option<WorkerLost>,
}

impl<'t, 'scope> Judging<'t, 'scope> {
    pub(super) fn new(crew: &'t mut Crew, tally: &'t mut Tally, task: Task, flight: Flight<'scope>) -> Self {
        let (begun, back, ready, lost) = (None, None, None, None);
        Self { crew, tally, task, flight, begun, back, ready, aloft: VecDeque::new(), lost }
    }

    pub(super) fn flight(&mut self) -> &mut Flight<'scope> {
        &mut self.flight
    }

    /// Gives a batch to the workers. The one before must have been collected.
    pub(super) fn begin(
        &mut self,
        world: Arc<World>,
        batch: &Arc<Batch>,
        source: &impl Source,
    ) -> Result<(), WorkerLost> {
        let (lanes, at): (Arc<[Lane]>, _) = (source.lanes().into(), Instant::now());
        self.crew.begin(&world, batch, &lanes, self.task)?;
        self.begun = Some(Begun { batch: Arc::clone(batch), lanes, world, progress: source.progress(), at });
        Ok(())
    }

    /// Waits until the workers are done with the batch they have, if any.
    pub(super) fn collect(&mut self) -> Result<(), WorkerLost> {
        if let Some(lost) = self.lost.take() {
            return Err(lost);
        }
        if let Some(begun) = self.begun.take() {
            let took = self.crew.finish()?.saturating_duration_since(begun.at);
            self.back = Some((begun, took));
        }
        Ok(())
    }

    /// Takes the counts of the batch that was collected, if any. Never of one whose forerunner has not taken off: after a
    /// failure a batch is rather read again than recorded with a hole before it.
    pub(super) fn tally(&mut self, describe: &dyn Fn(&mut [Rejected])) {
        let Some((begun, took)) = self.back.take_if(|_| self.ready.is_none()) else { return };
        let (Begun { batch, lanes, world, progress, .. }, at) = (begun, Instant::now());
        let mut lines = Vec::new();
        let joined = Joined { batch: &batch, lanes: &lanes, slices: self.crew.found() };
        let (mut report, counts) = self.tally.join(joined, self.task.lines.then_some(&mut lines));
        describe(&mut report.rejected);
        report.in_force = InForce { policy: world.policy.digest.clone(), geo: world.geo.digest().to_owned() };
        let (judging, window, bytes) = (took + at.elapsed(), self.tally.window(), batch.byte_len());
        self.ready = Some((report, Aloft { counts, lines, bytes, judging, window, progress }));
    }

    /// Sends off what is counted; if it `lingers`, it may wait for the next. Whether nothing is left that must wait for what
    /// took off before.
    pub(super) fn depart(&mut self, lingers: bool) -> bool {
        let Some((report, aloft)) = self.ready.take_if(|(report, _)| self.flight.takes(report)) else {
            return self.ready.is_none();
        };
        self.flight.take_off(report, lingers);
        self.aloft.push_back(aloft);
        true
    }

    /// What onlookers are told of the first `batches` that took off, which have landed.
    pub(super) fn landed(&mut self, batches: usize) -> Option<Aloft> {
        self.aloft.drain(..batches.min(self.aloft.len())).reduce(|mut all, one| {
            all.join(one);
            all
        })
    }
}

impl InFlight for Judging<'_, '_> {
    fn wait(&mut self, patience: Duration, describe: &dyn Fn(&mut [Rejected])) -> Option<&Durable> {
        let until = Instant::now() + patience;
        // told when the poll is over
        self.lost = self.collect().err();
        self.tally(describe);
        while !self.depart(false) && Instant::now() < until {
            self.flight.wait(until);
        }
        self.flight.wait(until);
        self.flight.durable()
    }

    fn is_aloft(&self) -> bool {
        self.begun.is_some() || self.ready.is_some() || self.flight.is_aloft()
    }
}
