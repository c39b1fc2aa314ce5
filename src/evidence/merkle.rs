//! The Merkle tree of RFC 6962 §2.1, built leaf by leaf in logarithmic memory. Pure.

use sha2::{Digest, Sha256};

/// SHA-256 output.
pub type Hash = [u8; 32];

/// Levels of the tree between two levels of tiles (C2SP tlog-tiles: 256 hashes to a tile).
pub const TILE_HEIGHT: u32 = 8;

/// Hash of an entry: `SHA-256(0x00 || entry)`.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// Hash of two subtrees: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A growing tree: the perfect subtrees that its size is the sum of, largest first.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    size: u64,
    peaks: Vec<(u32, Hash)>,
}

impl Tree {
    /// Leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf. `emit` is told each hash that belongs on a tile, with the tile's level.
    pub fn push(&mut self, leaf: Hash, emit: impl FnMut(usize, Hash)) {
        self.push_subtree(0, leaf, emit);
    }

    /// Adds a perfect subtree by its hash on a tile of `level`. `emit` is told this hash and each above it that belongs on
    /// a tile. The tree's size must be a multiple of the subtree's.
    pub fn push_subtree(&mut self, level: usize, hash: Hash, mut emit: impl FnMut(usize, Hash)) {
        emit(level, hash);
        self.graft(TILE_HEIGHT * level as u32, hash, |height, hash| {
            if height % TILE_HEIGHT == 0 {
                emit((height / TILE_HEIGHT) as usize, hash);
            }
        });
    }

    /// Restores a tree from the hashes of perfect subtrees of `2^height` leaves, largest first, left to right.
    pub fn restore(&mut self, height: u32, hash: Hash) {
        self.graft(height, hash, |_, _| ());
    }

    fn graft(&mut self, mut height: u32, mut hash: Hash, mut merged: impl FnMut(u32, Hash)) {
        self.size += 1 << height;
        while let Some((_, left)) = self.peaks.pop_if(|(own, _)| *own == height) {
            hash = node_hash(&left, &hash);
            height += 1;
            merged(height, hash);
        }
        self.peaks.push((height, hash));
    }

    /// Root hash; of the empty tree `SHA-256("")`.
    pub fn root(&self) -> Hash {
        let mut right_to_left = self.peaks.iter().rev().map(|(_, hash)| *hash);
        let Some(last) = right_to_left.next() else { return Sha256::digest([]).into() };
        right_to_left.fold(last, |right, left| node_hash(&left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 §2.1 written down literally.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&by_definition(&leaves[..split]), &by_definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn root_is_that_of_the_definition_for_every_small_size() {
        let mut tree = Tree::default();
        let mut leaves = Vec::new();
        assert_eq!(tree.root(), by_definition(&leaves));
        for n in 0..700u32 {
            let leaf = leaf_hash(&n.to_be_bytes());
            leaves.push(leaf);
            tree.push(leaf, |_, _| ());
            assert_eq!(tree.root(), by_definition(&leaves), "size {}", n + 1);
        }
    }

    #[test]
    fn tile_hashes_are_roots_of_full_subtrees() {
        let leaves: Vec<Hash> = (0..600u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let (mut tree, mut level_one) = (Tree::default(), Vec::new());
        for leaf in &leaves {
            tree.push(*leaf, |level, hash| {
                if level == 1 {
                    level_one.push(hash);
                }
            });
        }
        assert_eq!(level_one, [by_definition(&leaves[..256]), by_definition(&leaves[256..512])]);
        let mut restored = Tree::default();
        level_one.iter().for_each(|hash| restored.restore(TILE_HEIGHT, *hash));
        leaves[512..].iter().for_each(|leaf| restored.restore(0, *leaf));
        assert_eq!((restored.size(), restored.root()), (600, tree.root()));
    }

    #[test]
    fn agrees_with_the_independent_implementation() {
        use tlog_tiles::tlog;
        let store = std::cell::RefCell::new(Vec::<tlog::Hash>::new());
        struct Stored<'a>(&'a std::cell::RefCell<Vec<tlog::Hash>>);
        impl tlog::HashReader for Stored<'_> {
            fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
                Ok(indexes.iter().map(|index| self.0.borrow()[*index as usize]).collect())
            }
        }
        let mut tree = Tree::default();
        for n in 0..300u64 {
            let line = format!("entry {n}");
            let hashes = tlog::stored_hashes(n, line.as_bytes(), &Stored(&store)).unwrap();
            store.borrow_mut().extend(hashes);
            tree.push(leaf_hash(line.as_bytes()), |_, _| ());
            assert_eq!(tlog::tree_hash(n + 1, &Stored(&store)).unwrap().0, tree.root());
        }
    }
}
