//! Inclusion proofs (RFC 6962 §2.1.1) out of the tiles of an archive. Reads tiles as they lie there and trusts them: a tile
//! that is wrong gives a proof that does not lead to the root, and whoever checks the proof sees it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::entry::base64;
use super::error::EvidenceError;
use super::merkle::{Hash, TILE_HEIGHT, leaf_hash, node_hash};
use super::tiles::{Shelf, TILE_WIDTH, Tile, split_tile};
use super::verify::read_tile;

/// Subtree hashes that are remembered; a report asks for many proofs next to each other.
const MOST_KNOWN: usize = 1 << 20;

/// Makes proofs for a log of a certain size.
#[derive(Debug)]
pub struct Prover {
    dir: PathBuf,
    size: u64,
    tiles: HashMap<Tile, Vec<Hash>>,
    known: HashMap<(u64, u64), Hash>,
}

impl Prover {
    /// For the first `size` entries of the archive in `dir`.
    pub fn new(dir: &Path, size: u64) -> Self {
        Self { dir: dir.to_owned(), size, tiles: HashMap::new(), known: HashMap::new() }
    }

    /// The hashes that lead from entry `index` to the root, nearest first.
    ///
    /// # Errors
    /// The entry is not in the log, or a tile cannot be read.
    pub fn path(&mut self, index: u64) -> Result<Vec<Hash>, EvidenceError> {
        if index >= self.size {
            return Err(EvidenceError::Refused(format!("the log has no entry {index}")));
        }
        let (mut from, mut to, mut path) = (0, self.size, Vec::new());
        while to - from > 1 {
            let middle = from + split(to - from);
            let aside = if index < middle {
                let aside = self.subtree(middle, to)?;
                to = middle;
                aside
            } else {
                let aside = self.subtree(from, middle)?;
                from = middle;
                aside
            };
            path.push(aside);
        }
        path.reverse();
        Ok(path)
    }

    fn subtree(&mut self, from: u64, to: u64) -> Result<Hash, EvidenceError> {
        if let Some(hash) = self.known.get(&(from, to)) {
            return Ok(*hash);
        }
        let count = to - from;
        let level = count.trailing_zeros() / TILE_HEIGHT;
        let hash = if count == 1 << (TILE_HEIGHT * level) && from.is_multiple_of(count) {
            self.on_tile(level as u8, from >> (TILE_HEIGHT * level))?
        } else {
            let middle = from + split(count);
            node_hash(&self.subtree(from, middle)?, &self.subtree(middle, to)?)
        };
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert((from, to), hash);
        Ok(hash)
    }

    fn on_tile(&mut self, level: u8, number: u64) -> Result<Hash, EvidenceError> {
        let shelf = Shelf::Hashes(level);
        let edge = Tile::last(shelf, self.size);
        let tile = number / TILE_WIDTH;
        let tile = if tile < edge.number { Tile::full(shelf, tile) } else { edge };
        if !self.tiles.contains_key(&tile) {
            let path = self.dir.join(tile.path());
            let bytes =
                read_tile(&self.dir, tile, true).map_err(|error| EvidenceError::disk("read the tile", &path, error))?;
            let hashes = split_tile(&bytes).ok_or_else(|| EvidenceError::contradiction(&path, "this is no tile"))?;
            self.tiles.insert(tile, hashes.to_vec());
        }
        let hashes = self.tiles.get(&tile).map(Vec::as_slice).unwrap_or_default();
        let found = hashes.get((number % TILE_WIDTH) as usize).copied();
        found.ok_or_else(|| EvidenceError::contradiction(&self.dir.join(tile.path()), "the tile is too short"))
    }
}

/// Leaves of the left part: the largest power of two below `count`.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The root that a proof leads to, from an entry's text.
pub fn root_of(entry: &str, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let (mut hash, mut at, mut last) = (leaf_hash(entry.as_bytes()), index, size.checked_sub(1)?);
    for aside in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(aside, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, aside);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// A proof as C2SP tlog-proof writes it: with the checkpoint, complete in itself.
pub fn text(index: u64, path: &[Hash], checkpoint: &str) -> String {
    let hashes: String = path.iter().map(|hash| format!("{}\n", base64(hash))).collect();
    format!("c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{checkpoint}")
}
