//! Copies an archive to another place, a folder or a bucket: what its present checkpoint speaks of, and no more. Goes on where
//! it was broken off, reads every object back before it counts, and puts the checkpoint last, so that the copy always verifies
//! as a whole. Never deletes evidence from the copy but tiles that a fuller one replaces; never deletes anything here.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::archive::Archive;
use super::checkpoint::Checkpoint;
use super::disk::Disk;
use super::entry::Entry;
use super::error::EvidenceError;
use super::place::{Content, Place};
use super::reader;
use super::recover::segments;
use super::segment::SegmentId;
use super::tiles::{Shelf, Tile};
use super::verify::read_tile;
use super::verify::{BreachKind, VerifyOptions, verify};

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shipped {
    /// Objects copied now.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were there already.
    pub kept: u64,
    /// Entries that the copy's checkpoint speaks of.
    pub size: u64,
}

struct Shipment<'a> {
    from: &'a Path,
    to: &'a mut dyn Place,
    shipped: Shipped,
}

/// Brings the copy to the present checkpoint of the archive in `from`.
///
/// # Errors
/// A file cannot be read or put, what was read back differs, or the copy is not one of this log.
pub fn ship(from: &Path, to: &mut dyn Place) -> Result<Shipped, EvidenceError> {
    let archive = Archive::open(from, None)?;
    let checkpoint = archive.checkpoint().clone();
    let mut shipment = Shipment { from, to, shipped: Shipped::default() };
    shipment.check_past(&checkpoint)?;
    shipment.segments(checkpoint.size)?;
    shipment.tiles(checkpoint.size)?;
    shipment.index()?;
    shipment.small("log.vkey", &read(&from.join("log.vkey"), None)?)?;
    shipment.small("checkpoint", checkpoint.note().as_bytes())?;
    shipment.outgrown(checkpoint.size)?;
    shipment.shipped.size = checkpoint.size;
    Ok(shipment.shipped)
}

/// Brings a whole copy into the folder `to`, which is made. Names that are no archive's are left out.
///
/// # Errors
/// The place cannot be read, or the folder cannot be written.
pub fn fetch(place: &dyn Place, to: &Path) -> Result<u64, EvidenceError> {
    let mut bytes = 0;
    for name in place.names("")?.iter().filter(|name| is_ours(name)) {
        let path = to.join(name);
        let write = |content: &[u8]| {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&path, content)
        };
        if let Some(content) = place.read(name)? {
            write(&content).map_err(|error| EvidenceError::disk("write", &path, error))?;
            bytes += content.len() as u64;
        }
    }
    Ok(bytes)
}

/// Whether an object is part of an archive: no name leads out of the folder that it is put into.
fn is_ours(name: &str) -> bool {
    let plain = |part: &str| {
        let mark = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        !part.is_empty() && part.bytes().all(mark) && !part.starts_with('.')
    };
    let known = ["tile/", "segments/", "index/"].iter().any(|below| name.starts_with(below));
    (known || name == "checkpoint" || name == "log.vkey") && name.split('/').all(plain)
}

impl Shipment<'_> {
    /// The copy's checkpoint must be one that this log led through.
    fn check_past(&self, now: &Checkpoint) -> Result<(), EvidenceError> {
        let Some(note) = self.to.read("checkpoint")? else { return Ok(()) };
        let place = Path::new(&self.to.shown()).join("checkpoint");
        let odd = |what: &str| Err(EvidenceError::contradiction(&place, what));
        let Some(past) = std::str::from_utf8(&note).ok().and_then(Checkpoint::parse) else {
            return odd("this is no checkpoint");
        };
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
                let bytes = bytes.map_err(|error| EvidenceError::disk("read", &self.from.join(edge.path()), error))?;
                self.small(&edge.path(), &bytes)?;
            }
        }
        Ok(())
    }

    /// The index is derived, so a consistent picture of each file is enough. Only that of the newest months may change
    /// without changing its length.
    fn index(&mut self) -> Result<(), EvidenceError> {
        let months = super::index::months(self.from)?;
        let closed = months.len().saturating_sub(2);
        for (number, (month, path)) in months.into_iter().enumerate() {
            let picture = picture(&path)?;
            let name = format!("index/{month}.sqlite");
            if number < closed { self.bytes(&name, &picture)? } else { self.small(&name, &picture)? }
        }
        Ok(())
    }

    /// Copies a file, or its first `length` bytes, unless the same is there.
    fn file(&mut self, from: &Path, name: &str, length: Option<u64>) -> Result<(), EvidenceError> {
        self.bytes(name, &read(from, length)?)
    }

    /// Puts bytes unless the same are there.
    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        let there = self.to.has(name, Content::of(bytes))?;
        self.put_unless(there, name, bytes)
    }

    /// Puts what may change without changing its length, unless the same is there.
    fn small(&mut self, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        let there = self.to.read(name)?.as_deref() == Some(bytes);
        self.put_unless(there, name, bytes)
    }

    fn put_unless(&mut self, there: bool, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        if there {
            self.shipped.kept += 1;
            return Ok(());
        }
        self.to.put(name, bytes)?;
        self.shipped.files += 1;
        self.shipped.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Partial tiles of earlier checkpoints.
    fn outgrown(&mut self, size: u64) -> Result<(), EvidenceError> {
        for name in self.to.names("tile")? {
            if Tile::parse(&name).is_some_and(|tile| !tile.is_full() && !tile.belongs_to(size)) {
                self.to.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// A consistent picture of a file of the index, also while it is written to, without what was forgotten.
fn picture(path: &Path) -> Result<Vec<u8>, EvidenceError> {
    let bad = |error| EvidenceError::disk("copy the index", path, error);
    let own = std::env::temp_dir().join(format!("harbourwatch-index-{}", std::process::id()));
    let file = own.join("picture");
    Disk::new(false, None).create_dir(&own)?;
    let copied = (|| {
        fs::remove_file(&file).or_else(|error| (error.kind() == io::ErrorKind::NotFound).then_some(()).ok_or(error))?;
        let index = rusqlite::Connection::open(path).map_err(io::Error::other)?;
        index.execute("VACUUM INTO ?1", [file.to_string_lossy()]).map_err(io::Error::other)?;
        fs::read(&file)
    })();
    let removed = fs::remove_dir_all(&own);
    let bytes = copied.map_err(bad)?;
    removed.map_err(bad)?;
    Ok(bytes)
}

/// A file, or its first `length` bytes.
fn read(path: &Path, length: Option<u64>) -> Result<Vec<u8>, EvidenceError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(length.unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| EvidenceError::disk("read", path, error))
}

/// Digest and length of a file, or of its first `length` bytes.
///
/// # Errors
/// The file cannot be read.
pub fn digest_of(path: &Path, length: Option<u64>) -> Result<Content, EvidenceError> {
    let read = || -> io::Result<Content> {
        let mut file = File::open(path)?.take(length.unwrap_or(u64::MAX));
        let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Content { digest: hash.finalize().into(), bytes }),
                count => {
                    hash.update(&buffer[..count]);
                    bytes += count as u64;
                }
            }
        }
    };
    read().map_err(|error| EvidenceError::disk("read", path, error))
}
