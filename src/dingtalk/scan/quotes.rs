//! Where the quotes of a text are, by the marks that a [kernel](super::kernel) has made, and where backslashes may be.

/// Bytes of text that are looked at in one step, whatever the processor.
pub(super) const BLOCK: usize = 64;

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

/// Where backslashes are: before a place there are none, and behind it they are in some parts of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escapes {
    /// The beginning of the first block with any.
    from: u32,
    /// How long a part is, as a power of two.
    part: u32,
    /// The parts with any, one bit each.
    parts: u64,
}

impl Escapes {
    /// None yet, in a text of that many bytes: it has 64 parts at the most, of one block at the least.
    #[inline(always)]
    pub(super) fn none(bytes: usize) -> Self {
        let part = (usize::BITS - bytes.leading_zeros()).max(12) - 6;
        Self { from: u32::MAX, part, parts: 0 }
    }

    /// There are some in the block that begins at a place. Blocks come in their order.
    pub(super) fn add(&mut self, block: u32) {
        self.from = self.from.min(block);
        self.parts |= 1 << (block >> self.part);
    }

    /// Whether there are none.
    #[inline(always)]
    pub(super) fn is_empty(self) -> bool {
        self.parts == 0
    }

    /// Whether there may be any from one place to another: parts that lie there only a little count whole.
    #[inline(always)]
    pub(super) fn may_be_in(self, from: usize, to: usize) -> bool {
        to > self.from as usize
            && self.parts & (u64::MAX << (from >> self.part)) & (u64::MAX >> (63 - (to >> self.part))) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::{Kernel, room};
    use super::BLOCK;

    /// One backslash or two, in texts of fewer blocks than there are parts, and of more.
    #[test]
    fn where_a_backslash_is_there_may_be_one_and_far_from_it_there_is_none() {
        for bytes in [1, 63, 64, 65, 4095, 4096, 4097, 20_000] {
            let mut marks = vec![0; room(bytes)];
            for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_there()) {
                for (first, second) in [(5, 5), (0, 200), (700, 4031), (4032, 4100), (64, 4479), (127, 19_999)] {
                    let (first, second) = (first % bytes, second % bytes);
                    let mut text = vec![b'x'; bytes];
                    (text[first], text[second]) = (b'\\', b'\\');
                    let (.., escapes) = kernel.read(&text, &mut marks).unwrap();
                    let part = BLOCK.max(bytes.next_power_of_two() / 32);
                    for from in (0..bytes).step_by(if cfg!(miri) { 977 } else { 31 }) {
                        for to in [from, from + 1, from + 63, from + 64, from + 300].map(|to| to.min(bytes - 1)) {
                            let is_in = |from, to| [first, second].iter().any(|at| (from..to).contains(at));
                            let is_near = is_in(from.saturating_sub(part), to + part);
                            let may_be = escapes.may_be_in(from, to);
                            assert!(
                                may_be >= is_in(from, to) && may_be <= is_near,
                                "{kernel:?}: {first}, {second}: {from}..{to}"
                            );
                        }
                    }
                }
            }
        }
    }

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
