//! Walks over one line of compact JSON, as records are written: builds nothing, copies nothing, reads each byte once. It
//! accepts less than JSON allows (no white space, no escapes in the names of members, a bound on depth) and nothing that
//! JSON does not; what it does not accept goes the ordinary way, through `serde_json`.

/// Deeper than any record.
const DEEPEST: u8 = 32;

/// A text and how far it was walked over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Walk<'t> {
    /// Stands before the first byte.
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte; it stays.
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes this byte, if it is the next.
    pub(super) fn pass(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Whether nothing is left.
    pub(super) fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    /// Passes the value that is next, and gives its text.
    pub(super) fn value(&mut self) -> Option<&'t str> {
        let from = self.at;
        self.any(DEEPEST)?;
        self.text.get(from..self.at)
    }

    /// Each member of the object that is next: its name and the walk before its value, which the caller passes.
    pub(super) fn members(&mut self, each: &mut dyn FnMut(&'t str, &mut Self) -> Option<()>) -> Option<()> {
        self.pass(b'{').then_some(())?;
        if self.pass(b'}') {
            return Some(());
        }
        loop {
            let name = self.name()?;
            each(name, self)?;
            if self.pass(b'}') {
                return Some(());
            }
            self.pass(b',').then_some(())?;
        }
    }

    /// The elements of the array that is next: the walk before each, which the caller passes.
    pub(super) fn elements(&mut self, each: &mut dyn FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.pass(b'[').then_some(())?;
        if self.pass(b']') {
            return Some(());
        }
        loop {
            each(self)?;
            if self.pass(b']') {
                return Some(());
            }
            self.pass(b',').then_some(())?;
        }
    }

    /// A member's name, without escapes, and the colon.
    fn name(&mut self) -> Option<&'t str> {
        let from = self.at + 1;
        let has_escapes = self.string()?;
        let name = self.text.get(from..self.at - 1)?;
        (!has_escapes && self.pass(b':')).then_some(name)
    }

    fn any(&mut self, depth: u8) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => self.nested(depth, b'{', b'}'),
            b'[' => self.nested(depth, b'[', b']'),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn nested(&mut self, depth: u8, open: u8, close: u8) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.pass(open).then_some(())?;
        if self.pass(close) {
            return Some(());
        }
        loop {
            if open == b'{' {
                self.name()?;
            }
            self.any(depth)?;
            if self.pass(close) {
                return Some(());
            }
            self.pass(b',').then_some(())?;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(())
    }

    /// Passes a string; whether it has escapes.
    fn string(&mut self) -> Option<bool> {
        self.pass(b'"').then_some(())?;
        let mut has_escapes = false;
        loop {
            self.at += stop(self.text.as_bytes().get(self.at..)?)?;
            match self.peek()? {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
            has_escapes = true;
        }
        self.at += 1;
        Some(has_escapes)
    }

    fn escape(&mut self) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at + 1..)?;
        let length = match rest.first()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if rest.get(1..5)?.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return None,
        };
        self.at += length;
        Some(())
    }

    /// A number by JSON's grammar.
    fn number(&mut self) -> Option<()> {
        self.pass(b'-');
        if !self.pass(b'0') {
            self.digits()?;
        }
        if self.pass(b'.') {
            self.digits()?;
        }
        if self.pass(b'e') || self.pass(b'E') {
            let _signed = self.pass(b'+') || self.pass(b'-');
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }
}

/// Where the first byte is that ends a string or must not stand in one as it is. Eight bytes in a step: a byte's highest bit
/// is set where it is one of them, of several the lowest is right.
fn stop(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let ends = zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (ends | controls) & HIGHS;
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
    Some(bytes.len() - rest.len() + at)
}

/// The text between the quotes; `None` for what is no string or has escapes.
pub(super) fn plain(value: &str) -> Option<&str> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains('\\')).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_whole(text: &str) -> bool {
        let mut walk = Walk::new(text);
        walk.value() == Some(text) && walk.is_done()
    }

    fn values() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::btree_map("[a-z. ]{0,6}", inner, 0..6)
                    .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_compactly_is_walked_over(value in values()) {
            prop_assert!(is_whole(&value.to_string()));
        }

        #[test]
        fn nothing_is_accepted_that_is_no_json(value in values(), at in any::<prop::sample::Index>(), byte in 0u8..0x80) {
            let mut bytes = value.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
                prop_assert!(is_json || !is_whole(text), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_first_byte_that_stops_is_found_whatever_is_around_it(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let plain = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            prop_assert_eq!(stop(&bytes), plain);
        }

        #[test]
        fn the_same_where_few_bytes_stop(bytes in "[ -~é\u{80}\u{ff}\u{100}文]{0,40}[\"\\\\\n]?.{0,9}") {
            let plain = bytes.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            prop_assert_eq!(stop(bytes.as_bytes()), plain);
        }
    }

    #[test]
    fn the_grammar_of_numbers_words_and_escapes() {
        for good in [
            "0",
            "-0",
            "10",
            "1.5",
            "1e5",
            "1E+5",
            "-1.25e-3",
            "true",
            "null",
            r#""\u00e9\"""#,
            "[[],{}]",
            r#"{"a":[1]}"#,
        ] {
            assert!(is_whole(good), "{good}");
        }
        for bad in [
            "",
            "-",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "tru",
            "nulls",
            "\"",
            "\"\u{1}\"",
            r#""\x""#,
            r#""\u00g0""#,
            "[1,]",
            "[1 ]",
            "{,}",
            r#"{"a":}"#,
            r#"{"a"}"#,
            r#"{"a":1,}"#,
            r#"{1:2}"#,
            "[}",
            r#"{"\n":1}"#,
        ] {
            assert!(!is_whole(bad), "{bad}");
        }
        let deep = |n| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(is_whole(&deep(32)) && !is_whole(&deep(33)));
    }
}
