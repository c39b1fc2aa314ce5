//! Walks over JSON from token to token, by the marks of the quotes.
//!
//! Accepts only what is certain to be JSON as `serde_json` takes it; everything else, faults and rarities alike, is
//! [`Slow`], and the ordinary reader decides about it. Never reads past the text, never allocates.

mod skip;

use super::key::{Digest, Key, Keys};
use super::quotes::{Escapes, Quotes};
use super::text::{TENS, are_sound, digits};

/// Not certain: the ordinary reader decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slow;

/// A result that is certain, or none.
pub(super) type Sure<T> = Result<T, Slow>;

/// Digits of a number that fit 64 bits whatever they are.
const MOST_DIGITS: usize = 19;

/// A value, as far as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// What is between the quotes.
    Text(Span),
    Number(u64),
    Null,
    False,
    True,
    /// Stands at the opening bracket; nothing of it was read.
    Object,
    Array,
}

/// A part of the text, as one number: to be handed on in a register. Parts are below 2 GB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span(u64);

impl Span {
    /// Nothing.
    pub(super) const EMPTY: Self = Self(0);

    /// Has a backslash inside.
    const ESCAPED: u64 = 1 << 63;

    #[inline(always)]
    pub(super) fn new(from: u32, to: u32) -> Self {
        Self(u64::from(from) << 32 | u64::from(to))
    }

    #[inline(always)]
    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline(always)]
    pub(super) fn bits(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(super) fn from(self) -> usize {
        (self.0 >> 32 & 0x7fff_ffff) as usize
    }

    #[inline(always)]
    pub(super) fn to(self) -> usize {
        self.0 as u32 as usize
    }

    #[inline(always)]
    pub(super) fn is_empty(self) -> bool {
        self.from() == self.to()
    }

    #[inline(always)]
    pub(super) fn is_escaped(self) -> bool {
        self.0 & Self::ESCAPED != 0
    }

    #[inline(always)]
    pub(super) fn of(self, text: &str) -> Sure<&str> {
        // in two steps, each of which is inlined
        text.get(..self.to()).and_then(|text| text.get(self.from()..)).ok_or(Slow)
    }
}

/// A text with what is known of it before it is read.
pub(super) struct Source<'t, 's> {
    pub(super) text: &'t str,
    pub(super) quotes: Quotes<'s>,
    /// Where strings may have escapes.
    pub(super) escapes: Escapes,
    pub(super) keys: &'static Keys,
}

/// A place in a text. Copying it marks the place: it is small, since what is copied right after it was written is waited
/// for.
#[derive(Clone, Copy)]
pub(super) struct Reader<'t, 's> {
    pub(super) source: &'s Source<'t, 's>,
    /// The next byte.
    at: usize,
}

impl<'t, 's> Reader<'t, 's> {
    /// At the beginning of a text.
    #[inline(always)]
    pub(super) fn new(source: &'s Source<'t, 's>) -> Self {
        let mut reader = Self { source, at: 0 };
        reader.sign();
        reader
    }

    /// The byte at hand; 0 at the end.
    #[inline(always)]
    pub(super) fn byte(&self) -> u8 {
        self.source.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Whether nothing but space is left.
    pub(super) fn is_done(self) -> bool {
        behind_space(self.source.text, self.at) == self.source.text.len()
    }

    /// What is not read yet begins here.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Reads on by a function of its own. The function is given a copy, so that a reader that nobody else ever holds can
    /// be kept in registers.
    #[inline(always)]
    pub(super) fn apart<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let mut copy = *self;
        let result = read(&mut copy);
        self.at = copy.at;
        result
    }

    /// The byte at hand, or the first behind space.
    #[inline(always)]
    fn sign(&mut self) -> u8 {
        let byte = self.byte();
        if byte > b' ' {
            return byte;
        }
        self.at = behind_space(self.source.text, self.at);
        self.byte()
    }

    /// Steps into an object or array; whether there is anything in it.
    #[inline(always)]
    pub(super) fn enter(&mut self, close: u8) -> bool {
        self.at += 1;
        if self.sign() == close {
            self.at += 1;
            return false;
        }
        true
    }

    /// Behind a member or element: whether another follows, at which it stands then.
    #[inline(always)]
    pub(super) fn more(&mut self, close: u8) -> Sure<bool> {
        let sign = self.sign();
        self.at += 1;
        if sign == b',' {
            self.sign();
            return Ok(true);
        }
        if sign == close { Ok(false) } else { Err(Slow) }
    }

    /// The string at hand.
    #[inline(always)]
    fn string(&mut self) -> Sure<Span> {
        let to = self.source.quotes.both(self.at).ok_or(Slow)?;
        let from = self.at + 1;
        self.at = to + 1;
        self.checked(from, to)
    }

    /// What is between two quotes, if its escapes are sound.
    #[inline(always)]
    fn checked(&self, from: usize, to: usize) -> Sure<Span> {
        let span = Span::new(from as u32, to as u32);
        if self.source.escapes.may_be_in(from, to) { escaped(self.source.text, span) } else { Ok(span) }
    }

    /// The string whose opening quote was passed; stands at its closing quote then.
    #[inline(always)]
    pub(super) fn behind_quote(&mut self) -> Sure<Span> {
        let (from, to) = (self.at, self.source.quotes.next(self.at).ok_or(Slow)?);
        self.at = to;
        self.checked(from, to)
    }

    /// Goes on at a place that is known to be between two tokens, or behind a quote.
    #[inline(always)]
    pub(super) fn go(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether no string has escapes.
    pub(super) fn is_plain(&self) -> bool {
        self.source.escapes.is_empty()
    }

    /// What a string with escapes stands for.
    pub(super) fn unescape(&self, span: Span) -> Sure<String> {
        unescape(self.source.text, span)
    }

    /// The key at hand and the colon behind it. A key that is not listed is worked out into `rare`.
    #[inline(always)]
    pub(super) fn key<'k>(&mut self, rare: &'k mut Key) -> Sure<&'k Key> {
        let span = self.string()?;
        if self.sign() != b':' {
            return Err(Slow);
        }
        self.at += 1;
        self.sign();
        let digest = Digest::at(self.source.text.as_bytes(), span.from(), span.to());
        match digest.and_then(|digest| self.source.keys.find(digest)) {
            Some(key) => Ok(key),
            None if span.is_escaped() => Err(Slow),
            None => other_key(self.source.text, span, rare),
        }
    }

    /// The value at hand; of an object or array only which it is.
    #[inline(always)]
    pub(super) fn token(&mut self) -> Sure<Token> {
        match self.byte() {
            b'"' => self.string().map(Token::Text),
            b'0'..=b'9' => self.number().map(Token::Number),
            b'{' => Ok(Token::Object),
            b'[' => Ok(Token::Array),
            _ => self.literal(),
        }
    }

    #[inline(always)]
    fn literal(&mut self) -> Sure<Token> {
        let (token, len) = literal(self.source.text, self.at)?;
        self.at += len;
        Ok(token)
    }

    /// A whole number without sign.
    #[inline(always)]
    pub(super) fn number(&mut self) -> Sure<u64> {
        let from = self.at;
        let mut number = 0u64;
        loop {
            let (value, count) = digits(self.source.text.as_bytes(), self.at);
            // wraps only beyond the most digits, which is seen below
            number = TENS[count].wrapping_mul(number).wrapping_add(value);
            self.at += count;
            if count < 8 {
                break;
            }
            if self.at - from > MOST_DIGITS {
                return Err(Slow);
            }
        }
        let count = self.at - from;
        let zero = count > 1 && self.source.text.as_bytes().get(from) == Some(&b'0');
        if zero || count > MOST_DIGITS || matches!(self.byte(), b'.' | b'e' | b'E') {
            return Err(Slow);
        }
        Ok(number)
    }
}

// What follows is apart from the reader, which could otherwise not stay in registers.

#[cold]
fn behind_space(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count()
}

/// A string that may have escapes: sound if the ordinary reader takes it.
#[cold]
fn escaped(text: &str, span: Span) -> Sure<Span> {
    let inside = text.as_bytes().get(span.from()..span.to()).ok_or(Slow)?;
    match memchr::memchr(b'\\', inside).map(|at| inside.split_at(at)) {
        None => Ok(span),
        Some((_, escapes)) if are_sound(escapes) => Ok(Span(span.0 | Span::ESCAPED)),
        Some(_) => Err(Slow),
    }
}

fn unescape(text: &str, span: Span) -> Sure<String> {
    let quoted = text.get(span.from() - 1..span.to() + 1).ok_or(Slow)?;
    serde_json::from_str(quoted).map_err(|_| Slow)
}

#[cold]
fn other_key<'k>(text: &str, span: Span, rare: &'k mut Key) -> Sure<&'k Key> {
    *rare = Key::of(span.of(text)?);
    Ok(rare)
}

/// `null`, `true` or `false` at a place, and its length.
#[cold]
fn literal(text: &str, at: usize) -> Sure<(Token, usize)> {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let (word, token): (&[u8], _) = match rest.first() {
        Some(b'n') => (b"null", Token::Null),
        Some(b't') => (b"true", Token::True),
        Some(b'f') => (b"false", Token::False),
        Some(_) | None => return Err(Slow),
    };
    if rest.starts_with(word) { Ok((token, word.len())) } else { Err(Slow) }
}
