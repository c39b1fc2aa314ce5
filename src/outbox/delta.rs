//! What one batch changes, as written down between preparation and application; and the lanes' part of it.

use std::sync::Arc;

use compact_str::CompactString;
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};

use super::letter::Intake;
use super::stored;
use super::{OutboxError, Totals, count, int};
use crate::domain::position::Lane;
use crate::pipeline::ports::Reached;
use crate::pipeline::report::{BatchReport, Coverage, Facts, FindingDelta, GapReason};

/// The pending batch without its fingerprints, which are written once, to their own table.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Delta {
    lanes: Vec<LaneDelta>,
    pub(super) findings: Vec<Increment>,
    /// How many fingerprints belong to it.
    pub(super) prints: u64,
    /// Events of the batch, for the daily summary.
    pub(super) intake: Intake,
}

#[derive(Debug, Serialize, Deserialize)]
struct LaneDelta {
    topic: String,
    partition: i32,
    next: u64,
    last_digest: String,
    received: u64,
    judged: u64,
    rejected: u64,
    duplicate: u64,
}

/// What a batch adds to one finding.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Increment {
    pub(super) id: CompactString,
    pub(super) series: CompactString,
    pub(super) window: i64,
    pub(super) kind: String,
    pub(super) destination: CompactString,
    pub(super) verdict: String,
    pub(super) severity: u8,
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    #[serde(with = "stored::shared")]
    pub(super) facts: Arc<Facts>,
}

impl Delta {
    pub(super) fn of(report: &BatchReport) -> Self {
        Self {
            lanes: report.coverage.iter().map(LaneDelta::of).collect(),
            findings: report.findings.iter().map(Increment::of).collect(),
            prints: report.fingerprints.len() as u64,
            intake: intake(report),
        }
    }

    pub(super) fn to_json(&self) -> Result<String, OutboxError> {
        serde_json::to_string(self).map_err(|_| OutboxError::Corrupt("the batch to be prepared"))
    }

    /// The parser's own words are dropped: they may quote values.
    pub(super) fn from_json(json: &str) -> Result<Self, OutboxError> {
        serde_json::from_str(json).map_err(|_| OutboxError::Corrupt("the pending batch"))
    }

    /// Moves the lanes on and adds to their counts.
    pub(super) fn apply_lanes(&self, transaction: &Transaction<'_>) -> Result<(), OutboxError> {
        self.lanes.iter().try_for_each(|lane| lane.apply(transaction))
    }
}

fn intake(report: &BatchReport) -> Intake {
    let mut intake = Intake::default();
    for share in &report.coverage {
        intake.received += share.received;
        intake.judged += share.judged;
        intake.rejected += share.rejected;
        intake.duplicate += share.duplicate;
    }
    // What another instance recorded is missing nowhere.
    let lost = report.gaps.iter().filter(|gap| gap.why != GapReason::Elsewhere);
    intake.missing = lost.map(|gap| gap.to.saturating_sub(gap.from)).fold(0, u64::saturating_add);
    intake
}

impl LaneDelta {
    fn of(coverage: &Coverage) -> Self {
        Self {
            topic: coverage.lane.topic.clone(),
            partition: coverage.lane.partition,
            next: coverage.next,
            last_digest: coverage.last_digest.clone(),
            received: coverage.received,
            judged: coverage.judged,
            rejected: coverage.rejected,
            duplicate: coverage.duplicate,
        }
    }

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), OutboxError> {
        let sql = "INSERT INTO lanes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET
            next = excluded.next, last_digest = excluded.last_digest, received = received + excluded.received,
            judged = judged + excluded.judged, rejected = rejected + excluded.rejected,
            duplicate = duplicate + excluded.duplicate";
        transaction.prepare_cached(sql)?.execute(params![
            self.topic,
            self.partition,
            int(self.next),
            self.last_digest,
            int(self.received),
            int(self.judged),
            int(self.rejected),
            int(self.duplicate),
        ])?;
        Ok(())
    }
}

impl Increment {
    fn of(delta: &FindingDelta) -> Self {
        Self {
            id: delta.id.clone(),
            series: delta.series.clone(),
            window: delta.key.window,
            kind: delta.key.kind.to_owned(),
            destination: delta.key.destination.clone(),
            verdict: delta.key.verdict.to_owned(),
            severity: delta.severity as u8,
            count: delta.count,
            bytes: delta.bytes,
            first: delta.first,
            last: delta.last,
            facts: Arc::clone(&delta.facts),
        }
    }
}

pub(super) fn reached(connection: &Connection) -> Result<Vec<Reached>, OutboxError> {
    let sql = "SELECT topic, partition, next, last_digest FROM lanes ORDER BY topic, partition";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let lane = Lane { topic: row.get(0)?, partition: row.get(1)? };
        Ok(Reached { lane, next: count(row.get(2)?), last_digest: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Sets the lanes' positions, as the evidence has them; counts stay.
pub(super) fn adopt(transaction: &Transaction<'_>, reached: &[Reached]) -> Result<(), OutboxError> {
    let sql = "INSERT INTO lanes (topic, partition, next, last_digest, received, judged, rejected, duplicate)
        VALUES (?1, ?2, ?3, ?4, 0, 0, 0, 0)
        ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next, last_digest = excluded.last_digest";
    for at in reached {
        let next = i64::try_from(at.next).unwrap_or(i64::MAX);
        transaction.execute(sql, rusqlite::params![at.lane.topic, at.lane.partition, next, at.last_digest])?;
    }
    Ok(())
}

pub(super) fn totals(connection: &Connection) -> Result<Totals, OutboxError> {
    let sql = "SELECT coalesce(sum(received), 0), coalesce(sum(judged), 0), coalesce(sum(rejected), 0),
        coalesce(sum(duplicate), 0) FROM lanes";
    Ok(connection.query_one(sql, [], |row| {
        Ok(Totals {
            received: count(row.get(0)?),
            judged: count(row.get(1)?),
            rejected: count(row.get(2)?),
            duplicate: count(row.get(3)?),
        })
    })?)
}
