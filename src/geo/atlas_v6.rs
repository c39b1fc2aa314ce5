//! Compiled table for IPv6: the first 16 bits index the root, then steps of 8 bits through nodes that hold each run of
//! equal entries once (a bit marks where a run begins; counting bits finds the entry). A /48 takes four steps. Never
//! changes once compiled.

use super::segments::Segments;

/// Marks an entry that is the number of a node rather than an answer.
const NODE: u32 = 1 << 31;
/// Marks an entry of a node whose 256 entries stand in `entries` one by one, from the rest of the number on.
const DENSE: u32 = 1 << 30;
/// Runs from which a node is dense: one look instead of two, for more room.
const MANY: usize = 24;

/// Runs that a node holds itself: they come with it in one cache line.
const NEAR: usize = 6;

/// 256 entries, each run of equal ones kept once.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Node {
    /// Bit n: entry n begins a run. Bit 0 is always set.
    begins: [u64; 4],
    /// Runs that begin in the words before: counting bits is slow on processors that are not asked for it.
    before: [u8; 4],
    /// Where the runs behind the near ones begin in `entries`.
    base: u32,
    /// The first runs.
    near: [u32; NEAR],
}

impl Node {
    /// The run that holds entry `index`, counted from 0.
    #[inline]
    fn run(&self, index: u8) -> usize {
        let (word, bit) = (usize::from(index >> 6), u32::from(index & 63));
        let within = (self.begins[word] << (63 - bit)).count_ones();
        usize::from(self.before[word]) + within as usize - 1
    }
}

/// Address → number of an answer.
#[derive(Debug)]
pub(super) struct AtlasV6 {
    /// One entry for each /16: an answer or a node.
    root: Vec<u32>,
    nodes: Vec<Node>,
    /// Runs of all nodes: an answer or a node.
    entries: Vec<u32>,
}

impl AtlasV6 {
    /// Compiles runs whose values are numbers of answers (below 65536).
    pub(super) fn compile(segments: &Segments<u128>) -> Self {
        let mut atlas = Self { root: Vec::with_capacity(1 << 16), nodes: Vec::new(), entries: Vec::new() };
        for high in 0..1u128 << 16 {
            let entry = atlas.entry(segments.runs(), high << 112, 112);
            atlas.root.push(entry);
        }
        atlas
    }

    /// The number of the answer for an address.
    #[inline]
    pub(super) fn find(&self, address: u128) -> u16 {
        let bytes = address.to_be_bytes();
        let mut entry = self.root[usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))];
        for &byte in &bytes[2..] {
            if entry & NODE == 0 {
                break;
            }
            let at = (entry & !(NODE | DENSE)) as usize;
            entry = if entry & DENSE != 0 { self.entries[at + usize::from(byte)] } else { self.sparse(at, byte) };
        }
        entry as u16
    }

    #[inline]
    fn sparse(&self, node: usize, byte: u8) -> u32 {
        let node = &self.nodes[node];
        let run = node.run(byte);
        node.near.get(run).copied().unwrap_or_else(|| self.entries[node.base as usize + run - NEAR])
    }

    /// Bytes that the table takes.
    pub(super) fn bytes(&self) -> usize {
        4 * (self.root.len() + self.entries.len()) + size_of::<Node>() * self.nodes.len()
    }

    /// The entry for the prefix at `start` that has `free` bits behind it: the answer if there is one for all of it.
    /// `runs` begins at or before `start`.
    fn entry(&mut self, runs: &[(u128, u32)], start: u128, free: u32) -> u32 {
        let runs = &runs[runs.partition_point(|&(at, _)| at <= start) - 1..];
        let last = start | ((1u128 << free) - 1);
        if runs.get(1).is_none_or(|&(next, _)| next > last) {
            return runs[0].1;
        }
        self.node(runs, start, free - 8)
    }

    /// A node of 256 entries with `free` bits behind each. Entries that lie within one run are taken in one step.
    fn node(&mut self, mut runs: &[(u128, u32)], start: u128, free: u32) -> u32 {
        let (mut begins, mut found) = ([0u64; 4], Vec::with_capacity(16));
        let mut index = 0;
        while index < 256usize {
            let from = start | (index as u128) << free;
            runs = &runs[runs.partition_point(|&(at, _)| at <= from) - 1..];
            let entry = self.entry(runs, from, free);
            if found.last() != Some(&entry) {
                begins[index >> 6] |= 1 << (index & 63);
                found.push(entry);
            }
            index = next_index(runs, start, free, index);
        }
        if found.len() >= MANY {
            return self.dense(&begins, &found);
        }
        let mut before = [0; 4];
        for word in 1..4 {
            before[word] = before[word - 1] + begins[word - 1].count_ones() as u8;
        }
        let mut near = [0; NEAR];
        near.iter_mut().zip(&found).for_each(|(near, entry)| *near = *entry);
        let node = Node { begins, before, base: self.entries.len() as u32, near };
        self.entries.extend_from_slice(found.get(NEAR..).unwrap_or_default());
        self.nodes.push(node);
        NODE | (self.nodes.len() as u32 - 1)
    }

    /// A node of many runs, each entry for itself.
    fn dense(&mut self, begins: &[u64; 4], runs: &[u32]) -> u32 {
        let base = self.entries.len() as u32;
        let mut runs = runs.iter();
        let mut entry = 0;
        for index in 0..256usize {
            if begins[index >> 6] >> (index & 63) & 1 == 1 {
                entry = *runs.next().unwrap_or(&0);
            }
            self.entries.push(entry);
        }
        NODE | DENSE | base
    }
}

/// The first entry after `index` that the current run does not cover whole.
fn next_index(runs: &[(u128, u32)], start: u128, free: u32, index: usize) -> usize {
    let changes = runs.get(1).map_or(256, |&(next, _)| ((next - start) >> free).min(256) as usize);
    changes.max(index + 1)
}
