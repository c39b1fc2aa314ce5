//! The window of fingerprints already seen: the last N new events in stream order, whatever the batch cut.
//!
//! 28 bytes a fingerprint: 16 in the order in which they came, 12 in a table of lines that is a little over half full. No cache
//! holds the window of a busy stream, so what a look-up costs is what it fetches from memory: one line of 64 bytes, which is
//! also where a new fingerprint goes. Nothing is ever taken out: a slot says the number of its fingerprint, and is free once
//! that has grown too old.

/// Remembers the last fingerprints, up to its capacity.
#[derive(Clone, Debug)]
pub struct Dedupe {
    /// In the order in which they came; begins anew at the front once it is full.
    order: Vec<u128>,
    /// Where the newest stands in `order`.
    newest: usize,
    /// Number of the next fingerprint, from 1 on.
    next: u32,
    lines: Vec<Line>,
    capacity: usize,
}

/// Fingerprints that a line has room for.
const SLOTS: usize = 10;

/// Lines of an empty window.
const FEWEST: usize = 1 << 7;

/// A window has this many lines …
const LINES: usize = 3;
/// … for this many fingerprints: then two lines in a hundred have no room and lead on to the next.
const PRINTS: usize = 16;

/// Events that a caller may announce at once; see [`Dedupe::warm`].
pub const AHEAD: usize = 32;

/// One line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line {
    /// Numbers of fingerprints. One that is too old is no longer there.
    numbers: [u32; SLOTS],
    /// 16 bits of each.
    tags: [u16; SLOTS],
    /// Number of the last fingerprint that found no room here and went on to the next line.
    passed: u32,
}

impl Dedupe {
    /// A window over the last `capacity` fingerprints, beginning with those of earlier runs.
    pub fn new(capacity: usize, earlier: impl IntoIterator<Item = u128>) -> Self {
        // numbers have 32 bits
        let capacity = capacity.clamp(1, 1 << 31);
        let lines = vec![Line::default(); FEWEST];
        let mut window = Self { order: Vec::new(), newest: 0, next: 1, lines, capacity };
        for fingerprint in earlier {
            window.is_new(fingerprint);
        }
        window
    }

    /// Whether the fingerprint is new; it is remembered then.
    pub fn is_new(&mut self, fingerprint: u128) -> bool {
        if self.has(fingerprint) {
            return false;
        }
        if self.order.len() < self.capacity {
            self.newest = self.order.len();
            self.order.push(fingerprint);
        } else {
            self.newest = if self.newest + 1 == self.capacity { 0 } else { self.newest + 1 };
            self.order[self.newest] = fingerprint;
        }
        self.next += 1;
        if self.next == u32::MAX || self.is_crowded() {
            self.rebuild();
        } else {
            self.enter(fingerprint, self.next - 1);
        }
        true
    }

    /// Whether the fingerprint is remembered.
    #[inline]
    pub fn has(&self, fingerprint: u128) -> bool {
        let mut at = self.home(fingerprint);
        // no fingerprint is further from its home than once around
        for _ in 0..self.lines.len() {
            let line = &self.lines[at];
            let mut alike = line.alike(tag(fingerprint));
            while alike != 0 {
                let number = line.numbers[alike.trailing_zeros() as usize];
                if self.is_there(number) && self.order[self.place(number)] == fingerprint {
                    return true;
                }
                alike &= alike - 1;
            }
            if !self.is_there(line.passed) {
                return false;
            }
            at = self.behind(at);
        }
        false
    }

    /// Fetches from memory what will be looked at for the next fingerprints, at most [`AHEAD`] of them: side by side this
    /// takes the time of one. Changes nothing.
    pub fn warm(&self, next: impl Iterator<Item = u128>) {
        std::hint::black_box(next.fold(0, |sum, print| sum ^ self.lines[self.home(print)].passed));
    }

    /// Fingerprints held.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Bytes that the window takes.
    pub fn bytes(&self) -> usize {
        self.order.capacity() * size_of::<u128>() + self.lines.capacity() * size_of::<Line>()
    }

    /// The line that a fingerprint is looked for first. Fingerprints are keyed hashes already.
    #[inline]
    fn home(&self, fingerprint: u128) -> usize {
        ((u64::from(fingerprint as u32) * self.lines.len() as u64) >> 32) as usize
    }

    #[inline]
    fn behind(&self, at: usize) -> usize {
        if at + 1 == self.lines.len() { 0 } else { at + 1 }
    }

    /// How many came after the one of this number.
    #[inline]
    fn age(&self, number: u32) -> u32 {
        self.next - 1 - number
    }

    /// Whether the fingerprint of this number is remembered.
    #[inline]
    fn is_there(&self, number: u32) -> bool {
        (self.age(number) as usize) < self.order.len()
    }

    /// Where the fingerprint of a number that is there stands in `order`.
    #[inline]
    fn place(&self, number: u32) -> usize {
        let age = self.age(number) as usize;
        if age <= self.newest { self.newest - age } else { self.newest + self.order.len() - age }
    }

    /// Puts a fingerprint that has its place in `order` into the first line from its home that has room.
    fn enter(&mut self, fingerprint: u128, number: u32) {
        let mut at = self.home(fingerprint);
        // there is room for nearly twice as many as are held
        loop {
            let free = self.free(at);
            let line = &mut self.lines[at];
            if free != 0 {
                let slot = free.trailing_zeros() as usize;
                (line.numbers[slot], line.tags[slot]) = (number, tag(fingerprint));
                return;
            }
            line.passed = number;
            at = self.behind(at);
        }
    }

    /// The slots of a line that hold nothing, as bits.
    #[inline]
    fn free(&self, at: usize) -> u32 {
        let numbers = self.lines[at].numbers.iter().enumerate();
        numbers.fold(0, |free, (slot, number)| free | u32::from(!self.is_there(*number)) << slot)
    }

    /// Whether the lines are too few for all that are in `order`.
    #[inline]
    fn is_crowded(&self) -> bool {
        self.order.len() * LINES > self.lines.len() * PRINTS
    }

    /// Counts anew from the oldest on, and enters all into more lines if they are too few.
    #[cold]
    fn rebuild(&mut self) {
        let most = (self.capacity * LINES).div_ceil(PRINTS) + 1;
        let lines = if self.is_crowded() { (self.lines.len() * 2).min(most) } else { self.lines.len() };
        self.lines = vec![Line::default(); lines];
        self.next = self.order.len() as u32 + 1;
        for number in 1..self.next {
            self.enter(self.order[self.place(number)], number);
        }
    }
}

impl Line {
    /// The slots with this tag, as bits.
    #[inline]
    fn alike(&self, tag: u16) -> u32 {
        self.tags.iter().enumerate().fold(0, |alike, (slot, known)| alike | u32::from(*known == tag) << slot)
    }
}

/// 16 bits of a fingerprint that do not decide about its line.
#[inline]
fn tag(fingerprint: u128) -> u16 {
    (fingerprint >> 32) as u16
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::Dedupe;

    #[test]
    fn forgets_the_oldest_first_and_only_beyond_capacity() {
        let mut window = Dedupe::new(2, [1, 2]);
        assert!(!window.is_new(1) && !window.is_new(2));
        assert!(window.is_new(3));
        assert!(window.is_new(1), "1 was the oldest and is forgotten");
        assert!(!window.is_new(3));
        assert_eq!(window.len(), 2);
    }

    #[test]
    fn a_full_window_takes_28_bytes_a_fingerprint() {
        let spread = |number: u128| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let window = Dedupe::new(1 << 16, (0..1 << 17).map(spread));
        assert_eq!(window.len(), 1 << 16);
        assert!(window.bytes() <= (28 << 16) + 64, "{}", window.bytes());
    }

    /// A window that is about to run out of numbers is one like any other.
    #[test]
    fn numbers_begin_anew_before_they_run_out() {
        let spread = |number: u128| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        for capacity in [1, 7, 1000, 5000] {
            let (mut window, mut other) = (Dedupe::new(capacity, []), Dedupe::new(capacity, []));
            window.next = u32::MAX - 3000;
            for print in (0..20_000).map(|number| spread(number % 6000 * (number / 9000 + 1))) {
                assert_eq!(window.is_new(print), other.is_new(print));
            }
            assert!(window.next < 40_000, "{}", window.next);
        }
    }

    proptest! {
        /// Few fingerprints, and many with the same low bits, so that slots are fought for and the table wraps around.
        #[test]
        fn agrees_with_a_plain_list(capacity in 1_usize..3000, prints in prop::collection::vec(0_u128..4000, 0..9000)) {
            let spread = |print: u128| u128::from((print / 3 * 0x0100_0193_u128) as u32) | print << 64;
            let (mut window, mut list) = (Dedupe::new(capacity, []), VecDeque::new());
            let mut known = std::collections::HashSet::new();
            for print in prints.into_iter().map(spread) {
                window.warm([print].into_iter());
                let new = known.insert(print);
                prop_assert_eq!(window.has(print), !new);
                prop_assert_eq!(window.is_new(print), new);
                if new {
                    list.push_back(print);
                }
                if list.len() > capacity {
                    known.remove(&list.pop_front().unwrap());
                }
                prop_assert_eq!(window.len(), list.len());
            }
        }
    }
}
