//! Chunks of bytes from an input: read on the spot from a file, or by a thread of its own from an input that may be slow.
//!
//! A thread is what lets a poll return in time while the other end of a pipe says nothing. It never looks at the bytes.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use super::unpack::unpack;

/// Bytes asked for in one read.
pub(super) const CHUNK: usize = 256 << 10;

/// Chunks that a thread may be ahead of the lines.
const AHEAD: usize = 4;

/// An input that can be read from another thread.
pub(super) type Bytes = Box<dyn Read + Send>;

/// Where chunks come from.
pub(super) enum Feed {
    /// Read when asked.
    Direct(Bytes),
    /// Handed over by a thread.
    Threaded(Receiver<io::Result<Vec<u8>>>),
    /// Nothing comes any more. A file that grows after its end was seen would otherwise split its last line.
    Ended,
}

/// What a feed gave.
pub(super) enum More {
    /// That many bytes, at the front of the chunk.
    Bytes(usize),
    /// Nothing before the deadline.
    Quiet,
    /// The end.
    End,
}

impl Feed {
    /// Reads `raw`, packed or not, by a thread.
    pub(super) fn threaded(raw: Bytes) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(AHEAD);
        thread::Builder::new().name("replay-input".to_owned()).spawn(move || pump(raw, &sender))?;
        Ok(Self::Threaded(receiver))
    }

    /// Puts the next bytes into `chunk`. Only a threaded feed minds the deadline.
    pub(super) fn more(&mut self, chunk: &mut Vec<u8>, deadline: Instant) -> io::Result<More> {
        let more = match self {
            Self::Direct(bytes) => read(bytes, chunk)?,
            Self::Threaded(chunks) => match chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(received) => {
                    *chunk = received?;
                    if chunk.is_empty() { More::End } else { More::Bytes(chunk.len()) }
                }
                Err(RecvTimeoutError::Timeout) => More::Quiet,
                // silence is no end: only an empty chunk is
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the reading thread ended")),
            },
            Self::Ended => More::End,
        };
        if matches!(more, More::End) {
            *self = Self::Ended;
        }
        Ok(more)
    }
}

fn read(bytes: &mut Bytes, chunk: &mut Vec<u8>) -> io::Result<More> {
    if chunk.len() < CHUNK {
        chunk.resize(CHUNK, 0);
    }
    loop {
        match bytes.read(chunk) {
            Ok(0) => return Ok(More::End),
            Ok(count) => return Ok(More::Bytes(count)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Ends when the input does (with an empty chunk), when it fails, or when nobody listens any more.
fn pump(raw: Bytes, chunks: &SyncSender<io::Result<Vec<u8>>>) {
    let mut bytes = match unpack(raw) {
        Ok(bytes) => bytes,
        Err(error) => return drop(chunks.send(Err(error))),
    };
    let mut chunk = Vec::new();
    loop {
        let sent = match read(&mut bytes, &mut chunk) {
            Ok(More::Bytes(count)) => chunks.send(Ok(chunk[..count].to_vec())),
            Ok(More::Quiet | More::End) => return drop(chunks.send(Ok(Vec::new()))),
            Err(error) => return drop(chunks.send(Err(error))),
        };
        if sent.is_err() {
            return;
        }
    }
}
