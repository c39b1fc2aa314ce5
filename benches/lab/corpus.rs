//! Distinct events of realistic size and mix, from all shapes: the generator's working days of the example bank, nearly all
//! rows with what a collector learnt about the storage; one message in twelve with its keys in alphabetical order, as
//! collectors that pass through a map write them; one in fifty with a space after commas and colons.

use harbourwatch::domain::position::{Lane, LaneId};
use harbourwatch::pipeline::batch::{Batch, Limits};
use harbourwatch::pipeline::work::{Fate, Slice, work};
use harbourwatch::pipeline::world::World;
use harbourwatch::source::generate::{Generator, Organisation, Plan, Quirks};

use super::TASK;

/// Events of a full corpus.
pub const EVENTS: u64 = 200_000;

/// Batches as the pipeline would get them.
pub struct Corpus {
    /// One after the other.
    pub batches: Vec<Batch>,
    /// The lane that they came by.
    pub lanes: [Lane; 1],
    /// Events in all; a page counts each of its rows.
    pub events: u64,
}

impl Corpus {
    fn new() -> Self {
        let lanes = [Lane { topic: "bench".to_owned(), partition: 0 }];
        Self { batches: vec![Batch::default()], lanes, events: 0 }
    }

    fn push(&mut self, offset: usize, message: &[u8], events: u64) {
        let limits = Limits::default();
        if self.batches.last().is_some_and(|batch| batch.is_full(&limits)) {
            self.batches.push(Batch::default());
        }
        self.events += events;
        if let Some(batch) = self.batches.last_mut() {
            batch.push(LaneId(0), offset as u64, message, 0);
        }
    }

    /// Every message.
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.batches.iter().flat_map(|batch| batch.messages().iter().map(|message| batch.payload(message)))
    }

    /// Bytes of all messages.
    pub fn bytes(&self) -> usize {
        self.batches.iter().map(Batch::byte_len).sum()
    }

    /// Bytes of an event in the mean.
    pub fn mean(&self) -> f64 {
        self.bytes() as f64 / self.events as f64
    }
}

/// Messages as they come, `events` of them in all.
pub fn days(seed: u64, events: u64) -> Corpus {
    let mut corpus = Corpus::new();
    each_message(seed, events, &mut |offset, message, count| corpus.push(offset, message, count));
    corpus
}

/// A corpus in which `flagged` of a hundred events become evidence records.
pub fn flagged(world: &World, seed: u64, events: u64, flagged: u64) -> Corpus {
    let (mut clean, mut recorded) = (Corpus::new(), Corpus::new());
    let (want_recorded, want_clean) = (events * flagged / 100, events - events * flagged / 100);
    let mut slice = Slice::default();
    let mut round = 0;
    while clean.events < want_clean || recorded.events < want_recorded {
        each_message(seed + 1000 * round, (2 * events).min(100_000), &mut |offset, message, count| {
            let into = if is_recorded(world, message, &mut slice) { &mut recorded } else { &mut clean };
            let want = if flagged > 0 && is_flagged(&slice) { want_recorded } else { want_clean };
            if into.events < want {
                into.push(offset, message, count);
            }
        });
        round += 1;
    }
    merge(&clean, &recorded)
}

/// The messages that `change` gives back, each counted as one event; pages go as they are.
pub fn changed(corpus: &Corpus, mut change: impl FnMut(u64, &[u8]) -> Option<Vec<u8>>) -> Corpus {
    let mut all = Corpus::new();
    for (at, message) in corpus.messages().enumerate() {
        if message.first() == Some(&b'{')
            && let Some(message) = change(at as u64, message)
        {
            all.push(at, &message, 1);
        }
    }
    all
}

/// The first `most` messages of several weeks that `change` gives back, each one event.
pub fn gathered(seeds: std::ops::Range<u64>, most: u64, mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Corpus {
    let mut all = Corpus::new();
    for seed in seeds {
        each_message(seed, EVENTS, &mut |_, message, _| {
            if all.events < most
                && message.first() == Some(&b'{')
                && let Some(message) = change(message)
            {
                all.push(all.events as usize, &message, 1);
            }
        });
    }
    all
}

fn is_recorded(world: &World, message: &[u8], slice: &mut Slice) -> bool {
    let lanes = [Lane { topic: "bench".to_owned(), partition: 0 }];
    let mut one = Batch::default();
    one.push(LaneId(0), 0, message, 0);
    work(world, &one, 0..1, TASK, &lanes, slice);
    is_flagged(slice)
}

fn is_flagged(slice: &Slice) -> bool {
    slice.outcomes.iter().any(|outcome| matches!(outcome.fate, Fate::Judged { written: Some(_), .. }))
}

/// Both in one, the fewer spread evenly among the more.
fn merge(clean: &Corpus, recorded: &Corpus) -> Corpus {
    let mut merged = Corpus::new();
    let (few, many) = (recorded.messages().count().max(1), clean.messages().count().max(1));
    let (mut flagged, mut plain) = (recorded.messages().peekable(), clean.messages().peekable());
    let (mut given_few, mut given_many, mut offset) = (0, 0, 0);
    while flagged.peek().is_some() || plain.peek().is_some() {
        let turn = plain.peek().is_none() || flagged.peek().is_some() && given_few * many < given_many * few;
        let (from, given): (&mut dyn Iterator<Item = &[u8]>, _) =
            if turn { (&mut flagged, &mut given_few) } else { (&mut plain, &mut given_many) };
        if let Some(message) = from.next() {
            merged.push(offset, message, 0);
        }
        *given += 1;
        offset += 1;
    }
    merged.events = clean.events + recorded.events;
    merged
}

fn each_message(seed: u64, events: u64, each: &mut dyn FnMut(usize, &[u8], u64)) {
    let quirks = Quirks { duplicates: 0, enriched: 950_000, ..Quirks::default() };
    let mut generator = Generator::new(Plan { quirks, ..Plan::new(seed, events) }, Organisation::bank());
    let (mut message, mut before, mut offset) = (Vec::new(), 0, 0);
    while generator.next(&mut message).is_some() {
        let dressed = dress(offset, &message);
        each(offset, dressed.as_deref().unwrap_or(&message), generator.events() - before);
        before = generator.events();
        offset += 1;
        message.clear();
    }
}

/// Another dress for some messages.
fn dress(offset: usize, message: &[u8]) -> Option<Vec<u8>> {
    let (sorted, spaced) = (offset % 12 == 5, offset % 50 == 9);
    if !sorted && !spaced {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(message).ok()?;
    if sorted {
        return serde_json::to_vec(&value).ok();
    }
    let mut out = Vec::new();
    serde::Serialize::serialize(&value, &mut serde_json::Serializer::with_formatter(&mut out, Spaced)).ok()?;
    Some(out)
}

/// `{"a": 1, "b": [2, 3]}`.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, to: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, to: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, to: &mut W) -> std::io::Result<()> {
        to.write_all(b": ")
    }
}
