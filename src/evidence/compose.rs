//! Works out what a batch adds to the log: entries, frames, index rows. Writes nothing, so a batch that cannot be
//! recorded is refused before anything has changed.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::checkpoint::Checkpoint;
use super::entry::{Entry, MOST_BYTES, unhex};
use super::error::EvidenceError;
use super::index::Row;
use super::keys::{TagKey, fill_random};
use super::lanes::{Joint, Lanes, adds_up};
use super::log::{Batch, Note};
use super::segment::{Cursor, FRAME_BYTES, FRAME_RECORDS, Line, Month, SEGMENT_BYTES, Sealer, SegmentId, commitment};
use crate::domain::position::Lane;
use crate::pipeline::report::{Coverage, Record, Rejected};

/// Reason of a gap that the log itself notices: the source went on without these offsets (compaction, transaction
/// markers, retention).
pub(super) const NOT_DELIVERED: &str = "not_delivered";

const SALT: usize = 16;

/// Bytes to append to one segment.
pub(super) struct Append {
    pub(super) segment: SegmentId,
    /// Whether the segment begins with them.
    pub(super) begins: bool,
    pub(super) bytes: Vec<u8>,
}

/// What a batch adds to the log.
pub(super) struct Plan {
    pub(super) entries: Vec<String>,
    pub(super) appends: Vec<Append>,
    pub(super) rows: Vec<Row>,
    pub(super) cursor: Option<Cursor>,
    pub(super) lanes: Lanes,
}

/// Composes one batch.
pub(super) struct Composer<'a> {
    first: u64,
    at: i64,
    month: Month,
    sealer: &'a Sealer,
    tag: &'a TagKey,
    plan: Plan,
    segment_bytes: u64,
}

impl<'a> Composer<'a> {
    /// Starts a batch behind `checkpoint`, which it embeds.
    pub(super) fn new(
        checkpoint: &Checkpoint,
        at: i64,
        (sealer, tag): (&'a Sealer, &'a TagKey),
        (cursor, lanes): (Option<Cursor>, Lanes),
    ) -> Result<Self, EvidenceError> {
        let month = Month::of(at).ok_or_else(|| refused("the time of recording is outside the years 1 to 9999"))?;
        let plan = Plan { entries: Vec::new(), appends: Vec::new(), rows: Vec::new(), cursor, lanes };
        let (first, segment_bytes) = (checkpoint.size, SEGMENT_BYTES);
        let mut composer = Self { first, at, month, sealer, tag, plan, segment_bytes };
        composer.push(&Entry::Checkpoint { root: checkpoint.root, signature: checkpoint.signature.clone() })?;
        Ok(composer)
    }

    /// Finishes segments at another size.
    pub(super) fn segments_of(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// Takes the whole batch.
    pub(super) fn compose(mut self, batch: &Batch<'_>) -> Result<Plan, EvidenceError> {
        batch.notes.iter().try_for_each(|note| self.note(note))?;
        for records in frames(batch.records) {
            self.frame(records)?;
        }
        self.rejected(batch.rejected)?;
        batch.coverage.iter().try_for_each(|coverage| self.coverage(coverage))?;
        Ok(self.plan)
    }

    fn push(&mut self, entry: &Entry) -> Result<u64, EvidenceError> {
        let line = entry.to_string();
        if line.len() > MOST_BYTES {
            return Err(refused("a topic, reason or version is too long for an entry"));
        }
        self.plan.lanes.apply(entry);
        self.plan.entries.push(line);
        Ok(self.first + self.plan.entries.len() as u64 - 1)
    }

    fn note(&mut self, note: &Note) -> Result<(), EvidenceError> {
        let at = self.at;
        let entry = match note {
            Note::Config { what, digest } => {
                let digest = unhex(digest).ok_or_else(|| refused("a configuration digest is not 64 hex digits"))?;
                Entry::Config { at, what: what.clone(), digest }
            }
            Note::Life { life, version } => Entry::Life { at, life: *life, version: version.clone() },
            Note::Gap { lane, from, to, reason } => return self.gap(lane, *from, *to, reason),
        };
        self.push(&entry).map(drop)
    }

    fn gap(&mut self, lane: &Lane, from: u64, to: u64, reason: &str) -> Result<(), EvidenceError> {
        if from >= to {
            return Err(refused("a gap must not be empty"));
        }
        match self.plan.lanes.joint(lane, from) {
            Joint::First | Joint::Even => (),
            Joint::Hole(_) | Joint::Overlap(_) => return Err(refused("a gap does not start where its lane ended")),
        }
        let entry = Entry::Gap { at: self.at, lane: lane.clone(), from, to, reason: reason.to_owned() };
        self.push(&entry).map(drop)
    }

    fn rejected(&mut self, rejected: &[Rejected]) -> Result<(), EvidenceError> {
        // the rows of a page share its bytes, which are digested once
        for page in rejected.chunk_by(|one, next| Arc::ptr_eq(&one.raw, &next.raw)) {
            let digest = Sha256::digest(&page[0].raw).into();
            for Rejected { position, lane, reason, .. } in page {
                self.push(&Entry::Rejected {
                    at: self.at,
                    lane: lane.clone(),
                    offset: position.offset,
                    index: position.index,
                    reason: (*reason).to_owned(),
                    digest,
                })?;
            }
        }
        Ok(())
    }

    fn coverage(&mut self, coverage: &Coverage) -> Result<(), EvidenceError> {
        if !adds_up(coverage) {
            return Err(refused("received is not judged + rejected + duplicate, or a range runs backwards"));
        }
        match self.plan.lanes.joint(&coverage.lane, coverage.from) {
            Joint::First | Joint::Even => (),
            Joint::Hole(next) => self.gap(&coverage.lane, next, coverage.from, NOT_DELIVERED)?,
            Joint::Overlap(next) => {
                let text = format!("{} is recorded up to offset {next} already, not again", coverage.lane);
                return Err(refused(&text));
            }
        }
        self.push(&Entry::Batch { at: self.at, coverage: coverage.clone() }).map(drop)
    }

    /// One frame: `R` for each record, `S` if the segment before is finished, `F`.
    fn frame(&mut self, records: &[Record]) -> Result<(), EvidenceError> {
        let mut salts = vec![[0; SALT]; records.len()];
        fill_random(salts.as_flattened_mut())?;
        let mut plain = Vec::with_capacity(records.iter().map(|record| record.json.len() + 160).sum());
        let (id, offset) = self.place()?;
        for (record, salt) in records.iter().zip(&salts) {
            let salt_text = STANDARD.encode(salt);
            let i = self.push(&Entry::Record { at: self.at, commitment: commitment(salt, &record.json) })?;
            let line = Line::of(record, i, &salt_text)
                .ok_or_else(|| refused("a record is not one line of JSON with its own id"))?;
            serde_json::to_writer(&mut plain, &line).map_err(|_| refused("a record cannot be written as JSON"))?;
            plain.push(b'\n');
            self.plan.rows.push(Row::of(&line, &record.id, id, offset, self.tag));
        }
        if offset == 0 {
            self.begin_segment(id)?;
        }
        let frame = self.sealer.frame(&plain).map_err(|error| EvidenceError::Key(format!("cannot seal: {error}")))?;
        self.append(id, frame)
    }

    /// Where the next frame goes; offset 0 begins a segment. The month never goes back, whatever the clock does.
    fn place(&self) -> Result<(SegmentId, u64), EvidenceError> {
        let Some(last) = &self.plan.cursor else { return Ok((SegmentId { month: self.month, number: 1 }, 0)) };
        if last.bytes < self.segment_bytes && self.month <= last.id.month {
            return Ok((last.id, last.bytes));
        }
        let number = last.id.number.checked_add(1).ok_or_else(|| refused("the log has no segment numbers left"))?;
        Ok((SegmentId { month: self.month.max(last.id.month), number }, 0))
    }

    fn begin_segment(&mut self, id: SegmentId) -> Result<(), EvidenceError> {
        if let Some(last) = self.plan.cursor.take() {
            self.push(&Entry::Seal { segment: last.id, bytes: last.bytes, digest: last.digest() })?;
        }
        self.plan.cursor = Some(Cursor::new(id));
        self.plan.appends.push(Append { segment: id, begins: true, bytes: Vec::new() });
        Ok(())
    }

    fn append(&mut self, segment: SegmentId, frame: Vec<u8>) -> Result<(), EvidenceError> {
        let cursor = self.plan.cursor.get_or_insert_with(|| Cursor::new(segment));
        let (offset, payload) = (cursor.bytes, &frame[4..]);
        let (length, digest) = (payload.len() as u32, Sha256::digest(payload).into());
        cursor.advance(&frame);
        match self.plan.appends.last_mut().filter(|append| append.segment == segment) {
            Some(append) => append.bytes.extend_from_slice(&frame),
            None => self.plan.appends.push(Append { segment, begins: false, bytes: frame }),
        }
        self.push(&Entry::Frame { segment, offset, length, digest }).map(drop)
    }
}

/// Cuts records into frames by number and size.
fn frames(mut records: &[Record]) -> impl Iterator<Item = &[Record]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |record: &&Record| {
            bytes += record.json.len();
            bytes <= FRAME_BYTES
        };
        let count = records.iter().take(FRAME_RECORDS).take_while(fits).count();
        // A record over the bound alone has a frame of its own.
        let (frame, rest) = records.split_at(count.max(1).min(records.len()));
        records = rest;
        (!frame.is_empty()).then_some(frame)
    })
}

fn refused(text: &str) -> EvidenceError {
    EvidenceError::Refused(text.to_owned())
}
