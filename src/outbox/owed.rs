//! What each channel owes for findings that changed. Written in the recorder's transaction, so that nothing is recorded that
//! nobody is told of. One row for each finding and channel: a finding that changes while it waits is told once, as it then
//! stands, and its totals say all that happened.

use rusqlite::{Transaction, params};

use super::OutboxError;
use super::finding::Changed;
use super::spec::{ChannelSpec, Wait};
use crate::domain::verdict::Severity;

/// Owed.
pub(super) const PENDING: u8 = 0;
/// Told in its latest revision.
pub(super) const TOLD: u8 = 1;
/// Given up; stays on file until somebody tries it again or drops it.
pub(super) const DEAD: u8 = 2;
/// Held back, to be counted in the next letter or the daily summary.
pub(super) const HELD: u8 = 3;
/// In a letter that is under way.
pub(super) const LETTERED: u8 = 4;

/// It is new or changed.
pub(super) const CHANGE: u8 = 0;
/// Nobody acknowledged it yet, or the receiver must hear of it again.
pub(super) const REPEAT: u8 = 1;
/// Those who were told first did not acknowledge it in time.
pub(super) const ESCALATION: u8 = 2;
/// Somebody acknowledged it.
pub(super) const ACKNOWLEDGED: u8 = 3;

/// `escalate_at` of a row whose escalation is done or called off.
pub(super) const CALLED_OFF: i64 = -1;

/// Notes what each channel owes for the changed findings.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    channels: &[ChannelSpec],
    changed: &[Changed],
    now: i64,
) -> Result<(), OutboxError> {
    for spec in channels {
        for change in changed.iter().filter(|change| spec.takes(change.severity, &change.verdict, &change.tenant)) {
            if spec.only_escalations && !is_known(transaction, spec, change)? {
                continue;
            }
            owe(transaction, spec, change, now)?;
        }
    }
    Ok(())
}

fn is_known(transaction: &Transaction<'_>, spec: &ChannelSpec, change: &Changed) -> Result<bool, OutboxError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE finding = ?1 AND channel = ?2)";
    Ok(transaction.prepare_cached(sql)?.query_one([&change.id, &spec.name], |row| row.get(0))?)
}

/// A waiting row keeps its age and its back-off and takes the new revision; one that was told is owed afresh, at once if it
/// became graver than what was told. One that is in a letter stays there: the letter's end sees the newer revision.
fn owe(transaction: &Transaction<'_>, spec: &ChannelSpec, change: &Changed, now: i64) -> Result<(), OutboxError> {
    let sql = "INSERT INTO outbox VALUES
        (?1, ?2, ?3, ?5, 0, 0, 0, 0, -1, ?4, ?4 + ?6, 0, 0, 0, ?8, iif(?5 = 3, 'digest', NULL), NULL, NULL)
        ON CONFLICT DO UPDATE SET
        revision = excluded.revision,
        state = CASE WHEN state = 4 OR (state = 0 AND ?5 = 3) THEN state ELSE ?5 END,
        why = iif(state = 0 AND why <> 1, why, 0),
        created = iif(state = 0, created, ?4),
        next_at = CASE
            WHEN state = 0 AND attempts > 0 THEN next_at
            WHEN state = 0 THEN min(next_at, excluded.next_at)
            WHEN delivered_at = 0 OR ?9 > told_severity THEN excluded.next_at
            ELSE max(?4, delivered_at + ?7) END,
        attempts = iif(state = 0, attempts, 0),
        repeat_at = iif(state = 1, 0, repeat_at),
        escalate_at = CASE
            WHEN ?8 = 0 THEN escalate_at
            WHEN escalate_at = 0 OR ?9 > told_severity THEN iif(escalate_at > 0, min(escalate_at, ?8), ?8)
            ELSE escalate_at END,
        held = iif(state <> 0 AND ?5 = 3, 'digest', held),
        letter = iif(state = 4, letter, NULL)";
    let (state, wait) = match spec.wait(change.severity) {
        Wait::After(wait) => (PENDING, wait),
        Wait::Digest => (HELD, 0),
    };
    let escalate_at =
        spec.deadline(change.severity).map_or(0, |within| now.saturating_add(wait).saturating_add(within));
    transaction.prepare_cached(sql)?.execute(params![
        change.id,
        spec.name,
        change.revision,
        now,
        state,
        wait,
        spec.interval,
        escalate_at,
        change.severity as u8,
    ])?;
    Ok(())
}

/// Owes a finding to the channel of a deputy, at once.
pub(super) fn escalate(
    transaction: &Transaction<'_>,
    to: &ChannelSpec,
    finding: &str,
    severity: Severity,
    now: i64,
) -> Result<(), OutboxError> {
    let sql = "INSERT INTO outbox SELECT id, ?2, revision, 0, 2, 0, 0, 0, -1, ?3, ?3, 0, 0, 0, ?4, NULL, NULL, NULL
        FROM findings WHERE id = ?1
        ON CONFLICT DO UPDATE SET
        state = iif(state = 4, 4, 0), why = 2, created = iif(state = 0, created, ?3), next_at = ?3, attempts = 0,
        letter = iif(state = 4, letter, NULL)";
    let escalate_at = to.deadline(severity).map_or(0, |within| now.saturating_add(within));
    transaction.prepare_cached(sql)?.execute(params![finding, to.name, now, escalate_at])?;
    Ok(())
}
