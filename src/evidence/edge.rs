//! The right edge of the log: the tree, and the tiles and bundle that are not full yet. Writes tiles as entries come;
//! until [`Edge::sync`] they count on the journal.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::entry::unhex;
use super::error::EvidenceError;
use super::merkle::{Hash, TILE_HEIGHT, Tree, leaf_hash};
use super::tiles::{Shelf, TILE_WIDTH, Tile, push_entry, split_bundle, split_tile};
use crate::domain::hex::hex;

/// The growing end of the log.
pub(super) struct Edge {
    dir: PathBuf,
    tree: Tree,
    /// Hashes of the last tile of each level.
    hashes: Vec<Vec<Hash>>,
    /// Bytes of the last bundle.
    bundle: Vec<u8>,
    unsynced: BTreeSet<PathBuf>,
    /// Directories from which something was removed: a removal must last, too, or a stray tile comes back.
    thinned: BTreeSet<PathBuf>,
}

/// The edge as the journal keeps it: from here the entries of the journal are laid again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Base {
    /// Entries of the bundle that is not full.
    bundle: Vec<String>,
    /// Hashes of the tile that is not full, per level, in hex.
    hashes: Vec<Vec<String>>,
}

impl Edge {
    /// The edge of an empty log.
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            tree: Tree::default(),
            hashes: Vec::new(),
            bundle: Vec::new(),
            unsynced: BTreeSet::new(),
            thinned: BTreeSet::new(),
        }
    }

    /// Reads the edge of a log of `size` entries from its partial tiles.
    pub(super) fn load(dir: &Path, size: u64) -> Result<Self, EvidenceError> {
        let mut edge = Self::new(dir);
        for tile in Tile::edge(size) {
            let path = dir.join(tile.path());
            let bytes = fs::read(&path).map_err(|error| {
                if error.kind() == io::ErrorKind::NotFound {
                    EvidenceError::contradiction(&path, "the checkpoint needs this tile")
                } else {
                    EvidenceError::disk("read", &path, error)
                }
            })?;
            let width = usize::from(tile.width);
            let fits = match tile.shelf {
                Shelf::Entries => split_bundle(&bytes).is_some_and(|entries| entries.len() == width),
                Shelf::Hashes(level) => {
                    let hashes = split_tile(&bytes).unwrap_or_default();
                    *edge.level(usize::from(level)) = hashes.to_vec();
                    hashes.len() == width
                }
            };
            if !fits {
                return Err(EvidenceError::contradiction(&path, "this is no tile of the width that its name says"));
            }
            if tile.shelf == Shelf::Entries {
                edge.bundle = bytes;
            }
        }
        edge.plant();
        Ok(edge)
    }

    /// Restores the edge from what the journal kept; `None` if that is no edge.
    pub(super) fn from_base(dir: &Path, base: &Base) -> Option<Self> {
        let mut edge = Self::new(dir);
        base.bundle.iter().for_each(|entry| push_entry(&mut edge.bundle, entry));
        let level = |hashes: &Vec<String>| hashes.iter().map(|hash| unhex(hash)).collect();
        edge.hashes = base.hashes.iter().map(level).collect::<Option<_>>()?;
        edge.plant();
        Some(edge)
    }

    /// What the journal keeps.
    pub(super) fn base(&self) -> Base {
        let text = |entry: &[u8]| String::from_utf8_lossy(entry).into_owned();
        let bundle = split_bundle(&self.bundle).unwrap_or_default().into_iter().map(text).collect();
        let hashes = self.hashes.iter().map(|level| level.iter().map(|hash| hex(hash)).collect()).collect();
        Base { bundle, hashes }
    }

    /// Grows the tree from the tiles: the highest level first, for its subtrees stand to the left.
    fn plant(&mut self) {
        for (level, hashes) in self.hashes.iter().enumerate().rev() {
            hashes.iter().for_each(|hash| self.tree.restore(TILE_HEIGHT * level as u32, *hash));
        }
    }

    /// Size and root that the log would have with these entries.
    pub(super) fn outlook<'e>(&self, entries: impl Iterator<Item = &'e String>) -> (u64, Hash) {
        let mut tree = self.tree.clone();
        entries.for_each(|entry| tree.push(leaf_hash(entry.as_bytes()), |_, _| ()));
        (tree.size(), tree.root())
    }

    fn level(&mut self, level: usize) -> &mut Vec<Hash> {
        if self.hashes.len() <= level {
            self.hashes.resize_with(level + 1, Vec::new);
        }
        &mut self.hashes[level]
    }

    /// Entries so far.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Root over all entries so far.
    pub(super) fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Adds an entry; writes every tile that becomes full by it.
    pub(super) fn push(&mut self, disk: &Disk, entry: &str) -> Result<(), EvidenceError> {
        push_entry(&mut self.bundle, entry);
        let mut emitted = Vec::with_capacity(2);
        self.tree.push(leaf_hash(entry.as_bytes()), |level, hash| emitted.push((level, hash)));
        for (level, hash) in emitted {
            self.level(level).push(hash);
        }
        if self.size().is_multiple_of(TILE_WIDTH) { self.write_full(disk) } else { Ok(()) }
    }

    fn write_full(&mut self, disk: &Disk) -> Result<(), EvidenceError> {
        let bundle = std::mem::take(&mut self.bundle);
        self.write(disk, Tile::full(Shelf::Entries, self.size() / TILE_WIDTH - 1), &bundle)?;
        for level in 0..self.hashes.len() {
            if self.hashes[level].len() as u64 == TILE_WIDTH {
                let hashes = std::mem::take(&mut self.hashes[level]);
                let shelf = Shelf::Hashes(level as u8);
                let number = Tile::last(shelf, self.size()).number - 1;
                self.write(disk, Tile::full(shelf, number), hashes.as_flattened())?;
            }
        }
        Ok(())
    }

    /// Writes the partial tiles of the edge, leaving out those that a log of `old` entries had already.
    pub(super) fn write_partial(&mut self, disk: &Disk, old: u64) -> Result<(), EvidenceError> {
        let known: Vec<Tile> = Tile::edge(old).collect();
        for tile in Tile::edge(self.size()).filter(|tile| !known.contains(tile)) {
            let bytes = match tile.shelf {
                Shelf::Entries => self.bundle.clone(),
                Shelf::Hashes(level) => self.hashes[usize::from(level)].as_flattened().to_vec(),
            };
            self.write(disk, tile, &bytes)?;
        }
        Ok(())
    }

    /// Writes a tile, unless it is there as it should be: one that is published already, and that a start lays again from
    /// the journal, must never be found half written, neither by a reader nor after the next crash.
    fn write(&mut self, disk: &Disk, tile: Tile, bytes: &[u8]) -> Result<(), EvidenceError> {
        let path = self.dir.join(tile.path());
        if fs::read(&path).is_ok_and(|found| found == bytes) {
            self.unsynced.insert(path);
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            disk.create_dir(parent)?;
        }
        disk.write(&path, bytes)?;
        self.unsynced.insert(path);
        Ok(())
    }

    /// Removes the partial tiles of a log of `old` entries that have grown since.
    pub(super) fn drop_outgrown(&mut self, disk: &Disk, old: u64) -> Result<(), EvidenceError> {
        let kept: Vec<Tile> = Tile::edge(self.size()).collect();
        let outgrown: Vec<Tile> = Tile::edge(old).filter(|tile| !kept.contains(tile)).collect();
        outgrown.into_iter().try_for_each(|tile| self.remove(disk, &self.dir.join(tile.path())))
    }

    fn remove(&mut self, disk: &Disk, path: &Path) -> Result<(), EvidenceError> {
        disk.remove(path)?;
        self.unsynced.remove(path);
        self.thinned.extend(path.ancestors().skip(1).take(2).map(Path::to_owned));
        // A full tile leaves an empty `.p` directory behind; while others are in it this fails, as it should.
        if let Some(parent) = path.parent().filter(|parent| parent.extension().is_some_and(|end| end == "p")) {
            fs::remove_dir(parent).ok();
        }
        Ok(())
    }

    /// What lies where entries `from..to` have their tiles and does not belong to the present size.
    pub(super) fn strays(&self, from: u64, to: u64) -> Vec<PathBuf> {
        let mut strays = Vec::new();
        for shelf in [Shelf::Entries].into_iter().chain((0..8).map(Shelf::Hashes)) {
            for number in Tile::last(shelf, from).number..=Tile::last(shelf, to).number {
                let full = Tile::full(shelf, number);
                let found = self.partial(full).chain([full]).filter(|tile| !tile.belongs_to(self.size()));
                strays.extend(found.map(|tile| self.dir.join(tile.path())).filter(|path| path.exists()));
            }
        }
        strays
    }

    /// Partial tiles on disk under the number of a full one.
    fn partial(&self, full: Tile) -> impl Iterator<Item = Tile> {
        let names = fs::read_dir(self.dir.join(format!("{}.p", full.path()))).into_iter().flatten().flatten();
        names.filter_map(move |file| {
            let width = file.file_name().to_str()?.parse().ok()?;
            Some(Tile { width, ..full }).filter(|tile| tile.width > 0 && !tile.is_full())
        })
    }

    /// Removes strays.
    pub(super) fn sweep(&mut self, disk: &Disk, strays: &[PathBuf]) -> Result<(), EvidenceError> {
        strays.iter().try_for_each(|path| self.remove(disk, path))
    }

    /// Brings every tile written since the last time to the medium, with the directories that name it.
    pub(super) fn sync(&mut self, disk: &Disk) -> Result<(), EvidenceError> {
        let mut dirs = std::mem::take(&mut self.thinned);
        dirs.retain(|dir| dir.is_dir());
        dirs.insert(self.dir.clone());
        disk.sync_all(&self.unsynced)?;
        for path in &self.unsynced {
            dirs.extend(path.ancestors().skip(1).take_while(|above| *above != self.dir).map(Path::to_owned));
        }
        dirs.iter().try_for_each(|dir| disk.sync_dir(dir))?;
        self.unsynced.clear();
        Ok(())
    }
}
