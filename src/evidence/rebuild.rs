//! Rebuilds the index from the frames, for whoever can open them. Reads the log, replaces the index, touches no evidence.

use std::borrow::Cow;
use std::fs;
use std::io::{self, BufRead};
use std::path::Path;

use serde::Deserialize;

use super::disk::Disk;
use super::entry::Entry;
use super::error::EvidenceError;
use super::index::{DetailRow, Index, Row, Rows, number_of_key, subject_number};
use super::keys::TagKey;
use super::lock::WriterLock;
use super::personal::key_of;
use super::reader;
use super::segment::{Committed, Opener, SegmentId};

/// Makes the index of the log in `dir` anew, with the tag key at `tag_key` (the signing key's path + `.tag`) and, for
/// encrypted frames, an age identity. Returns the number of rows. No writer may run.
///
/// # Errors
/// The log is locked, a frame cannot be read or opened, or a file cannot be written.
pub fn rebuild_index(dir: &Path, tag_key: &Path, identity: Option<&str>) -> Result<u64, EvidenceError> {
    let _lock = WriterLock::take(dir)?;
    let (key, opener) = (TagKey::open(tag_key, false)?, Opener::new(identity)?);
    let size = reader::checkpoint(dir)?.map_or(0, |checkpoint| checkpoint.size);
    let mut frames = Vec::new();
    reader::entries(dir, 0, size, |_, entry| {
        if let Entry::Frame { segment, offset, length, .. } = entry {
            frames.push((segment, offset, length));
        }
    })?;
    clear(&dir.join("index"))?;
    let (mut index, disk, mut count) = (Index::new(dir), Disk::new(true, None), 0);
    for (segment, offset, length) in frames {
        let rows = rows_of(dir, &opener, &key, (segment, offset, length))
            .map_err(|error| EvidenceError::disk("open a frame of", &segment.path(dir), error))?;
        count += rows.len() as u64;
        let from = rows.first().unwrap_or(size);
        index.replace(&disk, from, u64::MAX, &rows)?;
    }
    index.sync(&disk)?;
    Ok(count)
}

fn clear(index: &Path) -> Result<(), EvidenceError> {
    let bad = |error| EvidenceError::disk("clear", index, error);
    for file in fs::read_dir(index).map_err(bad)? {
        fs::remove_file(file.map_err(bad)?.path()).map_err(bad)?;
    }
    Ok(())
}

fn rows_of(
    dir: &Path,
    opener: &Opener,
    key: &TagKey,
    (segment, offset, length): (SegmentId, u64, u32),
) -> io::Result<Rows> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = fs::File::open(segment.path(dir))?;
    file.seek(SeekFrom::Start(offset + 4))?;
    let mut payload = Vec::new();
    file.take(u64::from(length)).read_to_end(&mut payload)?;
    let mut rows = Rows::default();
    for line in opener.open(&payload)?.lines() {
        let text = line?;
        let line: Committed<'_> = serde_json::from_str(&text)?;
        match line.r {
            None => rows.push_detail(&DetailRow { i: line.i, segment, offset }),
            Some(record) => {
                let row = Row::of(record.get(), line.i, subject_of(record.get(), key)?, segment, offset);
                rows.push(row.ok_or(io::ErrorKind::InvalidData)?);
            }
        }
    }
    Ok(rows)
}

/// The number of a record's subject: of its key if it is sealed, of its tag if not.
fn subject_of(record: &str, tag: &TagKey) -> io::Result<u64> {
    #[derive(Deserialize)]
    struct Acted<'a> {
        #[serde(borrow)]
        actor: Actor<'a>,
    }
    #[derive(Deserialize)]
    struct Actor<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    match key_of(record) {
        Some(key) => Ok(number_of_key(key)),
        None => Ok(subject_number(&tag.bytes(&serde_json::from_str::<Acted<'_>>(record)?.actor.id))),
    }
}
