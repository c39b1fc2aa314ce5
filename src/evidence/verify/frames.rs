//! Holds segments against their frame and seal entries, and records against their commitments.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::breach::{Breach, BreachKind, Findings};
use super::ids::Ids;
use crate::evidence::merkle::Hash;
use crate::evidence::segment::{Committed, Opener, RecordId, SegmentId, commitment};

/// Largest payload that is read, in bytes; the writer stays far below.
const MOST_PAYLOAD: u32 = 256 << 20;

/// Longest line of a frame that is read, in bytes.
const MOST_LINE: u64 = 64 << 20;

/// Most records that one frame may stand for.
const MOST_PENDING: usize = 1 << 16;

/// An entry that commits to a line of a frame which has not come yet.
struct Pending {
    entry: u64,
    /// Number of the record; `None` for the detail of a deed.
    record: Option<u64>,
    commitment: Hash,
}

/// The segment at hand.
struct Segment {
    id: SegmentId,
    file: Option<File>,
    /// Where the next frame must stand.
    end: u64,
    hash: Sha256,
    sealed: bool,
    /// Whether its first frames were left out of the log, so that its digest is taken from the file.
    cut: bool,
    /// Records in it.
    records: u64,
}

/// Takes the record, frame and seal entries in order.
pub(super) struct Frames<'a> {
    dir: &'a Path,
    opener: &'a Opener,
    pending: Vec<Pending>,
    segment: Option<Segment>,
    seen: BTreeSet<SegmentId>,
    /// Segments that are not there, with the entry that names them first and their records.
    missing: BTreeMap<SegmentId, (u64, u64)>,
    /// Segments that the log says are deleted, with their sizes.
    deleted: BTreeMap<SegmentId, u64>,
    /// Sizes of finished segments.
    sizes: BTreeMap<SegmentId, u64>,
    /// Entries were left out, and no batch has begun since.
    lenient: bool,
    /// Entries were left out somewhere.
    holed: bool,
    ids: Ids,
    pub(super) records: u64,
    pub(super) opened: u64,
}

impl<'a> Frames<'a> {
    pub(super) fn new(dir: &'a Path, opener: &'a Opener) -> Self {
        Self {
            dir,
            opener,
            pending: Vec::new(),
            segment: None,
            seen: BTreeSet::new(),
            missing: BTreeMap::new(),
            deleted: BTreeMap::new(),
            sizes: BTreeMap::new(),
            lenient: false,
            holed: false,
            ids: Ids::default(),
            records: 0,
            opened: 0,
        }
    }

    /// Entries are left out here.
    pub(super) fn hole(&mut self) {
        self.pending.clear();
        self.leave();
        self.segment = None;
        (self.lenient, self.holed) = (true, true);
    }

    /// A `D` entry about a segment.
    pub(super) fn deleted(&mut self, entry: u64, id: SegmentId, bytes: u64, findings: &mut Findings) {
        self.deleted.insert(id, bytes);
        if self.sizes.get(&id).is_some_and(|size| *size != bytes) {
            findings.at(
                BreachKind::Seal,
                entry,
                place(id),
                "the segment is deleted with another size than it was sealed",
            );
        }
    }

    /// Records in segments that the log says are deleted.
    pub(super) fn gone(&self) -> u64 {
        let gone = self.missing.iter().filter(|(id, _)| self.deleted.contains_key(*id));
        gone.map(|(_, (_, records))| records).sum()
    }

    /// Segments seen.
    pub(super) fn segments(&self) -> u64 {
        self.seen.len() as u64
    }

    /// Whether a frame entry named the segment.
    pub(super) fn knows(&self, id: SegmentId) -> bool {
        self.seen.contains(&id)
    }

    /// An `R` entry.
    pub(super) fn record(&mut self, entry: u64, commitment: Hash, findings: &mut Findings) {
        self.await_frame(Pending { entry, record: Some(self.records), commitment }, findings);
        self.records += 1;
    }

    /// An entry that commits to a detail.
    pub(super) fn detail(&mut self, entry: u64, commitment: Hash, findings: &mut Findings) {
        self.await_frame(Pending { entry, record: None, commitment }, findings);
    }

    fn await_frame(&mut self, pending: Pending, findings: &mut Findings) {
        if self.pending.len() >= MOST_PENDING {
            findings.at(BreachKind::Frame, pending.entry, "log", "too many records without a frame");
            self.pending.clear();
        }
        self.pending.push(pending);
    }

    /// A batch begins: the one before must have framed its records.
    pub(super) fn batch(&mut self, findings: &mut Findings) {
        if let Some(first) = self.pending.first() {
            let (entry, record) = (Some(first.entry), first.record);
            let (place, what) = ("log".to_owned(), "a record or detail has no frame".to_owned());
            findings.push(Breach { kind: BreachKind::Frame, entry, record, place, what });
        }
        self.pending.clear();
        self.lenient = false;
    }

    /// An `F` entry.
    pub(super) fn frame(
        &mut self,
        entry: u64,
        (id, offset, length, digest): (SegmentId, u64, u32, Hash),
        findings: &mut Findings,
    ) {
        self.enter(entry, id, offset, findings);
        let pending = std::mem::take(&mut self.pending);
        let first = pending.first().and_then(|pending| pending.record);
        let mut bad = |kind, what: &str| {
            let (place, what) = (place(id), what.to_owned());
            findings.push(Breach { kind, entry: Some(entry), record: first, place, what });
        };
        let Some(segment) = &mut self.segment else { return };
        segment.records += pending.iter().filter(|pending| pending.record.is_some()).count() as u64;
        if segment.cut && segment.end == 0 {
            segment.end = offset;
        }
        if offset != segment.end || (pending.is_empty() && !self.lenient) {
            bad(BreachKind::Frame, "a frame does not follow the one before, or holds no record");
        }
        segment.end = offset.saturating_add(4).saturating_add(u64::from(length));
        let payload = match segment.read(offset, length) {
            Ok(Some(payload)) => payload,
            Ok(None) => return bad(BreachKind::Frame, "a frame's length is not as recorded"),
            Err(_) if segment.file.is_none() => return, // Reported when it was entered.
            Err(_) => return bad(BreachKind::Missing, "the segment is too short or cannot be read"),
        };
        if Hash::from(Sha256::digest(&payload)) != digest {
            bad(BreachKind::Frame, "a frame is altered");
        }
        if self.opener.may_open(&payload) && !self.lenient {
            self.open(id, &payload, &pending, findings);
        }
    }

    /// An `S` entry.
    pub(super) fn seal(&mut self, entry: u64, (id, bytes, digest): (SegmentId, u64, Hash), findings: &mut Findings) {
        let sound = match self.segment.as_mut().filter(|segment| segment.id == id && !segment.sealed) {
            // the frames before it were left out
            None => self.holed,
            Some(segment) => {
                segment.sealed = true;
                let length = segment.length();
                let same = segment.digest() == Some(digest);
                segment.end == bytes && (segment.file.is_none() || (length == Some(bytes) && same))
            }
        };
        self.sizes.insert(id, bytes);
        if !sound {
            findings.at(BreachKind::Seal, entry, place(id), "the segment is not as it was sealed");
        }
    }

    /// What lies behind the last frame.
    pub(super) fn tail(&self) -> Vec<String> {
        let longer = |segment: &&Segment| segment.length().is_some_and(|length| length > segment.end);
        let name = |segment: &Segment| place(segment.id);
        self.segment.iter().filter(longer).map(name).collect()
    }

    /// The end of the log.
    pub(super) fn finish(&mut self, findings: &mut Findings) {
        self.batch(findings);
        self.leave();
        for (id, (entry, _)) in self.missing.iter().filter(|(id, _)| !self.deleted.contains_key(*id)) {
            findings.at(BreachKind::Missing, *entry, place(*id), "the segment is missing");
        }
        let left: Vec<_> = self.deleted.keys().filter(|id| id.path(self.dir).exists()).map(|id| place(*id)).collect();
        if !left.is_empty() {
            findings
                .warn(format!("the log says that these were deleted, and they are still here: {}", left.join(", ")));
        }
        let ids = std::mem::take(&mut self.ids);
        if ids.windowed {
            findings.warn("more than 16,777,216 records: ids were compared within windows of that many");
        }
        if self.opened + self.gone() < self.records && findings.is_empty() {
            findings.warn("frames are encrypted and no identity was given: records were not opened");
        }
        if let Some((first, second)) = ids.twice() {
            let what = format!("it has the id of record {first}");
            let (kind, place) = (BreachKind::Double, "log".to_owned());
            findings.push(Breach { kind, entry: None, record: Some(second), place, what });
        }
    }

    /// Goes on to the segment `id`, which must be the present one or the next.
    fn enter(&mut self, entry: u64, id: SegmentId, offset: u64, findings: &mut Findings) {
        let (fits, same) = match &self.segment {
            None => (id.number == 1 || self.holed, false),
            Some(now) if now.id == id => (!now.sealed, true),
            Some(now) => (now.sealed && id.number == now.id.number.wrapping_add(1) && id.month >= now.id.month, false),
        };
        if !fits {
            findings.at(BreachKind::Frame, entry, place(id), "the segment is out of order");
        }
        if !same {
            self.leave();
            let file = File::open(id.path(self.dir)).ok();
            if file.is_none() {
                self.missing.insert(id, (entry, 0));
            }
            let cut = self.holed && offset > 0;
            self.seen.insert(id);
            self.segment = Some(Segment { id, file, end: 0, hash: Sha256::new(), sealed: false, cut, records: 0 });
        }
    }

    /// The segment at hand is done with.
    fn leave(&mut self) {
        if let Some(segment) = &mut self.segment
            && let Some(missing) = self.missing.get_mut(&segment.id)
        {
            missing.1 += std::mem::take(&mut segment.records);
        }
    }

    /// Opens a payload and holds each line against its entry.
    fn open(&mut self, id: SegmentId, payload: &[u8], pending: &[Pending], findings: &mut Findings) {
        let place = place(id);
        let mut bad = |pending: &Pending, what: &str| {
            let (entry, record) = (Some(pending.entry), pending.record);
            findings.push(Breach { kind: BreachKind::Record, entry, record, place: place.clone(), what: what.into() });
        };
        let Some(first) = pending.first() else { return };
        let Ok(mut lines) = self.opener.open(payload) else { return bad(first, "its frame cannot be opened") };
        let mut text = Vec::new();
        for expected in pending {
            match check_line(&mut lines, &mut text, expected) {
                Ok(found) => {
                    if let Some((id, record)) = found.zip(expected.record) {
                        self.ids.add(&id, record);
                        self.opened += 1;
                    }
                }
                Err(what) => return bad(expected, what),
            }
        }
        if !matches!(lines.fill_buf(), Ok([])) {
            bad(first, "its frame holds more than the records of the log");
        }
    }
}

/// Holds the next line against its entry; gives the record's id, if it is a record.
fn check_line(
    lines: &mut impl BufRead,
    text: &mut Vec<u8>,
    expected: &Pending,
) -> Result<Option<String>, &'static str> {
    text.clear();
    let read = lines.by_ref().take(MOST_LINE).read_until(b'\n', text);
    let unreadable = "it cannot be read from its frame";
    let line: Committed<'_> = match read {
        Ok(1..) => serde_json::from_slice(text).map_err(|_| unreadable)?,
        Ok(0) | Err(_) => return Err("it is missing from its frame"),
    };
    let salt = STANDARD.decode(line.salt.as_bytes()).ok().filter(|salt| salt.len() == 16).ok_or(unreadable)?;
    if line.i != expected.entry {
        return Err("its frame holds another record in its place");
    }
    let committed = match (expected.record, line.r, line.n) {
        (Some(_), Some(text), None) | (None, None, Some(text)) => text.get(),
        (_, _, _) => return Err("its frame holds something else in its place"),
    };
    if commitment(&salt, committed.as_bytes()) != expected.commitment {
        return Err("its text is not what the log committed to");
    }
    let id = expected.record.map(|_| serde_json::from_str::<RecordId<'_>>(committed).map(|id| id.id.into_owned()));
    id.transpose().map_err(|_| "it has no id")
}

impl Segment {
    /// Payload of the frame at `offset`; `None` if its prefix does not say `length`.
    fn read(&mut self, offset: u64, length: u32) -> io::Result<Option<Vec<u8>>> {
        let available = self.length().unwrap_or(0);
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        if length > MOST_PAYLOAD || offset.saturating_add(4 + u64::from(length)) > available {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (mut prefix, mut payload) = ([0; 4], vec![0; length as usize]);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut prefix)?;
        file.read_exact(&mut payload)?;
        self.hash.update(prefix);
        self.hash.update(&payload);
        Ok((u32::from_be_bytes(prefix) == length).then_some(payload))
    }

    fn length(&self) -> Option<u64> {
        self.file.as_ref()?.metadata().ok().map(|metadata| metadata.len())
    }

    /// Digest of the segment: of its frames as they were read, or of the file where some were not.
    fn digest(&mut self) -> Option<Hash> {
        if !self.cut {
            return Some(self.hash.clone().finalize().into());
        }
        let (file, mut hash, mut buffer) = (self.file.as_mut()?, Sha256::new(), vec![0; 1 << 16]);
        file.seek(SeekFrom::Start(0)).ok()?;
        loop {
            match file.read(&mut buffer).ok()? {
                0 => return Some(hash.finalize().into()),
                count => hash.update(&buffer[..count]),
            }
        }
    }
}

fn place(id: SegmentId) -> String {
    format!("segments/{id}.seg")
}
