//! Holds the coverage of each lane against itself: no hole without a gap entry, no offset twice, numbers that add up.

use std::collections::BTreeMap;

use super::breach::{BreachKind, Findings};
use crate::domain::position::Lane;
use crate::evidence::entry::Entry;
use crate::evidence::lanes::{Joint, Lanes, adds_up};
use crate::pipeline::report::Coverage;

/// What a lane brought over the whole log. `received = judged + rejected + duplicate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneTotals {
    /// Which lane.
    pub lane: Lane,
    /// First offset covered.
    pub from: u64,
    /// First offset not covered yet.
    pub next: u64,
    /// Events received.
    pub received: u64,
    /// Events judged.
    pub judged: u64,
    /// Events rejected.
    pub rejected: u64,
    /// Events seen before.
    pub duplicate: u64,
    /// Offsets never received, as gap entries tell.
    pub missing: u64,
}

/// Takes the entries in order.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    lanes: Lanes,
    totals: BTreeMap<Lane, LaneTotals>,
}

impl Ranges {
    /// Checks an entry, if it speaks of a lane.
    pub(super) fn entry(&mut self, index: u64, entry: &Entry, findings: &mut Findings) {
        match entry {
            Entry::Batch { coverage, .. } => {
                self.join(index, &coverage.lane, coverage.from, findings);
                self.cover(index, coverage, findings);
            }
            Entry::Gap { lane, from, to, .. } => {
                self.join(index, lane, *from, findings);
                if to <= from {
                    findings.at(BreachKind::Range, index, lane.to_string(), "a gap is empty or runs backwards");
                }
                let totals = self.totals(lane, *from);
                totals.missing += to.saturating_sub(*from);
                totals.next = *to;
            }
            Entry::Checkpoint { .. }
            | Entry::Record { .. }
            | Entry::Frame { .. }
            | Entry::Seal { .. }
            | Entry::Rejected { .. }
            | Entry::Config { .. }
            | Entry::Life { .. }
            | Entry::Deed { .. } => return,
        }
        self.lanes.apply(entry);
    }

    fn join(&self, index: u64, lane: &Lane, from: u64, findings: &mut Findings) {
        let what = match self.lanes.joint(lane, from) {
            Joint::First | Joint::Even => return,
            Joint::Hole(next) => format!("offsets {next} to {from} are missing and no gap entry tells why"),
            Joint::Overlap(next) => format!("offsets {from} to {next} are covered twice"),
        };
        findings.at(BreachKind::Range, index, lane.to_string(), what);
    }

    fn cover(&mut self, index: u64, coverage: &Coverage, findings: &mut Findings) {
        if !adds_up(coverage) {
            let what = "received is not judged + rejected + duplicate, or the range runs backwards";
            findings.at(BreachKind::Conservation, index, coverage.lane.to_string(), what);
        }
        let totals = self.totals(&coverage.lane, coverage.from);
        totals.next = coverage.next;
        totals.received = totals.received.saturating_add(coverage.received);
        totals.judged = totals.judged.saturating_add(coverage.judged);
        totals.rejected = totals.rejected.saturating_add(coverage.rejected);
        totals.duplicate = totals.duplicate.saturating_add(coverage.duplicate);
    }

    fn totals(&mut self, lane: &Lane, from: u64) -> &mut LaneTotals {
        self.totals.entry(lane.clone()).or_insert_with(|| LaneTotals {
            lane: lane.clone(),
            from,
            next: from,
            received: 0,
            judged: 0,
            rejected: 0,
            duplicate: 0,
            missing: 0,
        })
    }

    /// Entries are left out here: what is counted begins anew behind them.
    pub(super) fn hole(&mut self) {
        *self = Self::default();
    }

    /// The totals, in order of names.
    pub(super) fn finish(self) -> Vec<LaneTotals> {
        self.totals.into_values().collect()
    }
}
