//! Copies an archive to another directory, such as a mounted share: what its present checkpoint speaks of, and no more. Goes
//! on where it was broken off, reads every file back before it counts, and puts the checkpoint last, so that the copy always
//! verifies as a whole. Never deletes evidence from the copy but tiles that a fuller one replaces.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::archive::Archive;
use super::checkpoint::Checkpoint;
use super::disk::Disk;
use super::entry::Entry;
use super::error::EvidenceError;
use super::merkle::Hash;
use super::reader;
use super::recover::segments;
use super::segment::SegmentId;
use super::tiles::{Shelf, Tile};
use super::verify::read_tile;
use super::verify::{BreachKind, VerifyOptions, verify};

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shipped {
    /// Files copied now.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were there already.
    pub kept: u64,
    /// Entries that the copy's checkpoint speaks of.
    pub size: u64,
}

struct Shipment<'a> {
    from: &'a Path,
    to: &'a Path,
    disk: Disk,
    shipped: Shipped,
}

/// Brings the copy in `to` to the present checkpoint of the archive in `from`.
///
/// # Errors
/// A file cannot be read or written, what was read back differs, or the copy is not one of this log.
pub fn ship(from: &Path, to: &Path) -> Result<Shipped, EvidenceError> {
    let archive = Archive::open(from, None)?;
    let checkpoint = archive.checkpoint().clone();
    let mut shipment = Shipment { from, to, disk: Disk::new(true, None), shipped: Shipped::default() };
    shipment.disk.create_dir(to)?;
    shipment.check_past(&checkpoint)?;
    shipment.segments(checkpoint.size)?;
    shipment.tiles(checkpoint.size)?;
    shipment.index()?;
    shipment.file(&from.join("log.vkey"), "log.vkey", None)?;
    shipment.disk.replace(&to.join("checkpoint"), checkpoint.note().as_bytes())?;
    shipment.outgrown(checkpoint.size)?;
    shipment.shipped.size = checkpoint.size;
    Ok(shipment.shipped)
}

impl Shipment<'_> {
    /// The copy's checkpoint must be one that this log led through.
    fn check_past(&self, now: &Checkpoint) -> Result<(), EvidenceError> {
        let Some(past) = reader::checkpoint(self.to)? else { return Ok(()) };
        let odd = |what: &str| Err(EvidenceError::contradiction(&self.to.join("checkpoint"), what));
        if past.origin != now.origin {
            return odd("the copy is one of another log");
        }
        if past.size > now.size {
            return odd("the copy is ahead of the archive, which was cut or put back");
        }
        if past.size == now.size {
            return if past.root == now.root {
                Ok(())
            } else {
                odd("the copy and the archive differ: one of them was forked")
            };
        }
        let known = [past.note()];
        let report = verify(self.from, &VerifyOptions { known: &known, ..VerifyOptions::default() })?;
        let forked = report.breaches.iter().any(|breach| breach.kind == BreachKind::Known);
        if forked {
            odd("the archive does not lead through the copy's checkpoint: one of them was forked")
        } else {
            Ok(())
        }
    }

    /// Segments as far as the checkpoint speaks of them.
    fn segments(&mut self, size: u64) -> Result<(), EvidenceError> {
        let last = reader::last(self.from, size, |entry| {
            let Entry::Frame { segment, offset, length, .. } = entry else { return None };
            Some((segment, offset + 4 + u64::from(length)))
        })?;
        let Some((last, end)) = last else { return Ok(()) };
        let mut all: Vec<(SegmentId, PathBuf)> = segments(self.from)?;
        all.retain(|(id, _)| id.number <= last.number);
        all.sort_by_key(|(id, _)| id.number);
        for (id, path) in all {
            self.file(&path, &format!("segments/{id}.seg"), Some(end).filter(|_| id == last))?;
        }
        Ok(())
    }

    fn tiles(&mut self, size: u64) -> Result<(), EvidenceError> {
        let shelves = [Shelf::Entries].into_iter().chain((0..8).map(Shelf::Hashes));
        for shelf in shelves {
            let edge = Tile::last(shelf, size);
            for number in 0..edge.number {
                let tile = Tile::full(shelf, number);
                // what retention pruned is gone here, too
                if self.from.join(tile.path()).exists() {
                    self.file(&self.from.join(tile.path()), &tile.path(), None)?;
                }
            }
            if edge.width > 0 {
                let bytes = read_tile(self.from, edge, true);
                let path = self.to.join(edge.path());
                let bytes = bytes.map_err(|error| EvidenceError::disk("read", &self.from.join(edge.path()), error))?;
                path.parent().map_or(Ok(()), |above| self.disk.create_dir(above))?;
                self.disk.replace(&path, &bytes)?;
            }
        }
        Ok(())
    }

    /// The index is derived, so a consistent picture of each file is enough.
    fn index(&mut self) -> Result<(), EvidenceError> {
        let to = self.to.join("index");
        self.disk.create_dir(&to)?;
        for (month, path) in super::index::months(self.from)? {
            let (target, beside) = (to.join(format!("{month}.sqlite")), to.join(format!("{month}.part")));
            self.disk.remove(&beside)?;
            let copy = || -> rusqlite::Result<()> {
                let connection = rusqlite::Connection::open(&path)?;
                connection.execute("VACUUM INTO ?1", [beside.to_string_lossy()]).map(drop)
            };
            copy().map_err(|error| EvidenceError::disk("copy the index", &path, io::Error::other(error)))?;
            fs::rename(&beside, &target).map_err(|error| EvidenceError::disk("replace", &target, error))?;
        }
        Ok(())
    }

    /// Copies a file, or its first `length` bytes, unless the same is there; reads it back.
    fn file(&mut self, from: &Path, name: &str, length: Option<u64>) -> Result<(), EvidenceError> {
        let target = self.to.join(name);
        let (wanted, bytes) = digest_of(from, length)?;
        if target.exists() && digest_of(&target, None)? == (wanted, bytes) {
            self.shipped.kept += 1;
            return Ok(());
        }
        target.parent().map_or(Ok(()), |above| self.disk.create_dir(above))?;
        let beside = target.with_extension("part");
        let bad = |error| EvidenceError::disk("copy to", &target, error);
        let copy = || -> io::Result<()> {
            let mut out = File::create(&beside)?;
            io::copy(&mut File::open(from)?.take(length.unwrap_or(u64::MAX)), &mut out)?;
            out.sync_all()
        };
        copy().map_err(bad)?;
        if digest_of(&beside, None)? != (wanted, bytes) {
            return Err(bad(io::Error::other("what was read back is not what was written")));
        }
        fs::rename(&beside, &target).map_err(bad)?;
        self.shipped.files += 1;
        self.shipped.bytes += bytes;
        Ok(())
    }

    /// Partial tiles of earlier checkpoints.
    fn outgrown(&self, size: u64) -> Result<(), EvidenceError> {
        let mut open = vec![self.to.join("tile")];
        while let Some(dir) = open.pop() {
            for file in fs::read_dir(&dir).map_err(|error| EvidenceError::disk("list", &dir, error))?.flatten() {
                let path = file.path();
                let name = path.strip_prefix(self.to).unwrap_or(&path).to_string_lossy().into_owned();
                if path.is_dir() {
                    open.push(path);
                } else if Tile::parse(&name).is_some_and(|tile| !tile.is_full() && !tile.belongs_to(size)) {
                    self.disk.remove(&path)?;
                }
            }
        }
        Ok(())
    }
}

/// Digest and length of a file, or of its first `length` bytes.
///
/// # Errors
/// The file cannot be read.
pub fn digest_of(path: &Path, length: Option<u64>) -> Result<(Hash, u64), EvidenceError> {
    let read = || -> io::Result<(Hash, u64)> {
        let mut file = File::open(path)?.take(length.unwrap_or(u64::MAX));
        let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok((hash.finalize().into(), bytes)),
                count => {
                    hash.update(&buffer[..count]);
                    bytes += count as u64;
                }
            }
        }
    };
    read().map_err(|error| EvidenceError::disk("read", path, error))
}
