//! Answers about hosts, kept by the authority of a URL (host, port, user) as the event gives it. A tenant's files lie behind
//! a few dozen of them.
//!
//! Bounded, allocates once, and never outlives the generation of the databases that it was filled by. It decides nothing:
//! what it does not hold, the tables say.

use crate::domain::place::Location;
use crate::domain::short;

/// Sets of two answers; the one that was added last comes first.
const SETS: usize = 256;

/// Longest name that is kept, in bytes. Longer ones are looked up each time.
const LONGEST: usize = 87;

/// What one name gave.
#[derive(Clone, Copy, Debug)]
struct Kept {
    len: u8,
    name: [u8; LONGEST],
    /// `None` in the middle: nothing is kept here.
    answer: Option<Option<Location>>,
}

const FREE: Kept = Kept { len: 0, name: [0; LONGEST], answer: None };

/// Answers of one generation.
#[derive(Clone, Debug, Default)]
pub struct HostMemo {
    generation: u64,
    sets: Vec<[Kept; 2]>,
}

impl HostMemo {
    /// To be called before asking databases: forgets the answers of any others. No two sets of databases may have the same
    /// number.
    pub fn enter(&mut self, generation: u64) {
        if self.generation != generation || self.sets.is_empty() {
            self.generation = generation;
            self.sets.clear();
            self.sets.resize(SETS, [FREE; 2]);
        }
    }

    /// The answer for a name: the one that is kept, or that of `ask`, which is kept then.
    #[inline]
    pub(super) fn find(&mut self, name: &str, ask: impl FnOnce() -> Option<Location>) -> Option<Location> {
        let Some(set) = self.sets.get_mut(place(name.as_bytes())) else { return ask() };
        let kept = set.iter().find(|kept| kept.is_of(name)).and_then(|kept| kept.answer);
        kept.unwrap_or_else(|| fill(set, name, ask()))
    }
}

impl Kept {
    fn is_of(&self, name: &str) -> bool {
        self.answer.is_some()
            && self.name.get(..usize::from(self.len)).is_some_and(|known| short::is_same(known, name.as_bytes()))
    }
}

/// The set for a name, by its length and both its ends. Whoever chooses names that share one has them looked up each time.
#[inline]
fn place(name: &[u8]) -> usize {
    let ends = name.first_chunk().zip(name.last_chunk());
    let [first, last] = ends.map_or([0; 2], |(first, last)| [u64::from_le_bytes(*first), u64::from_le_bytes(*last)]);
    let mixed = first.rotate_left(23) ^ last.wrapping_add(name.len() as u64);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % SETS
}

#[cold]
fn fill([first, second]: &mut [Kept; 2], name: &str, answer: Option<Location>) -> Option<Location> {
    let mut kept = Kept { len: name.len() as u8, answer: Some(answer), ..FREE };
    if let Some(room) = kept.name.get_mut(..name.len()) {
        room.copy_from_slice(name.as_bytes());
        (*first, *second) = (kept, *first);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::{Doubt, SourceId};

    fn numbered(number: u16) -> Option<Location> {
        (!number.is_multiple_of(7)).then(|| Location { source: SourceId(number), ..Location::unknown(Doubt::NoRegion) })
    }

    #[test]
    fn answers_are_those_of_the_tables_whatever_was_asked_before() {
        let mut memo = HostMemo::default();
        assert_eq!(memo.find("a", || numbered(1)), numbered(1), "before any generation nothing is kept");
        let mut asked = 0;
        for generation in 1..4_u16 {
            memo.enter(generation.into());
            for _ in 0..3 {
                for number in 0..900_u16 {
                    // names of all lengths, also beyond those that are kept
                    let name = format!("{number}{}", "x".repeat(usize::from(number) % 100));
                    let answer = numbered(number * generation);
                    let given = memo.find(&name, || {
                        asked += 1;
                        answer
                    });
                    assert_eq!(given, answer, "{name}");
                }
            }
        }
        assert!(asked < 3 * 3 * 900, "nothing was kept");
    }
}
