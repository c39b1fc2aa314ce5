//! Where a record came from. A position makes replay idempotent: the same position is never recorded twice.

use std::fmt;

/// A stream of messages with its own offsets: a topic's partition, a file, standard input.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    /// Kafka topic, or `<file name>#<digest of its first line>` for a file.
    pub topic: String,
    /// Kafka partition; 0 for files.
    pub partition: i32,
}

/// Index of a [`Lane`] in the table of the running source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId(pub u32);

/// One event's place in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Which lane.
    pub lane: LaneId,
    /// Kafka offset, or zero-based line number in a file.
    pub offset: u64,
    /// Index of the event inside its message (a page carries many); 0 for a bare row.
    pub index: u32,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}
