//! Writes what an auditor gets of one log: records and deeds with what proves them, the checkpoint, the verifier keys. One
//! JSON line for each, complete in itself. Knows nothing of how it is shown to people.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::archive::{Archive, Opened, Told};
use super::entry::base64;
use super::error::EvidenceError;
use super::proof::Prover;

/// A stand-alone verifier of such a bundle, in Python's standard library.
pub const VERIFIER: &str = include_str!("verify.py");

#[derive(Serialize)]
struct RecordLine<'a> {
    index: u64,
    entry: &'a str,
    salt: String,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    path: Vec<String>,
}

#[derive(Serialize)]
struct DeedLine<'a> {
    index: u64,
    entry: &'a str,
    path: Vec<String>,
}

/// The part of a bundle that comes from one log.
#[derive(Debug)]
pub struct Pack {
    prover: Prover,
    records: BufWriter<File>,
    deeds: BufWriter<File>,
    dir: PathBuf,
}

impl Pack {
    /// Begins with the checkpoint and the verifier keys, in the folder `dir`, which is made.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn begin(archive: &Archive, dir: &Path) -> Result<Self, EvidenceError> {
        let bad = |error| EvidenceError::disk("write the bundle in", dir, error);
        let vkeys = archive.vkeys()?;
        let begin = || {
            fs::create_dir_all(dir)?;
            fs::write(dir.join("checkpoint"), archive.checkpoint().note())?;
            fs::write(dir.join("log.vkey"), vkeys)?;
            Ok((File::create_new(dir.join("records.ndjson"))?, File::create_new(dir.join("deeds.ndjson"))?))
        };
        let (records, deeds) = begin().map_err(bad)?;
        let prover = Prover::new(archive.dir(), archive.checkpoint().size);
        Ok(Self { prover, records: BufWriter::new(records), deeds: BufWriter::new(deeds), dir: dir.to_owned() })
    }

    /// Adds a record, with the key that opens its personal fields if it has one in hand.
    ///
    /// # Errors
    /// A tile cannot be read, or the file cannot be written.
    pub fn record(&mut self, record: &Opened) -> Result<(), EvidenceError> {
        let line = RecordLine {
            index: record.row.i,
            entry: &record.entry,
            salt: STANDARD.encode(record.salt),
            text: &record.text,
            key: record.key.as_ref().filter(|_| !record.shut).map(super::personal::RecordKey::text),
            path: self.path(record.row.i)?,
        };
        put(&mut self.records, &line).map_err(|error| EvidenceError::disk("write the bundle in", &self.dir, error))
    }

    /// Adds a deed.
    ///
    /// # Errors
    /// A tile cannot be read, or the file cannot be written.
    pub fn deed(&mut self, told: &Told) -> Result<(), EvidenceError> {
        let line = DeedLine { index: told.i, entry: &told.entry, path: self.path(told.i)? };
        put(&mut self.deeds, &line).map_err(|error| EvidenceError::disk("write the bundle in", &self.dir, error))
    }

    /// Writes out what is still in hand.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn finish(mut self) -> Result<(), EvidenceError> {
        let flushed = self.records.flush().and_then(|()| self.deeds.flush());
        flushed.map_err(|error| EvidenceError::disk("write the bundle in", &self.dir, error))
    }

    fn path(&mut self, index: u64) -> Result<Vec<String>, EvidenceError> {
        Ok(self.prover.path(index)?.iter().map(|hash| base64(hash).to_string()).collect())
    }
}

fn put(file: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}
