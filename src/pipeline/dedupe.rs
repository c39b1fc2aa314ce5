//! The window of fingerprints already seen: the last N new events in stream order, whatever the batch cut.
//!
//! 28 bytes a fingerprint: 16 in the order in which they came, 12 in a table of places that is two thirds full. A table of
//! the fingerprints themselves beside their order takes twice that.

/// Remembers the last fingerprints, up to its capacity.
#[derive(Clone, Debug)]
pub struct Dedupe {
    /// In the order in which they came; begins anew at the front once it is full.
    order: Vec<u128>,
    /// Where the oldest stands once `order` is full.
    oldest: usize,
    /// Open addressing with linear probing. A slot holds 32 bits of the fingerprint, then its place in `order` and one; 0 is
    /// free.
    slots: Vec<u64>,
    capacity: usize,
}

/// Slots of an empty window.
const FEWEST: usize = 1 << 10;

/// Events that a caller may announce at once; see [`Dedupe::warm`].
pub const AHEAD: usize = 32;

impl Dedupe {
    /// A window over the last `capacity` fingerprints, beginning with those of earlier runs.
    pub fn new(capacity: usize, earlier: impl IntoIterator<Item = u128>) -> Self {
        // places are numbers of 32 bits
        let capacity = capacity.clamp(1, 1 << 31);
        let mut window = Self { order: Vec::new(), oldest: 0, slots: vec![0; FEWEST], capacity };
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
        let place = if self.order.len() < self.capacity {
            self.order.push(fingerprint);
            self.grow();
            self.order.len() - 1
        } else {
            let place = self.oldest;
            self.forget(place);
            self.order[place] = fingerprint;
            self.oldest = if place + 1 == self.capacity { 0 } else { place + 1 };
            place
        };
        self.enter(fingerprint, place);
        true
    }

    /// Whether the fingerprint is remembered.
    #[inline]
    pub fn has(&self, fingerprint: u128) -> bool {
        let mut at = self.home(fingerprint as u32);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return false;
            }
            if (slot >> 32) as u32 == fingerprint as u32 && self.order[place_of(slot)] == fingerprint {
                return true;
            }
            at = self.behind(at);
        }
    }

    /// Fetches from memory what will be looked at for the next fingerprints, at most [`AHEAD`] of them: side by side this
    /// takes the time of one. Changes nothing.
    pub fn warm(&self, next: impl Iterator<Item = u128>) {
        let full = self.order.len() == self.capacity;
        let ages = self.order.get(self.oldest..).unwrap_or_default().iter().take(if full { AHEAD } else { 0 });
        let fetched = next.chain(ages.copied()).fold(0, |sum, print| sum ^ self.slots[self.home(print as u32)]);
        std::hint::black_box(fetched);
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
        self.order.capacity() * size_of::<u128>() + self.slots.capacity() * size_of::<u64>()
    }

    /// The slot that a fingerprint is looked for first. Fingerprints are keyed hashes already.
    #[inline]
    fn home(&self, low: u32) -> usize {
        ((u64::from(low) * self.slots.len() as u64) >> 32) as usize
    }

    #[inline]
    fn behind(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    fn enter(&mut self, fingerprint: u128, place: usize) {
        let mut at = self.home(fingerprint as u32);
        while self.slots[at] != 0 {
            at = self.behind(at);
        }
        self.slots[at] = u64::from(fingerprint as u32) << 32 | (place as u64 + 1);
    }

    /// Frees the slot of a place, and moves up those behind it that would not be found any more.
    fn forget(&mut self, place: usize) {
        let mut hole = self.home(self.order[place] as u32);
        while place_of(self.slots[hole]) != place {
            hole = self.behind(hole);
        }
        let mut at = self.behind(hole);
        while self.slots[at] != 0 {
            let home = self.home((self.slots[at] >> 32) as u32);
            if self.steps(home, at) >= self.steps(hole, at) {
                self.slots[hole] = self.slots[at];
                hole = at;
            }
            at = self.behind(at);
        }
        self.slots[hole] = 0;
    }

    fn steps(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.slots.len() - from }
    }

    /// Makes room for all that are in `order`; the last of them is not entered yet.
    fn grow(&mut self) {
        if self.order.len() * 3 <= self.slots.len() * 2 {
            return;
        }
        let most = (self.capacity + 1) * 3 / 2 + 1;
        self.slots = vec![0; (self.slots.len() * 2).min(most)];
        for place in 0..self.order.len() - 1 {
            self.enter(self.order[place], place);
        }
    }
}

/// The place that a slot in use holds. Of a free one the result is no place.
#[inline]
fn place_of(slot: u64) -> usize {
    (slot as u32).wrapping_sub(1) as usize
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
