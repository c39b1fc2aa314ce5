//! Rows of the index: what it knows of a record, read from its text, sealed or not. Pure.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::segment::{Month, SegmentId};
use super::walk::{Walk, plain};

/// One record's line in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Index of the record's entry in the log.
    pub i: u64,
    /// Event time, ms since the epoch.
    pub at: i64,
    /// Record id.
    pub id: String,
    /// Number that stands for the subject: see [`super::index::number_of_key`].
    pub subject: u64,
    /// What moved where and how it was judged.
    pub flow: Flow,
    /// Segment that holds the frame.
    pub segment: SegmentId,
    /// Where the frame stands in it, in bytes.
    pub offset: u64,
}

/// Where the detail of an entry lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailRow {
    /// Index of the entry in the log.
    pub i: u64,
    /// Segment that holds the frame.
    pub segment: SegmentId,
    /// Where the frame stands in it, in bytes.
    pub offset: u64,
}

/// A verdict with its legs. Many records have the same, so the index keeps each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flow {
    /// The record's verdict: the gravest of its legs.
    pub verdict: String,
    /// The legs.
    pub legs: Vec<Leg>,
}

/// A leg as the index knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leg {
    /// Flow kind.
    pub kind: String,
    /// Code of the place where it starts.
    pub origin: String,
    /// Code of the place where it ends.
    pub destination: String,
    /// Verdict.
    pub verdict: String,
    /// Severity.
    pub severity: String,
    /// Safeguard that covers or names it, or empty.
    pub safeguard: String,
    /// Recipient party.
    pub recipient: String,
}

/// What the index wants of a record.
#[derive(Deserialize)]
struct Summary<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default)]
    time: Option<i64>,
    #[serde(borrow, default)]
    verdict: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    legs: Vec<LegSummary<'a>>,
}

#[derive(Deserialize)]
struct LegSummary<'a> {
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    origin: Code<'a>,
    #[serde(borrow, default)]
    destination: Code<'a>,
    #[serde(borrow, default)]
    recipient: Party<'a>,
    #[serde(borrow, default)]
    verdict: Cow<'a, str>,
    #[serde(borrow, default)]
    severity: Cow<'a, str>,
    #[serde(borrow, default)]
    safeguard: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct Code<'a> {
    #[serde(borrow, default)]
    code: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
struct Party<'a> {
    #[serde(borrow, default)]
    party: Cow<'a, str>,
}

impl<'a> Summary<'a> {
    fn of(record: &'a str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }

    fn flow(&self) -> Flow {
        let verdict = self.verdict.as_deref().unwrap_or_default().to_owned();
        Flow { verdict, legs: self.legs.iter().map(LegSummary::leg).collect() }
    }
}

impl LegSummary<'_> {
    fn leg(&self) -> Leg {
        Leg {
            kind: self.kind.to_string(),
            origin: self.origin.code.to_string(),
            destination: self.destination.code.to_string(),
            verdict: self.verdict.to_string(),
            severity: self.severity.to_string(),
            safeguard: self.safeguard.as_deref().unwrap_or_default().to_owned(),
            recipient: self.recipient.party.to_string(),
        }
    }
}

impl Row {
    /// The row of a record, sealed or not; `None` if its fields are not of the kinds that they have.
    pub(super) fn of(record: &str, i: u64, subject: u64, segment: SegmentId, offset: u64) -> Option<Self> {
        let summary = Summary::of(record)?;
        let (flow, at, id) = (summary.flow(), summary.time.unwrap_or(0), summary.id.into_owned());
        Some(Self { i, at, id, subject, flow, segment, offset })
    }
}

/// Where a record as we write it says what the index wants; `None` says nothing about any other.
struct Told<'r> {
    id: &'r str,
    at: i64,
    verdict: &'r str,
    legs: &'r str,
}

impl<'r> Told<'r> {
    fn of(record: &'r str) -> Option<Self> {
        let (mut id, mut at, mut verdict, mut legs) = (None, None, None, None);
        let mut walk = Walk::new(record);
        walk.members(&mut |name, walk| {
            let value = walk.value()?;
            let slot = match name {
                "id" => &mut id,
                "time" => &mut at,
                "verdict" => &mut verdict,
                "legs" => &mut legs,
                _ => return Some(()),
            };
            // a second one of the same name is refused, elsewhere
            slot.replace(value).is_none().then_some(())
        })?;
        let at = if at? == "null" { 0 } else { at?.parse().ok()? };
        walk.is_done().then_some(Self { id: plain(id?)?, at, verdict: verdict?, legs: legs? })
    }
}

/// What a batch adds to the index. Flows are kept once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rows {
    pub(super) flows: Vec<Flow>,
    pub(super) frames: Vec<(SegmentId, u64)>,
    pub(super) records: Vec<Stub>,
    /// Of details: the entry, and its frame by number.
    pub(super) details: Vec<(u64, usize)>,
    #[serde(skip)]
    numbers: HashMap<Flow, usize>,
    /// The same by the text that a flow was read from.
    #[serde(skip)]
    texts: HashMap<String, usize>,
}

/// Most texts that are remembered: where records are not sealed, each may have findings of its own in it.
const MOST_TEXTS: usize = 4096;

/// A [`Row`] with its flow and frame by number: entry, time, id, subject, flow, frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stub(
    pub(super) u64,
    pub(super) i64,
    pub(super) String,
    pub(super) u64,
    pub(super) usize,
    pub(super) usize,
);

impl Rows {
    /// Adds a record of a frame that has no place yet, see [`Rows::absorb`]. It must have this `id`; `None` if it has another, or
    /// its fields are not of the kinds that they have.
    pub(super) fn add(&mut self, record: &str, id: &str, i: u64, subject: u64) -> Option<()> {
        let told = Told::of(record).filter(|told| told.id == id);
        let text = told.as_ref().map(|told| format!("{}{}", told.verdict, told.legs));
        if let (Some(told), Some(text)) = (told, &text)
            && let Some(flow) = self.texts.get(text)
        {
            self.records.push(Stub(i, told.at, id.to_owned(), subject, *flow, 0));
            return Some(());
        }
        let summary = Summary::of(record).filter(|summary| summary.id == id)?;
        let (at, flow) = (summary.time.unwrap_or(0), self.flow(summary.flow()));
        self.records.push(Stub(i, at, id.to_owned(), subject, flow, 0));
        if let Some(text) = text.filter(|_| self.texts.len() < MOST_TEXTS) {
            self.texts.insert(text, flow);
        }
        Some(())
    }

    /// Adds a record's row.
    pub(super) fn push(&mut self, row: Row) {
        let (frame, flow) = (self.frame(row.segment, row.offset), self.flow(row.flow));
        self.records.push(Stub(row.i, row.at, row.id, row.subject, flow, frame));
    }

    /// Takes over the records of one frame, which lies here.
    pub(super) fn absorb(&mut self, rows: Self, (segment, offset): (SegmentId, u64)) {
        let frame = self.frame(segment, offset);
        let flows: Vec<_> = rows.flows.into_iter().map(|flow| self.flow(flow)).collect();
        let stubs = rows.records.into_iter();
        let stubs = stubs.map(|Stub(i, at, id, subject, flow, _)| Stub(i, at, id, subject, flows[flow], frame));
        self.records.extend(stubs);
    }

    /// The number of a flow.
    fn flow(&mut self, flow: Flow) -> usize {
        match self.numbers.get(&flow) {
            Some(number) => *number,
            None => {
                self.flows.push(flow.clone());
                *self.numbers.entry(flow).or_insert(self.flows.len() - 1)
            }
        }
    }

    /// Adds a detail.
    pub(super) fn push_detail(&mut self, row: &DetailRow) {
        let frame = self.frame(row.segment, row.offset);
        self.details.push((row.i, frame));
    }

    /// Records in it.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The first entry that it speaks of.
    pub(super) fn first(&self) -> Option<u64> {
        let record = self.records.first().map(|stub| stub.0);
        record.into_iter().chain(self.details.first().map(|detail| detail.0)).min()
    }

    fn frame(&mut self, segment: SegmentId, offset: u64) -> usize {
        if self.frames.last() != Some(&(segment, offset)) {
            self.frames.push((segment, offset));
        }
        self.frames.len() - 1
    }

    pub(super) fn months(&self) -> BTreeSet<Month> {
        self.frames.iter().map(|(segment, _)| segment.month).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each record twice: the second time its flow is known by its text.
    #[test]
    fn rows_by_text_are_rows_by_field() {
        let leg = r#"{"kind":"send","origin":{"code":"HK"},"destination":{"code":"CN"},"recipient":{"party":"p"},"verdict":"COVERED","severity":"LOW","safeguard":"s"}"#;
        let records = [
            r#"{"id":"0a","time":7,"verdict":"COVERED","legs":[LEG]}"#,
            r#"{"id":"0b","time":null,"verdict":"COVERED","legs":[LEG,LEG]}"#,
            r#"{"id":"0c","time":-9,"legs":[],"verdict":null}"#,
            r#"{"legs":[LEG],"verdict":"COVERED","id":"0d","time":8}"#,
            r#"{ "id":"0e","legs":[LEG],"verdict":"CO\u0056ERED"}"#,
            r#"{"id":"0f"}"#,
        ];
        let segment = SegmentId { month: "2026-11".parse().unwrap(), number: 1 };
        let (mut by_text, mut of_one_frame, mut by_field) = <(Rows, Rows, Rows)>::default();
        for (i, record) in records.iter().chain(&records).enumerate() {
            let record = record.replace("LEG", leg);
            let row = Row::of(&record, i as u64, 5, segment, 0).unwrap();
            let mut frame = Rows::default();
            frame.add(&record, &row.id, i as u64, 5).unwrap();
            by_text.absorb(frame, (segment, 0));
            of_one_frame.add(&record, &row.id, i as u64, 5).unwrap();
            by_field.push(row);
        }
        assert_eq!((&of_one_frame.flows, &of_one_frame.records), (&by_field.flows, &by_field.records));
        assert_eq!((&by_text.flows, &by_text.records), (&by_field.flows, &by_field.records));
        let known = r#"{"id":"0a","time":7,"verdict":"COVERED","legs":[LEG]}"#.replace("LEG", leg);
        let mut add = |record: &str| of_one_frame.add(record, "0a", 99, 5);
        assert_eq!(add(&known), Some(()));
        // another id, a time that is none, a second verdict, and no JSON
        assert_eq!(add(&known.replace("0a", "0b")), None);
        assert_eq!(add(&known.replace("7", "1.5")), None);
        assert_eq!(add(&known.replace("\"time\"", "\"verdict\":\"X\",\"time\"")), None);
        assert_eq!(add(&known.replace("]}", "]")), None);
    }
}
