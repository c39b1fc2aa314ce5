//! One pass over the log: bundles in order, each entry hashed, read and handed to the checks.

use std::path::Path;

use super::breach::{Breach, BreachKind, Findings};
use super::chain::Chain;
use super::frames::Frames;
use super::ranges::Ranges;
use super::strays::{self, read_tile};
use super::{VerifyOptions, VerifyReport};
use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::deed::{Deed, Deletion, Rotation};
use crate::evidence::entry::Entry;
use crate::evidence::merkle::{Hash, Tree, leaf_hash};
use crate::evidence::segment::Opener;
use crate::evidence::tiles::{Shelf, TILE_WIDTH, Tile, split_bundle};

/// How many bundles pass between two calls of the progress callback.
const PROGRESS_BUNDLES: u64 = 64;

struct Walk<'a> {
    dir: &'a Path,
    chain: Chain,
    findings: &'a mut Findings,
    unsettled: bool,
    /// Entries that the checkpoint speaks of.
    size: u64,
    tree: Tree,
    /// Numbers of the bundles that are gone.
    gone: Vec<u64>,
    /// First entry that the log says retention kept.
    minimum: u64,
    /// Hashes of the tile that is being filled, per level.
    levels: Vec<Vec<Hash>>,
    tree_broken: bool,
    known: Vec<Checkpoint>,
    frames: Frames<'a>,
    ranges: Ranges,
    report: VerifyReport,
}

/// Reads the whole log that `checkpoint` speaks of.
pub(super) fn walk<'a>(
    dir: &'a Path,
    how: &VerifyOptions<'_>,
    checkpoint: &Checkpoint,
    chain: Chain,
    opener: &'a Opener,
    findings: &'a mut Findings,
) -> VerifyReport {
    let known = known(how.known, checkpoint, &chain, findings);
    let mut walk = Walk {
        dir,
        chain,
        findings,
        unsettled: dir.join("journal").exists(),
        size: checkpoint.size,
        tree: Tree::default(),
        gone: Vec::new(),
        minimum: 0,
        levels: Vec::new(),
        tree_broken: false,
        known,
        frames: Frames::new(dir, opener),
        ranges: Ranges::default(),
        report: VerifyReport::default(),
    };
    let whole = (0..checkpoint.size.div_ceil(TILE_WIDTH)).all(|number| {
        if let Some(progress) = how.progress.filter(|_| number.is_multiple_of(PROGRESS_BUNDLES)) {
            progress(number * TILE_WIDTH, checkpoint.size);
        }
        walk.bundle(number, checkpoint.size)
    });
    walk.finish(checkpoint, whole)
}

/// Checkpoints kept elsewhere that the log must lead through.
fn known(notes: &[String], checkpoint: &Checkpoint, chain: &Chain, findings: &mut Findings) -> Vec<Checkpoint> {
    let mut known = Vec::new();
    for note in notes {
        match Checkpoint::parse(note).filter(|note| chain.knows(note)) {
            None => findings.add(BreachKind::Known, "known checkpoint", "it is none, or not of this log's key"),
            Some(note) if note.size > checkpoint.size => {
                let what = format!("it speaks of {} entries, the archive of {}", note.size, checkpoint.size);
                findings.add(BreachKind::Known, "known checkpoint", what);
            }
            Some(note) => known.push(note),
        }
    }
    known
}

impl Walk<'_> {
    /// Reads a bundle; `false` if it cannot be read and the log cannot be followed further.
    fn bundle(&mut self, number: u64, size: u64) -> bool {
        let edge = Tile::last(Shelf::Entries, size);
        let tile = if number < edge.number { Tile::full(Shelf::Entries, number) } else { edge };
        let first = self.tree.size();
        let bytes = read_tile(self.dir, tile, self.unsettled);
        if bytes.is_err() && self.go_around(tile) {
            return true;
        }
        let Ok(bytes) = bytes else {
            self.findings.at(
                BreachKind::Missing,
                first,
                tile.path(),
                "the bundle is missing; nothing after it was read",
            );
            return false;
        };
        let Some(entries) = split_bundle(&bytes).filter(|entries| entries.len() == usize::from(tile.width)) else {
            let what = "it does not hold as many entries as its name says; nothing after it was read";
            self.findings.at(BreachKind::Entry, first, tile.path(), what);
            return false;
        };
        let hashes = read_tile(self.dir, Tile { shelf: Shelf::Hashes(0), ..tile }, self.unsettled).unwrap_or_default();
        // Where the tile of hashes is short or missing, the rest is read all the same; the tile is reported later.
        let mut expected = hashes.as_chunks::<32>().0.iter();
        for entry in entries {
            let (index, hash) = (self.tree.size(), leaf_hash(entry));
            if expected.next().is_some_and(|expected| hash != *expected) {
                self.broken_entry(index, entry, tile);
            }
            self.entry(index, entry, hash, tile);
        }
        true
    }

    /// Goes on behind a full bundle that is gone, by its hash on the tile above; `false` if that is not there. Whether the
    /// bundle may be gone, the entries behind it tell.
    fn go_around(&mut self, tile: Tile) -> bool {
        let size = self.size;
        if !tile.is_full() {
            return false;
        }
        let edge = Tile::last(Shelf::Hashes(1), size);
        let number = tile.number / TILE_WIDTH;
        let above = if number < edge.number { Tile::full(Shelf::Hashes(1), number) } else { edge };
        let bytes = read_tile(self.dir, above, self.unsettled).unwrap_or_default();
        let Some(hash) = bytes.as_chunks::<32>().0.get((tile.number % TILE_WIDTH) as usize) else { return false };
        self.plant(1, *hash);
        self.gone.push(tile.number);
        self.chain.hole();
        self.frames.hole();
        self.ranges.hole();
        self.skip_known();
        true
    }

    /// A checkpoint kept elsewhere that speaks of entries in the middle of a hole cannot be held against the log.
    fn skip_known(&mut self) {
        let size = self.tree.size();
        let before = self.known.len();
        self.known.retain(|known| known.size >= size);
        if self.known.len() < before {
            self.findings.warn("a checkpoint kept elsewhere speaks of entries that were pruned; it was not checked");
        }
    }

    fn broken_entry(&mut self, index: u64, entry: &[u8], tile: Tile) {
        self.tree_broken = true;
        let record = entry.starts_with(b"hw1 R ").then_some(self.frames.records);
        let (kind, what) = (BreachKind::Entry, "the entry and its hash on the tile differ".to_owned());
        self.findings.push(Breach { kind, entry: Some(index), record, place: tile.path(), what });
    }

    fn entry(&mut self, index: u64, bytes: &[u8], hash: Hash, tile: Tile) {
        self.check_known();
        let parsed = std::str::from_utf8(bytes).ok().and_then(Entry::parse);
        match &parsed {
            None => self.findings.at(BreachKind::Entry, index, tile.path(), "the entry cannot be read"),
            Some(entry) => self.read(index, entry),
        }
        if index == 0 && !matches!(parsed, Some(Entry::Checkpoint { .. })) {
            self.findings.at(BreachKind::History, 0, tile.path(), "the log does not begin with its empty checkpoint");
        }
        self.plant(0, hash);
    }

    /// Adds a leaf, or the hash of a tile that is gone, and holds tiles that are full thereby against their files.
    fn plant(&mut self, level: usize, hash: Hash) {
        let mut emitted = Vec::with_capacity(2);
        self.tree.push_subtree(level, hash, |level, hash| emitted.push((level, hash)));
        for (level, hash) in emitted {
            if self.levels.len() <= level {
                self.levels.resize_with(level + 1, Vec::new);
            }
            self.levels[level].push(hash);
        }
        self.compare_full_tiles();
    }

    fn read(&mut self, index: u64, entry: &Entry) {
        self.ranges.entry(index, entry, self.findings);
        match entry {
            Entry::Checkpoint { root, signature } => {
                self.report.batches += 1;
                self.frames.batch(self.findings);
                self.history(index, *root, signature);
            }
            Entry::Record { commitment, .. } => self.frames.record(index, *commitment, self.findings),
            Entry::Deed { deed, .. } => {
                if let Deed::Rotated(Rotation::Signer { from, to, .. }) = deed
                    && !self.chain.change(from, to)
                {
                    let what = "the log tells of another change of its key than log.vkey";
                    self.findings.at(BreachKind::VerifierKey, index, "log.vkey", what);
                }
                self.deleted(index, deed);
                if let Some(commitment) = deed.commitment() {
                    self.report.deeds += 1;
                    self.frames.detail(index, commitment, self.findings);
                }
            }
            Entry::Frame { segment, offset, length, digest } => {
                self.frames.frame(index, (*segment, *offset, *length, *digest), self.findings);
            }
            Entry::Seal { segment, bytes, digest } => {
                self.frames.seal(index, (*segment, *bytes, *digest), self.findings);
            }
            Entry::Rejected { commitment, .. } => {
                self.report.rejected += 1;
                self.frames.detail(index, *commitment, self.findings);
            }
            Entry::Batch { .. } | Entry::Config { .. } | Entry::Life { .. } | Entry::Gap { .. } => (),
        }
    }

    fn deleted(&mut self, index: u64, deed: &Deed) {
        match deed {
            Deed::Deleted(Deletion::Segment { segment, bytes, .. }) => {
                self.frames.deleted(index, *segment, *bytes, self.findings);
            }
            Deed::Deleted(Deletion::Tiles { minimum, .. }) => self.minimum = self.minimum.max(*minimum),
            Deed::Deleted(Deletion::Keys { .. })
            | Deed::Acknowledged { .. }
            | Deed::Accessed { .. }
            | Deed::Erased { .. }
            | Deed::Held { .. }
            | Deed::Rotated(_) => (),
        }
    }

    /// What is gone must have been told of by an entry that is there.
    fn check_gone(&mut self) {
        let untold = self.gone.iter().filter(|number| (*number + 1) * TILE_WIDTH > self.minimum);
        for number in untold {
            let path = Tile::full(Shelf::Entries, *number).path();
            let what = "the bundle is missing, and the log does not say that it was pruned";
            self.findings.at(BreachKind::Missing, number * TILE_WIDTH, path, what);
        }
        if !self.gone.is_empty() && self.findings.is_empty() {
            let text = format!("{} entries were pruned by retention; the root commits to them", self.pruned());
            self.findings.warn(text);
        }
    }

    fn pruned(&self) -> u64 {
        self.gone.len() as u64 * TILE_WIDTH
    }

    /// The checkpoint that a batch began with speaks of exactly the entries before it.
    fn history(&mut self, size: u64, root: Hash, signature: &str) {
        let (origin, signature) = (self.chain.name().to_owned(), signature.to_owned());
        let signed = self.chain.accepts(&Checkpoint { origin, size, root, signature });
        if !signed {
            self.findings.at(BreachKind::History, size, "log", "an earlier checkpoint is not signed by the log's key");
        } else if !self.tree_broken && root != self.tree.root() {
            self.findings.at(BreachKind::History, size, "log", "an earlier checkpoint has another root");
        }
    }

    fn check_known(&mut self) {
        if self.known.is_empty() {
            return;
        }
        let (size, root) = (self.tree.size(), self.tree.root());
        let findings = &mut *self.findings;
        self.known.retain(|known| {
            if known.size == size && known.root != root {
                findings.at(BreachKind::Known, size, "known checkpoint", "the archive has another root at its size");
            }
            known.size != size
        });
    }

    fn compare_full_tiles(&mut self) {
        for level in 0..self.levels.len() {
            if self.levels[level].len() as u64 == TILE_WIDTH {
                let hashes = std::mem::take(&mut self.levels[level]);
                let shelf = Shelf::Hashes(level as u8);
                let number = Tile::last(shelf, self.tree.size()).number - 1;
                self.compare(Tile::full(shelf, number), &hashes);
            }
        }
    }

    fn compare(&mut self, tile: Tile, hashes: &[Hash]) {
        match read_tile(self.dir, tile, self.unsettled) {
            Ok(bytes) if bytes == hashes.as_flattened() => (),
            Ok(_) => self.findings.add(BreachKind::Tile, tile.path(), "it does not hold the hashes of its entries"),
            Err(_) => self.findings.add(BreachKind::Missing, tile.path(), "the tile is missing or cannot be read"),
        }
    }

    fn finish(mut self, checkpoint: &Checkpoint, whole: bool) -> VerifyReport {
        let signed = if whole { self.chain.accepts(checkpoint) } else { self.chain.knows(checkpoint) };
        if !signed {
            self.findings.add(BreachKind::Signature, "checkpoint", "it is not signed by the log's key");
        }
        if whole {
            if !self.chain.is_done() {
                self.findings.add(BreachKind::VerifierKey, "log.vkey", "it names keys of which the log does not tell");
            }
            self.check_known();
            self.check_gone();
            for tile in Tile::edge(checkpoint.size) {
                if let Shelf::Hashes(level) = tile.shelf {
                    let hashes = self.levels.get(usize::from(level)).cloned().unwrap_or_default();
                    self.compare(tile, &hashes);
                }
            }
            if self.tree.root() != checkpoint.root {
                self.findings.add(BreachKind::Root, "checkpoint", "the entries do not give the root that was signed");
            }
            self.frames.finish(self.findings);
            strays::find(self.dir, checkpoint.size, &self.frames, self.unsettled, self.findings);
        }
        self.report.entries = self.tree.size();
        self.report.records = self.frames.records;
        self.report.opened = self.frames.opened;
        self.report.deleted = self.frames.gone();
        self.report.pruned = self.pruned();
        self.report.segments = self.frames.segments();
        self.report.lanes = self.ranges.finish();
        self.report
    }
}
