//! Settles what lies in the directory before a writer goes on: begins a new log, or brings an old one to exactly what
//! its checkpoint says. A crash leaves at most one batch behind the checkpoint; more than that is no crash, and then
//! nothing is removed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::deed::{Deed, Rotation};
use super::disk::Disk;
use super::edge::Edge;
use super::entry::Entry;
use super::error::EvidenceError;
use super::index::Index;
use super::journal::{Journal, Staged};
use super::keyring::Keyring;
use super::keys::{self, Keys};
use super::log::{Options, start_journal};
use super::note::{NoteSigner, NoteVerifier};
use super::reader;
use super::segment::{Cursor, SegmentId};

/// A log brought in order.
pub(super) struct Settled {
    pub(super) keys: Keys,
    pub(super) keyring: Option<Keyring>,
    pub(super) published: Checkpoint,
    pub(super) edge: Edge,
    pub(super) cursor: Option<Cursor>,
    pub(super) index: Index,
}

/// Brings the log in `dir` in order; the caller holds the lock.
pub(super) fn settle(dir: &Path, disk: &Disk, options: &Options) -> Result<Settled, EvidenceError> {
    refuse_key_inside(dir, &options.key)?;
    options.subjects.as_ref().map_or(Ok(()), |path| refuse_key_inside(dir, path))?;
    let published = reader::checkpoint(dir)?;
    if published.is_none() {
        refuse_leftovers(dir)?;
    }
    let new = published.is_none();
    let mut keys = Keys::open(&options.key, &options.origin, new)?;
    let mut keyring = options.subjects.as_ref().map(|path| Keyring::open(path, new)).transpose()?;
    let published = match published {
        None => {
            // before the checkpoint: whoever finds a checkpoint finds the key beside it
            state_vkey(dir, disk, &keys, 0)?;
            begin(dir, disk, &keys)?
        }
        Some(published) => {
            finish_rotation(dir, disk, &options.key, &mut keys, published.size)?;
            if !is_signed(dir, &published, &keys)? {
                return Err(EvidenceError::contradiction(
                    &dir.join("checkpoint"),
                    "it is not signed by this log's key",
                ));
            }
            published
        }
    };
    state_vkey(dir, disk, &keys, published.size)?;
    let mut index = Index::new(dir);
    let journal = Journal::read(dir)?;
    let mut edge = match &journal {
        None => Edge::load(dir, published.size)?,
        Some(journal) => replay(dir, disk, journal, &published, &mut index)?,
    };
    if (edge.size(), edge.root()) != (published.size, published.root) {
        return Err(EvidenceError::contradiction(&dir.join("checkpoint"), "its root is not that of the tiles"));
    }
    let cursor = cut_tail(dir, disk, journal.as_ref(), &mut edge)?;
    start_journal(dir, disk, &mut edge, &mut index)?;
    keyring.as_mut().map_or(Ok(()), |keyring| keyring.sweep(disk, dir, published.size))?;
    Ok(Settled { keys, keyring, published, edge, cursor, index })
}

/// A new log: the directories, then the promise that it is empty. Only what follows that promise counts as evidence.
fn begin(dir: &Path, disk: &Disk, keys: &Keys) -> Result<Checkpoint, EvidenceError> {
    ["tile", "segments", "index"].iter().try_for_each(|name| disk.create_dir(&dir.join(name)))?;
    let empty = Checkpoint::sign(&keys.signer, 0, Edge::new(dir).root());
    disk.replace(&dir.join("checkpoint"), empty.note().as_bytes())?;
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), |parent| disk.sync_dir(parent))?;
    Ok(empty)
}

fn refuse_key_inside(dir: &Path, key: &Path) -> Result<(), EvidenceError> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if absolute(key).starts_with(absolute(dir)) {
        return Err(EvidenceError::Key("the keys must lie outside the archive; choose another path".into()));
    }
    Ok(())
}

/// Without a checkpoint there must be nothing that one could speak of.
fn refuse_leftovers(dir: &Path) -> Result<(), EvidenceError> {
    let empty = |name: &str| fs::read_dir(dir.join(name)).map_or(true, |mut files| files.next().is_none());
    if empty("tile") && empty("segments") && !dir.join("journal").exists() {
        return Ok(());
    }
    Err(EvidenceError::contradiction(&dir.join("checkpoint"), "it is missing, but there are tiles or segments"))
}

/// Whether the checkpoint is signed by the log's key; or, if that key follows another as the log tells, by the one before.
fn is_signed(dir: &Path, published: &Checkpoint, keys: &Keys) -> Result<bool, EvidenceError> {
    let own = keys.signer.verifier();
    if published.is_signed_by(own) {
        return Ok(true);
    }
    let Some((from, to)) = last_change(dir, published.size)? else { return Ok(false) };
    let before = NoteVerifier::parse(&from).ok();
    Ok(to == own.vkey() && before.is_some_and(|before| published.is_signed_by(&before)))
}

/// The last change of the signing key that the log tells of: from which key to which.
fn last_change(dir: &Path, size: u64) -> Result<Option<(String, String)>, EvidenceError> {
    reader::last(dir, size, |entry| {
        let Entry::Deed { deed: Deed::Rotated(Rotation::Signer { from, to, .. }), .. } = entry else { return None };
        Some((from, to))
    })
}

/// A change of the signing key that the log tells of, and that the end of the process kept from being made.
fn finish_rotation(dir: &Path, disk: &Disk, key: &Path, keys: &mut Keys, size: u64) -> Result<(), EvidenceError> {
    let Some(next) = keys::next(key)? else { return Ok(()) };
    let told = last_change(dir, size)?.is_some_and(|(_, to)| to == next.verifier().vkey());
    if told {
        take_next(dir, key, &next, disk)?;
        keys.signer = next;
    }
    Ok(())
}

/// Takes up the next signing key, and states it beside the log.
pub(super) fn take_next(dir: &Path, key: &Path, next: &NoteSigner, disk: &Disk) -> Result<(), EvidenceError> {
    let (path, vkey) = (dir.join("log.vkey"), next.verifier().vkey());
    let stated = fs::read_to_string(&path).map_err(|error| EvidenceError::disk("read", &path, error))?;
    if stated.lines().last() != Some(&vkey) {
        disk.replace(&path, format!("{stated}{vkey}\n").as_bytes())?;
    }
    keys::take_next(key, next, disk)
}

/// The public keys beside the log, oldest first, for convenience; whoever verifies should have one by another way.
fn state_vkey(dir: &Path, disk: &Disk, keys: &Keys, size: u64) -> Result<(), EvidenceError> {
    let (path, own) = (dir.join("log.vkey"), keys.signer.verifier().vkey());
    if fs::read_to_string(&path).is_ok_and(|found| found.ends_with('\n') && found.lines().last() == Some(&own)) {
        return Ok(());
    }
    let mut chain = Vec::new();
    reader::entries(dir, 0, size, |_, entry| {
        if let Entry::Deed { deed: Deed::Rotated(Rotation::Signer { from, .. }), .. } = entry {
            chain.push(from);
        }
    })?;
    chain.push(own);
    let text: String = chain.iter().map(|vkey| format!("{vkey}\n")).collect();
    disk.replace(&path, text.as_bytes())
}

/// Lays the published entries of the journal again: their tiles and index rows may not have reached the medium.
fn replay(
    dir: &Path,
    disk: &Disk,
    journal: &Journal,
    published: &Checkpoint,
    index: &mut Index,
) -> Result<Edge, EvidenceError> {
    let odd = |what: &str| EvidenceError::contradiction(&dir.join("journal"), what);
    let size = published.size;
    let (kept, tail): (Vec<&Staged>, Vec<&Staged>) = journal.batches.iter().partition(|batch| batch.first < size);
    if journal.start > size || tail.len() > 1 {
        // The second batch begins with the checkpoint of the first: that one was published.
        return Err(odd("the checkpoint is older than what was published; it was put back"));
    }
    let mut edge = Edge::from_base(dir, &journal.base).ok_or_else(|| odd("its beginning cannot be read"))?;
    let entries = || kept.iter().flat_map(|batch| &batch.entries);
    if edge.size() != journal.start || edge.outlook(entries()) != (size, published.root) {
        return Err(odd("its entries do not lead to the checkpoint"));
    }
    entries().try_for_each(|entry| edge.push(disk, entry))?;
    edge.write_partial(disk, 0)?;
    // a batch replaces what the index has from its first entry on, so they go in order
    journal.batches.iter().try_for_each(|batch| index.replace(disk, batch.first, size, &batch.rows))?;
    Ok(edge)
}

/// Cuts what lies behind the checkpoint. After a clean stop nothing may lie there.
fn cut_tail(
    dir: &Path,
    disk: &Disk,
    journal: Option<&Journal>,
    edge: &mut Edge,
) -> Result<Option<Cursor>, EvidenceError> {
    let size = edge.size();
    let (from, to) = journal.map_or((size, size), |journal| (journal.start, journal.end()));
    let end = reader::last(dir, size, |entry| {
        let Entry::Frame { segment, offset, length, .. } = entry else { return None };
        Some((segment, offset + 4 + u64::from(length)))
    })?;
    let strays = edge.strays(from, to);
    let cuts = cuts(dir, end)?;
    if journal.is_none()
        && let Some(path) = strays.first().or(cuts.first().map(|(path, _)| path))
    {
        return Err(EvidenceError::contradiction(path, "it goes beyond the checkpoint although the log was closed"));
    }
    edge.sweep(disk, &strays)?;
    for (path, keep) in &cuts {
        if *keep == 0 { disk.remove(path)? } else { disk.truncate(path, *keep)? }
    }
    end.map(|(id, bytes)| cursor(dir, id, bytes)).transpose()
}

/// Segments, or parts of them, behind the last published frame; with how many bytes to keep.
fn cuts(dir: &Path, end: Option<(SegmentId, u64)>) -> Result<Vec<(PathBuf, u64)>, EvidenceError> {
    let mut cuts = Vec::new();
    for (id, path) in segments(dir)? {
        match end {
            Some((last, bytes)) if id == last => {
                let length = path.metadata().map_err(|error| EvidenceError::disk("read", &path, error))?.len();
                if length > bytes {
                    cuts.push((path, bytes));
                }
            }
            Some((last, _)) if id.number <= last.number => (),
            Some(_) | None => cuts.push((path, 0)),
        }
    }
    Ok(cuts)
}

/// All segments of an archive.
pub(super) fn segments(dir: &Path) -> Result<Vec<(SegmentId, PathBuf)>, EvidenceError> {
    let top = dir.join("segments");
    let list = |path: &Path| -> io::Result<Vec<PathBuf>> { fs::read_dir(path)?.map(|file| Ok(file?.path())).collect() };
    let bad = |error| EvidenceError::disk("list", &top, error);
    let mut found = Vec::new();
    for month in list(&top).map_err(bad)?.iter().filter(|path| path.is_dir()) {
        for path in list(month).map_err(bad)? {
            let name = path.strip_prefix(&top).ok().and_then(|name| name.to_str()?.strip_suffix(".seg"));
            if let Some(id) = name.and_then(|name| name.parse().ok()) {
                found.push((id, path));
            }
        }
    }
    Ok(found)
}

/// Where the next frame goes: behind the last one, over whose segment the digest is taken anew.
fn cursor(dir: &Path, id: SegmentId, bytes: u64) -> Result<Cursor, EvidenceError> {
    let path = id.path(dir);
    let bad = |error| EvidenceError::disk("read", &path, error);
    let mut file = File::open(&path).map_err(bad)?.take(bytes);
    let (mut cursor, mut buffer) = (Cursor::new(id), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(bad)? {
            0 if cursor.bytes == bytes => return Ok(cursor),
            0 => return Err(EvidenceError::contradiction(&path, "it is shorter than the log says")),
            count => cursor.advance(&buffer[..count]),
        }
    }
}
