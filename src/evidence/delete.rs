//! Carries out what a recorded deletion says. Doing it again changes nothing; nothing that the log does not say is deleted.

use std::path::Path;

use super::disk::Disk;
use super::error::EvidenceError;
use super::index::Index;
use super::segment::SegmentId;
use super::tiles::{Shelf, TILE_WIDTH, Tile};

/// A segment and its rows of the index; with the last of a month its folder and its file of the index.
pub(super) fn segment(dir: &Path, disk: &Disk, index: &mut Index, id: SegmentId) -> Result<(), EvidenceError> {
    let path = id.path(dir);
    disk.remove(&path)?;
    if let Some(month) = path.parent().filter(|month| month.is_dir()) {
        disk.sync_dir(month)?;
    }
    index.forget(disk, id)
}

/// Full bundles below the entry `minimum`, and then the hashes of their entries. The tiles above keep every proof whole.
pub(super) fn tiles(dir: &Path, disk: &Disk, minimum: u64) -> Result<(), EvidenceError> {
    for number in 0..minimum / TILE_WIDTH {
        for shelf in [Shelf::Entries, Shelf::Hashes(0)] {
            let path = dir.join(Tile::full(shelf, number).path());
            if path.exists() {
                disk.remove(&path)?;
            }
        }
    }
    Ok(())
}
