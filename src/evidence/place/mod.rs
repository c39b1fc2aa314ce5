//! Where a copy of an archive can lie: a folder or a bucket. A place takes whole objects under the archive's own file names,
//! reads back what it took before it says so, and never changes an object but by putting a new one under its name.

mod bucket;
mod folder;
mod wire;

use sha2::{Digest as _, Sha256};

pub use bucket::Bucket;
pub use folder::Folder;

use super::error::EvidenceError;
use super::merkle::Hash;

/// What an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// SHA-256.
    pub digest: Hash,
    /// Length in bytes.
    pub bytes: u64,
}

impl Content {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: Sha256::digest(bytes).into(), bytes: bytes.len() as u64 }
    }
}

/// A place for a copy.
pub trait Place {
    /// Where it is, for people; without credentials.
    fn shown(&self) -> String;

    /// An object; `None` if there is none of this name.
    ///
    /// # Errors
    /// The place cannot be read.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, EvidenceError>;

    /// Whether an object that is never put twice with the same length is there already.
    ///
    /// # Errors
    /// The place cannot be read.
    fn has(&self, name: &str, content: Content) -> Result<bool, EvidenceError>;

    /// Puts an object, whole or not at all, and reads it back.
    ///
    /// # Errors
    /// It cannot be put, or what was read back is something else.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), EvidenceError>;

    /// Names of all objects below a first part of names, such as `tile`; of all if it is empty.
    ///
    /// # Errors
    /// The place cannot be read.
    fn names(&self, below: &str) -> Result<Vec<String>, EvidenceError>;

    /// Takes an object away, if it is there.
    ///
    /// # Errors
    /// The place refuses.
    fn remove(&mut self, name: &str) -> Result<(), EvidenceError>;
}

/// A place by what people write: `s3://bucket/prefix`, or a folder.
///
/// # Errors
/// The bucket's address or what the environment says of it cannot be used.
pub fn named(text: &str) -> Result<Box<dyn Place>, EvidenceError> {
    if text.starts_with("s3://") { Ok(Box::new(Bucket::named(text)?)) } else { Ok(Box::new(Folder::new(text))) }
}
