//! Segments: files of frames, each frame a length and a payload. The payload is zstd, inside age (X25519) when there are
//! recipients; the stock tools `age` and `zstd` open it. A frame's plain text is one JSON line per record.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::deed::Detail;
use super::error::EvidenceError;
use super::merkle::Hash;
use crate::domain::finding::HKT_OFFSET_MS;

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

impl Month {
    /// So many months later; the last month of the year 9999 if that is before.
    #[must_use]
    pub fn plus(self, months: u16) -> Self {
        let count = u32::from(self.year) * 12 + u32::from(self.month) - 1 + u32::from(months);
        match u16::try_from(count / 12).ok().filter(|year| *year <= 9999) {
            Some(year) => Self { year, month: (count % 12) as u8 + 1 },
            None => Self { year: 9999, month: 12 },
        }
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

/// A line of a frame as a verifier reads it: a record (`r`) or the detail of a deed (`n`), byte for byte.
#[derive(Deserialize)]
pub(super) struct Committed<'a> {
    /// Index of its entry in the log.
    pub(super) i: u64,
    /// The 16 bytes of salt in base64.
    #[serde(borrow)]
    pub(super) salt: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) r: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) n: Option<&'a RawValue>,
}

/// The one field that every record has.
#[derive(Deserialize)]
pub(super) struct RecordId<'a> {
    #[serde(borrow)]
    pub(super) id: std::borrow::Cow<'a, str>,
}

/// Whether `text` is one line of JSON, without white space around it, whose `id` is `id`.
pub(super) fn is_record(text: &str, id: &str) -> bool {
    let same = serde_json::from_str::<RecordId<'_>>(text).is_ok_and(|found| found.id == id);
    same && text.starts_with('{') && text.ends_with('}') && !text.contains('\n')
}

/// Appends the line of a record.
pub(super) fn push_record(plain: &mut Vec<u8>, i: u64, salt: &[u8; 16], record: &str) {
    push_line(plain, i, salt, "r", record);
}

/// Appends the line of a deed's detail.
pub(super) fn push_detail(plain: &mut Vec<u8>, i: u64, detail: &Detail) {
    push_line(plain, i, &detail.salt, "n", &detail.text);
}

fn push_line(plain: &mut Vec<u8>, i: u64, salt: &[u8; 16], name: &str, text: &str) {
    let mut encoded = [0; 24];
    // 16 bytes are 24 characters: they fit
    let length = STANDARD.encode_slice(salt, &mut encoded).unwrap_or_default();
    let number = i.to_string();
    let (number, salt) = (number.as_bytes(), &encoded[..length]);
    for part in [b"{\"i\":", number, b",\"salt\":\"", salt, b"\",\"", name.as_bytes(), b"\":", text.as_bytes(), b"}\n"]
    {
        plain.extend_from_slice(part);
    }
}

/// The commitment of an entry to the text of a record or a detail.
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
    identities: Vec<age::x25519::Identity>,
}

impl Opener {
    /// Reads an identity file, if one is given: lines `AGE-SECRET-KEY-1…`, and comments behind `#`.
    pub(super) fn new(file: Option<&str>) -> Result<Self, EvidenceError> {
        let lines = file.into_iter().flat_map(str::lines).map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let parse = |text: &str| {
            text.parse().map_err(|_| EvidenceError::Key("a line of the identity file is no age X25519 identity".into()))
        };
        let identities: Vec<age::x25519::Identity> = keys.map(parse).collect::<Result<_, _>>()?;
        if file.is_some() && identities.is_empty() {
            return Err(EvidenceError::Key("the identity file holds no age identity (AGE-SECRET-KEY-1…)".into()));
        }
        Ok(Self { identities })
    }

    /// Whether the payload can be opened at all: it is plain, or there is an identity.
    pub(super) fn may_open(&self, payload: &[u8]) -> bool {
        !self.identities.is_empty() || !payload.starts_with(AGE_MAGIC)
    }

    /// The plain frame as a stream.
    pub(super) fn open<'a>(&'a self, payload: &'a [u8]) -> io::Result<Box<dyn BufRead + 'a>> {
        let zstd: Box<dyn Read + 'a> = if payload.starts_with(AGE_MAGIC) {
            let decryptor = age::Decryptor::new(payload).map_err(io::Error::other)?;
            let identities = self.identities.iter().map(|identity| identity as &dyn age::Identity);
            Box::new(decryptor.decrypt(identities).map_err(io::Error::other)?)
        } else {
            Box::new(payload)
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
        let month: Month = "2026-11".parse().unwrap();
        let later = [0, 1, 2, 14, 72, u16::MAX].map(|months| month.plus(months).to_string());
        assert_eq!(later, ["2026-11", "2026-12", "2027-01", "2028-01", "2032-11", "7488-02"]);
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
        let other = Opener { identities: vec![age::x25519::Identity::generate()] };
        assert!(other.open(payload).is_err());
        let mut text = String::new();
        Opener { identities: vec![identity] }.open(payload).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "plain text");
    }
}
