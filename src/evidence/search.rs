//! Searches the index. Reads only, and says no more than the index says: whoever wants proof opens the records found.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params};

use super::error::EvidenceError;
use super::index::{DetailRow, Flow, Row, months};
use super::segment::{Month, SegmentId};

/// What is sought. Conditions that are left out hold for everything; lists hold if one of them does.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// First event time, ms since the epoch.
    pub from: Option<i64>,
    /// First event time that is too late.
    pub to: Option<i64>,
    /// Numbers of the subject ([`super::index::number_of_key`]); `None`: anybody.
    pub subjects: Option<BTreeSet<u64>>,
    /// Codes of destinations of a leg.
    pub destinations: Vec<String>,
    /// Verdicts of a leg.
    pub verdicts: Vec<String>,
    /// Safeguards of a leg.
    pub safeguards: Vec<String>,
    /// Recipients of a leg.
    pub recipients: Vec<String>,
    /// Record id.
    pub id: Option<String>,
}

impl Sought {
    /// Whether one and the same leg meets every condition on legs.
    fn takes(&self, flow: &Flow) -> bool {
        let one = |list: &[String], value: &String| list.is_empty() || list.contains(value);
        let free = [&self.destinations, &self.verdicts, &self.safeguards, &self.recipients];
        let takes = |leg: &super::index::Leg| {
            one(&self.destinations, &leg.destination)
                && one(&self.verdicts, &leg.verdict)
                && one(&self.safeguards, &leg.safeguard)
                && one(&self.recipients, &leg.recipient)
        };
        free.iter().all(|list| list.is_empty()) || flow.legs.iter().any(takes)
    }
}

/// One month's file, open for reading.
struct File {
    month: Month,
    connection: Connection,
    flows: BTreeMap<i64, Flow>,
}

/// Rows of the archive in `dir` that meet the conditions, in the order of the log.
///
/// # Errors
/// A file of the index cannot be read.
pub fn search(dir: &Path, sought: &Sought) -> Result<Vec<Row>, EvidenceError> {
    let mut found = Vec::new();
    for (month, path) in months(dir)? {
        let mut read = || File::open(month, &path)?.search(sought, &mut found);
        read().map_err(|error| EvidenceError::disk("read the index", &path, io::Error::other(error)))?;
    }
    found.sort_by_key(|row| row.i);
    Ok(found)
}

/// Rows of all months in the order of the log.
///
/// # Errors
/// A file of the index cannot be read.
pub fn rows(dir: &Path) -> Result<Vec<Row>, EvidenceError> {
    search(dir, &Sought::default())
}

/// Where the details lie, in the order of the log.
///
/// # Errors
/// A file of the index cannot be read.
pub fn details(dir: &Path) -> Result<Vec<DetailRow>, EvidenceError> {
    let mut found = Vec::new();
    for (month, path) in months(dir)? {
        let mut read = || File::open(month, &path)?.details(&mut found);
        read().map_err(|error| EvidenceError::disk("read the index", &path, io::Error::other(error)))?;
    }
    found.sort_by_key(|row| row.i);
    Ok(found)
}

/// How much of one verdict a segment holds.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Which segment.
    pub segment: SegmentId,
    /// Verdict of the records; `None`: details of what people did.
    pub verdict: Option<String>,
    /// How many.
    pub records: u64,
    /// First and last event time, ms since the epoch; all times for details.
    pub first: i64,
    /// See `first`.
    pub last: i64,
}

/// What each segment holds, as the index knows it.
///
/// # Errors
/// A file of the index cannot be read.
pub fn volumes(dir: &Path) -> Result<Vec<Volume>, EvidenceError> {
    let mut found = Vec::new();
    for (month, path) in months(dir)? {
        let mut read = || File::open(month, &path)?.volumes(&mut found);
        read().map_err(|error| EvidenceError::disk("read the index", &path, io::Error::other(error)))?;
    }
    Ok(found)
}

impl File {
    fn volumes(&self, found: &mut Vec<Volume>) -> rusqlite::Result<()> {
        let mut select = self.connection.prepare(
            "SELECT segment, flow, count(*), min(at), max(at) FROM records JOIN frames ON n = frame GROUP BY segment, flow
             UNION ALL SELECT segment, NULL, count(*), NULL, NULL FROM details JOIN frames ON n = frame GROUP BY segment",
        )?;
        let rows = select.query_map([], |row| {
            let flow: Option<i64> = row.get(1)?;
            Ok(Volume {
                segment: SegmentId { month: self.month, number: row.get(0)? },
                verdict: flow.map(|flow| self.flows.get(&flow).map(|flow| flow.verdict.clone()).unwrap_or_default()),
                records: row.get::<_, i64>(2)?.cast_unsigned(),
                first: row.get::<_, Option<i64>>(3)?.unwrap_or(i64::MIN),
                last: row.get::<_, Option<i64>>(4)?.unwrap_or(i64::MAX),
            })
        })?;
        rows.for_each(|row| found.extend(row.ok()));
        Ok(())
    }

    fn open(month: Month, path: &Path) -> rusqlite::Result<Self> {
        let connection = open_for_reading(path)?;
        let mut select = connection.prepare("SELECT n, flow FROM flows")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        let flows = rows
            .map(|row| row.map(|(n, flow)| (n, serde_json::from_str(&flow).unwrap_or_default())))
            .collect::<rusqlite::Result<_>>()?;
        drop(select);
        Ok(Self { month, connection, flows })
    }

    fn search(&self, sought: &Sought, found: &mut Vec<Row>) -> rusqlite::Result<()> {
        let (from, to) = (sought.from.unwrap_or(i64::MIN), sought.to.unwrap_or(i64::MAX));
        let taken: BTreeSet<i64> = self.flows.iter().filter(|(_, flow)| sought.takes(flow)).map(|(n, _)| *n).collect();
        let (by, keys): (&str, Vec<i64>) = match &sought.subjects {
            Some(subjects) => ("subject = ?3", subjects.iter().map(|number| number.cast_signed()).collect()),
            // by anything else all records of the time are read, in order
            None => ("?3 = 0", vec![0]),
        };
        let mut select = self.connection.prepare(&format!(
            "SELECT i, at, id, subject, flow, segment, offset FROM records JOIN frames ON n = frame
             WHERE at >= ?1 AND at < ?2 AND {by}"
        ))?;
        for key in keys {
            let mut rows = select.query(params![from, to, key])?;
            while let Some(row) = rows.next()? {
                let flow = row.get(4)?;
                if !taken.contains(&flow) {
                    continue;
                }
                let row = self.row(row, flow)?;
                if sought.id.as_ref().is_none_or(|id| *id == row.id) {
                    found.push(row);
                }
            }
        }
        Ok(())
    }

    fn row(&self, row: &rusqlite::Row<'_>, flow: i64) -> rusqlite::Result<Row> {
        Ok(Row {
            i: row.get::<_, i64>(0)?.cast_unsigned(),
            at: row.get(1)?,
            id: match row.get_ref(2)? {
                ValueRef::Blob(bytes) => crate::domain::hex::hex(bytes),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => String::new(),
            },
            subject: row.get::<_, i64>(3)?.cast_unsigned(),
            flow: self.flows.get(&flow).cloned().unwrap_or_default(),
            segment: SegmentId { month: self.month, number: row.get(5)? },
            offset: row.get::<_, i64>(6)?.cast_unsigned(),
        })
    }

    fn details(&self, found: &mut Vec<DetailRow>) -> rusqlite::Result<()> {
        let mut select =
            self.connection.prepare("SELECT i, segment, offset FROM details JOIN frames ON n = frame ORDER BY i")?;
        let rows = select.query_map([], |row| {
            let segment = SegmentId { month: self.month, number: row.get(1)? };
            let (i, offset) = (row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(2)?.cast_unsigned());
            Ok(DetailRow { i, segment, offset })
        })?;
        rows.for_each(|row| found.extend(row.ok()));
        Ok(())
    }
}

/// A copy on a medium that cannot be written has no side files; then the file is taken as it stands.
fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let open = |name: &str, flags| {
        let connection = Connection::open_with_flags(name, flags)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    let name = path.to_string_lossy();
    open(&name, OpenFlags::SQLITE_OPEN_READ_ONLY).or_else(|error| {
        let escaped = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        open(&format!("file:{escaped}?immutable=1"), flags).map_err(|_: rusqlite::Error| error)
    })
}
