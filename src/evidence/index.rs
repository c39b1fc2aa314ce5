//! The index: a SQLite file per month of recording that finds records by time, subject, destination, verdict, safeguard
//! and recipient. Derived from the frames, not evidence; it can be deleted and rebuilt ([`super::rebuild`]) by whoever can
//! open the frames. It names nobody: a subject is a number that only the subject keys, or the tag key, lead to.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::deed::KeyId;
use super::disk::{Disk, private_file};
use super::error::EvidenceError;
use super::rows::Stub;
pub(super) use super::rows::{DetailRow, Rows};
pub use super::rows::{Flow, Leg, Row};
use super::segment::{Month, SegmentId};

/// The number that stands for a subject: the first eight bytes of its key's name, or of its tag where records are not
/// sealed. A collision shows when the record is opened.
pub(super) fn subject_number(name: &[u8; 16]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *name;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

// What changes by chance is dear: each record touches another page of `by_subject`, which is written to the WAL and from there to
// the file. So there is no other index than that, a search by anything else reads the month's records in order; and pages go
// to the file when the journal is rotated, or 64 MiB of them have gathered, not after each batch.
const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -16384;
PRAGMA wal_autocheckpoint = 16384;
CREATE TABLE IF NOT EXISTS flows (n INTEGER PRIMARY KEY, flow TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS frames (
    n INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    UNIQUE (segment, offset)
);
CREATE TABLE IF NOT EXISTS records (
    i INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    id BLOB NOT NULL,
    subject INTEGER NOT NULL,
    flow INTEGER NOT NULL,
    frame INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS details (i INTEGER PRIMARY KEY, frame INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS by_subject ON records (subject, at);
DROP INDEX IF EXISTS by_flow;
";

/// Writes the monthly files; keeps the latest open.
pub(super) struct Index {
    dir: PathBuf,
    open: Option<(Month, Connection)>,
}

impl Index {
    /// The index of the archive in `dir`.
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.join("index"), open: None }
    }

    fn path(&self, month: Month) -> PathBuf {
        self.dir.join(format!("{month}.sqlite"))
    }

    fn month(&mut self, month: Month) -> Result<&mut Connection, EvidenceError> {
        let connection = match self.open.take() {
            Some((open, connection)) if open == month => connection,
            Some(_) | None => {
                let path = self.path(month);
                connect(&path).map_err(|error| EvidenceError::disk("open the index", &path, error))?
            }
        };
        Ok(&mut self.open.insert((month, connection)).1)
    }

    /// Replaces all rows of the months of `rows` from entry `from` on by those of `rows` below `to`.
    pub(super) fn replace(&mut self, disk: &Disk, from: u64, to: u64, rows: &Rows) -> Result<(), EvidenceError> {
        for month in rows.months() {
            let path = self.path(month);
            let connection = self.month(month)?;
            disk.index(&path, || write(connection, month, (from, to), rows).map_err(io::Error::other))?;
        }
        Ok(())
    }

    /// Forgets a segment that is deleted; with its last one the month's file goes.
    pub(super) fn forget(&mut self, disk: &Disk, segment: SegmentId) -> Result<(), EvidenceError> {
        let path = self.path(segment.month);
        if !path.exists() {
            return Ok(());
        }
        let connection = self.month(segment.month)?;
        let mut left = 0;
        disk.index(&path, || {
            left = forget(connection, segment).map_err(io::Error::other)?;
            Ok(())
        })?;
        if left == 0 {
            self.open = None;
            let beside = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
            [path.clone(), beside("-wal"), beside("-shm")].iter().try_for_each(|path| disk.remove(path))?;
        }
        Ok(())
    }

    /// Brings the open file to the medium.
    pub(super) fn sync(&mut self, disk: &Disk) -> Result<(), EvidenceError> {
        let Some((month, connection)) = &mut self.open else { return Ok(()) };
        let path = self.dir.join(format!("{month}.sqlite"));
        let checkpoint = || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        disk.index(&path, || checkpoint().map_err(io::Error::other))
    }
}

fn connect(path: &Path) -> io::Result<Connection> {
    // SQLite gives its side files the mode of the main one.
    private_file().append(true).create(true).open(path)?;
    let connection = Connection::open(path).map_err(io::Error::other)?;
    connection.execute_batch(SCHEMA).map_err(io::Error::other)?;
    Ok(connection)
}

fn write(connection: &mut Connection, month: Month, (from, to): (u64, u64), rows: &Rows) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for table in ["records", "details"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE i >= ?1"), [from.cast_signed()])?;
    }
    let frames = rows.frames.iter().map(|(segment, offset)| match segment.month == month {
        true => frame_number(&transaction, *segment, *offset).map(Some),
        false => Ok(None),
    });
    let frames = frames.collect::<rusqlite::Result<Vec<_>>>()?;
    let flows = rows.flows.iter().map(|flow| flow_number(&transaction, flow)).collect::<rusqlite::Result<Vec<_>>>()?;
    {
        let mut insert = transaction.prepare_cached("INSERT INTO records VALUES (?1,?2,?3,?4,?5,?6)")?;
        for Stub(i, at, id, subject, flow, frame) in rows.records.iter().filter(|stub| stub.0 < to) {
            let (Some(Some(frame)), Some(flow)) = (frames.get(*frame), flows.get(*flow)) else { continue };
            let id = super::entry::unhex_bytes(id).map_or_else(|| Value::Text(id.clone()), Value::Blob);
            insert.execute(params![i.cast_signed(), at, id, subject.cast_signed(), flow, frame])?;
        }
        let mut insert = transaction.prepare_cached("INSERT INTO details VALUES (?1,?2)")?;
        for (i, frame) in rows.details.iter().filter(|detail| detail.0 < to) {
            let Some(Some(frame)) = frames.get(*frame) else { continue };
            insert.execute(params![i.cast_signed(), frame])?;
        }
    }
    transaction.commit()
}

/// Takes the rows of a segment out; says how many frames are left.
fn forget(connection: &mut Connection, segment: SegmentId) -> rusqlite::Result<i64> {
    let transaction = connection.transaction()?;
    for table in ["records", "details"] {
        let gone = "frame IN (SELECT n FROM frames WHERE segment = ?1)";
        transaction.execute(&format!("DELETE FROM {table} WHERE {gone}"), [segment.number])?;
    }
    transaction.execute("DELETE FROM frames WHERE segment = ?1", [segment.number])?;
    let left = transaction.query_row("SELECT count(*) FROM frames", [], |row| row.get(0))?;
    transaction.commit()?;
    Ok(left)
}

fn flow_number(transaction: &Transaction<'_>, flow: &Flow) -> rusqlite::Result<i64> {
    let text = serde_json::to_string(flow).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let find = "SELECT n FROM flows WHERE flow = ?1";
    let found = transaction.prepare_cached(find)?.query_row([&text], |row| row.get(0)).optional()?;
    let insert = "INSERT INTO flows (flow) VALUES (?1) RETURNING n";
    found.map_or_else(|| transaction.prepare_cached(insert)?.query_row([&text], |row| row.get(0)), Ok)
}

fn frame_number(transaction: &Transaction<'_>, segment: SegmentId, offset: u64) -> rusqlite::Result<i64> {
    let place = params![segment.number, offset.cast_signed()];
    let find = "SELECT n FROM frames WHERE segment = ?1 AND offset = ?2";
    let found = transaction.prepare_cached(find)?.query_row(place, |row| row.get(0)).optional()?;
    let insert = "INSERT INTO frames (segment, offset) VALUES (?1, ?2) RETURNING n";
    found.map_or_else(|| transaction.prepare_cached(insert)?.query_row(place, |row| row.get(0)), Ok)
}

/// The monthly files of the index of the archive in `dir`, oldest first.
pub(super) fn months(dir: &Path) -> Result<BTreeMap<Month, PathBuf>, EvidenceError> {
    let dir = dir.join("index");
    let bad = |error| EvidenceError::disk("list", &dir, error);
    let mut found = BTreeMap::new();
    for file in fs::read_dir(&dir).map_err(bad)? {
        let path = file.map_err(bad)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".sqlite"));
        if let Some(month) = name.and_then(|name| name.parse().ok()) {
            found.insert(month, path);
        }
    }
    Ok(found)
}

/// The number of a subject that has this key.
pub fn number_of_key(key: KeyId) -> u64 {
    subject_number(&key.0)
}
