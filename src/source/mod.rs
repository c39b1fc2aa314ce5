//! Where batches come from: files and standard input ([`replay`]), and synthetic traffic ([`generate`]).
//!
//! A source hands over bytes and positions. It never looks into a message, never judges, and never forgets a position on
//! its own account: how far it got is told by the evidence at the next start.

use sha2::{Digest, Sha256};

use crate::domain::hex::hex;

pub mod generate;
pub mod kafka;
pub mod letters;
pub mod replay;

/// First `digits` hex digits of the SHA-256 of `bytes`; at most 64.
fn digest(bytes: &[u8], digits: usize) -> String {
    let mut digest = hex(&Sha256::digest(bytes));
    digest.truncate(digits);
    digest
}

/// Digits of the digest that tells whether a message is still the one that was recorded.
const MESSAGE_DIGITS: usize = 16;

/// Where reading goes on: below `next` everything is recorded, and the message before it had this digest.
#[derive(Clone, Debug)]
struct Mark {
    next: u64,
    last_digest: String,
}

impl Mark {
    /// Whether the message at `offset` is the last recorded one but is not what it was then.
    fn is_broken_by(&self, offset: u64, payload: &[u8]) -> bool {
        offset + 1 == self.next && digest(payload, MESSAGE_DIGITS) != self.last_digest
    }
}
