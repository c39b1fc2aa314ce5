//! Digests as text.

use compact_str::CompactString;

/// Lower-case hex of bytes, two digits each.
pub fn hex(bytes: &[u8]) -> String {
    let mut hex = vec![0; 2 * bytes.len()];
    fill(&mut hex, bytes);
    // digits are ASCII
    String::from_utf8(hex).unwrap_or_default()
}

/// So many digits of the hex of bytes, which take no memory of their own.
pub fn digits<const DIGITS: usize>(bytes: &[u8]) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    fill(&mut digits, bytes);
    digits
}

/// An id: the first 24 digits of a digest. As short as that, it takes no memory of its own.
pub fn id(digest: &[u8]) -> CompactString {
    // digits are ASCII
    CompactString::from_utf8(digits::<24>(digest)).unwrap_or_default()
}

fn fill(digits: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(*byte)];
    }
}
