//! Lines out of chunks. A line that lies in one chunk is handed over where it lies; only one that spans chunks is copied
//! together. No line is held beyond the limit, and none is taken for blank or broken here.

use std::io;
use std::ops::Range;
use std::time::Instant;

use memchr::memchr;

use super::feed::{Feed, More};

/// A line without its line end (LF or CRLF).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Zero-based number; every line counts.
    pub(super) number: u64,
    /// The line, as far as the limit allows.
    pub(super) bytes: &'a [u8],
    /// Bytes beyond the limit.
    pub(super) cut: u64,
}

/// What comes next.
pub(super) enum Next<'a> {
    /// A line.
    Line(Line<'a>),
    /// Nothing before the deadline.
    Quiet,
    /// No line will come again.
    End,
}

/// The lines of one input.
pub(super) struct Lines {
    feed: Feed,
    chunk: Vec<u8>,
    /// Unread part of the chunk.
    rest: Range<usize>,
    /// Beginning of a line that spans chunks, no longer than the limit.
    head: Vec<u8>,
    /// Bytes of that line so far, and the last of them.
    length: u64,
    last: u8,
    number: u64,
}

impl Lines {
    pub(super) fn new(feed: Feed) -> Self {
        Self { feed, chunk: Vec::new(), rest: 0..0, head: Vec::new(), length: 0, last: 0, number: 0 }
    }

    /// Number of the line that comes next.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, no more than `limit` bytes of it.
    ///
    /// # Errors
    /// Those of the input. A line that was begun but not ended before an error is not handed over: half a line would be
    /// recorded under the number of the whole one.
    pub(super) fn next(&mut self, limit: usize, deadline: Instant) -> io::Result<Next<'_>> {
        loop {
            let rest = self.rest.clone();
            if let Some(length) = memchr(b'\n', &self.chunk[rest.clone()]) {
                self.rest.start += length + 1;
                return Ok(Next::Line(self.end(rest.start..rest.start + length, limit)));
            }
            self.keep(rest, limit);
            self.rest = 0..0;
            match self.feed.more(&mut self.chunk, deadline)? {
                More::Bytes(count) => self.rest = 0..count,
                More::Quiet => return Ok(Next::Quiet),
                More::End if self.length == 0 => return Ok(Next::End),
                More::End => return Ok(Next::Line(self.end(0..0, limit))),
            }
        }
    }

    /// Keeps a part of a line that goes on in the next chunk.
    fn keep(&mut self, part: Range<usize>, limit: usize) {
        if self.length == 0 {
            self.head.clear();
        }
        let part = &self.chunk[part];
        let room = limit.saturating_sub(self.head.len()).min(part.len());
        self.head.extend_from_slice(&part[..room]);
        self.length += part.len() as u64;
        self.last = part.last().copied().unwrap_or(self.last);
    }

    /// The line that ends with this part of the chunk.
    fn end(&mut self, part: Range<usize>, limit: usize) -> Line<'_> {
        let number = self.number;
        self.number += 1;
        let spans = self.length > 0;
        if spans {
            self.keep(part.clone(), limit);
        }
        let (bytes, length, last) = if spans {
            (self.head.as_slice(), self.length, Some(self.last))
        } else {
            let bytes = &self.chunk[part];
            (bytes, bytes.len() as u64, bytes.last().copied())
        };
        self.length = 0;
        let length = length - u64::from(last == Some(b'\r'));
        let kept = limit.min(usize::try_from(length).unwrap_or(usize::MAX));
        Line { number, bytes: &bytes[..kept], cut: length - kept as u64 }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Gives at most `step` bytes a read.
    struct Drip(Vec<u8>, usize, usize);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len() - self.2).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[self.2..self.2 + count]);
            self.2 += count;
            Ok(count)
        }
    }

    fn lines(text: &[u8], step: usize, limit: usize) -> Vec<(u64, Vec<u8>, u64)> {
        let mut lines = Lines::new(Feed::Direct(Box::new(Drip(text.to_vec(), step, 0))));
        let mut found = Vec::new();
        while let Next::Line(line) = lines.next(limit, Instant::now()).unwrap() {
            found.push((line.number, line.bytes.to_vec(), line.cut));
        }
        found
    }

    #[test]
    fn the_cut_of_chunks_changes_no_line() {
        let text = b"one\r\n\r\n\ntwo\rtwo\nthree four five\r\n\0six";
        let whole = lines(text, text.len(), 100);
        assert_eq!(whole.len(), 6);
        assert_eq!(whole[3], (3, b"two\rtwo".to_vec(), 0));
        assert_eq!(whole[5], (5, b"\0six".to_vec(), 0));
        for step in 1..text.len() {
            assert_eq!(lines(text, step, 100), whole, "step {step}");
        }
    }

    #[test]
    fn a_long_line_is_cut_and_counted_without_its_line_end() {
        for step in 1..20 {
            let found = lines(b"abcdef\r\nabc\r\nabcd\r\nabcdefgh", step, 3);
            let cuts: Vec<_> = found.iter().map(|(_, bytes, cut)| (bytes.as_slice(), *cut)).collect();
            assert_eq!(cuts, [(b"abc".as_slice(), 3), (b"abc", 0), (b"abc", 1), (b"abc", 5)], "step {step}");
        }
    }

    #[test]
    fn the_head_of_a_long_line_stays_within_the_limit() {
        let mut lines = Lines::new(Feed::Direct(Box::new(Drip(vec![b'x'; 3 << 20], 64 << 10, 0))));
        let Next::Line(line) = lines.next(1000, Instant::now()).unwrap() else { panic!("no line") };
        assert_eq!((line.bytes.len(), line.cut), (1000, (3 << 20) - 1000));
        assert!(lines.head.capacity() < 10_000);
    }
}
