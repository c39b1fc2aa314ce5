//! Digests as text.

/// Lower-case hex of bytes, two digits each.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
    let mut hex = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        hex.extend_from_slice(&[digit(byte >> 4), digit(*byte)]);
    }
    // digits are ASCII
    String::from_utf8(hex).unwrap_or_default()
}
