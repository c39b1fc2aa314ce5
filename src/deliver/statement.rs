//! The evidence log's signed checkpoint as a feed tells it: not a finding, but what whoever keeps the feed can later hold the
//! evidence against. Names no person and nothing of a record.

use sha2::{Digest as _, Sha256};

use crate::domain::hex::hex;

/// A signed checkpoint to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Stable key: the same for the same checkpoint, so that a receiver can drop repetitions.
    pub id: String,
    /// When it is told, ms since the epoch.
    pub at: i64,
    /// The signed note, as it stands in the log's `checkpoint`.
    pub note: String,
}

impl Statement {
    /// Of a signed note.
    pub fn new(note: String, at: i64) -> Self {
        let digest = hex(&Sha256::digest(&note)[..12]);
        Self { id: format!("checkpoint-{digest}"), at, note }
    }
}
