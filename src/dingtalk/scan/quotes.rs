//! Where the quotes of a text are, by the marks that a [kernel](super::kernel) has made, and where backslashes may be.

/// Bytes of marks that are looked at together.
pub(super) const WORD: usize = 8;

/// The quotes of a text, one bit for each byte of it, the first in the lowest bit of the first byte.
#[derive(Clone, Copy)]
pub(super) struct Quotes<'s> {
    marks: &'s [u8],
}

impl<'s> Quotes<'s> {
    pub(super) fn new(marks: &'s [u8]) -> Self {
        Self { marks }
    }

    /// Whether a quote is at a place, and where the next one behind it is.
    #[inline(always)]
    pub(super) fn both(self, at: usize) -> Option<usize> {
        let word = self.word(at)?;
        let behind = word & !1;
        if word & 1 == 0 {
            return None;
        }
        if behind == 0 { self.far(at) } else { Some(at + behind.trailing_zeros() as usize) }
    }

    /// The first quote at a place or behind it.
    #[inline(always)]
    pub(super) fn next(self, at: usize) -> Option<usize> {
        let word = self.word(at)?;
        if word == 0 { self.far(at) } else { Some(at + word.trailing_zeros() as usize) }
    }

    /// Marks from a place on: of 57 bytes at the least.
    #[inline(always)]
    fn word(self, at: usize) -> Option<u64> {
        let word = self.marks.get(at / 8..at / 8 + WORD)?.first_chunk()?;
        Some(u64::from_le_bytes(*word) >> (at % 8))
    }

    /// The first quote behind those that [`Self::word`] has looked at. The last word is there for this: it marks nothing.
    #[inline(always)]
    fn far(self, at: usize) -> Option<usize> {
        let mut from = at / 8 + WORD;
        loop {
            let word = u64::from_le_bytes(*self.marks.get(from..from + WORD)?.first_chunk()?);
            if word != 0 {
                return Some(from * 8 + word.trailing_zeros() as usize);
            }
            from += WORD;
        }
    }
}

/// Backslashes are from one place to another, both rounded outwards to whole blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escapes {
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Escapes {
    pub(super) const NONE: Self = Self { from: u32::MAX, to: 0 };
}

#[cfg(test)]
mod tests {
    use super::super::kernel::{Kernel, room};

    /// Looked for from every place, in texts shorter and shorter: the marks of the one before must be gone.
    #[test]
    fn quotes_are_found_from_wherever_they_are_looked_for() {
        let whole = [&b"x"[..]; 63].concat();
        let whole = [&whole, &b"\"\"yy\""[..], &whole, &whole, b"\"", &whole, b"\"z\""].concat();
        let mut marks = vec![0xff; room(whole.len() + 1)];
        let find = |text: &[u8], at: usize| text.iter().skip(at).position(|byte| *byte == b'"').map(|found| at + found);
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_there()) {
            for to in (0..=whole.len()).rev().step_by(if cfg!(miri) { 67 } else { 1 }) {
                let text = &whole[..to];
                let (_, quotes, _) = kernel.read(text, &mut marks).unwrap();
                for at in 0..=to {
                    assert_eq!(quotes.next(at), find(text, at), "{kernel:?}: from {at} of {to}");
                    let both = find(text, at).filter(|found| *found == at).and_then(|_| find(text, at + 1));
                    assert_eq!(quotes.both(at), both, "{kernel:?}: at {at} of {to}");
                }
            }
        }
    }
}
