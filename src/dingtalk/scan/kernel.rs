//! Where the quotes of a text are: the one loop over all bytes of a message, in the widest steps that the processor has.
//!
//! Looks at 64 bytes at a time, whatever the processor, and marks every quote that no backslash escapes by a bit. Refuses
//! what is not UTF-8, and control characters inside strings (RFC 8259 §7). Knows nothing else of JSON.
//!
//! With `x86` the only module of the decoder with `unsafe`: to load a block, to call what was compiled for a processor that
//! was found to be there, and to call UTF-8 what was found to be. Blocks are arrays of 64 bytes, so that the compiler holds
//! the bounds; the last block of a text is copied into one of its own and nothing is read beyond the text.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod x86;

use super::quotes::{BLOCK, Escapes, Quotes, WORD};

/// Something to be done by what the processor has: everything that it calls must be inlined into it.
pub(super) trait Task {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run(self) -> Self::Output;
}

/// How blocks are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kernel {
    /// Eight bytes at a time in a plain register; on any processor.
    Portable,
    /// 16 bytes; any x86-64.
    Sse2,
    /// 32 bytes.
    Avx2,
    /// 64 bytes; AVX-512 with BW.
    Avx512,
}

impl Kernel {
    /// All kernels, the slowest first.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Sse2, Self::Avx2, Self::Avx512];

    /// The fastest that this processor has.
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|kernel| kernel.is_there()).unwrap_or(Self::Portable)
    }

    /// Whether this processor has it.
    #[cfg(target_arch = "x86_64")]
    pub fn is_there(self) -> bool {
        // every feature that the functions below are compiled for
        let avx2 =
            || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
        match self {
            Self::Portable | Self::Sse2 => true,
            Self::Avx2 => avx2(),
            Self::Avx512 => avx2() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"),
        }
    }

    /// Whether this processor has it.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_there(self) -> bool {
        self == Self::Portable
    }

    /// The text that `bytes` are, its quotes, which are marked in `marks`, and where backslashes are. `None`: it is not UTF-8,
    /// there is a control character inside a string, or `marks` is too short; [`room`] says how long it must be.
    #[inline(always)]
    pub(super) fn read<'t, 's>(self, bytes: &'t [u8], marks: &'s mut [u8]) -> Option<(&'t str, Quotes<'s>, Escapes)> {
        let marks = marks.get_mut(..room(bytes.len()))?;
        let mut escapes = Escapes::none(bytes.len());
        let text = self.mark(bytes, marks, &mut escapes)?;
        Some((text, Quotes::new(marks), escapes))
    }

    /// Does something as compiled for AVX2, if the kernel is that or above it.
    #[inline(always)]
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        #[cfg(target_arch = "x86_64")]
        if self >= Self::Avx2 {
            // SAFETY: a decoder only ever has a kernel that is there (`Decoder::with_kernel`).
            return unsafe { x86::run_avx2(task) };
        }
        task.run()
    }

    fn mark<'t>(self, bytes: &'t [u8], marks: &mut [u8], escapes: &mut Escapes) -> Option<&'t str> {
        debug_assert!(self.is_there());
        #[cfg(target_arch = "x86_64")]
        let marked = match self {
            Self::Portable | Self::Sse2 => None,
            // SAFETY: a decoder only ever has a kernel that is there (`Decoder::with_kernel`).
            Self::Avx2 => Some(unsafe { x86::avx2(bytes, marks, escapes) }?),
            // SAFETY: as above.
            Self::Avx512 => Some(unsafe { x86::avx512(bytes, marks, escapes) }?),
        };
        #[cfg(not(target_arch = "x86_64"))]
        let marked = None;
        match marked {
            Some(()) => {
                debug_assert!(std::str::from_utf8(bytes).is_ok(), "taken for UTF-8");
                // SAFETY: what saw all of it refuses what is not UTF-8.
                Some(unsafe { std::str::from_utf8_unchecked(bytes) })
            }
            None => {
                let text = simdutf8::basic::from_utf8(bytes).ok()?;
                self.mark_text(bytes, marks, escapes)?;
                Some(text)
            }
        }
    }

    /// The same of a text that is known to be UTF-8.
    fn mark_text(self, text: &[u8], marks: &mut [u8], escapes: &mut Escapes) -> Option<()> {
        #[cfg(target_arch = "x86_64")]
        if self == Self::Sse2 {
            return x86::sse2(text, marks, escapes);
        }
        walk(text, (marks, escapes), portable, |_, _| {})
    }
}

/// Asks the processor for a message that is read soon: by itself it fetches ahead no further than to the end of a page of
/// memory. Means nothing but speed.
#[inline(always)]
pub fn fetch(message: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    x86::fetch(message);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = message;
}

/// Bytes of marks that a text of that many bytes needs: those of its blocks, and one word more, so that a whole word can be
/// looked at wherever the text ends.
pub(super) const fn room(bytes: usize) -> usize {
    (bytes.div_ceil(BLOCK) + 1) * WORD
}

/// A part of a text that is looked at in one step.
type Block = [u8; BLOCK];

/// One bit for each byte of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Masks {
    quotes: u64,
    backslashes: u64,
    /// Bytes below space.
    controls: u64,
}

impl Masks {
    /// Of what is behind so many bytes, fewer than a block has.
    #[inline(always)]
    fn without_first(self, bytes: usize) -> Self {
        let Self { quotes, backslashes, controls } = self;
        Self { quotes: quotes >> bytes, backslashes: backslashes >> bytes, controls: controls >> bytes }
    }
}

/// Goes over the text block by block and marks its quotes. `look` tells what is in a block; `check` is shown each block, the
/// last one with the 64 bytes before it, for it begins within the one before; a text that is too short for that is filled up
/// with spaces instead.
#[inline(always)]
fn walk(
    text: &[u8],
    (marks, escapes): (&mut [u8], &mut Escapes),
    look: impl Fn(&Block) -> Masks,
    mut check: impl FnMut(Option<&Block>, &Block),
) -> Option<()> {
    let mut state = State { at: 0, odd: 0, escapes, escaped: false };
    let mut words = marks.as_chunks_mut::<WORD>().0.iter_mut();
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for (block, word) in blocks.iter().zip(&mut words) {
        check(None, block);
        *word = state.strings(look(block))?.to_le_bytes();
    }
    if !rest.is_empty() {
        let masks = match text.last_chunk::<{ 2 * BLOCK }>().map(|end| end.as_chunks().0) {
            Some([before, last]) => {
                check(Some(before), last);
                look(last).without_first(BLOCK - rest.len())
            }
            Some(_) | None => {
                let last = filled_up(rest);
                check(None, &last);
                look(&last)
            }
        };
        *words.next()? = state.strings(masks)?.to_le_bytes();
    }
    *words.next()? = [0; WORD];
    Some(())
}

/// Fewer bytes than a block has, with spaces behind them.
fn filled_up(rest: &[u8]) -> Block {
    let mut block = [b' '; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// What is carried from block to block.
struct State<'e> {
    /// Where the next block begins.
    at: u32,
    /// All marks so far, one upon the other: as many bits as there were quotes, or an even number less.
    odd: u64,
    escapes: &'e mut Escapes,
    /// The last block ended in a backslash that escapes the first byte of the next.
    escaped: bool,
}

impl State<'_> {
    /// The quotes that begin or end a string.
    #[inline(always)]
    fn strings(&mut self, masks: Masks) -> Option<u64> {
        let mut quotes = masks.quotes;
        if masks.backslashes != 0 || self.escaped {
            quotes &= !self.escapes(masks.backslashes);
        }
        if masks.controls != 0 && masks.controls & inside(quotes, self.odd) != 0 {
            return None;
        }
        self.odd ^= quotes;
        self.at += BLOCK as u32;
        Some(quotes)
    }

    /// The bytes that a backslash before them escapes. Outside of strings this means nothing, and does not matter: a
    /// backslash there is no JSON.
    #[cold]
    fn escapes(&mut self, backslashes: u64) -> u64 {
        if backslashes != 0 {
            self.escapes.add(self.at);
        }
        let mut escaped = u64::from(self.escaped);
        let mut left = backslashes & !escaped;
        self.escaped = false;
        while left != 0 {
            let at = left.trailing_zeros();
            self.escaped = at == 63;
            escaped |= 2u64 << at;
            left &= !(3u64 << at);
        }
        escaped
    }
}

/// The bytes of a block that are inside strings. It begins inside one if the number of bits in `before` is odd.
#[cold]
fn inside(quotes: u64, before: u64) -> u64 {
    let mut inside = quotes;
    for step in [1, 2, 4, 8, 16, 32] {
        inside ^= inside << step;
    }
    if before.count_ones() % 2 == 1 { !inside } else { inside }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// High bit of every byte of `word` that is zero.
#[inline(always)]
const fn zeros(word: u64) -> u64 {
    // the sum sets the high bit of a byte unless its low bits are all zero; it never carries into the next
    !((word & !HIGHS).wrapping_add(!HIGHS) | word) & HIGHS
}

/// Moves the high bits of eight bytes together.
#[inline(always)]
const fn gather(highs: u64) -> u64 {
    (highs >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

fn portable(block: &Block) -> Masks {
    let mut masks = Masks { quotes: 0, backslashes: 0, controls: 0 };
    for (at, word) in block.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quotes = zeros(word ^ (ONES * b'"' as u64));
        let backslashes = zeros(word ^ (ONES * b'\\' as u64));
        let controls = zeros(word & (ONES * 0xe0));
        masks.quotes |= gather(quotes) << (8 * at);
        masks.backslashes |= gather(backslashes) << (8 * at);
        masks.controls |= gather(controls) << (8 * at);
    }
    masks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernels() -> impl Iterator<Item = Kernel> {
        Kernel::ALL.into_iter().filter(|kernel| kernel.is_there())
    }

    #[test]
    fn control_characters_are_refused_inside_strings_alone() {
        let text = [&[b'x'; 60][..], &b"\""[..], &[b'y'; 140][..], b"\"", &[b'z'; 70][..]].concat();
        let mut marks = vec![0; room(text.len() + 1)];
        for at in 0..=text.len() {
            let (before, behind) = text.split_at(at);
            let inside = before.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
            for control in [0, b'\n', 0x1f] {
                let text = [before, &[control][..], behind].concat();
                for kernel in kernels() {
                    assert_eq!(kernel.read(&text, &mut marks).is_none(), inside, "{kernel:?}: {control} at {at}");
                }
            }
        }
    }

    /// What a kernel says of bytes that stand `at` bytes behind the beginning.
    fn agree(kernels: &[Kernel], marks: &mut [u8], at: usize, bytes: &[u8], behind: usize) {
        let text = [&vec![b'x'; at][..], bytes, &vec![b'x'; behind][..]].concat();
        let expected = std::str::from_utf8(&text).ok();
        for kernel in kernels {
            let read = kernel.read(&text, marks).map(|(text, ..)| text);
            assert_eq!(read, expected, "{kernel:?}: {bytes:x?} at {at} with {behind} behind");
        }
    }

    /// Every pair of bytes, and every three and four of those that any rule tells apart, across the edges of blocks, of
    /// half blocks, and of the text.
    #[test]
    fn what_is_not_utf8_is_refused_wherever_it_stands() {
        let kernels: Vec<Kernel> = kernels().collect();
        let mut marks = vec![0; room(300)];
        // the first and last of each class (Unicode 17.0, table 3-7)
        let telling = [
            0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
            0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        for at in [0, 30, 31, 61, 62, 63, 64, 126] {
            for behind in [0, 1, 70] {
                for pair in (0x8080..=u16::MAX).step_by(if cfg!(miri) { 4_001 } else { 1 }) {
                    agree(&kernels, &mut marks, at, &pair.to_be_bytes(), behind);
                }
                let mut pick = |number: usize| {
                    let byte = |place: u32| telling[number / telling.len().pow(place) % telling.len()];
                    agree(&kernels, &mut marks, at, &[byte(0), byte(1), byte(2), byte(3)], behind);
                };
                // a number that shares no factor with their count comes by all of them
                (0..telling.len().pow(4)).step_by(if cfg!(miri) { 60_013 } else { 17 }).for_each(&mut pick);
            }
        }
    }

    /// Sound texts of all lengths of characters, cut at every byte.
    #[test]
    fn texts_are_taken_whole_and_refused_where_a_character_is_cut() {
        let kernels: Vec<Kernel> = kernels().collect();
        let mut marks = vec![0; room(1000)];
        let text = "plain ascii, then ß, 香港, 𠮷 and \u{10ffff} \u{10ffff}\u{ffff}\u{d7ff}\u{e000}é".repeat(5);
        for from in 0..text.len() {
            for to in [from, from + 1, from + 63, from + 64, from + 65, from + 128, text.len()] {
                let Some(bytes) = text.as_bytes().get(from..to) else { continue };
                agree(&kernels, &mut marks, 0, bytes, 0);
            }
        }
    }
}
