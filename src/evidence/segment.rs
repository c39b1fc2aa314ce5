//! Segments: files of frames, each frame a length and a payload. The payload is zstd, inside age (X25519) when there are
//! recipients; the stock tools `age` and `zstd` open it. A frame's plain text is one JSON line per record.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::error::EvidenceError;
use super::merkle::Hash;
use crate::domain::finding::HKT_OFFSET_MS;
use crate::pipeline::report::Record;

/// Size from which a segment is finished.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// Records from which a frame is finished: a query decrypts whole frames.
pub const FRAME_RECORDS: usize = 2048;

/// Plain bytes from which a frame is finished.
pub const FRAME_BYTES: usize = 4 << 20;

/// First bytes of an age file; a plain frame starts with the zstd magic instead.
const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";

const ZSTD_LEVEL: i32 = 3;

/// A month of the Hong Kong calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: u16,
    month: u8,
}

impl Month {
    /// The month that an instant (ms since the epoch) falls in; `None` outside the years 1 to 9999.
    pub fn of(at: i64) -> Option<Self> {
        let instant = jiff::Timestamp::from_millisecond(at.checked_add(HKT_OFFSET_MS)?).ok()?;
        let day = jiff::tz::Offset::UTC.to_datetime(instant).date();
        let year = u16::try_from(day.year()).ok().filter(|year| *year > 0)?;
        Some(Self { year, month: day.month().unsigned_abs() })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (year, month) = text.split_once('-').ok_or(())?;
        let month = Self { year: year.parse().map_err(drop)?, month: month.parse().map_err(drop)? };
        if (1..=12).contains(&month.month) && month.to_string() == text { Ok(month) } else { Err(()) }
    }
}

/// Name of a segment, `2026-11/000007`: month when it was begun, running number over all months from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SegmentId {
    /// When begun.
    pub month: Month,
    /// Running number.
    pub number: u32,
}

impl SegmentId {
    /// Path of the file in an archive.
    pub fn path(&self, dir: &Path) -> PathBuf {
        dir.join("segments").join(format!("{self}.seg"))
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:06}", self.month, self.number)
    }
}

impl FromStr for SegmentId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (month, number) = text.split_once('/').ok_or(())?;
        let id = Self { month: month.parse()?, number: number.parse().map_err(drop)? };
        if id.to_string() == text { Ok(id) } else { Err(()) }
    }
}

impl From<SegmentId> for String {
    fn from(id: SegmentId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for SegmentId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map_err(|()| "not a segment name")
    }
}

/// The segment being written.
#[derive(Clone)]
pub(super) struct Cursor {
    pub(super) id: SegmentId,
    pub(super) bytes: u64,
    hash: Sha256,
}

impl Cursor {
    /// Starts a segment.
    pub(super) fn new(id: SegmentId) -> Self {
        Self { id, bytes: 0, hash: Sha256::new() }
    }

    /// Takes a frame (with its prefix) into account.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    /// Digest of the segment so far.
    pub(super) fn digest(&self) -> Hash {
        self.hash.clone().finalize().into()
    }
}

/// One line of a frame.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line<'a> {
    /// Index of the record's entry in the log.
    pub(super) i: u64,
    /// The 16 bytes of salt in base64.
    #[serde(borrow)]
    pub(super) salt: std::borrow::Cow<'a, str>,
    /// Event time, ms since the epoch.
    pub(super) at: i64,
    #[serde(borrow)]
    pub(super) subject: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    pub(super) destination: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    pub(super) kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    pub(super) verdict: std::borrow::Cow<'a, str>,
    /// The record, byte for byte.
    #[serde(borrow)]
    pub(super) r: &'a RawValue,
}

/// The one field that every record has.
#[derive(Deserialize)]
pub(super) struct RecordId<'a> {
    #[serde(borrow)]
    pub(super) id: std::borrow::Cow<'a, str>,
}

impl<'a> Line<'a> {
    /// The line of a record; `None` if the record is not one line of JSON whose `id` is the record's.
    pub(super) fn of(record: &'a Record, i: u64, salt: &'a str) -> Option<Self> {
        let text = std::str::from_utf8(&record.json).ok()?;
        let r: &RawValue = serde_json::from_str(text).ok()?;
        let same = serde_json::from_str::<RecordId<'_>>(text).ok()?.id == record.id;
        // A raw value drops white space around it; the commitment is over exactly what is kept.
        (same && r.get() == text && !text.contains('\n')).then(|| Self {
            i,
            salt: salt.into(),
            at: record.at,
            subject: record.subject.as_str().into(),
            destination: record.destination.as_str().into(),
            kind: record.kind.into(),
            verdict: record.verdict.into(),
            r,
        })
    }
}

/// The commitment of an `R` entry.
pub fn commitment(salt: &[u8], record: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(record).finalize().into()
}

/// Turns plain frames into payloads.
pub(super) struct Sealer {
    recipients: Vec<age::x25519::Recipient>,
}

impl Sealer {
    /// Reads the recipients.
    pub(super) fn new(recipients: &[String]) -> Result<Self, EvidenceError> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|error| EvidenceError::Key(format!("this is no age X25519 recipient (age1…): {error}")))
        };
        Ok(Self { recipients: recipients.iter().map(parse).collect::<Result<_, _>>()? })
    }

    /// The frame as it lies in the segment: length, then the payload.
    pub(super) fn frame(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let zstd = zstd::bulk::compress(plain, ZSTD_LEVEL)?;
        let payload = if self.recipients.is_empty() { zstd } else { self.encrypt(&zstd)? };
        let length = u32::try_from(payload.len()).map_err(|_| io::Error::other("a frame is over 4 GiB"))?;
        Ok([length.to_be_bytes().as_slice(), &payload].concat())
    }

    fn encrypt(&self, zstd: &[u8]) -> io::Result<Vec<u8>> {
        let recipients = self.recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
        let mut out = Vec::with_capacity(zstd.len() + 512);
        let mut writer = encryptor.wrap_output(&mut out)?;
        writer.write_all(zstd)?;
        writer.finish()?;
        Ok(out)
    }
}

/// Turns payloads into plain frames again.
#[derive(Default)]
pub(super) struct Opener {
    identity: Option<age::x25519::Identity>,
}

impl Opener {
    /// Reads an identity (`AGE-SECRET-KEY-1…`), if one is given.
    pub(super) fn new(identity: Option<&str>) -> Result<Self, EvidenceError> {
        let parse =
            |text: &str| text.trim().parse().map_err(|_| EvidenceError::Key("this is no age X25519 identity".into()));
        Ok(Self { identity: identity.map(parse).transpose()? })
    }

    /// Whether the payload can be opened at all: it is plain, or there is an identity.
    pub(super) fn may_open(&self, payload: &[u8]) -> bool {
        self.identity.is_some() || !payload.starts_with(AGE_MAGIC)
    }

    /// The plain frame as a stream.
    pub(super) fn open<'a>(&'a self, payload: &'a [u8]) -> io::Result<Box<dyn BufRead + 'a>> {
        let zstd: Box<dyn Read + 'a> = match &self.identity {
            Some(identity) if payload.starts_with(AGE_MAGIC) => {
                let decryptor = age::Decryptor::new(payload).map_err(io::Error::other)?;
                let identities = std::iter::once(identity as &dyn age::Identity);
                Box::new(decryptor.decrypt(identities).map_err(io::Error::other)?)
            }
            Some(_) | None => Box::new(payload),
        };
        let plain = zstd::stream::read::Decoder::new(zstd)?.single_frame();
        Ok(Box::new(BufReader::new(plain)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_hong_kong() {
        // 2026-11-30T16:00Z is midnight of 1 December in Hong Kong.
        let turn = 1_796_054_400_000;
        assert_eq!(Month::of(turn - 1).unwrap().to_string(), "2026-11");
        assert_eq!(Month::of(turn).unwrap().to_string(), "2026-12");
        assert_eq!(Month::of(i64::MAX), None);
    }

    #[test]
    fn names_have_one_spelling() {
        assert!("2026-11/000007".parse::<SegmentId>().is_ok());
        for name in ["2026-13/000007", "2026-11/7", "2026-1/000007", "2026-11/000007.seg", "", "2026-11"] {
            assert!(name.parse::<SegmentId>().is_err(), "{name}");
        }
    }

    #[test]
    fn frames_open_with_their_identity_only() {
        let identity = age::x25519::Identity::generate();
        let sealer = Sealer::new(&[identity.to_public().to_string()]).unwrap();
        let frame = sealer.frame(b"plain text").unwrap();
        let payload = &frame[4..];
        assert!(!Opener::default().may_open(payload));
        let other = Opener { identity: Some(age::x25519::Identity::generate()) };
        assert!(other.open(payload).is_err());
        let mut text = String::new();
        Opener { identity: Some(identity) }.open(payload).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "plain text");
    }
}
