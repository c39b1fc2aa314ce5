//! Makes frames: seals the personal fields of their records, commits to each record, compresses, encrypts. Nothing but the
//! number of its first entry ties a frame to the one before, so several are made at the same time.

use std::borrow::Cow;
use std::thread;

use super::error::EvidenceError;
use super::index::{Rows, subject_number};
use super::keys::{TagKey, fill_random};
use super::merkle::Hash;
use super::personal::SubjectKey;
use super::segment::{FRAME_BYTES, FRAME_RECORDS, Sealer, commitment, is_record, push_record};
use crate::pipeline::report::Record;

const SALT: usize = 16;

/// Bytes of a line around its record.
const AROUND: usize = 160;

/// Most frames that are made at the same time; it bounds memory.
const MOST_AT_ONCE: usize = 4;

/// Records of a frame that is to be made.
pub(super) struct Draft<'r> {
    pub(super) records: &'r [Record],
    /// The keys of their subjects, if personal fields are sealed.
    pub(super) keys: Option<Vec<SubjectKey>>,
    /// Index of the entry of the first.
    pub(super) first: u64,
}

/// A frame.
pub(super) struct Made {
    /// Index of the entry of its first record, by which its lines are numbered.
    pub(super) first: u64,
    /// Of each record, in order.
    pub(super) commitments: Vec<Hash>,
    /// Rows of the index; where the frame lies is not known yet.
    pub(super) rows: Rows,
    /// The frame as it lies in a segment.
    pub(super) bytes: Vec<u8>,
}

/// What frames are made with.
#[derive(Clone, Copy)]
pub(super) struct Workshop<'a> {
    pub(super) sealer: &'a Sealer,
    pub(super) tag: &'a TagKey,
}

impl Workshop<'_> {
    /// Makes frames, at the same time if there are several.
    pub(super) fn make_all(self, drafts: &[Draft<'_>]) -> Result<Vec<Made>, EvidenceError> {
        let Some((last, others)) = drafts.split_last() else { return Ok(Vec::new()) };
        thread::scope(|scope| {
            let others: Vec<_> = others.iter().map(|draft| scope.spawn(move || self.make(draft))).collect();
            let last = self.make(last);
            let joined = others.into_iter().map(|one| one.join().unwrap_or_else(|why| std::panic::resume_unwind(why)));
            // all of them end before an error is told
            let made: Vec<_> = joined.collect();
            made.into_iter().chain([last]).collect()
        })
    }

    fn make(self, draft: &Draft<'_>) -> Result<Made, EvidenceError> {
        let records = draft.records;
        let mut salts = vec![[0; SALT]; records.len()];
        fill_random(salts.as_flattened_mut())?;
        let mut plain = Vec::with_capacity(size(records));
        let (mut commitments, mut rows) = (Vec::with_capacity(records.len()), Rows::default());
        for (n, (record, salt)) in records.iter().zip(&salts).enumerate() {
            let (text, subject) = self.text(record, draft.keys.as_ref().map(|keys| &keys[n]), salt)?;
            let i = draft.first + n as u64;
            commitments.push(commitment(salt, text.as_bytes()));
            push_record(&mut plain, i, salt, &text);
            let added = rows.add(&text, &record.id, i, subject);
            added.ok_or_else(|| EvidenceError::refused("a record's fields are not of their kinds"))?;
        }
        let bytes = self.seal(&plain)?;
        Ok(Made { first: draft.first, commitments, rows, bytes })
    }

    /// A frame of these lines as it lies in a segment.
    pub(super) fn seal(self, plain: &[u8]) -> Result<Vec<u8>, EvidenceError> {
        self.sealer.frame(plain).map_err(|error| EvidenceError::Key(format!("cannot seal: {error}")))
    }

    /// A record as it is committed to, its personal fields sealed if there are subject keys; and its subject's number.
    fn text<'r>(
        self,
        record: &'r Record,
        key: Option<&SubjectKey>,
        salt: &[u8; SALT],
    ) -> Result<(Cow<'r, str>, u64), EvidenceError> {
        let bad = || EvidenceError::refused("a record is not one line of JSON with its own id, or is sealed already");
        let text = std::str::from_utf8(&record.json).map_err(|_| bad())?;
        let Some(key) = key else {
            let text = is_record(text, &record.id).then_some(text).ok_or_else(bad)?;
            return Ok((text.into(), subject_number(&self.tag.bytes(&record.subject))));
        };
        let sealed = key.seal_as(&record.id, text, salt).ok_or_else(bad)?;
        Ok((sealed.into(), subject_number(&key.id().0)))
    }
}

/// Cuts records into frames by number and size.
pub(super) fn frames(mut records: &[Record]) -> impl Iterator<Item = &[Record]> {
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

/// How many of these frames can be made at the same time: all of them must lie in one segment that has `room` bytes until
/// it is finished, so that the numbers of their entries are known before. At least one.
pub(super) fn at_once(frames: &[&[Record]], room: u64) -> usize {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
    let mut bytes = 0;
    let fits = |frame: &&&[Record]| {
        let before = bytes;
        // sealed fields take up to a third more room, and what cannot be compressed a little
        bytes += 2 * size(frame) as u64 + (64 << 10);
        before < room
    };
    frames.iter().take(threads).take_while(fits).count().max(1)
}

/// About how many bytes the lines of these records have.
fn size(records: &[Record]) -> usize {
    records.iter().map(|record| record.json.len() + AROUND).sum()
}
