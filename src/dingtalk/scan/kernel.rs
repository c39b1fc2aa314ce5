//! Where the quotes of a text are: the one loop over all bytes of a message, in the widest steps that the processor has.
//!
//! Looks at 64 bytes at a time, whatever the processor, and notes the place of every quote that no backslash escapes.
//! Refuses control characters inside strings (RFC 8259 §7). Knows nothing else of JSON.
//!
//! The only module with `unsafe`: to load a block, to store places, and to call what was compiled for a processor that was
//! found to be there. Blocks are arrays of 64 bytes and places go to arrays of 64 numbers, so that the compiler holds the
//! bounds; the last block of a text is copied into one of its own and nothing is read beyond the text.
#![allow(unsafe_code)]

/// How blocks are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kernel {
    /// Eight bytes at a time in a plain register; on any processor.
    Portable,
    /// 16 bytes; any x86-64.
    Sse2,
    /// 32 bytes.
    Avx2,
    /// 64 bytes; AVX-512 with BW and VBMI2.
    Avx512,
}

/// Bytes looked at in one step.
const BLOCK: usize = 64;

/// What was seen on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Places noted.
    pub(super) quotes: usize,
    /// Where backslashes are.
    pub(super) escapes: Escapes,
}

/// Backslashes are from one place to another, both rounded outwards to whole blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escapes {
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Escapes {
    const NONE: Self = Self { from: u32::MAX, to: 0 };
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
        let avx2 = || {
            is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("popcnt")
                && is_x86_feature_detected!("lzcnt")
        };
        match self {
            Self::Portable | Self::Sse2 => true,
            Self::Avx2 => avx2(),
            Self::Avx512 => {
                avx2()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vbmi2")
            }
        }
    }

    /// Whether this processor has it.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_there(self) -> bool {
        self == Self::Portable
    }

    /// Notes the places of all quotes of `text` in `places`. `None`: there is a control character inside a string, or
    /// `places` is too short; [`room`] says how long it must be.
    pub(super) fn quotes(self, text: &[u8], places: &mut [u32]) -> Option<Seen> {
        debug_assert!(self.is_there());
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Portable => {}
            Self::Sse2 => return x86::sse2(text, places),
            // SAFETY: a decoder only ever has a kernel that is there (`Decoder::with_kernel`).
            Self::Avx2 => return unsafe { x86::avx2(text, places) },
            // SAFETY: as above.
            Self::Avx512 => return unsafe { x86::avx512(text, places) },
        }
        walk(text, places, portable, note)
    }
}

/// Places that a text of that many bytes may need.
pub(super) const fn room(bytes: usize) -> usize {
    bytes + 2 * BLOCK
}

/// One bit for each byte of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Masks {
    quotes: u64,
    backslashes: u64,
    /// Bytes below space.
    controls: u64,
}

/// Goes over the text block by block. `look` tells what is in a block; `note` writes down the places of the bits of a mask.
#[inline(always)]
fn walk(
    text: &[u8],
    places: &mut [u32],
    look: impl Fn(&[u8; BLOCK]) -> Masks,
    note: impl Fn(u64, u32, &mut [u32; BLOCK]),
) -> Option<Seen> {
    let mut state = State { quotes: 0, escapes: Escapes::NONE, escaped: false };
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut base = 0;
    for block in blocks {
        let quotes = state.strings(look(block), base)?;
        note(quotes, base, places.get_mut(state.quotes..)?.first_chunk_mut()?);
        state.quotes += quotes.count_ones() as usize;
        base += BLOCK as u32;
    }
    if !rest.is_empty() {
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        let quotes = state.strings(look(&last), base)?;
        note(quotes, base, places.get_mut(state.quotes..)?.first_chunk_mut()?);
        state.quotes += quotes.count_ones() as usize;
    }
    // behind the last: no text is that long
    places.get_mut(state.quotes..state.quotes + 2)?.fill(u32::MAX);
    Some(Seen { quotes: state.quotes, escapes: state.escapes })
}

/// What is carried from block to block.
struct State {
    quotes: usize,
    escapes: Escapes,
    /// The last block ended in a backslash that escapes the first byte of the next.
    escaped: bool,
}

impl State {
    /// The quotes that begin or end a string.
    #[inline(always)]
    fn strings(&mut self, masks: Masks, base: u32) -> Option<u64> {
        let mut quotes = masks.quotes;
        if masks.backslashes != 0 || self.escaped {
            quotes &= !self.escapes(masks.backslashes, base);
        }
        if masks.controls != 0 && masks.controls & inside(quotes, self.quotes % 2 == 1) != 0 {
            return None;
        }
        Some(quotes)
    }

    /// The bytes that a backslash before them escapes. Outside of strings this means nothing, and does not matter: a
    /// backslash there is no JSON.
    #[cold]
    fn escapes(&mut self, backslashes: u64, base: u32) -> u64 {
        if backslashes != 0 {
            self.escapes = Escapes { from: self.escapes.from.min(base), to: base + BLOCK as u32 };
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

/// The bytes of a block that are inside strings; `open`: the block begins inside one.
#[cold]
fn inside(quotes: u64, open: bool) -> u64 {
    let mut inside = quotes;
    for step in [1, 2, 4, 8, 16, 32] {
        inside ^= inside << step;
    }
    if open { !inside } else { inside }
}

/// Writes down the places of the bits of a mask, and a few numbers more that mean nothing.
#[inline(always)]
fn note(mut mask: u64, base: u32, places: &mut [u32; BLOCK]) {
    let count = mask.count_ones();
    let mut write = |places: &mut [u32]| {
        for place in places {
            *place = base + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
    };
    write(&mut places[..8]);
    if count > 8 {
        write(&mut places[8..16]);
    }
    if count > 16 {
        write(&mut places[16..]);
    }
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

fn portable(block: &[u8; BLOCK]) -> Masks {
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

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{BLOCK, Masks, Seen, note, walk};

    pub(super) fn sse2(text: &[u8], places: &mut [u32]) -> Option<Seen> {
        walk(text, places, look_sse2, note)
    }

    // the closure is compiled for the same processor as the function around it; `note` itself would not be
    #[allow(clippy::redundant_closure)]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
    pub(super) fn avx2(text: &[u8], places: &mut [u32]) -> Option<Seen> {
        walk(text, places, |block| look_avx2(block), |mask, base, places| note(mask, base, places))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,bmi1,bmi2,popcnt,lzcnt")]
    pub(super) fn avx512(text: &[u8], places: &mut [u32]) -> Option<Seen> {
        walk(text, places, |block| look_avx512(block), |mask, base, places| note_avx512(mask, base, places))
    }

    #[inline(always)]
    fn look_sse2(block: &[u8; BLOCK]) -> Masks {
        let mut masks = Masks { quotes: 0, backslashes: 0, controls: 0 };
        for (at, part) in block.as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: the part has 16 bytes; the load asks for no alignment. Every x86-64 has SSE2.
            unsafe {
                let bytes = _mm_loadu_si128(part.as_ptr().cast());
                let bits = |equal| u64::from(_mm_movemask_epi8(equal) as u32) << (16 * at);
                masks.quotes |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8)));
                masks.backslashes |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8)));
                masks.controls |= bits(_mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(31)), bytes));
            }
        }
        masks
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn look_avx2(block: &[u8; BLOCK]) -> Masks {
        let mut masks = Masks { quotes: 0, backslashes: 0, controls: 0 };
        for (at, part) in block.as_chunks::<32>().0.iter().enumerate() {
            // SAFETY: the part has 32 bytes; the load asks for no alignment.
            let bytes = unsafe { _mm256_loadu_si256(part.as_ptr().cast()) };
            let bits = |equal| u64::from(_mm256_movemask_epi8(equal) as u32) << (32 * at);
            masks.quotes |= bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'"' as i8)));
            masks.backslashes |= bits(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\\' as i8)));
            masks.controls |= bits(_mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(31)), bytes));
        }
        masks
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn look_avx512(block: &[u8; BLOCK]) -> Masks {
        // SAFETY: the block has 64 bytes; the load asks for no alignment.
        let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        Masks {
            quotes: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'"' as i8)),
            backslashes: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'\\' as i8)),
            controls: _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(32)),
        }
    }

    /// Numbers of the bytes of a block.
    static NUMBERS: [u8; BLOCK] = {
        let (mut numbers, mut at) = ([0; BLOCK], 0);
        while at < BLOCK {
            numbers[at] = at as u8;
            at += 1;
        }
        numbers
    };

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
    #[inline]
    fn note_avx512(mask: u64, base: u32, places: &mut [u32; BLOCK]) {
        // SAFETY: NUMBERS has 64 bytes; the load asks for no alignment.
        let numbers = unsafe { _mm512_loadu_si512(NUMBERS.as_ptr().cast()) };
        let packed = _mm512_maskz_compress_epi8(mask, numbers);
        let base = _mm512_set1_epi32(base.cast_signed());
        let mut write = |at: usize, part: __m128i| {
            let wide = _mm512_add_epi32(base, _mm512_cvtepu8_epi32(part));
            if let Some(part) = places.as_chunks_mut::<16>().0.get_mut(at) {
                // SAFETY: the part has 16 numbers of 32 bits; the store asks for no alignment.
                unsafe { _mm512_storeu_si512(part.as_mut_ptr().cast(), wide) };
            }
        };
        write(0, _mm512_castsi512_si128(packed));
        if mask.count_ones() > 16 {
            write(1, _mm512_extracti32x4_epi32::<1>(packed));
            write(2, _mm512_extracti32x4_epi32::<2>(packed));
            write(3, _mm512_extracti32x4_epi32::<3>(packed));
        }
    }
}
