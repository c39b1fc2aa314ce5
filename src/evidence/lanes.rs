//! How far each lane is recorded, as the entries of the log tell it. Pure.

use std::collections::HashMap;

use super::entry::Entry;
use crate::domain::position::Lane;
use crate::pipeline::ports::Reached;
use crate::pipeline::report::Coverage;

/// How a range of offsets joins what a lane has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// The lane was not known.
    First,
    /// It starts where the lane ended.
    Even,
    /// Offsets between are missing; the lane ended at this one.
    Hole(u64),
    /// It starts before the lane's end, which is this.
    Overlap(u64),
}

#[derive(Clone, Debug)]
struct End {
    next: u64,
    last_digest: Option<String>,
}

/// The end of each lane.
#[derive(Clone, Debug, Default)]
pub struct Lanes(HashMap<Lane, End>);

impl Lanes {
    /// How a range that starts at `from` would join.
    pub fn joint(&self, lane: &Lane, from: u64) -> Joint {
        match self.0.get(lane).map(|end| end.next) {
            None => Joint::First,
            Some(next) if next == from => Joint::Even,
            Some(next) if next < from => Joint::Hole(next),
            Some(next) => Joint::Overlap(next),
        }
    }

    /// Takes coverage or a gap into account; other entries say nothing about lanes.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Batch { coverage, .. } => self.cover(coverage),
            Entry::Gap { lane, to, .. } => self.skip(lane, *to),
            Entry::Checkpoint { .. }
            | Entry::Record { .. }
            | Entry::Frame { .. }
            | Entry::Seal { .. }
            | Entry::Rejected { .. }
            | Entry::Config { .. }
            | Entry::Life { .. }
            | Entry::Deed { .. } => (),
        }
    }

    fn cover(&mut self, coverage: &Coverage) {
        let end = End { next: coverage.next, last_digest: Some(coverage.last_digest.clone()) };
        self.0.insert(coverage.lane.clone(), end);
    }

    fn skip(&mut self, lane: &Lane, to: u64) {
        self.0.entry(lane.clone()).or_insert(End { next: to, last_digest: None }).next = to;
    }

    /// Lanes that have coverage, in order of their names. A lane of which only a gap is known is left out.
    pub fn reached(&self) -> Vec<Reached> {
        let reached = |(lane, end): (&Lane, &End)| {
            let last_digest = end.last_digest.clone()?;
            Some(Reached { lane: lane.clone(), next: end.next, last_digest })
        };
        let mut lanes: Vec<Reached> = self.0.iter().filter_map(reached).collect();
        lanes.sort_by(|a, b| a.lane.cmp(&b.lane));
        lanes
    }
}

/// Whether coverage adds up: `received = judged + rejected + duplicate`, and the range does not run backwards.
pub fn adds_up(coverage: &Coverage) -> bool {
    let known = coverage.judged.checked_add(coverage.rejected).and_then(|sum| sum.checked_add(coverage.duplicate));
    known == Some(coverage.received) && coverage.from <= coverage.next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(from: u64, next: u64) -> Coverage {
        let lane = Lane { topic: "audit".into(), partition: 0 };
        let last_digest = format!("d{next}");
        Coverage { lane, from, next, received: 0, judged: 0, rejected: 0, duplicate: 0, last_digest }
    }

    #[test]
    fn ranges_join_evenly_or_say_how_they_do_not() {
        let lane = coverage(0, 0).lane;
        let mut lanes = Lanes::default();
        assert_eq!(lanes.joint(&lane, 7), Joint::First);
        lanes.apply(&Entry::Batch { at: 0, coverage: coverage(7, 10) });
        assert_eq!(lanes.joint(&lane, 10), Joint::Even);
        assert_eq!(lanes.joint(&lane, 12), Joint::Hole(10));
        assert_eq!(lanes.joint(&lane, 9), Joint::Overlap(10));
        lanes.apply(&Entry::Gap { at: 0, lane: lane.clone(), from: 10, to: 12, reason: "retention".into() });
        assert_eq!(lanes.joint(&lane, 12), Joint::Even);
        assert_eq!(lanes.reached(), [Reached { lane, next: 12, last_digest: "d10".into() }]);
    }

    #[test]
    fn sums_that_do_not_fit_or_overflow_do_not_add_up() {
        let mut one = coverage(5, 6);
        assert!(adds_up(&one));
        one.received = 1;
        assert!(!adds_up(&one));
        one.judged = u64::MAX;
        one.rejected = 2;
        assert!(!adds_up(&one));
        assert!(!adds_up(&coverage(6, 5)));
    }
}
