//! The index: a SQLite file per month that finds records by subject tag, destination and time. Derived from the frames,
//! not evidence; it can be deleted and rebuilt ([`super::rebuild`]) by whoever can open the frames.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::disk::{Disk, private_file};
use super::error::EvidenceError;
use super::keys::TagKey;
use super::segment::{Line, Month, SegmentId};

/// One record's line in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Index of the record's entry in the log.
    pub i: u64,
    /// Event time, ms since the epoch.
    pub at: i64,
    /// Record id.
    pub id: String,
    /// [`TagKey::tag`] of the subject.
    pub subject: String,
    /// Destination code.
    pub destination: String,
    /// Flow kind.
    pub kind: String,
    /// Verdict.
    pub verdict: String,
    /// Segment that holds the frame.
    pub segment: SegmentId,
    /// Where the frame stands in it, in bytes.
    pub offset: u64,
}

impl Row {
    /// The row of a frame's line.
    pub(super) fn of(line: &Line<'_>, id: &str, segment: SegmentId, offset: u64, key: &TagKey) -> Self {
        Self {
            i: line.i,
            at: line.at,
            id: id.to_owned(),
            subject: key.tag(&line.subject),
            destination: line.destination.to_string(),
            kind: line.kind.to_string(),
            verdict: line.verdict.to_string(),
            segment,
            offset,
        }
    }
}

const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS records (
    i INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    id TEXT NOT NULL,
    subject TEXT NOT NULL,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    verdict TEXT NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_subject ON records (subject, at);
CREATE INDEX IF NOT EXISTS by_destination ON records (destination, at);
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

    /// Replaces all rows of the months of `rows` from index `from` on by those of `rows` below `to`.
    pub(super) fn replace(&mut self, disk: &Disk, from: u64, to: u64, rows: &[Row]) -> Result<(), EvidenceError> {
        let mut months: BTreeMap<Month, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            months.entry(row.segment.month).or_default().push(row);
        }
        for (month, rows) in months {
            let path = self.path(month);
            let connection = self.month(month)?;
            disk.index(&path, || write(connection, from, to, &rows).map_err(io::Error::other))?;
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

fn write(connection: &mut Connection, from: u64, to: u64, rows: &[&Row]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM records WHERE i >= ?1", [from.cast_signed()])?;
    {
        let mut insert = transaction.prepare_cached("INSERT INTO records VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)")?;
        for row in rows.iter().filter(|row| row.i < to) {
            let (i, offset) = (row.i.cast_signed(), row.offset.cast_signed());
            let Row { at, id, subject, destination, kind, verdict, segment, .. } = row;
            insert.execute(params![i, at, id, subject, destination, kind, verdict, segment.number, offset])?;
        }
    }
    transaction.commit()
}

/// Rows of all months in the order of the log, for comparison and queries.
///
/// # Errors
/// A file of the index cannot be read.
pub fn rows(dir: &Path) -> Result<Vec<Row>, EvidenceError> {
    let mut rows = Vec::new();
    for (month, path) in months(dir)? {
        let read = || {
            let connection = Connection::open(&path)?;
            let mut select = connection.prepare("SELECT * FROM records ORDER BY i")?;
            let found: Vec<Row> = select.query_map([], |row| from_sql(row, month))?.collect::<Result<_, _>>()?;
            Ok(found)
        };
        let bad = |error: rusqlite::Error| EvidenceError::disk("read the index", &path, io::Error::other(error));
        rows.extend(read().map_err(bad)?);
    }
    Ok(rows)
}

fn from_sql(row: &rusqlite::Row<'_>, month: Month) -> rusqlite::Result<Row> {
    Ok(Row {
        i: row.get::<_, i64>(0)?.cast_unsigned(),
        at: row.get(1)?,
        id: row.get(2)?,
        subject: row.get(3)?,
        destination: row.get(4)?,
        kind: row.get(5)?,
        verdict: row.get(6)?,
        segment: SegmentId { month, number: row.get(7)? },
        offset: row.get::<_, i64>(8)?.cast_unsigned(),
    })
}

fn months(dir: &Path) -> Result<BTreeMap<Month, PathBuf>, EvidenceError> {
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
