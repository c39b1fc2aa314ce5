//! Legal holds: what must be kept whatever retention or an erasure says. The log has an entry for each; what a hold covers
//! lies beside the signing key, so that whoever deletes can obey it without opening a frame. It names no subject: a hold on
//! a person has the person's tag.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::deed::{Deed, Filing, HoldId};
use super::disk::Disk;
use super::entry::Entry;
use super::error::EvidenceError;
use super::reader;

/// What a hold covers. A condition that is left out covers everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Tag of a subject, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// First event time, ms since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// First event time that is not covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its name, 16 hex digits.
    pub id: String,
    /// What it covers.
    pub scope: Scope,
    /// Who ordered it.
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: String,
}

/// The holds in force.
#[derive(Debug)]
pub struct Holds {
    path: PathBuf,
    holds: Vec<Hold>,
}

impl Holds {
    /// Reads the file; without one there is no hold.
    ///
    /// # Errors
    /// The file cannot be read or is none of ours.
    pub fn read(path: &Path) -> Result<Self, EvidenceError> {
        let bad = |error| EvidenceError::disk("read the holds", path, error);
        let holds = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| bad(error.into()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(bad(error)),
        };
        Ok(Self { path: path.to_owned(), holds })
    }

    /// The holds, oldest first.
    pub fn all(&self) -> &[Hold] {
        &self.holds
    }

    /// The first hold that covers a record of this subject and time.
    pub fn covering(&self, subject: Option<&str>, at: i64) -> Option<&Hold> {
        self.holds.iter().find(|hold| {
            let Scope { subject: held, from, to } = &hold.scope;
            let same = held.as_ref().is_none_or(|held| subject.is_some_and(|subject| held == subject));
            same && from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
        })
    }

    /// Adds or ends a hold, if the deed is one; others say nothing to it. Doing it again changes nothing.
    pub(super) fn obey(&mut self, disk: &Disk, filing: &Filing) -> Result<(), EvidenceError> {
        let Deed::Held { hold, release, .. } = filing.deed() else { return Ok(()) };
        let id = hold.to_string();
        self.holds.retain(|hold| hold.id != id);
        if !release {
            self.holds.push(read_hold(filing, *hold));
        }
        let bytes = serde_json::to_vec_pretty(&self.holds)
            .map_err(|error| EvidenceError::disk("write the holds", &self.path, error.into()))?;
        disk.replace(&self.path, &bytes)
    }

    /// Names of holds that the log has and the file has not: as long as there is one, nothing may be deleted.
    ///
    /// # Errors
    /// A bundle cannot be read.
    pub fn unknown(&self, dir: &Path) -> Result<Vec<HoldId>, EvidenceError> {
        let size = reader::checkpoint(dir)?.map_or(0, |checkpoint| checkpoint.size);
        let mut open: Vec<HoldId> = Vec::new();
        reader::entries(dir, 0, size, |_, entry| {
            if let Entry::Deed { deed: Deed::Held { hold, release, .. }, .. } = entry {
                open.retain(|known| *known != hold);
                if !release {
                    open.push(hold);
                }
            }
        })?;
        open.retain(|hold| self.holds.iter().all(|known| known.id != hold.to_string()));
        Ok(open)
    }
}

/// A hold whose scope cannot be read covers everything.
fn read_hold(filing: &Filing, id: HoldId) -> Hold {
    let text = filing.detail().map_or("{}", |detail| detail.text.as_str());
    let told: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let word = |name: &str| told.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let scope = told.get("scope").and_then(|scope| serde_json::from_value(scope.clone()).ok()).unwrap_or_default();
    Hold { id: id.to_string(), scope, by: word("by"), why: word("why") }
}
