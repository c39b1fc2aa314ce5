//! The whole way as others go it: bytes → fields → places → verdict → counters and, for the flagged, the record.
//!
//! Reading, locating and counting are theirs. Legs, rules, duplicate check and records are the program's own, called in
//! the plain way: the rules for each leg anew, the maps by the standard hasher.

use std::collections::{HashMap, HashSet, VecDeque};

use harbourwatch::dingtalk::legs::Movement;
use harbourwatch::dingtalk::{Decoder, Kernel, Scratch};
use harbourwatch::domain::event::Event;
use harbourwatch::domain::flow::Leg;
use harbourwatch::domain::position::Position;
use harbourwatch::domain::trace::Silent;
use harbourwatch::pipeline::fingerprint::fingerprint;
use harbourwatch::pipeline::record;
use harbourwatch::pipeline::scene::Scene;
use harbourwatch::pipeline::work::{FlowKey, Judged, unclassified, worst};
use harbourwatch::pipeline::world::World;
use prometheus::{IntCounter, IntCounterVec, Opts};

use super::corpus::Corpus;
use super::place::Asker;
use super::typed::Any;
use super::{TASK, untyped};

/// How a message is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// `serde_json::Value`.
    Tree,
    /// `serde_json` typed and borrowed, after `simdutf8`.
    Typed,
    /// `sonic-rs`, the same types.
    Sonic,
    /// The program's decoder, with no faster kernel than this.
    Own(Option<Kernel>),
}

impl Read {
    /// Gives the events of a message; `None` for what is no event.
    pub fn events(
        self,
        own: &Decoder,
        scratch: &mut Scratch,
        message: &[u8],
        each: &mut impl FnMut(Option<Event<'_>>),
    ) {
        match self {
            Self::Tree => match serde_json::from_slice(message) {
                Ok(serde_json::Value::Array(rows)) => rows.iter().for_each(|row| untyped::events(row, None, each)),
                Ok(tree) => untyped::events(&tree, None, each),
                Err(_) => each(None),
            },
            Self::Typed => {
                let read =
                    |text: &str, each: &mut dyn FnMut(Any<'_>)| serde_json::from_str(text).into_iter().for_each(each);
                let Ok(text) = simdutf8::basic::from_utf8(message) else { return each(None) };
                if text.starts_with('[') {
                    return rows(serde_json::from_str(text).ok(), &read, each);
                }
                match serde_json::from_str::<Any<'_>>(text) {
                    Ok(any) => any.events(None, &read, each),
                    Err(_) => each(None),
                }
            }
            Self::Sonic => {
                let read =
                    |text: &str, each: &mut dyn FnMut(Any<'_>)| sonic_rs::from_str(text).into_iter().for_each(each);
                if message.starts_with(b"[") {
                    return rows(sonic_rs::from_slice(message).ok(), &read, each);
                }
                match sonic_rs::from_slice::<Any<'_>>(message) {
                    Ok(any) => any.events(None, &read, each),
                    Err(_) => each(None),
                }
            }
            Self::Own(_) => {
                own.decode_with(scratch, message, &mut |_, event| each(event.ok()));
            }
        }
    }
}

fn rows(
    rows: Option<Vec<Any<'_>>>,
    read: &impl Fn(&str, &mut dyn FnMut(Any<'_>)),
    each: &mut impl FnMut(Option<Event<'_>>),
) {
    match rows {
        Some(rows) => rows.into_iter().for_each(|row| row.events(None, read, each)),
        None => each(None),
    }
}

/// How places are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locate {
    Maxmind,
    Atlas,
}

/// How legs are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// `with_label_values` for each leg.
    Labels,
    /// A handle for each flow, kept.
    Handles,
    /// Plain numbers, added to the registry after each batch.
    Local,
}

/// One way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub read: Read,
    pub locate: Locate,
    pub count: Count,
}

pub const A: Way = Way { read: Read::Tree, locate: Locate::Maxmind, count: Count::Labels };
pub const B: Way = Way { read: Read::Typed, locate: Locate::Maxmind, count: Count::Handles };
pub const C: Way = Way { read: Read::Sonic, locate: Locate::Atlas, count: Count::Local };

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub flows: std::collections::BTreeMap<FlowKey, u64>,
    pub judged: u64,
    pub rejected: u64,
    pub duplicate: u64,
    pub records: u64,
}

/// A worker that goes one way.
pub struct Other<'w> {
    way: Way,
    world: &'w World,
    asker: Asker<'w>,
    flows: IntCounterVec,
    events: IntCounterVec,
    handles: HashMap<FlowKey, IntCounter>,
    counts: HashMap<FlowKey, u64>,
    outcomes: [IntCounter; 3],
    numbers: [u64; 3],
    legs: Vec<Leg>,
    judged: Vec<Judged>,
    seen: HashSet<u128>,
    order: VecDeque<u128>,
    window: usize,
    records: u64,
    bytes: usize,
}

const JUDGED: usize = 0;
const REJECTED: usize = 1;
const DUPLICATE: usize = 2;
const NAMES: [&str; 3] = ["judged", "rejected", "duplicate"];

impl<'w> Other<'w> {
    pub fn new(way: Way, world: &'w World, earlier: &[u128]) -> Self {
        let labels = ["verdict", "kind", "from", "to"];
        let flows = IntCounterVec::new(Opts::new("flows_total", "legs"), &labels).unwrap();
        let events = IntCounterVec::new(Opts::new("events_total", "events"), &["outcome"]).unwrap();
        let outcomes = NAMES.map(|name| events.with_label_values(&[name]));
        Self {
            way,
            world,
            asker: Asker::new(&world.geo),
            flows,
            events,
            outcomes,
            handles: HashMap::new(),
            counts: HashMap::new(),
            numbers: [0; 3],
            legs: Vec::new(),
            judged: Vec::new(),
            seen: earlier.iter().copied().collect(),
            order: earlier.iter().copied().collect(),
            window: earlier.len().max(1 << 20),
            records: 0,
            bytes: 0,
        }
    }

    /// Works through a corpus and gives what came of it.
    pub fn run(&mut self, corpus: &Corpus) -> Outcome {
        let mut scratch = Scratch::default();
        for batch in &corpus.batches {
            for message in batch.messages() {
                let (payload, offset) = (&record::Payload::new(batch.payload(message)), message.offset);
                let mut index = 0;
                self.way.read.events(&self.world.decoder, &mut scratch, payload.bytes(), &mut |event| {
                    let position = Position { lane: message.lane, offset, index };
                    index += 1;
                    match event {
                        Some(event) => self.event(&event, position, payload, corpus),
                        None => self.outcome(REJECTED),
                    }
                });
            }
            self.flush();
        }
        self.sum()
    }

    fn event(&mut self, event: &Event<'_>, position: Position, payload: &record::Payload<'_>, corpus: &Corpus) {
        if fingerprint(event, &TASK.key).is_some_and(|print| !self.is_new(print)) {
            return self.outcome(DUPLICATE);
        }
        let address = event.address.as_ref().map(|address| address.reveal().as_ref());
        let scene = Scene::new(self.world, event);
        let scene = match self.way.locate {
            Locate::Maxmind => scene.with_actor_at(self.asker.field(address)),
            Locate::Atlas => scene,
        };
        self.legs.clear();
        self.judged.clear();
        let legs = &mut self.legs;
        let movement = scene.legs(&mut |leg| legs.push(leg));
        let case = scene.case(&self.legs);
        for leg in &self.legs {
            let decision = self.world.policy.judge(leg, &case, &mut Silent);
            self.judged.push(Judged { leg: *leg, decision });
        }
        if movement == Movement::Unclassified {
            self.judged.push(unclassified());
        }
        let flagged = self.judged.iter().any(|one| self.world.is_recorded(one.decision.verdict));
        std::hint::black_box(worst(&self.judged).map(|worst| worst.decision.verdict));
        if flagged {
            let unclassified = movement == Movement::Unclassified;
            let lane = &corpus.lanes[0];
            let context = record::Context {
                world: self.world,
                scene: &scene,
                event,
                case,
                position,
                lane,
                payload,
                unclassified,
                standing: None,
            };
            let written = record::write(&context, &self.judged);
            self.records += 1;
            self.bytes += std::hint::black_box(written).record.json.len();
        }
        for at in 0..self.judged.len() {
            self.count(&self.judged[at].clone());
        }
        self.outcome(JUDGED);
    }

    fn is_new(&mut self, print: u128) -> bool {
        if !self.seen.insert(print) {
            return false;
        }
        if self.order.len() == self.window
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(print);
        true
    }

    fn count(&mut self, judged: &Judged) {
        let leg = &judged.leg;
        let (from, to) = (leg.origin.label(), leg.destination.label());
        let key = FlowKey { verdict: judged.decision.verdict, kind: leg.kind, origin: from, destination: to };
        match self.way.count {
            Count::Labels => labelled(&self.flows, &key).inc(),
            Count::Handles => self.handles.entry(key).or_insert_with(|| labelled(&self.flows, &key)).inc(),
            Count::Local => *self.counts.entry(key).or_default() += 1,
        }
    }

    fn outcome(&mut self, outcome: usize) {
        match self.way.count {
            Count::Labels => self.events.with_label_values(&[NAMES[outcome]]).inc(),
            Count::Handles => self.outcomes[outcome].inc(),
            Count::Local => self.numbers[outcome] += 1,
        }
    }

    fn flush(&mut self) {
        for (key, legs) in self.counts.drain() {
            labelled(&self.flows, &key).inc_by(legs);
        }
        for (counter, number) in self.outcomes.iter().zip(&mut self.numbers) {
            counter.inc_by(std::mem::take(number));
        }
    }

    fn sum(&self) -> Outcome {
        use harbourwatch::domain::flow::FlowKind;
        use harbourwatch::domain::verdict::Verdict;
        let mut outcome = Outcome { records: self.records, ..Outcome::default() };
        for family in prometheus::core::Collector::collect(&self.flows) {
            for metric in family.get_metric() {
                let label = |name: &str| {
                    metric.get_label().iter().find(|label| label.name() == name).map_or("", |label| label.value())
                };
                let place = |name: &str| <[u8; 2]>::try_from(label(name).as_bytes()).unwrap();
                let verdict = Verdict::parse(label("verdict")).unwrap();
                let kind = FlowKind::parse(label("kind")).unwrap();
                let key = FlowKey { verdict, kind, origin: place("from"), destination: place("to") };
                outcome.flows.insert(key, metric.get_counter().get_value() as u64);
            }
        }
        outcome.judged = self.outcomes[JUDGED].get();
        outcome.rejected = self.outcomes[REJECTED].get();
        outcome.duplicate = self.outcomes[DUPLICATE].get();
        outcome
    }
}

fn labelled(flows: &IntCounterVec, key: &FlowKey) -> IntCounter {
    let text = |code: &'static str| code;
    let (from, to) = (key.origin, key.destination);
    let (from, to) = (std::str::from_utf8(&from).unwrap_or("ZZ"), std::str::from_utf8(&to).unwrap_or("ZZ"));
    flows.with_label_values(&[text(key.verdict.name()), text(key.kind.name()), from, to])
}
