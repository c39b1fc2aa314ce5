//! Compiled table for IPv6: the first 16 bits index the root, the next 8 a block of 256 entries; what lies below them stands
//! in lines of 64 bytes, as the cache has them. Never changes once compiled.
//!
//! A range with few answers is a list: where each answer begins, and which it is. A range with more is a node of 256 entries,
//! one for each value of the next 8 bits, that holds each run of equal entries once: a bit marks where a run begins, and
//! counting bits finds the entry. Equal lists and equal nodes are kept once. What a look-up costs is the lines that have to
//! be fetched, so that a small table is a fast one.

use std::collections::HashMap;

use super::segments::Segments;

/// Marks an entry that is a number of what lies below, rather than an answer: in the root that of a block, elsewhere that of
/// the line where a node or a list begins.
const BELOW: u32 = 1 << 31;
/// Marks, beside it, that of a list.
const LIST: u32 = 1 << 30;

/// Words of 32 bits in a line.
const LINE: usize = 16;

/// Answers that a list holds: the words of a line are where they begin, by the next bits of the address, and they.
const LISTED: usize = LINE / 2;
/// Bits of an address by which a list tells its answers apart.
const LIST_BITS: u32 = 32;

/// Words of a node that say where runs begin, one bit for each of 256 entries; bit 0 of the first is always set.
const BEGINS: usize = 8;
/// Behind them, a byte for each: the runs that begin before it. Counting bits is slow on processors not asked for it.
const BEFORE: usize = 2;
/// Behind these the entry of each run: the first six are in the same line.
const RUNS: usize = BEGINS + BEFORE;

/// Address → number of an answer.
#[derive(Debug)]
pub(super) struct AtlasV6 {
    /// One entry for each /16: an answer or a block.
    root: Vec<u32>,
    /// One entry for each /24 of a block: an answer, a node or a list.
    blocks: Vec<[u32; 256]>,
    /// Nodes and lists, each from the beginning of a line.
    lines: Vec<[u32; LINE]>,
}

impl AtlasV6 {
    /// Compiles runs whose values are numbers of answers (below 65536).
    pub(super) fn compile(segments: &Segments<u128>) -> Self {
        let mut compiler = Compiler::default();
        let root = (0..1u128 << 16).map(|high| compiler.root_entry(segments.runs(), high << 112)).collect();
        Self { root, blocks: compiler.blocks, lines: compiler.lines }
    }

    /// The number of the answer for an address.
    #[inline]
    pub(super) fn find(&self, address: u128) -> u16 {
        let mut entry = self.root[(address >> 112) as usize];
        if entry & BELOW == 0 {
            return entry as u16;
        }
        entry = self.blocks[(entry & !BELOW) as usize][usize::from((address >> 104) as u8)];
        let mut rest = address << 24;
        while entry & BELOW != 0 {
            let line = &self.lines.as_flattened()[(entry & !(BELOW | LIST)) as usize * LINE..];
            if entry & LIST != 0 {
                entry = listed(line, (rest >> (128 - LIST_BITS)) as u32);
                break;
            }
            entry = line[run(line, (rest >> 120) as u8)];
            rest <<= 8;
        }
        entry as u16
    }

    /// Bytes that the table takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.root) + size_of_val(&*self.blocks) + size_of_val(&*self.lines)
    }
}

/// The answer of a list for the next bits of an address.
#[inline]
fn listed(list: &[u32], bits: u32) -> u32 {
    let (begins, answers) = list[..LINE].split_at(LISTED);
    // the first begins at 0
    let place = begins[1..].iter().fold(0, |place, begin| place + usize::from(*begin <= bits));
    answers[place]
}

/// Where in a node the run of an entry stands.
#[inline]
fn run(node: &[u32], entry: u8) -> usize {
    let (word, bit) = (usize::from(entry >> 5), u32::from(entry & 31));
    let before = node[BEGINS + word / 4] >> (8 * (word % 4)) & 0xff;
    let within = (node[word] << (31 - bit)).count_ones();
    RUNS - 1 + (before + within) as usize
}

#[derive(Default)]
struct Compiler {
    blocks: Vec<[u32; 256]>,
    lines: Vec<[u32; LINE]>,
    /// Where a node or list stands.
    known: HashMap<Vec<u32>, u32>,
}

/// Where runs begin, and their answers.
type Runs<'a> = &'a [(u128, u32)];

impl Compiler {
    /// The entry for a /16.
    fn root_entry(&mut self, runs: Runs<'_>, start: u128) -> u32 {
        let runs = within(runs, start, 112);
        if let [(_, answer)] = runs {
            return *answer;
        }
        let block = std::array::from_fn(|index| self.entry(runs, start | (index as u128) << 104, 104));
        self.blocks.push(block);
        BELOW | (self.blocks.len() as u32 - 1)
    }

    /// The entry for the prefix at `start` that has `free` bits behind it: the answer if there is one for all of it.
    /// `runs` begins at or before `start`.
    fn entry(&mut self, runs: Runs<'_>, start: u128, free: u32) -> u32 {
        let runs = within(runs, start, free);
        if let [(_, answer)] = runs {
            return *answer;
        }
        match list(runs, free) {
            Some(list) => BELOW | LIST | self.share(list),
            None => BELOW | self.node(runs, start, free - 8),
        }
    }

    /// A node of 256 entries with `free` bits behind each. Entries that lie within one run are taken in one step.
    fn node(&mut self, mut runs: Runs<'_>, start: u128, free: u32) -> u32 {
        let mut node = vec![0; RUNS];
        let (mut index, mut last) = (0, None);
        while index < 256usize {
            let from = start | (index as u128) << free;
            runs = &runs[runs.partition_point(|&(at, _)| at <= from) - 1..];
            let entry = self.entry(runs, from, free);
            if last.replace(entry) != Some(entry) {
                node[index >> 5] |= 1 << (index & 31);
                node.push(entry);
            }
            index = next_index(runs, start, free, index);
        }
        let mut before = 0;
        for word in 0..BEGINS {
            node[BEGINS + word / 4] |= before << (8 * (word % 4));
            before += node[word].count_ones();
        }
        self.share(node)
    }

    /// The line where these words stand; they are added if they are new.
    fn share(&mut self, words: Vec<u32>) -> u32 {
        let next = self.lines.len() as u32;
        if let Some(known) = self.known.get(&words) {
            return *known;
        }
        for chunk in words.chunks(LINE) {
            let mut line = [0; LINE];
            line[..chunk.len()].copy_from_slice(chunk);
            self.lines.push(line);
        }
        self.known.insert(words, next);
        next
    }
}

/// Those of the runs that are in the prefix at `start` with `free` bits behind it.
fn within(runs: Runs<'_>, start: u128, free: u32) -> Runs<'_> {
    let last = start | ((1u128 << free) - 1);
    let runs = &runs[runs.partition_point(|&(at, _)| at <= start) - 1..];
    &runs[..runs.partition_point(|&(at, _)| at <= last)]
}

/// The list of a range with `free` bits behind its prefix, if a list can say it. The first of its runs may begin before it.
fn list(runs: Runs<'_>, free: u32) -> Option<Vec<u32>> {
    let (&(_, last), begun) = (runs.last()?, runs.get(1..)?);
    let finer = (1u128 << free.saturating_sub(LIST_BITS)) - 1;
    if runs.len() > LISTED || begun.iter().any(|(at, _)| at & finer != 0) {
        return None;
    }
    // places behind the last repeat it
    let mut list = vec![u32::MAX; LISTED];
    list[0] = 0;
    let bits = |at: u128| (at << (128 - free) >> (128 - LIST_BITS)) as u32;
    list[1..].iter_mut().zip(begun).for_each(|(begin, (at, _))| *begin = bits(*at));
    list.extend(runs.iter().map(|(_, answer)| *answer));
    list.resize(LINE, last);
    Some(list)
}

/// The first entry after `index` that the current run does not cover whole.
fn next_index(runs: Runs<'_>, start: u128, free: u32, index: usize) -> usize {
    let changes = runs.get(1).map_or(256, |&(next, _)| ((next - start) >> free).min(256) as usize);
    changes.max(index + 1)
}
