//! Compiled table for IPv4: the first 16 bits index the root, then two steps of 8 bits through shared blocks. At most
//! three dependent reads, no branch on the shape of the data beyond "is this a block". Never changes once compiled.

use std::collections::HashMap;

use super::segments::Segments;

/// Marks an entry that is the number of a block rather than an answer.
const BLOCK: u32 = 1 << 31;

/// Address → number of an answer.
#[derive(Debug)]
pub(super) struct AtlasV4 {
    /// One entry for each /16: an answer, or a block of `middle`.
    root: Vec<u32>,
    /// Blocks of 256 entries, one for each /24: an answer, or a block of `leaves`.
    middle: Vec<u32>,
    /// Blocks of 256 answers.
    leaves: Vec<u16>,
}

impl AtlasV4 {
    /// Compiles runs whose values are numbers of answers (below 65536).
    pub(super) fn compile(segments: &Segments<u32>) -> Self {
        let mut compiler =
            Compiler { runs: segments.runs(), at: 0, middle: Blocks::default(), leaves: Blocks::default() };
        let root = (0..1 << 16).map(|high: u32| compiler.entry16(high << 16)).collect();
        Self { root, middle: compiler.middle.entries, leaves: compiler.leaves.entries }
    }

    /// The number of the answer for an address.
    #[inline]
    pub(super) fn find(&self, address: u32) -> u16 {
        let [a, b, c, d] = address.to_be_bytes();
        let mut entry = self.root[usize::from(u16::from_be_bytes([a, b]))];
        if entry & BLOCK != 0 {
            entry = self.middle[slot(entry, c)];
            if entry & BLOCK != 0 {
                return self.leaves[slot(entry, d)];
            }
        }
        entry as u16
    }

    /// Bytes that the table takes.
    pub(super) fn bytes(&self) -> usize {
        4 * (self.root.len() + self.middle.len()) + 2 * self.leaves.len()
    }
}

#[inline]
fn slot(entry: u32, index: u8) -> usize {
    ((entry & !BLOCK) as usize) << 8 | usize::from(index)
}

/// Blocks of 256, each kept once.
struct Blocks<T> {
    entries: Vec<T>,
    numbers: HashMap<[T; 256], u32>,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Blocks<T> {
    fn share(&mut self, block: [T; 256]) -> u32 {
        let next = self.numbers.len() as u32;
        let number = *self.numbers.entry(block).or_insert(next);
        if number == next {
            self.entries.extend_from_slice(&block);
        }
        BLOCK | number
    }
}

/// Walks the runs once, in step with the addresses.
struct Compiler<'a> {
    runs: &'a [(u32, u32)],
    at: usize,
    middle: Blocks<u32>,
    leaves: Blocks<u16>,
}

impl Compiler<'_> {
    /// The value of the run at `address`, and the last address of that run. Addresses must come in ascending order.
    fn run_at(&mut self, address: u32) -> (u32, u32) {
        while self.runs.get(self.at + 1).is_some_and(|&(start, _)| start <= address) {
            self.at += 1;
        }
        let last = self.runs.get(self.at + 1).map_or(u32::MAX, |&(start, _)| start - 1);
        (self.runs[self.at].1, last)
    }

    fn entry16(&mut self, address: u32) -> u32 {
        let (value, last) = self.run_at(address);
        if last >= address | 0xffff {
            return value;
        }
        let block = std::array::from_fn(|index| self.entry24(address | (index as u32) << 8));
        self.middle.share(block)
    }

    fn entry24(&mut self, address: u32) -> u32 {
        let (value, last) = self.run_at(address);
        if last >= address | 0xff {
            return value;
        }
        let block = std::array::from_fn(|index| self.run_at(address | index as u32).0 as u16);
        self.leaves.share(block)
    }
}
