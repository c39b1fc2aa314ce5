//! The journal: entries and index rows that are durable here before their tiles are. It holds what happened since the
//! tiles were last synced, so that a batch costs one sync and not one for each tile. It is present while a writer runs
//! or after a crash, absent after a clean stop, and no part of the evidence: a verifier needs none of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::edge::Base;
use super::error::EvidenceError;
use super::index::Rows;

/// Bytes from which the tiles are synced and the journal starts anew.
pub(super) const ROTATE_BYTES: u64 = 8 << 20;

/// One staged batch.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Staged {
    /// Index of its first entry.
    pub(super) first: u64,
    /// Its entries.
    pub(super) entries: Vec<String>,
    /// Its rows in the index.
    pub(super) rows: Rows,
}

/// First part of a journal.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// Version of the journal's form.
    journal: u32,
    start: u64,
    base: Base,
}

/// A journal as found on disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Journal {
    /// Entries below this index have durable tiles.
    pub(super) start: u64,
    /// The edge at that index.
    pub(super) base: Base,
    /// Batches staged since, in order, without a torn one at the end.
    pub(super) batches: Vec<Staged>,
}

/// Where it lies.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("journal")
}

/// Bytes of a new journal.
pub(super) fn begin(start: u64, base: Base) -> io::Result<Vec<u8>> {
    encode(&Head { journal: 1, start, base })
}

/// A part as appended: length, SHA-256, JSON.
pub(super) fn encode(part: &impl Serialize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(part)?;
    let length = u32::try_from(json.len()).map_err(|_| io::Error::other("a batch is over 4 GiB"))?;
    Ok([length.to_be_bytes().as_slice(), &Sha256::digest(&json), &json].concat())
}

impl Journal {
    /// Reads the journal; `None` if there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, EvidenceError> {
        let path = path(dir);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(EvidenceError::disk("read", &path, error)),
        };
        let parsed = Self::parse(&bytes);
        parsed.map(Some).ok_or_else(|| EvidenceError::contradiction(&path, "this is no journal of this log"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = next_part::<Head>(bytes)?;
        let mut journal = Self { start: head.start, base: head.base, batches: Vec::new() };
        while let Some((batch, tail)) = next_part::<Staged>(rest) {
            if batch.first != journal.end() {
                break;
            }
            journal.batches.push(batch);
            rest = tail;
        }
        (head.journal == 1).then_some(journal)
    }

    /// Index after its last entry.
    pub(super) fn end(&self) -> u64 {
        self.start + self.batches.iter().map(|batch| batch.entries.len() as u64).sum::<u64>()
    }
}

/// A part is whole or was never acknowledged: a torn one ends the journal.
fn next_part<T: DeserializeOwned>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let (json, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let whole = Sha256::digest(json).as_slice() == digest;
    whole.then(|| serde_json::from_slice(json).ok()).flatten().map(|part| (part, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_end_costs_only_the_torn_batch() {
        let batch = |first, text: &str| Staged { first, entries: vec![text.to_owned()], rows: Rows::default() };
        let mut bytes = begin(5, Base::default()).unwrap();
        bytes.extend(encode(&batch(5, "a")).unwrap());
        let whole = bytes.len();
        bytes.extend(encode(&batch(6, "b")).unwrap());
        assert_eq!(Journal::parse(&bytes).unwrap().end(), 7);
        for cut in whole..bytes.len() {
            assert_eq!(Journal::parse(&bytes[..cut]).unwrap().batches, [batch(5, "a")]);
        }
        for index in whole..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert_eq!(Journal::parse(&changed).unwrap().batches, [batch(5, "a")]);
        }
    }
}
