//! Bytes → verdict over a slice of a batch: the hot path. Pure and parallel; what it finds is joined in slice order by
//! the tally. An event that is not recorded costs no heap allocation once the slice's buffers are warm.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use super::batch::{Batch, Message};
use super::fingerprint::{FingerprintKey, Fingerprints};
use super::record::{self, Payload, Written};
use super::scene::Scene;
use super::told::Drafts;
use super::world::World;
use crate::dingtalk::legs::Movement;
use crate::dingtalk::{self, Reject, Scratch};
use crate::domain::event::Event;
use crate::domain::flow::{Case, FlowKind, Leg};
use crate::domain::judge::Memo;
use crate::domain::party::TenantId;
use crate::domain::position::Position;
use crate::domain::verdict::{Decision, PolicyRule, Rule, Severity, Tag, Tags, Verdict, Verdicts};
use crate::geo::HostMemo;

/// One leg with its decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The leg.
    pub leg: Leg,
    /// What was decided.
    pub decision: Decision,
}

/// What a leg adds to the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowKey {
    /// Verdict of the leg.
    pub verdict: Verdict,
    /// Kind of the leg.
    pub kind: FlowKind,
    /// Origin's code; `ZZ` unknown, `WW` world.
    pub origin: [u8; 2],
    /// Destination's code; `ZZ` unknown, `WW` world.
    pub destination: [u8; 2],
}

impl FlowKey {
    /// Of a leg as judged.
    #[inline]
    pub fn of(judged: &Judged) -> Self {
        Self {
            verdict: judged.decision.verdict,
            kind: judged.leg.kind,
            origin: judged.leg.origin.label(),
            destination: judged.leg.destination.label(),
        }
    }

    /// All of it as one number: a key is looked for with every leg.
    #[inline]
    pub(super) fn number(&self) -> u64 {
        let [[a, b], [c, d]] = [self.origin, self.destination];
        u64::from_le_bytes([self.verdict as u8, self.kind as u8, a, b, c, d, 0, 0])
    }
}

impl std::hash::Hash for FlowKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.number());
    }
}

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// Judged; `verdict` is `None` when the act moves nothing.
    Judged {
        /// Worst verdict of its legs.
        verdict: Option<Verdict>,
        /// Identity for the duplicate check; `None`: it has none and counts as new.
        fingerprint: Option<u128>,
        /// Its share of [`Slice::flows`].
        flows: (u32, u32),
        /// Index in [`Slice::written`].
        written: Option<u32>,
        /// Whether its act is not in the tables.
        unclassified: bool,
        /// The tenant, if it is configured.
        tenant: Option<TenantId>,
        /// Event time, ms since the epoch; `None` when the event has none.
        at: Option<i64>,
        /// Size that the event states, in bytes.
        bytes: u64,
    },
    /// Index in [`Slice::rejects`].
    Rejected(u32),
}

/// One event's place and fate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Index of its message in the batch.
    pub message: u32,
    /// Index of the event in the message.
    pub index: u32,
    /// What became of it.
    pub fate: Fate,
    /// End of its line in [`Slice::lines`].
    pub line_end: usize,
}

/// What a worker found in its slice of the batch, in input order. Reused from batch to batch.
#[derive(Default)]
pub struct Slice {
    /// One entry an event.
    pub outcomes: Vec<Outcome>,
    /// Legs of all events, as counted.
    pub flows: Vec<FlowKey>,
    /// Evidence and findings of the flagged events.
    pub written: Vec<Written>,
    /// Rejected events.
    pub rejects: Vec<Reject>,
    /// Verdict lines, if asked for.
    pub lines: Vec<u8>,
    /// What stream users are told, if they are.
    pub told: Drafts,
    /// The generation that judged, for what is told once for many events.
    pub world: Option<Arc<World>>,
    legs: Vec<Leg>,
    judged: Vec<Judged>,
    scratch: Scratch,
    memo: Memo,
    fingerprints: Fingerprints,
    hosts: RefCell<HostMemo>,
}

impl Outcome {
    /// The identity for the duplicate check of a judged event that has one.
    pub fn fingerprint(&self) -> Option<u128> {
        match self.fate {
            Fate::Judged { fingerprint, .. } => fingerprint,
            Fate::Rejected(_) => None,
        }
    }
}

impl Slice {
    /// Exchanges what a worker remembers from batch to batch; what was found stays.
    pub(super) fn exchange(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.legs, &mut other.legs);
        std::mem::swap(&mut self.judged, &mut other.judged);
        std::mem::swap(&mut self.scratch, &mut other.scratch);
        std::mem::swap(&mut self.memo, &mut other.memo);
        std::mem::swap(&mut self.fingerprints, &mut other.fingerprints);
        std::mem::swap(&mut self.hosts, &mut other.hosts);
    }

    fn clear(&mut self) {
        self.outcomes.clear();
        self.flows.clear();
        self.written.clear();
        self.rejects.clear();
        self.lines.clear();
        self.told.clear();
    }
}

/// What a worker is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Key of the duplicate check.
    pub key: FingerprintKey,
    /// Whether to write a verdict line for each event.
    pub lines: bool,
}

/// Works through `range` of the batch's messages.
pub fn work(
    world: &World,
    batch: &Batch,
    range: Range<usize>,
    task: Task,
    lanes: &[crate::domain::position::Lane],
    slice: &mut Slice,
) {
    slice.clear();
    slice.memo.enter(world.generation());
    slice.hosts.get_mut().enter(world.generation());
    let from = range.start;
    let (mut scratch, hosts) = (std::mem::take(&mut slice.scratch), std::mem::take(&mut slice.hosts));
    for (message, at) in batch.messages()[range].iter().zip(from..) {
        if let Some(next) = batch.messages().get(at + 1) {
            dingtalk::fetch(batch.payload(next));
        }
        let (number, message, payload, hosts) = (at as u32, *message, batch.payload(message), &hosts);
        let mut worker = Worker { world, task, lanes, message, number, payload: Payload::new(payload), hosts, slice };
        if message.cut > 0 {
            worker.reject(0, Reject::cut(payload.len()));
            continue;
        }
        world.decoder.show(&mut scratch, payload, &mut |index, given| match given {
            Ok(event) => worker.event(index, event),
            Err(reject) => worker.reject(index, *reject),
        });
    }
    (slice.scratch, slice.hosts) = (scratch, hosts);
}

struct Worker<'w, 'b> {
    world: &'w World,
    task: Task,
    lanes: &'w [crate::domain::position::Lane],
    message: Message,
    number: u32,
    payload: Payload<'b>,
    hosts: &'b RefCell<HostMemo>,
    slice: &'b mut Slice,
}

impl Worker<'_, '_> {
    fn reject(&mut self, index: u32, reject: Reject) {
        self.slice.rejects.push(reject);
        self.finish(index, Fate::Rejected(self.slice.rejects.len() as u32 - 1));
    }

    #[inline(always)]
    fn event(&mut self, index: u32, event: &Event<'_>) {
        let scene = Scene::new(self.world, event).with_hosts(self.hosts);
        let slice = &mut *self.slice;
        let (flows_from, case, movement) = judge_legs(self.world, &scene, slice);
        let worst = worst(&slice.judged);
        let verdict = worst.map(|worst| worst.decision.verdict);
        let context = record::Context {
            world: self.world,
            scene: &scene,
            event,
            case,
            position: Position { lane: self.message.lane, offset: self.message.offset, index },
            lane: &self.lanes[self.message.lane.0 as usize],
            payload: &self.payload,
            unclassified: movement == Movement::Unclassified,
            standing: None,
        };
        let recorded = |judged: &Judged| self.world.is_recorded(judged.decision.verdict);
        let written = slice.judged.iter().any(recorded).then(|| {
            slice.written.push(record::write(&context, &slice.judged));
            slice.written.len() as u32 - 1
        });
        if self.task.lines {
            record::verdict_line(&context, &slice.judged, &mut slice.lines);
        }
        if self.world.tells() {
            slice.told.write(self.number, &context, &slice.judged);
        }
        let fate = Fate::Judged {
            verdict,
            fingerprint: slice.fingerprints.of(event, &self.task.key),
            flows: (flows_from, slice.flows.len() as u32),
            written,
            unclassified: movement == Movement::Unclassified,
            tenant: scene.watched(),
            at: event.time,
            bytes: event.size.unwrap_or(0),
        };
        self.finish(index, fate);
    }

    #[inline]
    fn finish(&mut self, index: u32, fate: Fate) {
        let line_end = self.slice.lines.len();
        self.slice.outcomes.push(Outcome { message: self.number, index, fate, line_end });
    }
}

/// Judges every leg into `slice.judged` and counts it in `slice.flows`.
#[inline(always)]
fn judge_legs(world: &World, scene: &Scene<'_, '_>, slice: &mut Slice) -> (u32, Case, Movement) {
    let flows_from = slice.flows.len() as u32;
    slice.legs.clear();
    slice.judged.clear();
    let movement = scene.legs(&mut |leg| slice.legs.push(leg));
    let case = scene.case(&slice.legs);
    for leg in &slice.legs {
        let decision = slice.memo.judge(&world.policy, leg, &case);
        let judged = Judged { leg: *leg, decision };
        slice.flows.push(FlowKey::of(&judged));
        slice.judged.push(judged);
    }
    if movement == Movement::Unclassified {
        slice.flows.push(FlowKey::of(&unclassified()));
        slice.judged.push(unclassified());
    }
    (flows_from, case, movement)
}

/// The leg that decides the event: the gravest verdict, then the gravest severity, then the first.
#[inline]
pub fn worst(judged: &[Judged]) -> Option<&Judged> {
    let gravity = |one: &Judged| (one.decision.verdict, std::cmp::Reverse(one.decision.severity));
    let (mut worst, others) = judged.split_first()?;
    for one in others {
        if gravity(one) < gravity(worst) {
            worst = one;
        }
    }
    Some(worst)
}

/// An act that is not in the tables may move data anywhere: undecided is a verdict.
pub fn unclassified() -> Judged {
    use crate::domain::flow::Recipient;
    use crate::domain::place::{Doubt, Location};
    let nowhere = Location::unknown(Doubt::Missing);
    let possible = Verdict::ALL.into_iter().fold(Verdicts::default(), Verdicts::with);
    let decision = Decision {
        verdict: Verdict::Undetermined,
        rule: Rule::R9,
        severity: Severity::Low,
        safeguard: None,
        failed: None,
        policy_rule: None::<PolicyRule>,
        possible,
        tags: Tags::default().with(Tag::Unclassified),
        binding: false,
    };
    let leg = Leg {
        kind: FlowKind::Access,
        preview: false,
        origin: nowhere,
        destination: nowhere,
        recipient: Recipient::Stranger,
    };
    Judged { leg, decision }
}
