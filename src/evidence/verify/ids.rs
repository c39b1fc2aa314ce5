//! Finds record ids that occur twice, in bounded memory.

use sha2::{Digest, Sha256};

/// Ids compared with each other at once; 16 bytes each.
const WINDOW: usize = 16 << 20;

/// Ids seen, as the first 8 bytes of their digest with the record's number.
#[derive(Debug, Default)]
pub(super) struct Ids {
    seen: Vec<(u64, u64)>,
    twice: Option<(u64, u64)>,
    /// Whether there were more ids than fit one window.
    pub(super) windowed: bool,
}

impl Ids {
    /// Takes an id.
    pub(super) fn add(&mut self, id: &str, record: u64) {
        let digest: [u8; 32] = Sha256::digest(id).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        if self.seen.len() == WINDOW {
            self.settle();
            self.seen.clear();
            self.windowed = true;
        }
        self.seen.push((u64::from_be_bytes([a, b, c, d, e, f, g, h]), record));
    }

    /// The first pair of records with the same id, if there is one.
    pub(super) fn twice(mut self) -> Option<(u64, u64)> {
        self.settle();
        self.twice
    }

    fn settle(&mut self) {
        self.seen.sort_unstable();
        let pairs = self.seen.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0].1, pair[1].1));
        self.twice = self.twice.into_iter().chain(pairs).min_by_key(|(_, second)| *second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_first_record_that_repeats_another() {
        let mut ids = Ids::default();
        for (record, id) in ["a", "b", "c", "b", "a"].into_iter().enumerate() {
            ids.add(id, record as u64);
        }
        assert_eq!(ids.twice(), Some((1, 3)));
    }
}
