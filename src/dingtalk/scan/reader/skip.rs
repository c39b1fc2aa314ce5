//! Passing over values that nobody reads, with every check that reading them would make.

use super::{MOST_DIGITS, Reader, Slow, Sure};
use crate::dingtalk::scan::text::digits;

/// Levels of nesting below an object that are passed over.
const DEEPEST: u32 = 16;

impl Reader<'_, '_> {
    /// Passes over the value at hand.
    #[inline(always)]
    pub(in crate::dingtalk::scan) fn skip(&mut self) -> Sure<()> {
        match self.byte() {
            b'"' => self.string().map(|_| ()),
            b'{' | b'[' => self.apart(Self::skip_nested),
            b'0'..=b'9' | b'-' => self.apart(Self::skip_number),
            _ => self.literal().map(|_| ()),
        }
    }

    /// A number with a point is passed over if it is short; one with an exponent may be out of range.
    fn skip_number(&mut self) -> Sure<()> {
        self.at += usize::from(self.byte() == b'-');
        let whole = self.skip_digits();
        let zero = whole > 1 && self.source.text.as_bytes().get(self.at - whole) == Some(&b'0');
        if whole == 0 || whole > MOST_DIGITS || zero {
            return Err(Slow);
        }
        if self.byte() == b'.' {
            self.at += 1;
            let fraction = self.skip_digits();
            if fraction == 0 || fraction > MOST_DIGITS {
                return Err(Slow);
            }
        }
        if matches!(self.byte(), b'e' | b'E') { Err(Slow) } else { Ok(()) }
    }

    fn skip_digits(&mut self) -> usize {
        let from = self.at;
        loop {
            let count = digits(self.source.text.as_bytes(), self.at).1;
            self.at += count;
            if count < 8 {
                return self.at - from;
            }
        }
    }

    /// Passes over an object or array.
    fn skip_nested(&mut self) -> Sure<()> {
        // one bit a level, the innermost lowest: whether it is an object
        let (mut kinds, mut depth) = (0u32, 0);
        loop {
            // at a value
            match self.byte() {
                open @ (b'{' | b'[') => {
                    let object = open == b'{';
                    if depth == DEEPEST {
                        return Err(Slow);
                    }
                    (kinds, depth) = (kinds << 1 | u32::from(object), depth + 1);
                    if self.enter(if object { b'}' } else { b']' }) {
                        if object {
                            self.name()?;
                        }
                        continue;
                    }
                    (kinds, depth) = (kinds >> 1, depth - 1);
                }
                _ => self.skip_flat()?,
            }
            // behind a value
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let object = kinds & 1 == 1;
                if self.more(if object { b'}' } else { b']' })? {
                    if object {
                        self.name()?;
                    }
                    break;
                }
                (kinds, depth) = (kinds >> 1, depth - 1);
            }
        }
    }

    fn skip_flat(&mut self) -> Sure<()> {
        match self.byte() {
            b'"' => self.string().map(|_| ()),
            b'0'..=b'9' | b'-' => self.skip_number(),
            _ => self.literal().map(|_| ()),
        }
    }

    /// The key at hand and the colon behind it, whatever the key says.
    fn name(&mut self) -> Sure<()> {
        self.string()?;
        if self.sign() != b':' {
            return Err(Slow);
        }
        self.at += 1;
        self.sign();
        Ok(())
    }
}
