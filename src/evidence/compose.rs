//! Works out what a batch adds to the log: entries, frames, index rows. Writes nothing, so a batch that cannot be
//! recorded is refused before anything has changed.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::batch::{Batch, Note};
use super::checkpoint::Checkpoint;
use super::deed::{Deed, Detail, Rotation};
use super::entry::{Entry, MOST_BYTES, unhex};
use super::error::EvidenceError;
use super::frame::{Draft, Made, Workshop, at_once, frames};
use super::index::{DetailRow, Rows};
use super::keyring::Keyring;
use super::keys::TagKey;
use super::lanes::{Joint, Lanes, adds_up};
use super::merkle::Hash;
use super::personal::SubjectKey;
use super::retention::Class;
use super::segment::{Cursor, FRAME_BYTES, FRAME_RECORDS, Month, SEGMENT_BYTES, Sealer, SegmentId, push_detail};
use crate::domain::hex::hex;
use crate::domain::position::Lane;
use crate::pipeline::report::{Coverage, Record, Rejected};

/// Reason of a gap that the log itself notices: the source went on without these offsets (compaction, transaction
/// markers, retention).
pub(super) const NOT_DELIVERED: &str = "not_delivered";

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
    pub(super) rows: Rows,
    pub(super) cursor: Option<Cursor>,
    pub(super) lanes: Lanes,
}

/// Details of entries, gathered for one frame.
#[derive(Default)]
struct Details {
    plain: Vec<u8>,
    entries: Vec<u64>,
}

/// Composes one batch.
pub(super) struct Composer<'a> {
    first: u64,
    at: i64,
    month: Month,
    workshop: Workshop<'a>,
    keyring: Option<&'a mut Keyring>,
    plan: Plan,
    segment_bytes: u64,
}

impl<'a> Composer<'a> {
    /// Starts a batch behind `checkpoint`, which it embeds.
    pub(super) fn new(
        checkpoint: &Checkpoint,
        at: i64,
        (sealer, tag, keyring): (&'a Sealer, &'a TagKey, Option<&'a mut Keyring>),
        (cursor, lanes): (Option<Cursor>, Lanes),
    ) -> Result<Self, EvidenceError> {
        let month = Month::of(at)
            .ok_or_else(|| EvidenceError::refused("the time of recording is outside the years 1 to 9999"))?;
        let plan = Plan { entries: Vec::new(), appends: Vec::new(), rows: Rows::default(), cursor, lanes };
        let (first, segment_bytes) = (checkpoint.size, SEGMENT_BYTES);
        let workshop = Workshop { sealer, tag };
        let mut composer = Self { first, at, month, workshop, keyring, plan, segment_bytes };
        composer.push(&Entry::Checkpoint { root: checkpoint.root, signature: checkpoint.signature.clone() })?;
        Ok(composer)
    }

    /// Finishes segments at another size.
    pub(super) fn segments_of(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// Takes the whole batch; before it the digest of the recipients, if the log does not name them yet.
    pub(super) fn compose(mut self, batch: &Batch<'_>, recipients: Option<Hash>) -> Result<Plan, EvidenceError> {
        if let Some(digest) = recipients {
            let deed = Deed::Rotated(Rotation::Recipients { digest });
            self.push(&Entry::Deed { at: self.at, deed })?;
        }
        let mut details = Details::default();
        batch.notes.iter().try_for_each(|note| self.note(note, &mut details))?;
        self.rejected(batch.rejected, &mut details)?;
        self.details(&mut details)?;
        self.records(batch.records)?;
        batch.coverage.iter().try_for_each(|coverage| self.coverage(coverage))?;
        Ok(self.plan)
    }

    fn push(&mut self, entry: &Entry) -> Result<u64, EvidenceError> {
        let line = entry.to_string();
        if line.len() > MOST_BYTES {
            return Err(EvidenceError::refused("a topic, reason, version or rule is too long for an entry"));
        }
        self.plan.lanes.apply(entry);
        self.plan.entries.push(line);
        Ok(self.next() - 1)
    }

    /// Index of the entry that comes next.
    fn next(&self) -> u64 {
        self.first + self.plan.entries.len() as u64
    }

    fn note(&mut self, note: &Note, details: &mut Details) -> Result<(), EvidenceError> {
        let at = self.at;
        let entry = match note {
            Note::Config { what, digest } => {
                let digest = unhex(digest)
                    .ok_or_else(|| EvidenceError::refused("a configuration digest is not 64 hex digits"))?;
                Entry::Config { at, what: what.clone(), digest }
            }
            Note::Life { life, version } => Entry::Life { at, life: *life, version: version.clone() },
            Note::Gap { lane, from, to, reason } => return self.gap(lane, *from, *to, reason),
            Note::Deed(filing) => Entry::Deed { at, deed: filing.deed().clone() },
        };
        let i = self.push(&entry)?;
        let detail = match note {
            Note::Deed(filing) => filing.detail(),
            Note::Config { .. } | Note::Life { .. } | Note::Gap { .. } => None,
        };
        detail.map_or(Ok(()), |detail| self.tell(details, i, detail))
    }

    /// Adds a detail to the frame that is being gathered.
    fn tell(&mut self, details: &mut Details, i: u64, detail: &Detail) -> Result<(), EvidenceError> {
        push_detail(&mut details.plain, i, detail);
        details.entries.push(i);
        let full = details.entries.len() >= FRAME_RECORDS || details.plain.len() >= FRAME_BYTES;
        if full { self.details(details) } else { Ok(()) }
    }

    /// A frame with the details gathered.
    fn details(&mut self, details: &mut Details) -> Result<(), EvidenceError> {
        let Details { plain, entries } = std::mem::take(details);
        if entries.is_empty() {
            return Ok(());
        }
        let (segment, offset) = self.place()?;
        entries.into_iter().for_each(|i| self.plan.rows.push_detail(&DetailRow { i, segment, offset }));
        self.put(self.workshop.seal(&plain)?)
    }

    fn gap(&mut self, lane: &Lane, from: u64, to: u64, reason: &str) -> Result<(), EvidenceError> {
        if from >= to {
            return Err(EvidenceError::refused("a gap must not be empty"));
        }
        match self.plan.lanes.joint(lane, from) {
            Joint::First | Joint::Even => (),
            Joint::Hole(_) | Joint::Overlap(_) => {
                return Err(EvidenceError::refused("a gap does not start where its lane ended"));
            }
        }
        self.push(&Entry::Gap { at: self.at, lane: lane.clone(), from, to, reason: reason.to_owned() }).map(drop)
    }

    fn rejected(&mut self, rejected: &[Rejected], details: &mut Details) -> Result<(), EvidenceError> {
        // the rows of a page share its bytes, which are digested once
        for page in rejected.chunk_by(|one, next| Arc::ptr_eq(&one.raw, &next.raw)) {
            let text = format!(r#"{{"message_sha256":"{}"}}"#, hex(&Sha256::digest(&page[0].raw)));
            for Rejected { position, lane, reason, .. } in page {
                let detail = Detail::new(text.clone())?;
                let (lane, reason, commitment) = (lane.clone(), (*reason).to_owned(), detail.commitment());
                let (at, offset, index) = (self.at, position.offset, position.index);
                let i = self.push(&Entry::Rejected { at, lane, offset, index, reason, commitment })?;
                self.tell(details, i, &detail)?;
            }
        }
        Ok(())
    }

    fn coverage(&mut self, coverage: &Coverage) -> Result<(), EvidenceError> {
        if !adds_up(coverage) {
            return Err(EvidenceError::refused(
                "received is not judged + rejected + duplicate, or a range runs backwards",
            ));
        }
        match self.plan.lanes.joint(&coverage.lane, coverage.from) {
            Joint::First | Joint::Even => (),
            Joint::Hole(next) => self.gap(&coverage.lane, next, coverage.from, NOT_DELIVERED)?,
            Joint::Overlap(next) => {
                let text = format!("{} is recorded up to offset {next} already, not again", coverage.lane);
                return Err(EvidenceError::refused(&text));
            }
        }
        self.push(&Entry::Batch { at: self.at, coverage: coverage.clone() }).map(drop)
    }

    /// Frames of the records: for each `R` of each record, and what puts them into a segment.
    fn records(&mut self, records: &[Record]) -> Result<(), EvidenceError> {
        let frames: Vec<_> = frames(records).collect();
        let mut rest = frames.as_slice();
        while !rest.is_empty() {
            let (_, offset) = self.place()?;
            let (now, later) = rest.split_at(at_once(rest, self.segment_bytes.saturating_sub(offset)));
            let drafts = self.drafts(now, offset == 0 && self.plan.cursor.is_some())?;
            let made = self.workshop.make_all(&drafts)?;
            made.into_iter().try_for_each(|made| self.frame(made))?;
            rest = later;
        }
        Ok(())
    }

    /// Frames of one segment, with the numbers of their entries: behind the records of each one that says where they lie, and
    /// behind those of the first, if it finishes a segment, one more.
    fn drafts<'r>(&mut self, frames: &[&'r [Record]], is_finishing: bool) -> Result<Vec<Draft<'r>>, EvidenceError> {
        let mut first = self.next();
        let mut drafts = Vec::with_capacity(frames.len());
        for records in frames {
            drafts.push(Draft { records, keys: self.subject_keys(records)?, first });
            first += records.len() as u64 + 1 + u64::from(is_finishing && drafts.len() == 1);
        }
        Ok(drafts)
    }

    fn subject_keys(&mut self, records: &[Record]) -> Result<Option<Vec<SubjectKey>>, EvidenceError> {
        let (SegmentId { month, .. }, _) = self.place()?;
        let Some(keyring) = &mut self.keyring else { return Ok(None) };
        let tag = self.workshop.tag;
        let key = |record: &Record| keyring.key(tag, &record.subject, month, Class::of(record.verdict));
        records.iter().map(key).collect::<Result<_, _>>().map(Some)
    }

    fn frame(&mut self, made: Made) -> Result<(), EvidenceError> {
        let place = self.place()?;
        if made.first != self.next() {
            return Err(EvidenceError::refused("a frame's lines are not numbered like its entries"));
        }
        for commitment in made.commitments {
            self.push(&Entry::Record { at: self.at, commitment })?;
        }
        self.plan.rows.absorb(made.rows, place);
        self.put(made.bytes)
    }

    /// Puts a frame into a segment: `S` if the one before is finished, `F`.
    fn put(&mut self, frame: Vec<u8>) -> Result<(), EvidenceError> {
        let (id, offset) = self.place()?;
        if offset == 0 {
            self.begin_segment(id)?;
        }
        self.append(id, frame)
    }

    /// Where the next frame goes; offset 0 begins a segment. The month never goes back, whatever the clock does.
    fn place(&self) -> Result<(SegmentId, u64), EvidenceError> {
        let Some(last) = &self.plan.cursor else { return Ok((SegmentId { month: self.month, number: 1 }, 0)) };
        if last.bytes < self.segment_bytes && self.month <= last.id.month {
            return Ok((last.id, last.bytes));
        }
        let number = last
            .id
            .number
            .checked_add(1)
            .ok_or_else(|| EvidenceError::refused("the log has no segment numbers left"))?;
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
