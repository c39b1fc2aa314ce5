//! JSON written by hand: fast, no tree in between. Knows nothing of events.

/// How values are spelt.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    /// Keys of the legacy API.
    pub(super) snake: bool,
    /// Numbers as strings.
    pub(super) quoted: bool,
    /// Everything beyond ASCII as `\uXXXX`.
    pub(super) escaped: bool,
}

/// A key in the newer and in the legacy casing.
pub(super) type Key = (&'static str, &'static str);

/// An object that is being written.
pub(super) struct Object<'b> {
    pub(super) out: &'b mut Vec<u8>,
    pub(super) style: Style,
    empty: bool,
}

impl<'b> Object<'b> {
    pub(super) fn open(out: &'b mut Vec<u8>, style: Style) -> Self {
        out.push(b'{');
        Self { out, style, empty: true }
    }

    pub(super) fn close(self) {
        self.out.push(b'}');
    }

    /// Writes a key; its value must follow.
    pub(super) fn key(&mut self, key: Key) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(if self.style.snake { key.1 } else { key.0 }.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(super) fn text(&mut self, key: Key, text: &str) {
        let escaped = self.style.escaped;
        string(self.key(key), text, escaped);
    }

    pub(super) fn number(&mut self, key: Key, number: i64) {
        let quoted = self.style.quoted;
        let out = self.key(key);
        if quoted {
            out.push(b'"');
        }
        integer(out, number);
        if quoted {
            out.push(b'"');
        }
    }

    /// Writes a value as it stands.
    pub(super) fn raw(&mut self, key: Key, value: &str) {
        self.key(key).extend_from_slice(value.as_bytes());
    }

    /// Writes an object inside.
    pub(super) fn object(&mut self, key: Key, write: impl FnOnce(&mut Object<'_>)) {
        let style = self.style;
        let mut inner = Object::open(self.key(key), style);
        write(&mut inner);
        inner.close();
    }
}

/// Writes a list, `count` times what `each` writes.
pub(super) fn list(out: &mut Vec<u8>, count: usize, mut each: impl FnMut(&mut Vec<u8>, usize)) {
    out.push(b'[');
    for at in 0..count {
        if at > 0 {
            out.push(b',');
        }
        each(out, at);
    }
    out.push(b']');
}

/// Writes an integer.
pub(super) fn integer(out: &mut Vec<u8>, number: i64) {
    let (mut digits, mut at, mut left) = ([0; 20], 20, number.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes a string (RFC 8259 section 7).
pub(super) fn string(out: &mut Vec<u8>, text: &str, escaped: bool) {
    out.push(b'"');
    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\' && !(escaped && *byte >= 0x80);
    if text.as_bytes().iter().all(plain) {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.chars().for_each(|symbol| character(out, symbol, escaped));
    }
    out.push(b'"');
}

fn character(out: &mut Vec<u8>, symbol: char, escaped: bool) {
    match symbol {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\u{0}'..='\u{1f}' => unit(out, symbol as u16),
        _ if escaped && !symbol.is_ascii() => symbol.encode_utf16(&mut [0; 2]).iter().for_each(|half| unit(out, *half)),
        _ => out.extend_from_slice(symbol.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

fn unit(out: &mut Vec<u8>, unit: u16) {
    out.extend_from_slice(b"\\u");
    out.extend([12, 8, 4, 0].map(|shift| b"0123456789abcdef"[usize::from(unit >> shift & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["", "plain", "a\"b\\c/d", "名單\n\t\u{1}\u{7f}", "𠮷野家 😀", "line\u{2028}"] {
            for escaped in [false, true] {
                let mut out = Vec::new();
                string(&mut out, text, escaped);
                assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
                assert!(!escaped || out.is_ascii());
            }
        }
        for number in [0, 7, -1, i64::MAX, i64::MIN, 24_870_551_923] {
            let mut out = Vec::new();
            integer(&mut out, number);
            assert_eq!(serde_json::from_slice::<i64>(&out).unwrap(), number);
        }
    }
}
