//! Short strings of bytes, compared and read without the call that comparing or copying memory is.

/// Whether two strings are the same.
#[inline(always)]
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        ..8 => number(one) == number(other),
        8..16 => have_same_ends::<8>(one, other),
        16..=32 => have_same_ends::<16>(one, other),
        33..=64 => have_same_ends::<32>(one, other),
        65.. => one == other,
    }
}

/// The number that at most seven bytes make, the first in the lowest place.
///
/// Of more bytes it says less than they do.
#[inline(always)]
pub fn number(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4) % 64);
    }
    let [Some(first), Some(middle), Some(last)] = [bytes.first(), bytes.get(len / 2), bytes.last()] else { return 0 };
    u64::from(*first) | u64::from(*middle) << (8 * (len / 2)) | u64::from(*last) << (8 * (len - 1))
}

/// Whether so many bytes at the beginning of two strings are the same, and as many at their end: which may have bytes in
/// common, so that there is no rest.
#[inline(always)]
fn have_same_ends<const BYTES: usize>(one: &[u8], other: &[u8]) -> bool {
    let begin = same(one.first_chunk::<BYTES>(), other.first_chunk());
    begin & same(one.last_chunk::<BYTES>(), other.last_chunk())
}

/// Of a number of bytes that is known before, which takes no call.
#[inline(always)]
fn same<const BYTES: usize>(one: Option<&[u8; BYTES]>, other: Option<&[u8; BYTES]>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_the_same_if_no_byte_differs() {
        let text: Vec<u8> = (1..=80).collect();
        for len in 0..text.len() {
            let (one, copy) = (&text[..len], text[..len].to_vec());
            assert!(is_same(one, &copy), "{len}");
            assert!(!is_same(one, &text[..=len]), "{len}");
            for at in 0..len {
                let mut other = one.to_vec();
                other[at] ^= 0x80;
                assert!(!is_same(one, &other), "{at} of {len}");
            }
        }
    }

    #[test]
    fn up_to_seven_bytes_are_a_number() {
        for len in 0..8 {
            let mut bytes: [u8; 8] = [0x81, 2, 0x83, 4, 0x85, 6, 0x87, 0];
            bytes[len..].fill(0);
            assert_eq!(number(&bytes[..len]), u64::from_le_bytes(bytes), "{len}");
        }
    }
}
