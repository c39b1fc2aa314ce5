//! What a verification can find wrong, and the bounded list of it.

use std::fmt;

use super::VerifyReport;

/// Longest list of breaches; what is beyond is counted.
const MOST: usize = 100;

/// Kinds of things wrong with an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BreachKind {
    /// The verifier key is missing or another.
    VerifierKey,
    /// The checkpoint is missing or unreadable.
    Checkpoint,
    /// The checkpoint is not signed by the log's key.
    Signature,
    /// The entries do not give the root that was signed.
    Root,
    /// An earlier checkpoint that the log tells of does not hold.
    History,
    /// A checkpoint kept elsewhere is not contained in the log.
    Known,
    /// An entry is altered, unreadable, or out of place.
    Entry,
    /// A tile does not hold the hashes of its entries.
    Tile,
    /// A tile, bundle or segment is missing or too short.
    Missing,
    /// A frame is altered or out of place.
    Frame,
    /// A finished segment is not as it was sealed.
    Seal,
    /// A record does not fit its commitment.
    Record,
    /// A record is there twice.
    Double,
    /// Offsets of a lane are missing or covered twice.
    Range,
    /// A lane's numbers do not add up.
    Conservation,
    /// Something lies in the archive that the log does not know.
    Stray,
}

/// One thing wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which kind.
    pub kind: BreachKind,
    /// Index of the entry in the log, where it is known.
    pub entry: Option<u64>,
    /// Number of the record (from 0) in the log, where it is known.
    pub record: Option<u64>,
    /// File in the archive, or lane.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}: {}", self.kind, self.place, self.what)?;
        if let Some(entry) = self.entry {
            write!(f, " (entry {entry})")?;
        }
        if let Some(record) = self.record {
            write!(f, " (record {record})")?;
        }
        Ok(())
    }
}

/// Takes down what is found.
#[derive(Debug, Default)]
pub struct Findings {
    breaches: Vec<Breach>,
    more: u64,
    warnings: Vec<String>,
}

impl Findings {
    /// Something wrong without a certain entry.
    pub(super) fn add(&mut self, kind: BreachKind, place: impl Into<String>, what: impl Into<String>) {
        self.push(Breach { kind, entry: None, record: None, place: place.into(), what: what.into() });
    }

    /// Something wrong with an entry.
    pub(super) fn at(&mut self, kind: BreachKind, entry: u64, place: impl Into<String>, what: impl Into<String>) {
        self.push(Breach { kind, entry: Some(entry), record: None, place: place.into(), what: what.into() });
    }

    /// Something wrong, as told.
    pub(super) fn push(&mut self, breach: Breach) {
        if self.breaches.len() < MOST {
            self.breaches.push(breach);
        } else {
            self.more += 1;
        }
    }

    /// Something to know.
    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_empty(&self) -> bool {
        self.breaches.is_empty()
    }

    pub(super) fn finish(self, report: &mut VerifyReport) {
        report.breaches = self.breaches;
        report.more_breaches = self.more;
        report.warnings = self.warnings;
    }
}
