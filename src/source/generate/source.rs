//! Synthetic traffic as a source: resumable like any other, since the same plan gives the same messages again.

use super::{Generator, Organisation, Plan};
use crate::domain::position::{Lane, LaneId};
use crate::pipeline::batch::{Batch, Limits};
use crate::pipeline::ports::{Durable, InFlight, Polled, Reached, Source, SourceError};
use crate::source::Mark;

/// Gives the messages of a plan, spread over partitions in turn.
pub struct GenerateSource {
    generator: Generator<'static>,
    all: u64,
    lanes: Vec<Lane>,
    /// Next offset of each partition.
    next: Vec<u64>,
    /// Where each partition goes on, while it has not got there.
    marks: Vec<Option<Mark>>,
    turn: usize,
    message: Vec<u8>,
}

impl GenerateSource {
    /// `partitions` of at least one; what `resume` says of other lanes is passed over.
    pub fn new(plan: Plan, organisation: &'static Organisation, partitions: u16, resume: &[Reached]) -> Self {
        let topic = format!("generate#{}", plan.seed);
        let lane = |partition| Lane { topic: topic.clone(), partition: i32::from(partition) };
        let lanes: Vec<_> = (0..partitions.max(1)).map(lane).collect();
        let mark = |lane: &Lane| {
            let at = resume.iter().find(|at| at.lane == *lane && at.next > 0)?;
            Some(Mark { next: at.next, last_digest: at.last_digest.clone() })
        };
        let (all, marks, next) = (plan.events, lanes.iter().map(mark).collect(), vec![0; lanes.len()]);
        Self { generator: Generator::new(plan, organisation), all, lanes, next, marks, turn: 0, message: Vec::new() }
    }

    /// Takes the message in hand into the batch, unless it is recorded.
    fn take(&mut self, batch: &mut Batch, limits: &Limits) -> Result<(), SourceError> {
        let kept = self.message.len().min(limits.message_bytes);
        let (payload, cut) = (&self.message[..kept], (self.message.len() - kept) as u64);
        let (turn, offset) = (self.turn, self.next[self.turn]);
        self.next[turn] += 1;
        self.turn = (turn + 1) % self.lanes.len();
        let Some(mark) = &self.marks[turn] else {
            batch.push(LaneId(u32::try_from(turn).unwrap_or(0)), offset, payload, cut);
            return Ok(());
        };
        if mark.is_broken_by(offset, payload) {
            return Err(changed(&self.lanes[turn], offset));
        }
        if offset + 1 == mark.next {
            self.marks[turn] = None;
        }
        Ok(())
    }

    /// The end, which must not come before every partition got to where it goes on.
    fn ended(&self) -> Result<Polled, SourceError> {
        match self.marks.iter().zip(&self.lanes).find_map(|(mark, lane)| Some((mark.as_ref()?, lane))) {
            Some((mark, lane)) => Err(changed(lane, mark.next - 1)),
            None => Ok(Polled::End),
        }
    }

    fn fill(&mut self, batch: &mut Batch, limits: &Limits) -> Result<Polled, SourceError> {
        while !batch.is_full(limits) {
            self.message.clear();
            if self.generator.next(&mut self.message).is_none() {
                return self.ended();
            }
            self.take(batch, limits)?;
        }
        Ok(Polled::Filled)
    }
}

impl Source for GenerateSource {
    fn poll(&mut self, batch: &mut Batch, limits: &Limits, _: &mut dyn InFlight) -> Result<Polled, SourceError> {
        let polled = self.fill(batch, limits);
        if batch.is_empty() || polled.is_err() { polled } else { Ok(Polled::Filled) }
    }

    fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Nobody to tell: the evidence knows how far the plan is recorded.
    fn commit(&mut self, _: &Durable) -> Result<(), SourceError> {
        Ok(())
    }

    /// Events instead of bytes.
    fn progress(&self) -> Option<(u64, u64)> {
        Some((self.generator.events(), self.all))
    }
}

fn changed(lane: &Lane, offset: u64) -> SourceError {
    SourceError::Fatal(format!(
        "{lane}: message {offset} is not what was recorded at an earlier start; the plan or the version changed since. \
         Take the same plan, or another seed to begin anew"
    ))
}
