//! Lines for stream users that are not told yet, by lane and range of offsets. They are written down with the batch and unseen
//! until it is published, so a line exists exactly if the evidence has its event. Never decides which of them were told: the
//! group's committed offset says that, since lines and offset move in one transaction.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::{OutboxError, count, int, schema};
use crate::domain::position::Lane;
use crate::pipeline::report::BatchReport;
use crate::pipeline::told::{frame, frames};

/// Fast, and enough: lines of a lane differ in their ids and offsets.
const LEVEL: i32 = 1;

pub(super) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS verdict_lines (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    tree_size INTEGER NOT NULL,
    lines BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS verdict_lines_by_lane ON verdict_lines (topic, partition, next);
";

/// Writes the batch's lines down.
pub(super) fn insert(transaction: &Transaction<'_>, tree_size: u64, report: &BatchReport) -> Result<(), OutboxError> {
    let sql = "INSERT INTO verdict_lines (topic, partition, next, tree_size, lines) VALUES (?1, ?2, ?3, ?4, ?5)";
    for told in &report.told {
        let Some(coverage) = report.coverage.get(told.lane) else { continue };
        let lines = zstd::bulk::compress(&told.lines, LEVEL).map_err(|_| OutboxError::Corrupt("a verdict line"))?;
        let Lane { topic, partition } = &coverage.lane;
        transaction.prepare_cached(sql)?.execute(params![
            topic,
            partition,
            int(coverage.next),
            int(tree_size),
            lines
        ])?;
    }
    Ok(())
}

/// Drops those of the batch that never happened.
pub(super) fn discard(transaction: &Transaction<'_>) -> Result<(), OutboxError> {
    transaction.execute("DELETE FROM verdict_lines WHERE tree_size IN (SELECT tree_size FROM pending)", [])?;
    Ok(())
}

/// Lines of one lane that are to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// The lines, as [`frames`] reads them.
    pub lines: Vec<u8>,
    /// First offset that they do not reach.
    pub next: u64,
}

/// The lines, for whoever tells them. A connection of its own, beside the recorder's.
#[derive(Debug)]
pub struct VerdictLines {
    connection: Connection,
}

impl VerdictLines {
    /// Opens the state database, which the recorder has made.
    ///
    /// # Errors
    /// It cannot be opened, or is of another layout.
    pub fn open(path: &Path) -> Result<Self, OutboxError> {
        Ok(Self { connection: schema::open_for_courier(path)? })
    }

    /// The lines of published events of a lane with offsets from `from` to below `below`. Ends with the first batch that
    /// brings it to `most` bytes, and says how far it reaches.
    ///
    /// # Errors
    /// The database cannot be read, or holds what was never written there.
    pub fn untold(&self, lane: &Lane, from: u64, below: u64, most: usize) -> Result<Untold, OutboxError> {
        let sql = "SELECT next, lines FROM verdict_lines WHERE topic = ?1 AND partition = ?2 AND next > ?3
                   AND tree_size NOT IN (SELECT tree_size FROM pending) ORDER BY next";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![lane.topic, lane.partition, int(from)])?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next()? {
            let blob = row.get_ref(1)?.as_blob().map_err(|_| OutboxError::Corrupt("a verdict line"))?;
            let kept = zstd::decode_all(blob).map_err(|_| OutboxError::Corrupt("a verdict line"))?;
            frames(&kept)
                .filter(|(offset, _)| (from..below).contains(offset))
                .for_each(|(offset, line)| frame(&mut lines, offset, line));
            let next = count(row.get(0)?).min(below);
            if next == below || lines.len() >= most {
                return Ok(Untold { lines, next });
            }
        }
        Ok(Untold { lines, next: below })
    }

    /// Lets go of the lines of a lane whose batches end at or below `below`: the group has their offsets, so they were told.
    ///
    /// # Errors
    /// The database refuses; they are let go of another time.
    pub fn let_go(&self, lane: &Lane, below: u64) -> Result<(), OutboxError> {
        let sql = "DELETE FROM verdict_lines WHERE topic = ?1 AND partition = ?2 AND next <= ?3";
        self.connection.prepare_cached(sql)?.execute(params![lane.topic, lane.partition, int(below)])?;
        Ok(())
    }
}
