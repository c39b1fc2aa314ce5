//! Reads a published log: its checkpoint and its entries. Never writes, and checks no more than that lines can be read;
//! who wants proof asks [`super::verify`].

use std::fs;
use std::io;
use std::path::Path;

use super::checkpoint::Checkpoint;
use super::entry::Entry;
use super::error::EvidenceError;
use super::tiles::{Shelf, TILE_WIDTH, Tile, split_bundle};
use super::verify::read_tile;

/// The checkpoint on disk, unverified; `None` if there is none.
pub(super) fn checkpoint(dir: &Path) -> Result<Option<Checkpoint>, EvidenceError> {
    let path = dir.join("checkpoint");
    match fs::read_to_string(&path) {
        Ok(note) => {
            let parsed = Checkpoint::parse(&note);
            parsed.map(Some).ok_or_else(|| EvidenceError::contradiction(&path, "this is no checkpoint"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EvidenceError::disk("read", &path, error)),
    }
}

/// A bundle of a log of `size` entries, as lines.
pub(super) fn bundle(dir: &Path, number: u64, size: u64) -> Result<Vec<String>, EvidenceError> {
    let mut tile = Tile::last(Shelf::Entries, size);
    if number < tile.number {
        tile = Tile::full(Shelf::Entries, number);
    }
    let path = dir.join(tile.path());
    // a writer may have gone on since: then the partial bundle has grown, and its first part is taken
    let bytes = read_tile(dir, tile, true).map_err(|error| EvidenceError::disk("read", &path, error))?;
    let entries = split_bundle(&bytes).filter(|entries| entries.len() == usize::from(tile.width));
    let lines = entries.and_then(|entries| {
        entries.into_iter().map(|entry| std::str::from_utf8(entry).ok().map(str::to_owned)).collect()
    });
    lines.ok_or_else(|| EvidenceError::contradiction(&path, "this is no bundle of the width that its name says"))
}

/// Whether a full bundle is there. Retention prunes from the beginning, so that what is missing is a head.
fn is_pruned(dir: &Path, number: u64, size: u64) -> bool {
    let full = number < Tile::last(Shelf::Entries, size).number;
    full && !dir.join(Tile::full(Shelf::Entries, number).path()).exists()
}

/// Hands the entries `from..size` to `each`, in order, with their index; those that were pruned are left out.
pub(super) fn entries(dir: &Path, from: u64, size: u64, mut each: impl FnMut(u64, Entry)) -> Result<(), EvidenceError> {
    let numbers = (from / TILE_WIDTH..size.div_ceil(TILE_WIDTH)).skip_while(|number| is_pruned(dir, *number, size));
    for number in numbers {
        for (line, index) in bundle(dir, number, size)?.iter().zip(number * TILE_WIDTH..) {
            if index >= from {
                each(index, parse(dir, index, line)?);
            }
        }
    }
    Ok(())
}

/// The last entry below `size` that `pick` takes, of those that are not pruned.
pub(super) fn last<T>(
    dir: &Path,
    size: u64,
    mut pick: impl FnMut(Entry) -> Option<T>,
) -> Result<Option<T>, EvidenceError> {
    for number in (0..size.div_ceil(TILE_WIDTH)).rev().take_while(|number| !is_pruned(dir, *number, size)) {
        for (at, line) in bundle(dir, number, size)?.iter().enumerate().rev() {
            if let Some(found) = pick(parse(dir, number * TILE_WIDTH + at as u64, line)?) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

fn parse(dir: &Path, index: u64, line: &str) -> Result<Entry, EvidenceError> {
    Entry::parse(line).ok_or_else(|| EvidenceError::contradiction(dir, format!("entry {index} cannot be read")))
}
