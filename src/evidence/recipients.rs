//! To whom frames are encrypted, and whether the log says so: a change of recipients is an entry, and rewrites nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::disk::Disk;
use super::entry::unhex;
use super::error::EvidenceError;
use super::keys::beside;
use super::merkle::Hash;
use crate::domain::hex::hex;

/// The recipients of this writer and what the log said last.
#[derive(Debug)]
pub(super) struct Told {
    path: PathBuf,
    now: Hash,
    told: Option<Hash>,
}

impl Told {
    /// Reads what was said last, from beside the signing key.
    pub(super) fn read(key: &Path, recipients: &[String]) -> Result<Self, EvidenceError> {
        let path = beside(key, ".recipients");
        let told = match fs::read_to_string(&path) {
            Ok(text) => unhex(text.trim_end()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(EvidenceError::disk("read", &path, error)),
        };
        Ok(Self { path, now: digest(recipients), told })
    }

    /// The digest of the recipients, if the log does not name them yet.
    pub(super) fn untold(&self) -> Option<Hash> {
        Some(self.now).filter(|now| self.told != Some(*now))
    }

    /// The log names them. If the process ends before this is noted, the log says it twice, which does no harm.
    pub(super) fn is_told(&mut self, disk: &Disk) -> Result<(), EvidenceError> {
        if self.untold().is_some() {
            disk.replace(&self.path, format!("{}\n", hex(&self.now)).as_bytes())?;
            self.told = Some(self.now);
        }
        Ok(())
    }
}

/// Whether the log that goes with the signing key `key` says that its frames are encrypted to nobody.
///
/// # Errors
/// The file beside the key cannot be read.
pub fn are_none(key: &Path) -> Result<bool, EvidenceError> {
    Ok(Told::read(key, &[])?.untold().is_none())
}

/// SHA-256 over the recipients, sorted, each with a line end.
fn digest(recipients: &[String]) -> Hash {
    let mut sorted: Vec<&str> = recipients.iter().map(|recipient| recipient.trim()).collect();
    sorted.sort_unstable();
    let mut hash = Sha256::new();
    sorted.iter().for_each(|recipient| hash.update(format!("{recipient}\n")));
    hash.finalize().into()
}
