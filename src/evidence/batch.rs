//! What a log is given to be recorded together.

use super::deed::Filing;
use super::entry::Life;
use crate::domain::position::Lane;
use crate::pipeline::report::{Coverage, Record, Rejected};

/// What is to be recorded together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batch<'a> {
    /// Time of recording, ms since the epoch.
    pub now_ms: i64,
    /// Evidence of judged events, in input order.
    pub records: &'a [Record],
    /// Per lane what the batch covers.
    pub coverage: &'a [Coverage],
    /// Rejected records; their digests are recorded, not their bytes.
    pub rejected: &'a [Rejected],
    /// What else belongs into the evidence; recorded before the records.
    pub notes: &'a [Note],
}

/// A fact about the process itself, or about what people did with the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A configuration, policy or database is in force from here on.
    Config {
        /// Name of what is in force, such as `policy`.
        what: String,
        /// SHA-256 in lower-case hex.
        digest: String,
    },
    /// The process started, stops or reloaded.
    Life {
        /// Which.
        life: Life,
        /// Version of the program.
        version: String,
    },
    /// Offsets that will never be received. Gaps that show in a batch's coverage the log notes by itself.
    Gap {
        /// Which lane.
        lane: Lane,
        /// First offset missing; where the lane ended so far.
        from: u64,
        /// First offset after the gap.
        to: u64,
        /// Why.
        reason: String,
    },
    /// What somebody did with the evidence.
    Deed(Filing),
}

impl Note {
    /// What is to be carried out because of it.
    pub(super) fn filing(&self) -> Option<&Filing> {
        match self {
            Self::Deed(filing) => Some(filing),
            Self::Config { .. } | Self::Life { .. } | Self::Gap { .. } => None,
        }
    }
}
