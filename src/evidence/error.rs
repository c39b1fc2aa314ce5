//! Why the evidence log cannot go on. Texts name the place and the remedy and carry nothing of a record.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// What went wrong, by what the caller has to do about it.
#[derive(Debug, Error)]
pub enum EvidenceError {
    /// The batch contradicts the log or itself. Nothing was written; the log can be used further.
    #[error("evidence: batch refused: {0}")]
    Refused(String),
    /// Another process writes this log.
    #[error("evidence: {0} is locked by another process; stop it first, only one may write")]
    Locked(PathBuf),
    /// A step on disk failed. The log object is unusable; a new [`super::Log::open`] settles what is on disk.
    #[error("evidence: cannot {what} {}: {source}; cure the cause and start again, the next start recovers", path.display())]
    Disk {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier step failed, or a staged batch was never published.
    #[error("evidence: an earlier step failed and the log is closed; start again, the next start recovers")]
    Poisoned,
    /// The files contradict each other in a way that no crash leaves behind. Nothing was removed.
    #[error("evidence: {path}: {what}; nothing was removed, run verify and restore from a copy", path = path.display())]
    Contradiction {
        /// Where.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// A key, recipient or identity cannot be used.
    #[error("evidence: {0}")]
    Key(String),
}

impl EvidenceError {
    /// A failed step on disk.
    pub(super) fn disk(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Disk { what, path: path.to_owned(), source }
    }

    /// A batch that cannot be recorded.
    pub(super) fn refused(why: &str) -> Self {
        Self::Refused(why.to_owned())
    }

    /// Files that contradict each other.
    pub(super) fn contradiction(path: &Path, what: impl Into<String>) -> Self {
        Self::Contradiction { path: path.to_owned(), what: what.into() }
    }
}
