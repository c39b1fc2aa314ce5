//! What stands in a text, apart from the reader, which could otherwise not stay in registers: digits and escapes.

/// Powers of ten by the number of digits.
pub(super) const TENS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Bytes that are looked at for a short number.
pub(super) const SHORT: usize = 16;

/// The number that up to eight digits at a place make, and how many they are.
#[inline(always)]
pub(super) fn digits(text: &[u8], at: usize) -> (u64, usize) {
    match text.get(at..at + 8).and_then(<[u8]>::first_chunk) {
        Some(word) => eight(u64::from_le_bytes(*word)),
        None => last_digits(text, at),
    }
}

/// As [`digits`], near the end of the text.
#[cold]
fn last_digits(text: &[u8], at: usize) -> (u64, usize) {
    let mut word = [0; 8];
    let rest = text.get(at..).unwrap_or_default();
    let count = rest.len().min(8);
    word[..count].copy_from_slice(&rest[..count]);
    eight(u64::from_le_bytes(word))
}

/// The number of at most fifteen digits that a text begins with, and how many they are. `None`: there are none, or more, or
/// zeros before them. What stands behind them is not asked.
#[inline(always)]
pub(super) fn short_number(text: &[u8; SHORT]) -> Option<(u64, usize)> {
    // most codes have one digit
    let digit = text[0].wrapping_sub(b'0');
    if !text[1].is_ascii_digit() {
        return (digit < 10).then_some((u64::from(digit), 1));
    }
    let [first, second] = [text.first_chunk::<8>()?, text[8..].first_chunk::<8>()?];
    let (mut number, mut count) = eight(u64::from_le_bytes(*first));
    if count == 8 {
        let (value, more) = eight(u64::from_le_bytes(*second));
        (number, count) = (TENS[more].wrapping_mul(number).wrapping_add(value), count + more);
    }
    let leads = digit == 0;
    if count == 0 || count == SHORT || leads {
        return None;
    }
    Some((number, count))
}

#[inline(always)]
fn eight(word: u64) -> (u64, usize) {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let values = word ^ ZEROS;
    // a byte above 9 gets its high bit set
    let others =
        ((values & 0x7f7f_7f7f_7f7f_7f7f).wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() as usize / 8;
    if count == 0 {
        return (0, 0);
    }
    // the first digit into the highest place it has, zeros before it
    let values = values << (64 - 8 * count);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    (number, count)
}

/// Whether what begins with a backslash has sound escapes only: a halved surrogate is none (RFC 8259 §7, §8.2).
pub(super) fn are_sound(mut text: &[u8]) -> bool {
    while let [b'\\', rest @ ..] = text {
        let len = match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 1,
            [b'u', rest @ ..] => match unit(rest) {
                Some(0xd800..0xdc00) => match rest {
                    [_, _, _, _, b'\\', b'u', low @ ..] if matches!(unit(low), Some(0xdc00..0xe000)) => 11,
                    _ => return false,
                },
                Some(0xdc00..0xe000) | None => return false,
                Some(_) => 5,
            },
            _ => return false,
        };
        text = &rest[len..];
        let Some(next) = memchr::memchr(b'\\', text) else { return true };
        text = &text[next..];
    }
    true
}

/// The number that four hexadecimal digits make.
fn unit(text: &[u8]) -> Option<u32> {
    let digits: &[u8; 4] = text.first_chunk()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_and_read() {
        for text in
            ["", "x", "7", "42,", "1234567}", "12345678", "123456789", "00012", "9x999999", "99999999", "0", "/1", ":1"]
        {
            let count = text.bytes().take_while(u8::is_ascii_digit).count().min(8);
            let number = text.get(..count).and_then(|text| text.parse().ok()).unwrap_or(0);
            assert_eq!(digits(text.as_bytes(), 0), (number, count), "{text}");
            let longer = format!("{text}                ");
            assert_eq!(digits(longer.as_bytes(), 0), (number, count), "{text}");
        }
    }

    #[test]
    fn a_short_number_has_at_most_fifteen_digits() {
        for len in 1..SHORT {
            for digits in ["1795392001456789", "9999999999999999", "1000000000000000"] {
                let digits = digits.get(..len).unwrap();
                let number = Some((digits.parse().unwrap(), len));
                for behind in [",", "}", " ", "/", ":", "\u{e9}"] {
                    let text = format!("{digits}{behind}9999999999999999");
                    assert_eq!(short_number(text.as_bytes().first_chunk().unwrap()), number, "{text}");
                }
            }
        }
        for none in ["0000,", "01,", "-1,", ",", "1234567890123456", "a"] {
            let text = format!("{none}                ");
            assert_eq!(short_number(text.as_bytes().first_chunk().unwrap()), None, "{none}");
        }
        let zero = short_number(b"0,              ");
        assert_eq!(zero, Some((0, 1)));
    }
}
