//! Synthetic traffic of an invented bank in Hong Kong, for trying out, for benchmarks and for tests.
//!
//! The same plan gives the same bytes on every machine. People, companies and files are invented; ids, offices and parties
//! are those of `config/bank.toml`, so that with that configuration every verdict occurs, most of them DOMESTIC or COVERED.
//! Nothing here knows a verdict, and nothing is sent anywhere.

mod acts;
mod addresses;
mod corpus;
mod garbage;
mod holdings;
mod json;
mod organisation;
mod push;
mod receivers;
mod rng;
mod row;
mod scene;
mod source;
mod timeline;

pub use corpus::{Pace, Written, write_all};
pub use organisation::Organisation;
pub use source::GenerateSource;

use rng::Rng;
use row::Manner;
use timeline::Timeline;

/// Tenant of events that name none, as the first of `config/bank.toml`.
pub const TENANT: &str = holdings::TENANT;

/// 08:00 on Monday, 23 November 2026, in Hong Kong, in ms since the epoch.
const MORNING: i64 = 1_795_392_000_000;

/// Messages that an overlapping re-read may bring again.
const RECENT: usize = 64;

/// Rows of a page at most.
const PAGE: u32 = 24;

/// What to make up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Seed of everything random.
    pub seed: u64,
    /// Events in all. A page counts each of its rows, any other message counts as one.
    pub events: u64,
    /// Time of the first event, in ms since the epoch.
    pub start_ms: i64,
    /// Span of all events, in ms.
    pub span_ms: i64,
    /// How often things are odd.
    pub quirks: Quirks,
}

impl Plan {
    /// A working day in Hong Kong, from eight to eight.
    pub fn new(seed: u64, events: u64) -> Self {
        Self { seed, events, start_ms: MORNING, span_ms: 12 * 3_600_000, quirks: Quirks::default() }
    }
}

/// How often, in a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// Messages that are no audit event at all.
    pub garbage: u32,
    /// Messages that come again, byte for byte.
    pub duplicates: u32,
    /// Messages that are a page of rows.
    pub pages: u32,
    /// Messages that are a push event.
    pub pushes: u32,
    /// Rows of the legacy API.
    pub legacy: u32,
    /// Messages in a collector's envelope, beside rows that need one for their tenant. All by default: one collector fills
    /// a topic, and `config/bank.toml` says where its envelope has the event.
    pub envelopes: u32,
    /// Rows with what a collector found out about the storage.
    pub enriched: u32,
    /// Rows with numbers as strings.
    pub quoted: u32,
    /// Rows with escape sequences for all Chinese text.
    pub escaped: u32,
    /// Rows with times in seconds or as text.
    pub clocks: u32,
    /// Rows whose address is missing, private, a list or a word.
    pub addresses: u32,
    /// Rows with an action code that no table knows.
    pub unknown_acts: u32,
    /// Rows that come up to 40 minutes late.
    pub late: u32,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            garbage: 500,
            duplicates: 3_000,
            pages: 4_000,
            pushes: 8_000,
            legacy: 10_000,
            envelopes: 150_000,
            enriched: 250_000,
            quoted: 5_000,
            escaped: 10_000,
            clocks: 3_000,
            addresses: 1_500,
            unknown_acts: 400,
            late: 8_000,
        }
    }
}

/// What sort of message was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// One row, bare or in an envelope.
    Row,
    /// A page of rows.
    Page,
    /// A push event.
    Push,
    /// A message that came before.
    Duplicate,
    /// No audit event.
    Garbage,
}

/// Makes up messages, one after the other.
pub struct Generator<'o> {
    organisation: &'o Organisation,
    plan: Plan,
    rng: Rng,
    timeline: Timeline,
    events: u64,
    recent: Vec<(u64, Vec<u8>)>,
    /// Which of the recent messages is replaced next.
    turn: usize,
    scratch: Vec<u8>,
}

impl<'o> Generator<'o> {
    /// Begins at the first message of the plan.
    pub fn new(plan: Plan, organisation: &'o Organisation) -> Self {
        let timeline = Timeline::new(plan.start_ms, plan.span_ms, plan.events, organisation);
        let rng = Rng::new(plan.seed);
        Self { organisation, plan, rng, timeline, events: 0, recent: Vec::new(), turn: 0, scratch: Vec::new() }
    }

    /// Events made so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Appends the next message to `out`, without line end; `None` when the plan is done.
    pub fn next(&mut self, out: &mut Vec<u8>) -> Option<Sort> {
        let left = self.plan.events.checked_sub(self.events).filter(|left| *left > 0)?;
        let (from, before) = (out.len(), self.events);
        let sort = self.sort(left);
        match sort {
            Sort::Row => self.row(out),
            Sort::Page => self.page(out, left),
            Sort::Push => self.push(out),
            Sort::Duplicate => self.again(out),
            Sort::Garbage => self.garbage(out),
        }
        if sort != Sort::Duplicate && sort != Sort::Garbage {
            self.remember(&out[from..], self.events - before);
        }
        Some(sort)
    }

    fn sort(&mut self, left: u64) -> Sort {
        let quirks = self.plan.quirks;
        let sorts = [
            (quirks.garbage, Sort::Garbage),
            (quirks.duplicates, Sort::Duplicate),
            (quirks.pages, Sort::Page),
            (quirks.pushes, Sort::Push),
        ];
        let mut drawn = self.rng.below(1_000_000);
        for (share, sort) in sorts {
            if drawn < share {
                let possible = sort != Sort::Duplicate || self.recent.iter().any(|(events, _)| *events <= left);
                return if possible { sort } else { Sort::Row };
            }
            drawn -= share;
        }
        Sort::Row
    }

    fn time(&mut self) -> i64 {
        // the high half of the number
        let jitter = (self.rng.next() >> 32) as u32;
        let at = self.timeline.time(self.events, jitter);
        self.events += 1;
        at
    }

    fn row(&mut self, out: &mut Vec<u8>) {
        let at = self.time();
        let (quirks, rng) = (&self.plan.quirks, &mut self.rng);
        let scene = scene::compose(self.organisation, quirks, at, rng);
        let legacy = rng.chance(quirks.legacy);
        let manner = Manner::draw(quirks, legacy, rng);
        let enveloped = rng.chance(quirks.envelopes) || scene.space.tenant != holdings::TENANT;
        if enveloped {
            row::envelope(out, &scene, manner);
        } else {
            row::row(out, &scene, manner, true);
        }
    }

    /// A page has one casing, and no tenant but the first.
    fn page(&mut self, out: &mut Vec<u8>, left: u64) {
        let legacy = self.rng.chance(100_000);
        let wrapped = self.wrap(out);
        let rows = u64::from(2 + self.rng.below(PAGE - 1)).min(left);
        let opening: &[u8] = if legacy { br#"{"errcode":0,"errmsg":"ok","success":true,"result":"# } else { b"" };
        out.extend_from_slice(opening);
        out.extend_from_slice(b"{\"list\":");
        json::list(out, usize::try_from(rows).unwrap_or(1), |out, _| {
            let at = self.time();
            let (quirks, rng) = (&self.plan.quirks, &mut self.rng);
            let scene = scene::compose(self.organisation, quirks, at, rng);
            row::row(out, &scene, Manner::draw(quirks, legacy, rng), true);
        });
        out.extend_from_slice(if legacy { b"}}" } else { b"}" });
        out.extend_from_slice(wrapped);
    }

    fn push(&mut self, out: &mut Vec<u8>) {
        let at = self.time();
        let wrapped = self.wrap(out);
        let space = holdings::OF_BANK.pick(&mut self.rng);
        push::push(out, &mut self.scratch, (self.organisation, space), at, &mut self.rng);
        out.extend_from_slice(wrapped);
    }

    /// Opens an envelope or none; gives what closes it.
    fn wrap(&mut self, out: &mut Vec<u8>) -> &'static [u8] {
        if !self.rng.chance(self.plan.quirks.envelopes) {
            return b"";
        }
        out.extend_from_slice(b"{\"corpId\":\"");
        out.extend_from_slice(holdings::TENANT.as_bytes());
        out.extend_from_slice(b"\",\"payload\":");
        b"}"
    }

    fn again(&mut self, out: &mut Vec<u8>) {
        let left = self.plan.events - self.events;
        let first = self.rng.below(u32::try_from(self.recent.len()).unwrap_or(1)) as usize;
        let (before, after) = self.recent.split_at(first);
        if let Some((events, message)) = after.iter().chain(before).find(|(events, _)| *events <= left) {
            self.events += events;
            out.extend_from_slice(message);
        }
    }

    fn garbage(&mut self, out: &mut Vec<u8>) {
        let at = self.time();
        let scene = scene::compose(self.organisation, &self.plan.quirks, at, &mut self.rng);
        self.scratch.clear();
        row::row(&mut self.scratch, &scene, Manner::draw(&self.plan.quirks, false, &mut self.rng), false);
        let mut made = Vec::new();
        garbage::garbage(&mut made, &self.scratch, &mut self.rng);
        out.extend_from_slice(&made);
    }

    /// Keeps one message in seven, so that what comes again is some way back.
    fn remember(&mut self, message: &[u8], events: u64) {
        if !self.rng.chance(140_000) {
            return;
        }
        if self.recent.len() < RECENT {
            self.recent.push((events, message.to_vec()));
        } else {
            let (count, kept) = &mut self.recent[self.turn];
            *count = events;
            kept.clear();
            kept.extend_from_slice(message);
        }
        self.turn = (self.turn + 1) % RECENT;
    }
}
