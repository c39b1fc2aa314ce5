//! Acknowledgements: somebody took a finding in hand. It is then neither repeated nor passed on to a deputy, until it becomes
//! graver than it was; machines that keep a state are told.

use rusqlite::{OptionalExtension, Transaction, params};

use super::owed::{ACKNOWLEDGED, CALLED_OFF, CHANGE, PENDING, TOLD};
use super::spec::{ChannelSpec, Manner};
use super::{Finding, OutboxError, Queue, begin, finding, int};

/// Fewest digits by which a finding can be named.
const FEWEST: usize = 6;

impl Queue {
    /// The one finding whose id begins so; `None` if there is none or more than one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn finding(&self, id: &str) -> Result<Option<Finding>, OutboxError> {
        let is_id = id.len() >= FEWEST && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            return Ok(None);
        }
        let sql = "SELECT id FROM findings WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Vec<String> = statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        match found.as_slice() {
            [only] => finding::get(&self.connection, only),
            _ => Ok(None),
        }
    }

    /// Takes down that somebody took a finding in hand. Returns `false` if somebody did already, at this severity.
    ///
    /// # Errors
    /// The database refuses; nothing has changed then.
    pub fn acknowledge(
        &mut self,
        finding: &Finding,
        by: &str,
        note: &str,
        specs: &[ChannelSpec],
        now: i64,
    ) -> Result<bool, OutboxError> {
        let transaction = begin(&mut self.connection)?;
        let sql = "INSERT INTO acknowledgements VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET
            severity = excluded.severity, revision = excluded.revision, at = excluded.at, by = excluded.by,
            note = excluded.note WHERE excluded.severity > severity";
        let severity = finding.severity as u8;
        let values = params![finding.id, severity, int(finding.revision), now, by, note];
        if transaction.execute(sql, values)? == 0 {
            return Ok(false);
        }
        for spec in specs {
            call_off(&transaction, spec, &finding.id)?;
            if spec.manner == Manner::Each {
                let sql = "UPDATE outbox SET state = ?3, why = ?4, created = ?5, next_at = ?5, attempts = 0
                    WHERE finding = ?1 AND channel = ?2 AND state = ?6 AND why = ?7 AND delivered > 0";
                let values = params![finding.id, spec.name, PENDING, ACKNOWLEDGED, now, TOLD, CHANGE];
                transaction.execute(sql, values)?;
            }
        }
        transaction.commit()?;
        Ok(true)
    }

    /// Who acknowledged a finding, when (ms since the epoch), and what they said.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn acknowledgement(&self, finding: &str) -> Result<Option<(String, i64, String)>, OutboxError> {
        let sql = "SELECT by, at, note FROM acknowledgements WHERE finding = ?1";
        let row = self.connection.query_row(sql, [finding], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        Ok(row.optional()?)
    }
}

/// Whoever is still to be reminded, or told in another's place, need not be. What a channel has not been told of at all stays
/// owed, unless it hears of what nobody acknowledged alone.
fn call_off(transaction: &Transaction<'_>, spec: &ChannelSpec, finding: &str) -> Result<(), OutboxError> {
    let sql = "UPDATE outbox SET repeat_at = 0, escalate_at = ?3,
        state = iif(state = 0 AND why IN (1, 2) AND (?4 OR delivered >= revision), 1, state),
        why = iif(state = 0 AND why IN (1, 2), 0, why)
        WHERE finding = ?1 AND channel = ?2";
    transaction.prepare_cached(sql)?.execute(params![finding, spec.name, CALLED_OFF, spec.only_escalations])?;
    Ok(())
}
