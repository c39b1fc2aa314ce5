//! How blocks are looked at by x86-64 with SSE2, AVX2 and AVX-512.
//!
//! The two wider ones check for UTF-8 on the way: a byte and the one before it are looked up by half bytes in three tables
//! whose common bits are the ways in which the pair is wrong (J. Keiser, D. Lemire, "Validating UTF-8 In Less Than One
//! Instruction Per Byte", 2021, §6), 32 or 64 bytes in a step. Blocks of ASCII alone pay for none of it.

use std::arch::x86_64::*;

use super::{BLOCK, Block, Escapes, Masks, Task, walk};

/// Of a text that is known to be UTF-8.
pub(super) fn sse2(text: &[u8], marks: &mut [u8], escapes: &mut Escapes) -> Option<()> {
    walk(text, (marks, escapes), look_sse2, |_, _| {})
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn avx2(text: &[u8], marks: &mut [u8], escapes: &mut Escapes) -> Option<()> {
    let mut utf8 = Utf8By32::new();
    walk(text, (marks, escapes), |block| look_avx2(block), |before, block| utf8.check(before, block))?;
    utf8.is_sound().then_some(())
}

#[target_feature(enable = "avx512f,avx512bw,avx2,bmi1,bmi2")]
pub(super) fn avx512(text: &[u8], marks: &mut [u8], escapes: &mut Escapes) -> Option<()> {
    let mut utf8 = Utf8By64::new();
    walk(text, (marks, escapes), |block| look_avx512(block), |before, block| utf8.check(before, block))?;
    utf8.is_sound().then_some(())
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn run_avx2<T: Task>(task: T) -> T::Output {
    task.run()
}

/// Lines of memory that are fetched ahead, whatever the length of a message: behind them the processor goes on by itself, and
/// to count them would be to guess a branch wrong.
const AHEAD: usize = 13;

#[inline(always)]
pub(super) fn fetch(message: &[u8]) {
    for line in 0..AHEAD {
        // SAFETY: a hint, which reads nothing that the program could see and never faults, wherever it points.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(message.as_ptr().wrapping_add(BLOCK * line).cast()) }
    }
}

#[inline(always)]
fn look_sse2(block: &Block) -> Masks {
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
fn look_avx2(block: &Block) -> Masks {
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
fn look_avx512(block: &Block) -> Masks {
    // SAFETY: the block has 64 bytes; the load asks for no alignment.
    let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
    Masks {
        quotes: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'"' as i8)),
        backslashes: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'\\' as i8)),
        controls: _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(32)),
    }
}

/// Ways in which a byte can be wrong behind the one before it. A pair is wrong in a way if both bytes allow for it.
mod wrong {
    /// A first byte, or ASCII, where one that goes on is due.
    pub(super) const SHORT: u8 = 1 << 0;
    /// One that goes on behind ASCII.
    pub(super) const LONG: u8 = 1 << 1;
    /// Three bytes for what two hold.
    pub(super) const OVERLONG_3: u8 = 1 << 2;
    /// Above U+10FFFF, by `F4`.
    pub(super) const LARGE: u8 = 1 << 3;
    /// U+D800 to U+DFFF.
    pub(super) const SURROGATE: u8 = 1 << 4;
    /// Two bytes for what one holds.
    pub(super) const OVERLONG_2: u8 = 1 << 5;
    /// Above U+10FFFF, by `F5` and above; and, as no byte allows for both, four bytes for what three hold.
    pub(super) const LARGER: u8 = 1 << 6;
    /// Two that go on: no error where the byte two or three before says so.
    pub(super) const TWO: u8 = 1 << 7;
    /// What the upper half of the first byte says already.
    pub(super) const ANY: u8 = SHORT | LONG | TWO;
}

/// By the upper half of the byte before.
const BEFORE_HIGH: [u8; 16] = {
    use wrong::*;
    let (ascii, on) = (LONG, TWO);
    let [c, d] = [SHORT | OVERLONG_2, SHORT];
    let [e, f] = [SHORT | OVERLONG_3 | SURROGATE, SHORT | LARGE | LARGER];
    [ascii, ascii, ascii, ascii, ascii, ascii, ascii, ascii, on, on, on, on, c, d, e, f]
};

/// By the lower half of the byte before.
const BEFORE_LOW: [u8; 16] = {
    use wrong::*;
    let larger = ANY | LARGE | LARGER;
    let mut table = [larger; 16];
    table[0] = ANY | OVERLONG_3 | OVERLONG_2 | LARGER;
    table[1] = ANY | OVERLONG_2;
    table[2] = ANY;
    table[3] = ANY;
    table[4] = ANY | LARGE;
    table[13] = larger | SURROGATE;
    table
};

/// By the upper half of the byte.
const HERE_HIGH: [u8; 16] = {
    use wrong::*;
    let on = LONG | OVERLONG_2 | TWO;
    let mut table = [SHORT; 16];
    table[8] = on | OVERLONG_3 | LARGER;
    table[9] = on | OVERLONG_3 | LARGE;
    table[10] = on | SURROGATE | LARGE;
    table[11] = on | SURROGATE | LARGE;
    table
};

/// Bytes above these at the end of a block begin a character that ends in the next.
const fn complete<const WIDTH: usize>() -> [u8; WIDTH] {
    let mut most = [0xff; WIDTH];
    most[WIDTH - 3] = 0xf0 - 1;
    most[WIDTH - 2] = 0xe0 - 1;
    most[WIDTH - 1] = 0xc0 - 1;
    most
}

/// Whether what was seen is UTF-8; 64 bytes in a step.
struct Utf8By64 {
    /// The step before.
    before: __m512i,
    /// Not zero: it ended within a character.
    open: __m512i,
    /// Not zero: there was something that is none.
    wrong: __m512i,
}

impl Utf8By64 {
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn new() -> Self {
        let zero = _mm512_setzero_si512();
        Self { before: zero, open: zero, wrong: zero }
    }

    /// The next block, or one that begins within the last, with what is before it.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn check(&mut self, before: Option<&Block>, block: &Block) {
        let here = load_64(block);
        if let Some(before) = before {
            self.before = load_64(before);
        }
        if _mm512_movepi8_mask(here) == 0 {
            self.wrong = _mm512_or_si512(self.wrong, self.open);
            (self.before, self.open) = (here, _mm512_setzero_si512());
            return;
        }
        self.wrong = _mm512_or_si512(self.wrong, wrong_64(here, self.before));
        self.open = _mm512_subs_epu8(here, load_64(&const { complete::<BLOCK>() }));
        self.before = here;
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn is_sound(&self) -> bool {
        let wrong = _mm512_or_si512(self.wrong, self.open);
        _mm512_test_epi8_mask(wrong, wrong) == 0
    }
}

/// Where `here` is wrong behind `before`.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn wrong_64(here: __m512i, before: __m512i) -> __m512i {
    let lanes = _mm512_alignr_epi32::<12>(here, before);
    let [one, two, three] = [
        _mm512_alignr_epi8::<15>(here, lanes),
        _mm512_alignr_epi8::<14>(here, lanes),
        _mm512_alignr_epi8::<13>(here, lanes),
    ];
    let half = _mm512_set1_epi8(0x0f);
    let upper = |bytes| _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), half);
    let find = |table: &[u8; 16], at| _mm512_shuffle_epi8(_mm512_broadcast_i32x4(load_16(table)), at);
    let by_before = _mm512_and_si512(find(&BEFORE_HIGH, upper(one)), find(&BEFORE_LOW, _mm512_and_si512(one, half)));
    let pair = _mm512_and_si512(by_before, find(&HERE_HIGH, upper(here)));
    // must go on: two behind a first byte of three or four, three behind one of four
    let third = _mm512_subs_epu8(two, _mm512_set1_epi8(0x60));
    let fourth = _mm512_subs_epu8(three, _mm512_set1_epi8(0x70));
    let due = _mm512_and_si512(_mm512_or_si512(third, fourth), _mm512_set1_epi8(0x80u8.cast_signed()));
    _mm512_xor_si512(due, pair)
}

/// The same, 32 bytes in a step.
struct Utf8By32 {
    before: __m256i,
    open: __m256i,
    wrong: __m256i,
}

impl Utf8By32 {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new() -> Self {
        let zero = _mm256_setzero_si256();
        Self { before: zero, open: zero, wrong: zero }
    }

    /// The next block, or one that begins within the last, with what is before it.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn check(&mut self, before: Option<&Block>, block: &Block) {
        let [first, second] = halves(block);
        let [first, second] = [load_32(first), load_32(second)];
        if let Some(before) = before {
            self.before = load_32(halves(before)[1]);
        }
        if _mm256_movemask_epi8(_mm256_or_si256(first, second)) == 0 {
            self.wrong = _mm256_or_si256(self.wrong, self.open);
            (self.before, self.open) = (second, _mm256_setzero_si256());
            return;
        }
        let both = _mm256_or_si256(wrong_32(first, self.before), wrong_32(second, first));
        self.wrong = _mm256_or_si256(self.wrong, both);
        self.open = _mm256_subs_epu8(second, load_32(&const { complete::<32>() }));
        self.before = second;
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn is_sound(&self) -> bool {
        let wrong = _mm256_or_si256(self.wrong, self.open);
        _mm256_testz_si256(wrong, wrong) == 1
    }
}

/// Where `here` is wrong behind `before`.
#[target_feature(enable = "avx2")]
#[inline]
fn wrong_32(here: __m256i, before: __m256i) -> __m256i {
    let lanes = _mm256_permute2x128_si256::<0x21>(before, here);
    let [one, two, three] = [
        _mm256_alignr_epi8::<15>(here, lanes),
        _mm256_alignr_epi8::<14>(here, lanes),
        _mm256_alignr_epi8::<13>(here, lanes),
    ];
    let half = _mm256_set1_epi8(0x0f);
    let upper = |bytes| _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half);
    let find = |table: &[u8; 16], at| _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load_16(table)), at);
    let by_before = _mm256_and_si256(find(&BEFORE_HIGH, upper(one)), find(&BEFORE_LOW, _mm256_and_si256(one, half)));
    let pair = _mm256_and_si256(by_before, find(&HERE_HIGH, upper(here)));
    let third = _mm256_subs_epu8(two, _mm256_set1_epi8(0x60));
    let fourth = _mm256_subs_epu8(three, _mm256_set1_epi8(0x70));
    let due = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(0x80u8.cast_signed()));
    _mm256_xor_si256(due, pair)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load_64(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: there are 64 bytes; the load asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_32(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: there are 32 bytes; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline(always)]
fn load_16(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: there are 16 bytes; the load asks for no alignment. Every x86-64 has SSE2.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// Both halves of a block.
#[inline(always)]
fn halves(block: &Block) -> [&[u8; 32]; 2] {
    let (parts, _) = block.as_chunks::<32>();
    [&parts[0], &parts[1]]
}
