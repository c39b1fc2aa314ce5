//! An identifier, in the one form in which two spellings of it are equal.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::Text;
use crate::domain::short;

/// An identifier that DingTalk writes now as a number, now as a string. Digits without a leading zero that fit 64 bits are
/// a number either way, so `"24870551923"` equals `24870551923`; anything else is text.
#[derive(Clone, Debug)]
pub enum Id<'a> {
    /// Fits 64 bits and has no leading zero.
    Number(u64),
    /// Everything else.
    Text(Text<'a>),
}

impl<'a> Id<'a> {
    /// Canonical form of a text.
    #[inline(always)]
    pub fn from_text(text: Text<'a>) -> Self {
        if !text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            return Self::Text(text);
        }
        match canonical_number(&text) {
            Some(number) => Self::Number(number),
            None => Self::Text(text),
        }
    }

    /// A copy that outlives the batch.
    pub fn into_owned(self) -> Id<'static> {
        match self {
            Self::Number(number) => Id::Number(number),
            Self::Text(text) => Id::Text(Cow::Owned(text.into_owned())),
        }
    }
}

fn canonical_number(text: &str) -> Option<u64> {
    match text.as_bytes() {
        [b'0'] => Some(0),
        digits @ [b'1'..=b'9', ..] if digits.len() < 8 => few(digits),
        // 19 digits fit whatever they are
        digits @ [b'1'..=b'9', ..] if digits.len() < 20 => in_eights(digits),
        [b'1'..=b'9', ..] if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// The number that one digit to seven make.
#[inline]
fn few(digits: &[u8]) -> Option<u64> {
    // with zeros before them
    let room = 8 * (8 - digits.len());
    joined((short::number(digits) ^ ZEROS) << room)
}

/// Powers of ten by the number of digits.
const TENS: [u64; 8] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The number that eight digits or more make, eight at a time.
fn in_eights(digits: &[u8]) -> Option<u64> {
    let (words, rest) = digits.as_chunks::<8>();
    let whole = words.iter().try_fold(0, |number, word| Some(number * 100_000_000 + joined(values(*word))?))?;
    if rest.is_empty() {
        return Some(whole);
    }
    // the rest with digits before it that were read already, which must not count again
    let read = 8 * (8 - rest.len());
    let last = values(*digits.last_chunk::<8>()?) >> read << read;
    Some(whole * TENS[rest.len()] + joined(last)?)
}

/// Eight zeros as text.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Of eight digits, the first in the lowest byte: what each counts.
#[inline]
fn values(digits: [u8; 8]) -> u64 {
    u64::from_le_bytes(digits) ^ ZEROS
}

/// The number that eight digits make.
#[inline]
fn joined(values: u64) -> Option<u64> {
    // a byte above 9 gets its high bit set
    if (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

impl PartialEq for Id<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Number(_), Self::Text(_)) | (Self::Text(_), Self::Number(_)) => false,
        }
    }
}

impl Eq for Id<'_> {}

impl Hash for Id<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Number(number) => number.hash(state),
            Self::Text(text) => text.hash(state),
        }
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length, and every byte at every place: the digits are those that the standard parser reads.
    #[test]
    fn a_text_is_a_number_only_where_the_number_is_written_so() {
        let agree = |text: &str| {
            let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
            assert_eq!(canonical_number(text), number, "{text}");
        };
        for text in ["", "0", "00", "01", "+1", "-1", "1 ", "18446744073709551615", "18446744073709551616", "１２"] {
            agree(text);
        }
        for len in 1..22 {
            for start in ["1234567890123456789012", "9999999999999999999999", "1000000000000000000000"] {
                let digits = &start.as_bytes()[..len];
                for (place, byte) in (0..len).flat_map(|place| (0..=127).map(move |byte| (place, byte))) {
                    let mut text = digits.to_vec();
                    text[place] = byte;
                    agree(&String::from_utf8(text).unwrap());
                }
            }
        }
    }
}
