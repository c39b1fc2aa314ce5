//! SipHash-1-3 of 128 bits, fed by short parts (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
//!
//! Parts are put together in a register. A hash of a buffer would read words from memory right after their bytes were
//! written there one by one, for which a processor waits longer than the hash takes.

use crate::domain::short;

/// The hash of what was fed so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SipHash {
    state: [u64; 4],
    /// Bytes that are no whole word yet, the first in the lowest place; all others are zero.
    word: u64,
    /// Bytes that were fed.
    len: u64,
}

impl SipHash {
    /// Of nothing, by this key.
    pub(super) fn new(key: [u8; 16]) -> Self {
        let key = u128::from_le_bytes(key);
        let (low, high) = (key as u64, (key >> 64) as u64);
        let state = [
            low ^ 0x736f_6d65_7073_6575,
            high ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            low ^ 0x6c79_6765_6e65_7261,
            high ^ 0x7465_6462_7974_6573,
        ];
        Self { state, word: 0, len: 0 }
    }

    /// Feeds eight bytes, the first in the lowest place.
    #[inline(always)]
    pub(super) fn word(&mut self, value: u64) {
        let bits = self.bits();
        self.mix(self.word | value << bits);
        // what had no room in it: nothing, where no byte waited
        self.word = value >> 1 >> (63 - bits);
        self.len += 8;
    }

    /// Feeds one byte.
    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        self.some(byte.into(), 1);
    }

    /// Feeds any bytes.
    #[inline(always)]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.word(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let value = match bytes.last_chunk() {
                Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
                None => short::number(rest),
            };
            self.some(value, rest.len() as u64);
        }
    }

    /// The hash.
    pub(super) fn finish(mut self) -> u128 {
        self.mix(self.len << 56 | self.word);
        self.state[2] ^= 0xee;
        (0..3).for_each(|_| self.round());
        let low = self.fold();
        self.state[1] ^= 0xdd;
        (0..3).for_each(|_| self.round());
        u128::from(self.fold()) << 64 | u128::from(low)
    }

    /// Feeds the lowest bytes of a value, one to seven of them; all others are zero.
    #[inline(always)]
    fn some(&mut self, value: u64, bytes: u64) {
        let (bits, word) = (self.bits(), self.word | value << self.bits());
        self.len += bytes;
        if bits + 8 * bytes < 64 {
            self.word = word;
        } else {
            self.mix(word);
            self.word = value >> 1 >> (63 - bits);
        }
    }

    /// Bits of the bytes that wait for a whole word.
    #[inline(always)]
    fn bits(&self) -> u64 {
        self.len % 8 * 8
    }

    #[inline(always)]
    fn mix(&mut self, word: u64) {
        self.state[3] ^= word;
        self.round();
        self.state[0] ^= word;
    }

    #[inline(always)]
    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.state;
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32);
        c = c.wrapping_add(b);
        a = a.wrapping_add(d);
        b = b.rotate_left(17) ^ c;
        d = d.rotate_left(21) ^ a;
        c = c.rotate_left(32);
        self.state = [a, b, c, d];
    }

    fn fold(&self) -> u64 {
        self.state.iter().fold(0, |all, part| all ^ part)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use proptest::prelude::*;
    use siphasher::sip128::{Hasher128, SipHasher13};

    use super::*;

    proptest! {
        /// Whatever the parts, the hash is that of a well-known implementation.
        #[test]
        fn parts_make_the_hash_of_their_bytes(
            key: [u8; 16],
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
        ) {
            let (mut hash, mut other) = (SipHash::new(key), SipHasher13::new_with_key(&key));
            for part in &parts {
                match part.as_slice() {
                    [byte] => hash.byte(*byte),
                    part if part.len() == 8 => hash.word(u64::from_le_bytes(part.try_into().unwrap())),
                    part => hash.bytes(part),
                }
                other.write(part);
                prop_assert_eq!(hash.finish(), other.finish128().as_u128());
            }
        }
    }
}
