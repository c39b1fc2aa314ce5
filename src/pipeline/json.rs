//! JSON written by hand, for what is written of very many events: the bytes that `serde_json` would write.
//!
//! A key is given as it stands in the text, with what is before it: `b",\"kind\":"`.

use itoa::Integer;

use crate::domain::event::Id;

/// A free text.
#[inline]
pub(super) fn text<const KEY: usize>(out: &mut Vec<u8>, key: &[u8; KEY], text: &str) {
    out.extend_from_slice(key);
    string(out, text);
}

/// A free text that may be wanting.
#[inline]
pub(super) fn text_or_null<const KEY: usize>(out: &mut Vec<u8>, key: &[u8; KEY], value: Option<&str>) {
    match value {
        Some(value) => text(out, key, value),
        None => null(out, key),
    }
}

/// A name or code of a closed set: nothing in it needs an escape.
#[inline]
pub(super) fn word<const KEY: usize>(out: &mut Vec<u8>, key: &[u8; KEY], word: &(impl AsRef<[u8]> + ?Sized)) {
    out.extend_from_slice(key);
    quoted(out, word.as_ref());
}

/// Such a name that may be wanting.
#[inline]
pub(super) fn word_or_null<const KEY: usize>(
    out: &mut Vec<u8>,
    key: &[u8; KEY],
    value: Option<&(impl AsRef<[u8]> + ?Sized)>,
) {
    match value {
        Some(value) => word(out, key, value),
        None => null(out, key),
    }
}

/// Names of closed sets.
#[inline]
pub(super) fn words<const KEY: usize>(
    out: &mut Vec<u8>,
    key: &[u8; KEY],
    words: impl IntoIterator<Item = &'static str>,
) {
    out.extend_from_slice(key);
    list(out, words, |out, word| quoted(out, word.as_bytes()));
}

/// What `write` writes of each, with commas and brackets.
#[inline]
pub(super) fn list<T>(out: &mut Vec<u8>, all: impl IntoIterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
    let mut before = b'[';
    for one in all {
        out.push(before);
        write(out, one);
        before = b',';
    }
    out.extend_from_slice(if before == b'[' { b"[]" } else { b"]" });
}

/// A number.
#[inline]
pub(super) fn number<const KEY: usize>(out: &mut Vec<u8>, key: &[u8; KEY], number: impl Integer) {
    out.extend_from_slice(key);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A number that may be wanting.
#[inline]
pub(super) fn number_or_null<const KEY: usize>(out: &mut Vec<u8>, key: &[u8; KEY], value: Option<impl Integer>) {
    match value {
        Some(value) => number(out, key, value),
        None => null(out, key),
    }
}

/// A truth.
#[inline]
pub(super) fn flag<const KEY: usize>(out: &mut Vec<u8>, key: &[u8; KEY], flag: bool) {
    out.extend_from_slice(key);
    out.extend_from_slice(if flag { b"true" } else { b"false" });
}

/// An id, which is a text even where it is a number.
#[inline]
pub(super) fn id<const KEY: usize>(out: &mut Vec<u8>, key: &[u8; KEY], id: &Id<'_>) {
    match id {
        Id::Number(number) => word(out, key, itoa::Buffer::new().format(*number)),
        Id::Text(id) => text(out, key, id),
    }
}

/// Nothing.
#[inline]
pub(super) fn null<const KEY: usize>(out: &mut Vec<u8>, key: &[u8; KEY]) {
    out.extend_from_slice(key);
    out.extend_from_slice(b"null");
}

#[inline]
fn quoted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    out.extend_from_slice(bytes);
    out.push(b'"');
}

fn string(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        quoted(out, text.as_bytes());
    } else {
        escaped(out, text);
    }
}

#[cold]
fn escaped(out: &mut Vec<u8>, text: &str) {
    // a text always serialises, and a Vec takes all of it
    drop(serde_json::to_writer(out, text));
}

/// Whether no byte needs an escape; looks at eight in a step.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    if !words.iter().all(|word| is_plain_word(*word)) {
        return false;
    }
    match bytes.last_chunk::<8>() {
        // some of these were looked at already
        Some(last) => rest.is_empty() || is_plain_word(*last),
        None => rest.iter().all(|byte| *byte >= b' ' && !matches!(byte, b'"' | b'\\')),
    }
}

/// The high bit of a byte tells that one is to be escaped: below a space, a quotation mark or a backslash.
#[inline]
fn is_plain_word(word: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(word);
    // the lowest byte below the bound borrows and gets a high bit that it had not; those above it may get one from it
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, b' ') | is(b'"') | is(b'\\')) & (ONES << 7) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// Every character that could matter, at every place of texts around the lengths of a step, among neighbours that borrow.
    #[test]
    fn a_text_is_what_serde_would_write() {
        let ascii = (0..=127_u8).map(char::from);
        let chars: Vec<char> = ascii.chain(['\u{80}', '\u{a0}', 'é', '香', '\u{2028}', '\u{ffff}', '🛳']).collect();
        for (length, around) in
            (0..20).flat_map(|length| ['a', ' ', '!', '#', '[', ']', '\u{7f}', '港'].map(|c| (length, c)))
        {
            for (place, put) in (0..=length).flat_map(|place| chars.iter().map(move |put| (place, put))) {
                let mut text: Vec<char> = vec![around; length];
                text.insert(place, *put);
                let text: String = text.into_iter().collect();
                assert_eq!(written(|out| string(out, &text)), serde_json::to_string(&text).unwrap());
            }
        }
        assert_eq!(written(|out| string(out, "")), "\"\"");
    }

    #[test]
    fn numbers_and_lists_are_what_serde_would_write() {
        for number in [i64::MIN, -1, 0, 9, 10, 99, 100, i64::MAX] {
            assert_eq!(written(|out| super::number(out, b"", number)), number.to_string());
        }
        assert_eq!(written(|out| number(out, b"", u64::MAX)), u64::MAX.to_string());
        for names in [&[][..], &["one"], &["one", "two", "three"]] {
            let list = written(|out| words(out, b"", names.iter().copied()));
            assert_eq!(list, serde_json::to_string(names).unwrap());
        }
    }
}
