//! The batch: owned bytes of many messages, reused from poll to poll. The unit of work, durability and commit.

use super::report::GapReason;
use crate::domain::position::LaneId;

/// Bounds on a batch. A source stops filling at whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages in a batch.
    pub messages: usize,
    /// Bytes in a batch.
    pub bytes: usize,
    /// Bytes of one message; a longer one is cut and rejected as too large.
    pub message_bytes: usize,
    /// How long a source may wait to fill a batch, in ms.
    pub wait_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { messages: 16_384, bytes: 16 << 20, message_bytes: 4 << 20, wait_ms: 500 }
    }
}

/// One message of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    start: usize,
    end: usize,
    /// Which lane it came by.
    pub lane: LaneId,
    /// Its offset there.
    pub offset: u64,
    /// Bytes that the source cut off because the message was over [`Limits::message_bytes`]; 0 as a rule.
    pub cut: u64,
}

/// Where a lane goes on after it was away: with another instance, or beyond what the broker still has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Which lane.
    pub lane: LaneId,
    /// First offset that may come.
    pub at: u64,
    /// Why offsets between its record and this one do not come.
    pub why: GapReason,
}

/// Messages and their bytes, in the order of their lanes' offsets.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    messages: Vec<Message>,
    resumes: Vec<Resume>,
}

impl Batch {
    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.messages.clear();
        self.resumes.clear();
    }

    /// Says where a lane goes on, before its first message in this batch. Said again, the later word counts.
    pub fn resume(&mut self, resume: Resume) {
        self.resumes.retain(|known| known.lane != resume.lane);
        self.resumes.push(resume);
    }

    /// Where lanes go on in this batch.
    pub fn resumes(&self) -> &[Resume] {
        &self.resumes
    }

    /// Appends a message.
    pub fn push(&mut self, lane: LaneId, offset: u64, payload: &[u8], cut: u64) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        self.messages.push(Message { start, end: self.bytes.len(), lane, offset, cut });
    }

    /// Whether a source should stop filling.
    pub fn is_full(&self, limits: &Limits) -> bool {
        self.messages.len() >= limits.messages || self.bytes.len() >= limits.bytes
    }

    /// The messages in order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The bytes of one message.
    #[inline]
    pub fn payload(&self, message: &Message) -> &[u8] {
        &self.bytes[message.start..message.end]
    }

    /// Bytes of all messages.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}
