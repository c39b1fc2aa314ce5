//! Digests as text.

/// Lower-case hex of bytes, two digits each.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
    let mut hex = vec![0; 2 * bytes.len()];
    for (pair, byte) in hex.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(*byte)];
    }
    // digits are ASCII
    String::from_utf8(hex).unwrap_or_default()
}
