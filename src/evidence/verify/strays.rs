//! Finds files that the log does not know, and reads tiles of an archive whose writer may be running.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::breach::{BreachKind, Findings};
use super::frames::Frames;
use crate::evidence::tiles::{Shelf, TILE_WIDTH, Tile, push_entry, split_bundle};

/// Bytes of a tile. While a writer runs, a partial tile may have grown under our hands: then its first part is taken.
pub(in crate::evidence) fn read_tile(dir: &Path, tile: Tile, unsettled: bool) -> io::Result<Vec<u8>> {
    match fs::read(dir.join(tile.path())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && unsettled => {
            let grown = (tile.width + 1..=TILE_WIDTH as u16).rev().map(|width| Tile { width, ..tile });
            let bytes = grown.filter_map(|tile| fs::read(dir.join(tile.path())).ok()).next();
            bytes.and_then(|bytes| first_part(tile, &bytes)).ok_or(error)
        }
        other => other,
    }
}

fn first_part(tile: Tile, bytes: &[u8]) -> Option<Vec<u8>> {
    let width = usize::from(tile.width);
    match tile.shelf {
        Shelf::Hashes(_) => bytes.get(..width * 32).map(<[u8]>::to_vec),
        Shelf::Entries => {
            let mut part = Vec::new();
            for entry in split_bundle(bytes)?.get(..width)? {
                push_entry(&mut part, std::str::from_utf8(entry).ok()?);
            }
            Some(part)
        }
    }
}

/// Reports files below `tile/` and `segments/` that a log of `size` entries does not have. Unless the log was closed
/// cleanly they are what a crash or a running writer leaves, and only a warning.
pub(super) fn find(dir: &Path, size: u64, frames: &Frames<'_>, unsettled: bool, findings: &mut Findings) {
    let mut strays = frames.tail();
    walk(&dir.join("tile"), &mut |path| {
        let name = relative(dir, path);
        if !Tile::parse(&name).is_some_and(|tile| tile.belongs_to(size)) {
            strays.push(name);
        }
    });
    walk(&dir.join("segments"), &mut |path| {
        let name = relative(dir, path);
        let id = name.strip_prefix("segments/").and_then(|name| name.strip_suffix(".seg")?.parse().ok());
        if !id.is_some_and(|id| frames.knows(id)) {
            strays.push(name);
        }
    });
    if unsettled && !strays.is_empty() {
        findings
            .warn("a batch behind the checkpoint is not published: a writer runs, or was stopped and not restarted");
        return;
    }
    strays.sort();
    strays.into_iter().for_each(|name| findings.add(BreachKind::Stray, name, "the log does not know it"));
}

fn relative(dir: &Path, path: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).to_string_lossy().into_owned()
}

fn walk(top: &Path, each: &mut impl FnMut(&Path)) {
    let mut open: Vec<PathBuf> = vec![top.to_owned()];
    while let Some(dir) = open.pop() {
        let Ok(files) = fs::read_dir(&dir) else { continue };
        for file in files.flatten() {
            match file.file_type() {
                Ok(kind) if kind.is_dir() => open.push(file.path()),
                Ok(_) | Err(_) => each(&file.path()),
            }
        }
    }
}
