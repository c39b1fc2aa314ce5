//! Findings: what people are told, summed over batches.
//!
//! Sums do not depend on how the input was cut into batches. That holds for the raise for bulk as well, because it is a
//! function of the sums alone: **a finding is bulk when the counts of its series, over its own window and the three
//! windows of fifteen minutes before it, reach the bound.** A late event that completes an hour raises every window of
//! that hour's end that qualifies, never an earlier one. Only `revision` counts batches, as its purpose is to say
//! "changed again".
//!
//! Findings with windows of a day (standing flows, acts that are in no table) say nothing about objects in an hour; they
//! are never bulk.

use std::collections::BTreeMap;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::delta::Increment;
use super::{OutboxError, count, int, stored};
use crate::domain::finding::WINDOW_MS;
use crate::domain::flow::FlowKind;
use crate::domain::verdict::{Severity, Tag, Verdict};
use crate::pipeline::report::Facts;

/// From the start of the first to the start of the last of the four windows that make an hour, in ms.
const HOUR_SPAN: i64 = 3 * WINDOW_MS;

/// One finding as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable id, 24 hex digits.
    pub id: String,
    /// Stable id of the series, the same over all windows.
    pub series: String,
    /// Start of the window, ms since the epoch.
    pub window: i64,
    /// Destination code.
    pub destination: String,
    /// Gravest severity, raised if bulk.
    pub severity: Severity,
    /// Gravest severity of its records.
    pub base: Severity,
    /// Whether the series reached the bound for bulk within the hour that ends with this window.
    pub bulk: bool,
    /// Records.
    pub count: u64,
    /// Bytes, as far as events state them.
    pub bytes: u64,
    /// Earliest event time, ms since the epoch.
    pub first: i64,
    /// Latest event time, ms since the epoch.
    pub last: i64,
    /// Counts the changes, from 1.
    pub revision: u64,
    /// When it was first recorded, ms since the epoch by this machine's clock.
    pub made: i64,
    /// When it was last changed, ms since the epoch by this machine's clock.
    pub changed: i64,
    /// Facts of the gravest record, of several the first.
    pub facts: Facts,
}

impl Finding {
    /// Key by which a receiver knows a repeated notice: `<finding id>.<revision>`.
    pub fn notice_id(&self) -> String {
        format!("{}.{}", self.id, self.revision)
    }
}

/// Which findings to read. The default asks for all, with a bound of 1,000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Latest event at or after, ms since the epoch.
    pub since: Option<i64>,
    /// Earliest event before, ms since the epoch.
    pub until: Option<i64>,
    /// At least this severity.
    pub minimum: Severity,
    /// Only this verdict.
    pub verdict: Option<Verdict>,
    /// Only the finding of this id.
    pub id: Option<String>,
    /// At most so many.
    pub most: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self { since: None, until: None, minimum: Severity::Info, verdict: None, id: None, most: 1_000 }
    }
}

/// What a channel needs to know of a changed finding.
pub(super) struct Changed {
    pub(super) id: String,
    pub(super) severity: Severity,
    pub(super) revision: i64,
    pub(super) verdict: String,
    pub(super) tenant: String,
}

/// Adds the increments and raises what became bulk; returns the findings that changed, by id, and of each increment
/// whether its finding began with it.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    increments: &[Increment],
    bulk_objects: u64,
    now: i64,
) -> Result<(Vec<Changed>, Vec<bool>), OutboxError> {
    let mut changed = BTreeMap::new();
    let mut is_new = Vec::with_capacity(increments.len());
    for increment in increments {
        // however often a batch changes a finding, that is one revision
        let step = i64::from(!changed.contains_key(&increment.id));
        let (new, one) = upsert(transaction, increment, step, now)?;
        is_new.push(new);
        changed.insert(increment.id.clone(), one);
    }
    for increment in increments.iter().filter(|increment| !spans_a_day(increment)) {
        for id in raise_hour(transaction, increment, bulk_objects)? {
            let step = i64::from(!changed.contains_key(id.as_str()));
            let one = raise(transaction, &id, step, now)?;
            changed.insert(id.into(), one);
        }
    }
    Ok((changed.into_values().collect(), is_new))
}

fn spans_a_day(increment: &Increment) -> bool {
    let unclassified = increment.facts.tags.iter().any(|tag| tag == Tag::Unclassified.name());
    unclassified || FlowKind::parse(&increment.kind).is_some_and(FlowKind::is_standing)
}

/// What is known of a finding before an increment.
struct Known {
    row: i64,
    base: u8,
    bulk: bool,
    count: i64,
    bytes: i64,
    first: i64,
    last: i64,
    revision: i64,
}

fn known(transaction: &Transaction<'_>, id: &str) -> Result<Option<Known>, OutboxError> {
    let sql = "SELECT rowid, base, bulk, count, bytes, first, last, revision FROM findings WHERE id = ?1";
    let read = |row: &Row<'_>| {
        Ok(Known {
            row: row.get(0)?,
            base: row.get(1)?,
            bulk: row.get(2)?,
            count: row.get(3)?,
            bytes: row.get(4)?,
            first: row.get(5)?,
            last: row.get(6)?,
            revision: row.get(7)?,
        })
    };
    Ok(transaction.prepare_cached(sql)?.query_row([id], read).optional()?)
}

/// Says whether the finding is new, and how it stands. Sums are formed here and not in SQL: SQLite turns an overflow into a
/// fault, and sizes come from outside.
fn upsert(
    transaction: &Transaction<'_>,
    increment: &Increment,
    step: i64,
    now: i64,
) -> Result<(bool, Changed), OutboxError> {
    let Some(known) = known(transaction, &increment.id)? else {
        insert(transaction, increment, now)?;
        return Ok((true, increment.changed(severity(increment.severity), 1)));
    };
    // of equal severity the first stays
    let facts = if increment.severity > known.base { Some(facts(increment)?) } else { None };
    let base = known.base.max(increment.severity);
    let stands = standing(severity(base), known.bulk, &increment.verdict);
    let revision = known.revision + step;
    let sql =
        "UPDATE findings SET base = ?2, severity = ?3, count = ?4, bytes = ?5, first = ?6, last = ?7, revision = ?8,
        changed = ?9, facts = coalesce(?10, facts) WHERE rowid = ?1";
    transaction.prepare_cached(sql)?.execute(params![
        known.row,
        base,
        stands as u8,
        known.count.saturating_add(int(increment.count)),
        known.bytes.saturating_add(int(increment.bytes)),
        increment.first.min(known.first),
        increment.last.max(known.last),
        revision,
        now,
        facts,
    ])?;
    Ok((false, increment.changed(stands, revision)))
}

impl Increment {
    /// Its finding, as it stands now. Verdict and tenant are part of what a finding is.
    fn changed(&self, severity: Severity, revision: i64) -> Changed {
        let (id, verdict, tenant) = (self.id.as_str().into(), self.verdict.clone(), self.facts.tenant.as_str().into());
        Changed { id, severity, revision, verdict, tenant }
    }
}

fn facts(increment: &Increment) -> Result<String, OutboxError> {
    stored::to_json(&increment.facts).ok_or(OutboxError::Corrupt("a finding's facts"))
}

fn insert(transaction: &Transaction<'_>, increment: &Increment, now: i64) -> Result<(), OutboxError> {
    let facts = facts(increment)?;
    let sql =
        "INSERT INTO findings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, 0, ?8, ?9, ?10, ?11, 1, ?12, ?12, ?13, ?14)";
    transaction.prepare_cached(sql)?.execute(params![
        increment.id.as_str(),
        increment.series.as_str(),
        increment.window,
        increment.kind,
        increment.destination.as_str(),
        increment.verdict,
        increment.severity,
        int(increment.count),
        int(increment.bytes),
        increment.first,
        increment.last,
        now,
        increment.facts.tenant.as_str(),
        facts,
    ])?;
    Ok(())
}

/// Marks as bulk the windows whose trailing hour holds this window and reaches the bound; returns those newly marked.
fn raise_hour(
    transaction: &Transaction<'_>,
    increment: &Increment,
    bulk_objects: u64,
) -> Result<Vec<String>, OutboxError> {
    // The cap keeps the sum of four inside 64 bits.
    let sql = "UPDATE findings AS f SET bulk = 1
        WHERE f.series = ?1 AND f.win BETWEEN ?2 AND ?3 AND f.bulk = 0 AND ?4 <= (
            SELECT sum(min(g.count, 1 << 60)) FROM findings AS g
            WHERE g.series = ?1 AND g.win BETWEEN f.win - ?5 AND f.win)
        RETURNING id";
    let until = increment.window.saturating_add(HOUR_SPAN);
    let mut statement = transaction.prepare_cached(sql)?;
    let ids = statement.query_map(
        params![increment.series.as_str(), increment.window, until, int(bulk_objects), HOUR_SPAN],
        |row| row.get(0),
    )?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Works out the severity of what became bulk.
fn raise(transaction: &Transaction<'_>, id: &str, step: i64, now: i64) -> Result<Changed, OutboxError> {
    let sql = "SELECT base, bulk, verdict, revision, tenant FROM findings WHERE id = ?1";
    let (base, bulk, verdict, revision, tenant) = transaction.prepare_cached(sql)?.query_row([id], |row| {
        let verdict = row.get::<_, String>(2)?;
        Ok((severity(row.get(0)?), row.get(1)?, verdict, row.get::<_, i64>(3)? + step, row.get(4)?))
    })?;
    let severity = standing(base, bulk, &verdict);
    let sql = "UPDATE findings SET severity = ?2, revision = ?3, changed = ?4 WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute(params![id, severity as u8, revision, now])?;
    Ok(Changed { id: id.to_owned(), severity, revision, verdict, tenant })
}

fn standing(base: Severity, bulk: bool, verdict: &str) -> Severity {
    if bulk { raised(base, verdict) } else { base }
}

/// One step for bulk. What is only informational stays so, and what is undetermined is never more than high.
fn raised(base: Severity, verdict: &str) -> Severity {
    let cap = if verdict == Verdict::Undetermined.name() { Severity::High } else { Severity::Critical };
    match base {
        Severity::Info => base,
        Severity::Low | Severity::Medium | Severity::High | Severity::Critical => base.raised().min(cap.max(base)),
    }
}

/// A severity by its rank.
pub(super) fn severity(rank: u8) -> Severity {
    Severity::ALL.get(usize::from(rank)).copied().unwrap_or(Severity::Critical)
}

const COLUMNS: &str =
    "id, series, win, destination, severity, base, bulk, count, bytes, first, last, revision, facts, made, changed";

fn read(row: &Row<'_>) -> rusqlite::Result<Finding> {
    let facts = stored::from_json(row.get_ref(12)?.as_str()?)
        .ok_or_else(|| rusqlite::Error::InvalidColumnType(12, "facts".to_owned(), Type::Text))?;
    Ok(Finding {
        id: row.get(0)?,
        series: row.get(1)?,
        window: row.get(2)?,
        destination: row.get(3)?,
        severity: severity(row.get(4)?),
        base: severity(row.get(5)?),
        bulk: row.get(6)?,
        count: count(row.get(7)?),
        bytes: count(row.get(8)?),
        first: row.get(9)?,
        last: row.get(10)?,
        revision: count(row.get(11)?),
        made: row.get(13)?,
        changed: row.get(14)?,
        facts,
    })
}

/// One finding by its id.
pub(super) fn get(connection: &Connection, id: &str) -> Result<Option<Finding>, OutboxError> {
    let sql = format!("SELECT {COLUMNS} FROM findings WHERE id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], read).optional()?)
}

/// Findings that pass the filter, latest first.
pub(super) fn select(connection: &Connection, filter: &Filter) -> Result<Vec<Finding>, OutboxError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM findings WHERE last >= ?1 AND first < ?2 AND severity >= ?3
            AND (?4 IS NULL OR verdict = ?4) AND (?5 IS NULL OR id = ?5)
            ORDER BY last DESC, id LIMIT ?6"
    );
    let (since, until) = (filter.since.unwrap_or(i64::MIN), filter.until.unwrap_or(i64::MAX));
    let verdict = filter.verdict.map(Verdict::name);
    let most = int(filter.most as u64);
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params![since, until, filter.minimum as u8, verdict, filter.id, most], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Findings changed since a moment of this machine's clock, the gravest first.
pub(super) fn recent(
    connection: &Connection,
    since: i64,
    minimum: Severity,
    most: usize,
) -> Result<Vec<Finding>, OutboxError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM findings WHERE changed >= ?1 AND severity >= ?2
            ORDER BY severity DESC, count DESC, id LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![since, minimum as u8, int(most as u64)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The gravest findings: by severity, then by count, then the latest.
pub(super) fn worst(connection: &Connection, most: usize) -> Result<Vec<Finding>, OutboxError> {
    let sql = format!("SELECT {COLUMNS} FROM findings ORDER BY severity DESC, count DESC, last DESC, id LIMIT ?1");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([int(most as u64)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Lets go of findings that ended before `before` and are owed to nobody, and of what hangs on them.
pub(super) fn prune(transaction: &Transaction<'_>, before: i64) -> Result<usize, OutboxError> {
    let old = "SELECT id FROM findings WHERE last < ?1
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE finding = findings.id AND state <> 1)";
    for table in ["outbox", "acknowledgements"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE finding IN ({old})"), [before])?;
    }
    Ok(transaction.execute(&format!("DELETE FROM findings WHERE id IN ({old})"), [before])?)
}
