//! What an input is packed with, told by its first bytes; and the byte order mark that some editors leave.
//!
//! The name of a file decides nothing: archives lose their ending and gain it by mistake, often on the way through a
//! download that unpacks by itself.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::feed::{Bytes, CHUNK};

/// RFC 1952 section 2.3.1.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// RFC 8878 section 3.1.1.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// UTF-8 byte order mark.
const MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Takes off whatever the input is packed with, then a byte order mark.
pub(super) fn unpack(raw: Bytes) -> io::Result<Bytes> {
    let (head, whole) = peek(raw, &[GZIP, ZSTD])?;
    let plain: Bytes = if head.starts_with(GZIP) {
        // goes on to the next member where one ends (RFC 1952 section 2.2)
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, whole)))
    } else if head.starts_with(ZSTD) {
        // goes on to the next frame by itself
        Box::new(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(CHUNK, whole))?)
    } else {
        whole
    };
    without_mark(plain)
}

fn without_mark(plain: Bytes) -> io::Result<Bytes> {
    let (head, mut whole) = peek(plain, &[MARK])?;
    if head == MARK {
        whole.read_exact(&mut [0; MARK.len()])?;
    }
    Ok(whole)
}

/// Looks at the first bytes, no more of them than it takes to tell the signatures apart: a pipe that says `{` and then
/// nothing is not waited for.
fn peek(mut raw: Bytes, signatures: &[&[u8]]) -> io::Result<(Vec<u8>, Bytes)> {
    let mut head = Vec::new();
    while signatures.iter().any(|signature| signature.len() > head.len() && signature.starts_with(&head)) {
        let mut byte = [0];
        match raw.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((head.clone(), Box::new(Cursor::new(head).chain(raw))))
}

/// Counts the bytes that pass.
pub(super) struct Counted<R> {
    /// What is read.
    pub(super) inner: R,
    /// Bytes so far.
    pub(super) count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
