//! The window of fingerprints already seen: the last N new events in stream order, whatever the batch cut.

use std::collections::{HashSet, VecDeque};

/// Remembers the last fingerprints, up to its capacity.
#[derive(Debug)]
pub struct Dedupe {
    seen: HashSet<u128, BuildKeyed>,
    order: VecDeque<u128>,
    capacity: usize,
}

/// Fingerprints are keyed hashes already; their low half serves as the table's hash.
type BuildKeyed = std::hash::BuildHasherDefault<LowHalf>;

/// Takes 64 bits of a fingerprint as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct LowHalf(u64);

impl std::hash::Hasher for LowHalf {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }
}

impl Dedupe {
    /// A window over the last `capacity` fingerprints, beginning with those of earlier runs.
    pub fn new(capacity: usize, earlier: impl IntoIterator<Item = u128>) -> Self {
        let mut window = Self { seen: HashSet::default(), order: VecDeque::new(), capacity: capacity.max(1) };
        for fingerprint in earlier {
            window.is_new(fingerprint);
        }
        window
    }

    /// Whether the fingerprint is new; it is remembered then.
    pub fn is_new(&mut self, fingerprint: u128) -> bool {
        if !self.seen.insert(fingerprint) {
            return false;
        }
        if self.order.len() == self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(fingerprint);
        true
    }

    /// Fingerprints held.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
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
}
