//! Joins what the workers found, in input order: drops duplicates, counts, groups findings, and makes the batch's report.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::{Batch, Message};
use super::dedupe::{AHEAD, Dedupe};
use super::flows::{Flows, Recent};
use super::ports::Reached;
use super::record::{Written, other_line, short_digest};
use super::report::{BatchReport, Coverage, Gap, Places, Rejected};
use super::standing::{self, Occasion, Told};
use super::told;
use super::work::{Fate, Outcome, Slice};
use super::world::World;
use crate::domain::finding::window_start;
use crate::domain::party::TenantId;
use crate::domain::position::{Lane, LaneId, Position};

/// Counts of one batch, for metrics and summaries. `received = judged + rejected + duplicate` always.
#[derive(Debug, Default)]
pub struct Counts {
    /// Events in all.
    pub received: u64,
    /// With a verdict or found to move nothing.
    pub judged: u64,
    /// Of the judged: moved nothing.
    pub still: u64,
    /// Of the judged: act not in the tables.
    pub unclassified: u64,
    /// Rejected, by reason.
    pub rejected: HashMap<&'static str, u64>,
    /// Seen before.
    pub duplicate: u64,
    /// Legs by flow.
    pub flows: Flows,
    /// Evidence records.
    pub records: u64,
    /// Latest event time, ms since the epoch; 0 if none.
    pub latest: i64,
}

impl Counts {
    /// Adds those of a later batch.
    pub fn join(&mut self, later: Self) {
        self.received += later.received;
        self.judged += later.judged;
        self.still += later.still;
        self.unclassified += later.unclassified;
        later.rejected.into_iter().for_each(|(reason, n)| *self.rejected.entry(reason).or_default() += n);
        self.duplicate += later.duplicate;
        later.flows.into_iter().for_each(|(flow, volume)| self.flows.entry(flow).or_default().join(volume));
        self.records += later.records;
        self.latest = self.latest.max(later.latest);
    }
}

/// State across batches: the duplicate window and each lane's next offset.
#[derive(Debug)]
pub struct Tally {
    dedupe: Dedupe,
    next: HashMap<Lane, u64>,
    /// Of one batch, kept for its room.
    findings: Places,
}

/// A batch as the slices saw it.
pub struct Joined<'a> {
    /// The batch.
    pub batch: &'a Batch,
    /// Lanes of the source; a `LaneId` is the index.
    pub lanes: &'a [Lane],
    /// Slices in input order.
    pub slices: &'a mut [Slice],
}

impl Tally {
    /// Goes on from what earlier runs recorded.
    pub fn new(dedupe: Dedupe, reached: &[Reached]) -> Self {
        let next = reached.iter().map(|at| (at.lane.clone(), at.next)).collect();
        Self { dedupe, next, findings: Places::default() }
    }

    /// Fingerprints held.
    pub fn window(&self) -> usize {
        self.dedupe.len()
    }

    /// Joins the slices. `lines` receives the verdict lines in input order, if the workers wrote any.
    pub fn join(&mut self, joined: Joined<'_>, lines: Option<&mut Vec<u8>>) -> (BatchReport, Counts) {
        let Joined { batch, lanes, slices } = joined;
        self.findings.clear();
        let mut round = Round {
            dedupe: &mut self.dedupe,
            batch,
            lanes,
            report: BatchReport::default(),
            counts: Counts::default(),
            findings: &mut self.findings,
            coverage: Vec::new(),
            last: 0,
            lines,
            world: None,
            mark: None,
            draft: 0,
            recent: Recent::default(),
        };
        round.report.gaps = pass_over(batch, lanes, &mut self.next);
        round.coverage = cover(batch, lanes, &mut self.next);
        round.report.records.reserve(slices.iter().map(|slice| slice.written.len()).sum());
        slices.iter_mut().for_each(|slice| round.slice(slice));
        round.recent.join_into(&mut round.counts.flows);
        round.report.coverage = round.coverage.into_iter().map(|(_, coverage)| coverage).collect();
        (round.report, round.counts)
    }
}

/// Sets the lanes that resume further on to where they do; gives the offsets that are thereby passed over. A lane that has
/// no record yet begins there and misses nothing.
fn pass_over(batch: &Batch, lanes: &[Lane], next: &mut HashMap<Lane, u64>) -> Vec<Gap> {
    let has_message = |lane| batch.messages().iter().any(|message| message.lane == lane);
    let mut gaps = Vec::new();
    for resume in batch.resumes().iter().filter(|resume| has_message(resume.lane)) {
        let lane = &lanes[resume.lane.0 as usize];
        let end = next.entry(lane.clone()).or_insert(resume.at);
        if *end < resume.at {
            gaps.push(Gap { lane: lane.clone(), from: *end, to: resume.at, why: resume.why });
            *end = resume.at;
        }
    }
    gaps
}

/// Which offsets the batch covers, by lane in order of first mention. A lane's range begins where the last one ended, so
/// that offsets without a message (blank lines, compacted records) leave no hole.
fn cover(batch: &Batch, lanes: &[Lane], next: &mut HashMap<Lane, u64>) -> Vec<(LaneId, Coverage)> {
    let mut covered: Vec<(LaneId, Coverage)> = Vec::new();
    let mut last: Vec<&Message> = Vec::new();
    for message in batch.messages() {
        match covered.iter().position(|(lane, _)| *lane == message.lane) {
            Some(known) => {
                covered[known].1.next = message.offset + 1;
                last[known] = message;
            }
            None => {
                let lane = lanes[message.lane.0 as usize].clone();
                let from = next.get(&lane).copied().unwrap_or(message.offset);
                let range = Coverage {
                    lane,
                    from,
                    next: message.offset + 1,
                    received: 0,
                    judged: 0,
                    rejected: 0,
                    duplicate: 0,
                    last_digest: String::new(),
                };
                covered.push((message.lane, range));
                last.push(message);
            }
        }
    }
    for ((_, coverage), last) in covered.iter_mut().zip(last) {
        coverage.last_digest = short_digest(batch, last);
        next.insert(coverage.lane.clone(), coverage.next);
    }
    covered
}

struct Round<'a> {
    dedupe: &'a mut Dedupe,
    batch: &'a Batch,
    lanes: &'a [Lane],
    report: BatchReport,
    counts: Counts,
    findings: &'a mut Places,
    coverage: Vec<(LaneId, Coverage)>,
    /// Where the lane that was asked for last stands in it.
    last: usize,
    lines: Option<&'a mut Vec<u8>>,
    world: Option<Arc<World>>,
    /// Tenant, beginning of the day, and the mark of both, as asked for last.
    mark: Option<(TenantId, i64, u128)>,
    /// Where the next line for stream users is looked for in the slice.
    draft: usize,
    /// What is not in the counts yet.
    recent: Recent,
}

impl Round<'_> {
    fn slice(&mut self, slice: &mut Slice) {
        let outcomes = std::mem::take(&mut slice.outcomes);
        (self.world, self.mark, self.draft) = (slice.world.take(), None, 0);
        let mut line_from = 0;
        self.report.fingerprints.reserve(outcomes.len());
        for some in outcomes.chunks(AHEAD) {
            self.dedupe.warm(some.iter().filter_map(Outcome::fingerprint));
            for outcome in some {
                self.outcome(outcome, slice, line_from);
                line_from = outcome.line_end;
            }
        }
        // hands the buffer back, warm
        slice.outcomes = outcomes;
    }

    fn outcome(&mut self, outcome: &Outcome, slice: &mut Slice, line_from: usize) {
        let message = self.batch.messages()[outcome.message as usize];
        let at = Position { lane: message.lane, offset: message.offset, index: outcome.index };
        self.counts.received += 1;
        self.share(at.lane).received += 1;
        match outcome.fate {
            Fate::Rejected(reject) => self.rejected(at, outcome.message, slice, reject),
            Fate::Judged { fingerprint: Some(fingerprint), .. } if !self.dedupe.is_new(fingerprint) => {
                self.counts.duplicate += 1;
                self.share(at.lane).duplicate += 1;
                self.line(at, "duplicate", None);
            }
            Fate::Judged { .. } => {
                self.judged(at, &message, &outcome.fate, slice);
                if !slice.told.is_empty() {
                    self.tell(at, outcome, &slice.told);
                }
                if let Some(lines) = &mut self.lines {
                    lines.extend_from_slice(&slice.lines[line_from..outcome.line_end]);
                }
            }
        }
    }

    fn judged(&mut self, position: Position, message: &Message, fate: &Fate, slice: &mut Slice) {
        let Fate::Judged { verdict, fingerprint, flows, written, unclassified, tenant, at, bytes } = *fate else {
            return;
        };
        self.counts.judged += 1;
        self.share(position.lane).judged += 1;
        self.counts.still += u64::from(verdict.is_none());
        self.counts.unclassified += u64::from(unclassified);
        self.counts.latest = self.counts.latest.max(at.unwrap_or(0));
        self.report.fingerprints.extend(fingerprint);
        if let (Some(tenant), Some(at)) = (tenant, at) {
            self.standing(tenant, at, position, message);
        }
        for flow in &slice.flows[flows.0 as usize..flows.1 as usize] {
            self.recent.count(*flow, bytes, &mut self.counts.flows);
        }
        if let Some(written) = written {
            self.written(&mut slice.written[written as usize]);
        }
    }

    /// Whether the mark of a tenant and day is in the window. Events that follow each other mostly ask for the same one.
    fn is_told(&mut self, tenant: TenantId, at: i64) -> bool {
        let day = window_start(at, true);
        let mark = match (self.mark, &self.world) {
            (Some((of, on, mark)), _) if (of, on) == (tenant, day) => mark,
            (_, None) => return true,
            (_, Some(world)) => standing::day_mark(world, tenant, day),
        };
        self.mark = Some((tenant, day, mark));
        self.dedupe.has(mark)
    }

    /// Tells the standing arrangements of a tenant and day that have not been told.
    fn standing(&mut self, tenant: TenantId, at: i64, position: Position, message: &Message) {
        if self.is_told(tenant, at) {
            return;
        }
        let Some(world) = self.world.clone() else { return };
        let lane = &self.lanes[position.lane.0 as usize];
        let occasion = Occasion { tenant, at, lane, position, payload: self.batch.payload(message) };
        let (dedupe, marks) = (&mut *self.dedupe, &mut self.report.fingerprints);
        let mut new = |mark| {
            let new = dedupe.is_new(mark);
            marks.extend(new.then_some(mark));
            new
        };
        let mut told = Vec::new();
        standing::tell(&world, &occasion, &mut new, &mut |one| told.push(one));
        for Told { flow, written } in told {
            self.counts.flows.entry(flow).or_default().legs += 1;
            written.into_iter().for_each(|mut written| self.written(&mut written));
        }
    }

    fn written(&mut self, written: &mut Written) {
        self.counts.records += 1;
        self.report.records.push(std::mem::take(&mut written.record));
        let (known, places) = (&mut self.report.findings, &mut *self.findings);
        std::mem::take(&mut written.findings).into_iter().for_each(|delta| delta.join_into(known, places));
    }

    fn rejected(&mut self, at: Position, message: u32, slice: &Slice, reject: u32) {
        let reject = &slice.rejects[reject as usize];
        let reason = reject.reason.name();
        *self.counts.rejected.entry(reason).or_default() += 1;
        self.share(at.lane).rejected += 1;
        let message = &self.batch.messages()[message as usize];
        self.report.rejected.push(Rejected {
            position: at,
            lane: self.lanes[at.lane.0 as usize].clone(),
            reason,
            detail: reject.detail.to_string(),
            raw: self.raw(at, message),
            cut: message.cut,
            origin: None,
        });
        self.line(at, "rejected", Some(reason));
    }

    /// The bytes of a message: a copy, or that of the row before if it is of the same page.
    fn raw(&self, at: Position, message: &Message) -> Arc<[u8]> {
        let before = self.report.rejected.last();
        let same = before.filter(|one| (one.position.lane, one.position.offset) == (at.lane, at.offset));
        same.map_or_else(|| self.batch.payload(message).into(), |one| Arc::clone(&one.raw))
    }

    fn line(&mut self, at: Position, outcome: &str, reason: Option<&str>) {
        if let Some(lines) = &mut self.lines {
            other_line(&self.lanes[at.lane.0 as usize], at, outcome, reason, lines);
        }
    }

    /// Takes over what stream users are told of a judged event.
    fn tell(&mut self, at: Position, outcome: &Outcome, drafts: &told::Drafts) {
        let Some((line, next)) = drafts.find(self.draft, outcome.message, outcome.index) else { return };
        self.draft = next;
        let lane = self.place(at.lane);
        let told = &mut self.report.told;
        let known = told.iter().position(|one| one.lane == lane).unwrap_or_else(|| {
            told.push(told::Told { lane, lines: Vec::new() });
            told.len() - 1
        });
        told::frame(&mut told[known].lines, at.offset, line);
    }

    /// Where a lane stands in the coverage. Messages that follow each other are mostly of one lane.
    fn place(&mut self, lane: LaneId) -> usize {
        if self.coverage.get(self.last).is_none_or(|(known, _)| *known != lane) {
            self.last = self.coverage.iter().position(|(known, _)| *known == lane).unwrap_or_default();
        }
        self.last
    }

    fn share(&mut self, lane: LaneId) -> &mut Coverage {
        let at = self.place(lane);
        &mut self.coverage[at].1
    }
}
