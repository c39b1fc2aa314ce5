//! The file of rejected input: one JSON line each, with the raw bytes, the position and the reason, so that nothing is lost
//! and everything can be tried again. The raw bytes of a page stand once, in the line of its first rejected row.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::domain::position::Lane;
use crate::kafka::Header;
use crate::pipeline::ports::Reached;
use crate::pipeline::report::Rejected;

/// Appends rejected records and makes them durable.
#[derive(Debug)]
pub(super) struct DeadLetterFile {
    file: File,
}

#[derive(Serialize)]
struct Line<'a> {
    topic: &'a str,
    partition: i32,
    offset: u64,
    index: u32,
    reason: &'static str,
    detail: &'a str,
    /// Left out where the line before is of the same page and has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    bytes_cut: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(&'a str, Option<String>)>,
}

/// A message that was kept, with all that is needed to try it again.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Where it was.
    pub lane: Lane,
    /// Its offset there.
    pub offset: u64,
    /// Why its first rejected event was rejected.
    pub reason: String,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// Its key, where it had one.
    pub key: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Bytes that had to be cut off: it cannot be made whole again.
    pub cut: u64,
}

impl Letter {
    /// Its own headers, for sending it back to where it was.
    pub fn headers(&self) -> Vec<Header<'_>> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
    }
}

/// Why a file of dead letters cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The file.
    #[error("{path}: {source}; name a file of dead letters that can be read")]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line.
    #[error("{path}: line {line} is no dead letter; was the file changed by hand?")]
    Line {
        /// Of which file.
        path: std::path::PathBuf,
        /// Its number, from 1.
        line: usize,
    },
}

/// The messages of a file of dead letters, each once, in order.
///
/// # Errors
/// The file cannot be read, or a line is none of ours.
pub fn letters(path: &Path) -> Result<Vec<Letter>, LetterError> {
    let file = |source| LetterError::File { path: path.to_owned(), source };
    let reader = BufReader::new(File::open(path).map_err(file)?);
    let mut found = Vec::new();
    for (number, line) in (1..).zip(reader.lines()) {
        let line = line.map_err(file)?;
        let kept = serde_json::from_str::<Kept>(&line)
            .map_err(|_| LetterError::Line { path: path.to_owned(), line: number })?;
        // the further rows of a page stand without its bytes
        found.extend(kept.letter());
    }
    Ok(found)
}

/// A line as it is read again.
#[derive(Deserialize)]
struct Kept {
    topic: String,
    partition: i32,
    offset: u64,
    reason: String,
    raw_base64: Option<String>,
    #[serde(default)]
    bytes_cut: u64,
    key_base64: Option<String>,
    #[serde(default)]
    headers: Vec<(String, Option<String>)>,
}

impl Kept {
    fn letter(self) -> Option<Letter> {
        let raw = STANDARD.decode(self.raw_base64?).ok()?;
        let key = self.key_base64.and_then(|key| STANDARD.decode(key).ok());
        let lane = Lane { topic: self.topic, partition: self.partition };
        let value = |text: Option<String>| text.and_then(|text| STANDARD.decode(text).ok());
        let headers = self.headers.into_iter().map(|(name, text)| (name, value(text))).collect();
        Some(Letter { lane, offset: self.offset, reason: self.reason, raw, key, headers, cut: self.bytes_cut })
    }
}

#[derive(Deserialize)]
struct Place {
    topic: String,
    partition: i32,
    offset: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl DeadLetterFile {
    /// Opens the file and drops what a crash left behind: lines of a batch that was not recorded, and a torn last line.
    ///
    /// # Errors
    /// The file cannot be read, cut or created.
    pub(super) fn open(path: &Path, reached: &[Reached]) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        let recorded = recorded_length(&file, reached)?;
        if recorded < file.metadata()?.len() {
            file.set_len(recorded)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file })
    }

    /// Appends and syncs. Called before the evidence of the batch is published.
    ///
    /// # Errors
    /// The disk refuses; the batch is then not recorded.
    pub(super) fn append(&mut self, rejected: &[Rejected]) -> io::Result<()> {
        if rejected.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        let mut before: Option<&Rejected> = None;
        for one in rejected {
            let known = before.is_some_and(|before| Arc::ptr_eq(&before.raw, &one.raw));
            serde_json::to_writer(&mut text, &line(one, known))?;
            text.push(b'\n');
            before = Some(one);
        }
        self.file.write_all(&text)?;
        self.file.sync_data()
    }
}

fn line(rejected: &Rejected, known: bool) -> Line<'_> {
    let origin = rejected.origin.as_ref().filter(|_| !known);
    let headers = origin.map(|origin| origin.headers.as_slice()).unwrap_or_default();
    Line {
        topic: &rejected.lane.topic,
        partition: rejected.lane.partition,
        offset: rejected.position.offset,
        index: rejected.position.index,
        reason: rejected.reason,
        detail: &rejected.detail,
        raw_base64: (!known).then(|| STANDARD.encode(&rejected.raw)),
        bytes_cut: rejected.cut,
        timestamp: origin.and_then(|origin| origin.timestamp),
        key_base64: origin.and_then(|origin| origin.key.as_ref()).map(|key| STANDARD.encode(key)),
        headers: headers.iter().map(header).collect(),
    }
}

fn header((name, value): &(String, Option<Vec<u8>>)) -> (&str, Option<String>) {
    (name, value.as_ref().map(|value| STANDARD.encode(value)))
}

/// Bytes up to the first line that is torn or lies beyond what is recorded.
fn recorded_length(file: &File, reached: &[Reached]) -> io::Result<u64> {
    let next: HashMap<&Lane, u64> = reached.iter().map(|at| (&at.lane, at.next)).collect();
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let (mut line, mut good) = (Vec::new(), 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        let whole = line.last() == Some(&b'\n');
        let place = whole.then(|| serde_json::from_slice::<Place>(&line).ok()).flatten();
        let recorded = place.is_some_and(|place| {
            let lane = Lane { topic: place.topic, partition: place.partition };
            next.get(&lane).is_some_and(|next| place.offset < *next)
        });
        if !recorded {
            return Ok(good);
        }
        good += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::position::{LaneId, Position};

    fn rejected(offset: u64) -> Rejected {
        Rejected {
            position: Position { lane: LaneId(0), offset, index: 0 },
            lane: Lane { topic: "t".to_owned(), partition: 0 },
            reason: "not_json",
            detail: "at byte 0".to_owned(),
            raw: vec![0xff, 0x00].into(),
            cut: 0,
            origin: None,
        }
    }

    fn reached(next: u64) -> [Reached; 1] {
        [Reached { lane: Lane { topic: "t".to_owned(), partition: 0 }, next, last_digest: String::new() }]
    }

    #[test]
    fn drops_the_lines_of_a_batch_that_was_not_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dead-letters.ndjson");
        let mut letters = DeadLetterFile::open(&path, &[]).unwrap();
        letters.append(&[rejected(0), rejected(1)]).unwrap();
        letters.append(&[rejected(5)]).unwrap();
        drop(letters);
        let whole = std::fs::read(&path).unwrap();
        // a torn line at the end
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"topic\":\"t\"").unwrap();
        drop(DeadLetterFile::open(&path, &reached(6)).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        drop(DeadLetterFile::open(&path, &reached(2)).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }
}
