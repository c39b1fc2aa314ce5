//! An archive open for reading: rows of the index, the records and details that they lead to, and what proves them. Every
//! record that it gives is held against its commitment first. Never writes, and needs no lock.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::checkpoint::Checkpoint;
use super::deed::Deed;
use super::entry::Entry;
use super::error::EvidenceError;
use super::index::{DetailRow, Row, number_of_key};
use super::keyring::Keyring;
use super::keys::TagKey;
use super::merkle::Hash;
use super::personal::{RecordKey, key_of};
use super::search::{self, Sought};
use super::segment::{Committed, Month, Opener, SegmentId, commitment};
use super::tiles::TILE_WIDTH;
use super::{index, reader};

/// An archive.
pub struct Archive {
    dir: PathBuf,
    checkpoint: Checkpoint,
    opener: Opener,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// A record as the log committed to it.
#[derive(Debug)]
pub struct Opened {
    /// Where the index found it.
    pub row: Row,
    /// Text of its entry.
    pub entry: String,
    /// Salt of the commitment.
    pub salt: [u8; 16],
    /// The record, byte for byte; sealed where its subject has a key.
    pub text: String,
    /// The key that opens the sealed fields, if it was asked for and still exists.
    pub key: Option<RecordKey>,
    /// The record with its personal fields, as far as they can be opened.
    pub record: Value,
    /// Whether personal fields are sealed and stay so.
    pub shut: bool,
}

/// Something that people did, with its detail where a frame of it is there.
#[derive(Clone, Debug)]
pub struct Told {
    /// Index of its entry.
    pub i: u64,
    /// When, ms since the epoch.
    pub at: i64,
    /// What.
    pub deed: Deed,
    /// Text of its entry.
    pub entry: String,
}

/// A line of a frame, held against its entry.
struct Line {
    salt: [u8; 16],
    text: String,
    entry: String,
}

impl Archive {
    /// Opens the archive in `dir`; `identity` are the age identities that open its frames.
    ///
    /// # Errors
    /// There is no checkpoint, or the identity is none.
    pub fn open(dir: &Path, identity: Option<&str>) -> Result<Self, EvidenceError> {
        let checkpoint = reader::checkpoint(dir)?.ok_or_else(|| {
            EvidenceError::contradiction(&dir.join("checkpoint"), "it is missing; name the evidence folder")
        })?;
        Ok(Self { dir: dir.to_owned(), checkpoint, opener: Opener::new(identity)? })
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The checkpoint that was read when it was opened. Nothing behind it is given.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The verifier keys beside the log, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn vkeys(&self) -> Result<String, EvidenceError> {
        let path = self.dir.join("log.vkey");
        std::fs::read_to_string(&path).map_err(|error| EvidenceError::disk("read", &path, error))
    }

    /// Rows of the index that meet the conditions, in the order of the log.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn find(&self, sought: &Sought) -> Result<Vec<Row>, EvidenceError> {
        let mut rows = search::search(&self.dir, sought)?;
        rows.retain(|row| row.i < self.checkpoint.size);
        Ok(rows)
    }

    /// Where the details lie, in the order of the log.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn details(&self) -> Result<Vec<DetailRow>, EvidenceError> {
        search::details(&self.dir)
    }

    /// Months that have an index.
    ///
    /// # Errors
    /// The index cannot be listed.
    pub fn months(&self) -> Result<Vec<Month>, EvidenceError> {
        Ok(index::months(&self.dir)?.into_keys().collect())
    }

    /// Hands every entry from `from` on to `each`, with its index.
    ///
    /// # Errors
    /// A bundle cannot be read.
    pub fn entries(&self, from: u64, each: impl FnMut(u64, Entry)) -> Result<(), EvidenceError> {
        reader::entries(&self.dir, from, self.checkpoint.size, each)
    }

    /// Opens the records of `rows`, which are in the order of the log, and hands each to `each`. With a keyring their
    /// personal fields are opened, too.
    ///
    /// # Errors
    /// A frame cannot be opened, a record is not what the log committed to, or `each` fails.
    pub fn records(
        &self,
        rows: &[Row],
        keyring: Option<&Keyring>,
        mut each: impl FnMut(Opened) -> Result<(), EvidenceError>,
    ) -> Result<(), EvidenceError> {
        let mut bundles = Bundles::new(self);
        for frame in rows.chunk_by(|one, next| (one.segment, one.offset) == (next.segment, next.offset)) {
            let wanted: Vec<u64> = frame.iter().map(|row| row.i).collect();
            let mut lines = self.lines((frame[0].segment, frame[0].offset), &wanted, &mut bundles)?;
            for row in frame {
                let Some(Line { salt, text, entry }) = lines.remove(&row.i) else {
                    return Err(self.odd(row.segment, "a record is not in the frame that the index names"));
                };
                each(opened(row.clone(), entry, salt, text, keyring)?)?;
            }
        }
        Ok(())
    }

    /// The text of a deed's detail, if a frame of it is there and can be opened.
    ///
    /// # Errors
    /// The detail is not what the log committed to.
    pub fn detail(&self, place: &DetailRow) -> Result<String, EvidenceError> {
        let mut lines = self.lines((place.segment, place.offset), &[place.i], &mut Bundles::new(self))?;
        let line = lines.remove(&place.i);
        line.map(|line| line.text).ok_or_else(|| self.odd(place.segment, "a detail is not in its frame"))
    }

    /// What people did, in the order of the log.
    ///
    /// # Errors
    /// A bundle cannot be read.
    pub fn deeds(&self) -> Result<Vec<Told>, EvidenceError> {
        let mut told = Vec::new();
        self.entries(0, |i, entry| {
            let text = entry.to_string();
            if let Entry::Deed { at, deed } = entry {
                told.push(Told { i, at, deed, entry: text });
            }
        })?;
        Ok(told)
    }

    /// The lines of a frame that are `wanted`, each held against its entry.
    fn lines(
        &self,
        (segment, offset): (SegmentId, u64),
        wanted: &[u64],
        bundles: &mut Bundles<'_>,
    ) -> Result<BTreeMap<u64, Line>, EvidenceError> {
        let path = segment.path(&self.dir);
        let bad = |error| EvidenceError::disk("open a frame of", &path, error);
        let payload = payload(&path, offset).map_err(bad)?;
        if !self.opener.may_open(&payload) {
            let text = "the frames are encrypted; name the file with the age identity that opens them (--identity)";
            return Err(EvidenceError::Key(text.into()));
        }
        let mut found = BTreeMap::new();
        for text in self.opener.open(&payload).map_err(bad)?.lines() {
            let text = text.map_err(bad)?;
            let line: Committed<'_> = serde_json::from_str(&text).map_err(|error| bad(error.into()))?;
            if wanted.binary_search(&line.i).is_err() {
                continue;
            }
            let salt: Option<[u8; 16]> =
                STANDARD.decode(line.salt.as_bytes()).ok().and_then(|salt| salt.try_into().ok());
            let body = line.r.or(line.n).map(|body| body.get().to_owned());
            let (Some(salt), Some(text)) = (salt, body) else {
                return Err(self.odd(segment, "a line of a frame cannot be read"));
            };
            let entry = bundles.entry(line.i)?;
            if committed(&entry) != Some(commitment(&salt, text.as_bytes())) {
                return Err(self.odd(segment, "a record is not what the log committed to; run verify"));
            }
            found.insert(line.i, Line { salt, text, entry });
        }
        Ok(found)
    }

    fn odd(&self, segment: SegmentId, what: &str) -> EvidenceError {
        EvidenceError::contradiction(&segment.path(&self.dir), what)
    }
}

/// What an entry commits to.
fn committed(entry: &str) -> Option<Hash> {
    match Entry::parse(entry)? {
        Entry::Record { commitment, .. } | Entry::Rejected { commitment, .. } => Some(commitment),
        Entry::Deed { deed, .. } => deed.commitment(),
        Entry::Checkpoint { .. }
        | Entry::Frame { .. }
        | Entry::Seal { .. }
        | Entry::Batch { .. }
        | Entry::Config { .. }
        | Entry::Life { .. }
        | Entry::Gap { .. } => None,
    }
}

fn opened(
    row: Row,
    entry: String,
    salt: [u8; 16],
    text: String,
    keyring: Option<&Keyring>,
) -> Result<Opened, EvidenceError> {
    let sealed = key_of(&text);
    let subject = match (sealed, keyring) {
        (Some(id), Some(keyring)) => keyring.find(id)?,
        (Some(_) | None, _) => None,
    };
    let key = subject.map(|key| key.record_key(&salt));
    let whole = key.as_ref().and_then(|key| key.open(&text));
    let shut = sealed.is_some() && whole.is_none();
    let record = whole.unwrap_or_else(|| serde_json::from_str(&text).unwrap_or_default());
    Ok(Opened { row, entry, salt, text, key, record, shut })
}

fn payload(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let (mut file, mut prefix) = (File::open(path)?, [0; 4]);
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut prefix)?;
    let (length, mut payload) = (u64::from(u32::from_be_bytes(prefix)), Vec::new());
    if file.take(length).read_to_end(&mut payload)? as u64 == length {
        Ok(payload)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Texts of entries, with the bundle at hand kept.
struct Bundles<'a> {
    archive: &'a Archive,
    at: Option<(u64, Vec<String>)>,
}

impl<'a> Bundles<'a> {
    fn new(archive: &'a Archive) -> Self {
        Self { archive, at: None }
    }

    fn entry(&mut self, index: u64) -> Result<String, EvidenceError> {
        let number = index / TILE_WIDTH;
        let bundle = match self.at.take().filter(|(at, _)| *at == number) {
            Some((_, bundle)) => bundle,
            None => reader::bundle(&self.archive.dir, number, self.archive.checkpoint.size)?,
        };
        let (_, bundle) = self.at.insert((number, bundle));
        let entry = bundle.get((index % TILE_WIDTH) as usize).cloned();
        entry.ok_or_else(|| EvidenceError::contradiction(&self.archive.dir, format!("there is no entry {index}")))
    }
}

/// Numbers that stand for a subject in the index: of its keys, and of its tag where records are not sealed.
///
/// # Errors
/// The keys cannot be read.
pub fn numbers_of(
    subject: &str,
    tag: &TagKey,
    keyring: Option<&Keyring>,
) -> Result<std::collections::BTreeSet<u64>, EvidenceError> {
    let keys = keyring.map(|keyring| keyring.of_subject(tag, subject)).transpose()?.unwrap_or_default();
    let own = index::subject_number(&tag.bytes(subject));
    Ok(keys.into_iter().map(|held| number_of_key(held.id)).chain([own]).collect())
}
