//! Paths and contents of tiles and entry bundles, as C2SP tlog-tiles lays them out. Pure.

use super::merkle::{Hash, TILE_HEIGHT};

/// Hashes on a full tile, entries in a full bundle.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shelf {
    /// Entries, each behind its length as two bytes, big-endian.
    Entries,
    /// Hashes of subtrees of `256^level` entries.
    Hashes(u8),
}

impl Shelf {
    fn level(self) -> u32 {
        match self {
            Self::Entries => 0,
            Self::Hashes(level) => u32::from(level),
        }
    }
}

/// A tile or an entry bundle, full or partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub shelf: Shelf,
    /// Its number on its level, from 0.
    pub number: u64,
    /// Hashes or entries in it, 1 to 256; 256 is full.
    pub width: u16,
}

/// Highest level that a tree of 2^64 entries can have.
const MOST_LEVELS: u8 = 8;

impl Tile {
    /// The partial tiles at the right edge of a tree of `size` entries.
    pub fn edge(size: u64) -> impl Iterator<Item = Self> {
        [Shelf::Entries]
            .into_iter()
            .chain((0..MOST_LEVELS).map(Shelf::Hashes))
            .map(move |shelf| Self::last(shelf, size))
            .filter(|tile| tile.width > 0)
    }

    /// The tile at the right edge of one shelf; width 0 if that shelf has only full ones.
    pub fn last(shelf: Shelf, size: u64) -> Self {
        let count = size >> (TILE_HEIGHT * shelf.level());
        Self { shelf, number: count / TILE_WIDTH, width: (count % TILE_WIDTH) as u16 }
    }

    /// A full tile.
    pub fn full(shelf: Shelf, number: u64) -> Self {
        Self { shelf, number, width: TILE_WIDTH as u16 }
    }

    /// Whether it is full.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }

    /// Whether a tree of `size` entries has exactly this tile.
    pub fn belongs_to(&self, size: u64) -> bool {
        let edge = Self::last(self.shelf, size);
        if self.is_full() { self.number < edge.number } else { *self == edge }
    }

    /// Path inside the archive: `tile/<level>/<number>[.p/<width>]`, the number in groups of three digits.
    pub fn path(&self) -> String {
        let mut number = format!("{:03}", self.number % 1000);
        let mut rest = self.number / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        let shelf = match self.shelf {
            Shelf::Entries => "entries".to_owned(),
            Shelf::Hashes(level) => level.to_string(),
        };
        if self.is_full() {
            format!("tile/{shelf}/{number}")
        } else {
            format!("tile/{shelf}/{number}.p/{}", self.width)
        }
    }

    /// Reads a path; `None` unless it is exactly as [`Tile::path`] writes it.
    pub fn parse(path: &str) -> Option<Self> {
        let (shelf, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let shelf = match shelf {
            "entries" => Shelf::Entries,
            level => Shelf::Hashes(level.parse().ok().filter(|level| *level < MOST_LEVELS)?),
        };
        let (digits, width) = match rest.split_once(".p/") {
            Some((digits, width)) => {
                (digits, width.parse().ok().filter(|width| (1..TILE_WIDTH as u16).contains(width))?)
            }
            None => (rest, TILE_WIDTH as u16),
        };
        let number = digits.replace(['x', '/'], "").parse().ok()?;
        let tile = Self { shelf, number, width };
        (tile.path() == path).then_some(tile)
    }
}

/// Appends an entry to the bytes of a bundle. Entries are at most [`super::entry::MOST_BYTES`] long.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &str) {
    bundle.extend_from_slice(&(entry.len() as u16).to_be_bytes());
    bundle.extend_from_slice(entry.as_bytes());
}

/// Cuts a bundle into its entries; `None` if the bytes do not come out even.
pub fn split_bundle(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::with_capacity(TILE_WIDTH as usize);
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

/// Cuts a tile into its hashes; `None` if the bytes do not come out even.
pub fn split_tile(bytes: &[u8]) -> Option<&[Hash]> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty().then_some(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_independent_implementation() {
        for number in [0, 1, 255, 999, 1000, 1234, 999_999, 1_234_067, 12_345_678_901] {
            for width in [1u16, 17, 255, 256] {
                let tile = Tile { shelf: Shelf::Hashes(2), number, width };
                let theirs = tlog_tiles::Tile::new(8, 2, number, u32::from(width), false).path();
                // The Go-style path names the tile height where C2SP does not.
                assert_eq!(tile.path(), theirs.replacen("tile/8/", "tile/", 1));
                assert_eq!(Tile::parse(&tile.path()), Some(tile));
            }
        }
        assert_eq!(Tile::full(Shelf::Entries, 1_234_067).path(), "tile/entries/x001/x234/067");
    }

    #[test]
    fn only_the_one_spelling_is_read() {
        for path in [
            "tile/0/0",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/x000/001",
            "tile/00/000",
            "tile/9/000",
            "x/0/000",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn tiles_of_a_tree_are_those_of_the_independent_implementation() {
        for size in [1u64, 255, 256, 257, 65_535, 65_536, 65_537, 70_000] {
            let mut theirs: Vec<_> = tlog_tiles::Tile::new_tiles(8, 0, size)
                .iter()
                .map(|tile| Tile {
                    shelf: Shelf::Hashes(tile.level()),
                    number: tile.level_index(),
                    width: tile.width() as u16,
                })
                .collect();
            theirs.retain(|tile| !tile.is_full());
            theirs.sort();
            let ours: Vec<_> = Tile::edge(size).filter(|tile| tile.shelf != Shelf::Entries).collect();
            assert_eq!(ours, theirs, "size {size}");
            assert!(ours.iter().all(|tile| tile.belongs_to(size)));
        }
    }

    #[test]
    fn bundles_come_out_even_or_not_at_all() {
        let mut bundle = Vec::new();
        push_entry(&mut bundle, "one");
        push_entry(&mut bundle, "");
        assert_eq!(split_bundle(&bundle).unwrap(), [b"one".as_slice(), b""]);
        bundle.pop();
        assert_eq!(split_bundle(&bundle), None);
    }
}
