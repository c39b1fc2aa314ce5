//! Where rejected input is kept: in a file beside the state, or in a topic. Kept means on disk, or acknowledged by all in-sync
//! replicas, before the batch is recorded.

mod file;
mod topic;

use std::io;
use std::path::Path;

use crate::kafka::Producer;
use crate::pipeline::ports::Reached;
use crate::pipeline::report::Rejected;

pub use file::{Letter, LetterError, letters};
pub use topic::header;

/// Where dead letters go.
pub enum DeadLetterTopic {
    /// To the file alone.
    None,
    /// To this topic; to the file what the topic does not take.
    Topic(Box<Producer>, String),
}

/// Keeps rejected records.
pub(super) struct DeadLetters {
    file: file::DeadLetterFile,
    topic: DeadLetterTopic,
}

impl DeadLetters {
    /// Opens the file and drops what a crash left behind.
    ///
    /// # Errors
    /// The file cannot be read, cut or created.
    pub(super) fn open(path: &Path, topic: DeadLetterTopic, reached: &[Reached]) -> io::Result<Self> {
        Ok(Self { file: file::DeadLetterFile::open(path, reached)?, topic })
    }

    /// Keeps rejected records. Called before the evidence of the batch is published.
    ///
    /// # Errors
    /// They could not be kept; the batch is then not recorded.
    pub(super) fn keep(&mut self, rejected: &[Rejected]) -> Result<(), String> {
        let left = match &self.topic {
            _ if rejected.is_empty() => return Ok(()),
            DeadLetterTopic::None => rejected.to_vec(),
            DeadLetterTopic::Topic(producer, name) => topic::send(producer, name, rejected)?,
        };
        self.file.append(&left).map_err(|error| error.to_string())
    }
}
