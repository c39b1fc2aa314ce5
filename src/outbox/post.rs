//! From what waits to letters: what is due, what is held back, and how a decision about it is carried out in one transaction.
//! A finding in a letter is owed until the letter is delivered; what changes meanwhile waits for the next one.

use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest as _, Sha256};

use super::finding::{self, Finding};
use super::letter::{Body, Held, Kind, Reason};
use super::owed::{CALLED_OFF, ESCALATION, HELD, LETTERED, REPEAT, TOLD};
use super::queue::Queue;
use super::spec::ChannelSpec;
use super::{OutboxError, begin, count, int, owed, queue, stored_letter, trouble};
use crate::domain::hex::hex;
use crate::domain::verdict::Severity;

/// Why a finding waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is new or changed.
    Change,
    /// Nobody acknowledged it yet.
    Repeat,
    /// It was not acknowledged in time.
    Escalation,
}

/// A finding that waits to be told in a letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The finding as it stands.
    pub finding: Finding,
    /// Whether its time has come.
    pub due: bool,
    /// Why it waits.
    pub why: Why,
    /// Records that the channel has not been told of.
    pub new: u64,
}

/// What is to be done with what waits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// Findings that are held back, in the revision that was looked at, and why.
    pub hold: Vec<(String, u64, Reason)>,
    /// Findings that wait longer, and until when.
    pub defer: Vec<(String, i64)>,
    /// Letters to be written.
    pub letters: Vec<Draft>,
}

/// A letter to be written. What was held back and what troubles other channels is added as it is filed.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Why it is written.
    pub kind: Kind,
    /// The findings in it: id, revision, records, severity.
    pub items: Vec<(String, u64, u64, Severity)>,
    /// What it says.
    pub body: Body,
    /// Up to when it sums up the days, ms since the epoch.
    pub digested_to: Option<i64>,
}

/// What a decision came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filed {
    /// Ids of the letters.
    pub letters: Vec<String>,
    /// What they count as held back.
    pub held: Vec<Held>,
}

impl Queue {
    /// Whether something is due of which the channel has not heard at this severity or above.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn is_due(&self, channel: &str, at_least: Severity, now: i64) -> Result<bool, OutboxError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox AS o JOIN findings AS f ON f.id = o.finding
            WHERE o.channel = ?1 AND o.state = 0 AND o.next_at <= ?2 AND f.severity >= ?3 AND o.told_severity < ?3)";
        let values = params![channel, now, at_least as u8];
        Ok(self.connection.prepare_cached(sql)?.query_one(values, |row| row.get(0))?)
    }

    /// What waits to be told by a channel, the gravest first, at most `most`. Empty unless something is due.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn waiting(&self, channel: &str, now: i64, most: usize) -> Result<Vec<Waiting>, OutboxError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE channel = ?1 AND state = 0 AND next_at <= ?2)";
        if !self.connection.prepare_cached(sql)?.query_one(params![channel, now], |row| row.get::<_, bool>(0))? {
            return Ok(Vec::new());
        }
        let sql =
            "SELECT o.finding, o.next_at <= ?2, o.why, o.told FROM outbox AS o JOIN findings AS f ON f.id = o.finding
            WHERE o.channel = ?1 AND o.state = 0 ORDER BY f.severity DESC, f.count DESC, f.id LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![channel, now, int(most as u64)], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, count(row.get(3)?)))
        })?;
        let mut waiting = Vec::new();
        for row in rows {
            let (id, due, why, told) = row?;
            if let Some(finding) = finding::get(&self.connection, &id)? {
                let new = finding.count.saturating_sub(told);
                waiting.push(Waiting { finding, due, why: reason(why), new });
            }
        }
        Ok(waiting)
    }

    /// Letters written for a channel since a moment, without daily summaries.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn letters_since(&self, owner: &str, since: i64) -> Result<u64, OutboxError> {
        let sql = "SELECT count(*) FROM letters WHERE owner = ?1 AND created > ?2 AND kind <> 'digest'";
        Ok(count(self.connection.prepare_cached(sql)?.query_one(params![owner, since], |row| row.get(0))?))
    }

    /// Whether something must be said although no finding is due: trouble of other channels, or findings that were held
    /// back before `before` and counted in no letter yet.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn calls_for(&self, channel: &str, before: i64, now: i64) -> Result<Option<Kind>, OutboxError> {
        if !trouble::due(&self.connection, channel, now)?.is_empty() {
            return Ok(Some(Kind::Trouble));
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE channel = ?1 AND state = 3 AND held <> 'digest' AND created < ?2)";
        let old = self.connection.prepare_cached(sql)?.query_one(params![channel, before], |row| row.get(0))?;
        Ok(if old { Some(Kind::Findings) } else { None })
    }

    /// Owes again what nobody acknowledged, and tells deputies of what is overdue; returns how many of both.
    ///
    /// # Errors
    /// The database refuses.
    pub fn sweep(
        &mut self,
        spec: &ChannelSpec,
        specs: &[ChannelSpec],
        now: i64,
    ) -> Result<(usize, usize), OutboxError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE channel = ?1 AND repeat_at > 0 AND repeat_at <= ?2)
            OR EXISTS (SELECT 1 FROM outbox WHERE channel = ?1 AND escalate_at > 0 AND escalate_at <= ?2)";
        let any =
            self.connection.prepare_cached(sql)?.query_one(params![spec.name, now], |row| row.get::<_, bool>(0))?;
        if !any {
            return Ok((0, 0));
        }
        let transaction = begin(&mut self.connection)?;
        let repeated = queue::sweep_repeats(&transaction, spec, now)?;
        let escalated = sweep_escalations(&transaction, spec, specs, now)?;
        transaction.commit()?;
        Ok((repeated, escalated))
    }

    /// Carries a decision out in one transaction. Letters go to `carrier`, which is the channel itself unless it is closed.
    ///
    /// # Errors
    /// The database refuses; nothing has changed then.
    pub fn carry_out(
        &mut self,
        channel: &str,
        carrier: &str,
        decision: Decision,
        now: i64,
    ) -> Result<Filed, OutboxError> {
        let transaction = begin(&mut self.connection)?;
        for (finding, revision, reason) in &decision.hold {
            hold(&transaction, channel, finding, *revision, reason, now)?;
        }
        for (finding, until) in &decision.defer {
            let sql = "UPDATE outbox SET next_at = ?3 WHERE finding = ?1 AND channel = ?2 AND state = 0";
            transaction.prepare_cached(sql)?.execute(params![finding, channel, until])?;
        }
        let mut filed = Filed::default();
        for (nth, mut draft) in decision.letters.into_iter().enumerate() {
            if nth == 0 {
                draft.body.held = take_held(&transaction, channel, draft.kind == Kind::Digest)?;
                draft.body.troubles = trouble::due(&transaction, channel, now)?;
                trouble::told(&transaction, channel, &draft.body.troubles, now)?;
                filed.held.clone_from(&draft.body.held);
            }
            if carrier != channel {
                draft.body.moved_from = Some(channel.to_owned());
            }
            filed.letters.push(file(&transaction, channel, carrier, &draft, now)?);
        }
        transaction.commit()?;
        Ok(filed)
    }

    /// Up to when the days are summed up for a channel, ms since the epoch.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn digested_to(&self, channel: &str) -> Result<Option<i64>, OutboxError> {
        let sql = "SELECT digested_to FROM channels WHERE name = ?1 AND digested_to > 0";
        Ok(self.connection.query_row(sql, [channel], |row| row.get(0)).optional()?)
    }

    /// Sets from when the days are summed up, if that is not known yet.
    ///
    /// # Errors
    /// The database refuses.
    pub fn begin_digests(&self, channel: &str, from: i64) -> Result<(), OutboxError> {
        let sql = "INSERT INTO channels VALUES (?1, 0, '', ?2)
            ON CONFLICT DO UPDATE SET digested_to = iif(digested_to = 0, ?2, digested_to)";
        self.connection.execute(sql, params![channel, from])?;
        Ok(())
    }
}

fn reason(why: u8) -> Why {
    match why {
        REPEAT => Why::Repeat,
        ESCALATION => Why::Escalation,
        _ => Why::Change,
    }
}

fn sweep_escalations(
    transaction: &Transaction<'_>,
    spec: &ChannelSpec,
    specs: &[ChannelSpec],
    now: i64,
) -> Result<usize, OutboxError> {
    let sql = "UPDATE outbox SET escalate_at = ?3 WHERE channel = ?1 AND escalate_at > 0 AND escalate_at <= ?2
        RETURNING finding";
    let mut statement = transaction.prepare_cached(sql)?;
    let overdue = statement.query_map(params![spec.name, now, CALLED_OFF], |row| row.get(0))?;
    let overdue: Vec<String> = overdue.collect::<Result<_, _>>()?;
    let deputy = spec.escalation.as_ref().and_then(|next| specs.iter().find(|other| other.name == next.to));
    let Some(deputy) = deputy else { return Ok(0) };
    let mut escalated = 0;
    for finding in overdue {
        let sql = "SELECT severity FROM findings AS f WHERE id = ?1
            AND NOT EXISTS (SELECT 1 FROM acknowledgements AS a WHERE a.finding = f.id AND a.severity >= f.severity)";
        let open = transaction.prepare_cached(sql)?.query_row([&finding], |row| row.get(0)).optional()?;
        if let Some(severity) = open {
            owed::escalate(transaction, deputy, &finding, finding::severity(severity), now)?;
            escalated += 1;
        }
    }
    Ok(escalated)
}

fn hold(
    transaction: &Transaction<'_>,
    channel: &str,
    finding: &str,
    revision: u64,
    reason: &Reason,
    now: i64,
) -> Result<(), OutboxError> {
    // Whoever silenced it has seen it, and a graver finding asks for its own acknowledgement.
    let sql = "UPDATE outbox SET state = ?4, held = ?5, created = ?6, escalate_at = ?7
        WHERE finding = ?1 AND channel = ?2 AND state = 0 AND revision <= ?3";
    let values = params![finding, channel, int(revision), HELD, held_name(reason), now, CALLED_OFF];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn held_name(reason: &Reason) -> String {
    match reason {
        Reason::Silence(id) => format!("silence:{id}"),
        Reason::Inhibited => "inhibited".to_owned(),
        Reason::Digest => "digest".to_owned(),
    }
}

fn held_reason(name: &str) -> Reason {
    match name.strip_prefix("silence:").map(str::parse) {
        Some(Ok(id)) => Reason::Silence(id),
        Some(Err(_)) | None if name == "inhibited" => Reason::Inhibited,
        Some(Err(_)) | None => Reason::Digest,
    }
}

/// Counts what is held back and lets go of it: the letter that it is counted in tells it.
fn take_held(transaction: &Transaction<'_>, channel: &str, digest: bool) -> Result<Vec<Held>, OutboxError> {
    let which = "o.channel = ?1 AND o.state = 3 AND (?2 OR o.held <> 'digest')";
    let sql = format!(
        "SELECT o.held, count(*), sum(f.count - o.told) FROM outbox AS o JOIN findings AS f ON f.id = o.finding
        WHERE {which} GROUP BY o.held ORDER BY o.held"
    );
    let mut statement = transaction.prepare_cached(&sql)?;
    let rows = statement.query_map(params![channel, digest], |row| {
        let reason = held_reason(row.get_ref(0)?.as_str()?);
        Ok(Held { reason, findings: count(row.get(1)?), records: count(row.get(2)?) })
    })?;
    let held = rows.collect::<Result<_, _>>()?;
    let sql = format!(
        "UPDATE outbox AS o SET state = {TOLD}, delivered = revision,
        told = (SELECT count FROM findings AS f WHERE f.id = o.finding), held = NULL WHERE {which}"
    );
    transaction.prepare_cached(&sql)?.execute(params![channel, digest])?;
    Ok(held)
}

fn file(
    transaction: &Transaction<'_>,
    channel: &str,
    carrier: &str,
    draft: &Draft,
    now: i64,
) -> Result<String, OutboxError> {
    let id = letter_id(channel, draft, now);
    let body = stored_letter::to_json(&draft.body).ok_or(OutboxError::Corrupt("a letter to be written"))?;
    let sql = "INSERT INTO letters VALUES (?1, ?2, ?3, ?4, ?5, 0, ?5, 0, 0, 0, 0, NULL, ?6)";
    transaction.prepare_cached(sql)?.execute(params![id, carrier, channel, draft.kind.name(), now, body])?;
    let sql = "INSERT INTO letter_items VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut item = transaction.prepare_cached(sql)?;
    let sql = "UPDATE outbox SET state = ?4, letter = ?3 WHERE finding = ?1 AND channel = ?2 AND state = 0";
    let mut row = transaction.prepare_cached(sql)?;
    for (finding, revision, records, severity) in &draft.items {
        item.execute(params![id, finding, int(*revision), int(*records), *severity as u8])?;
        row.execute(params![finding, channel, id, LETTERED])?;
    }
    if let Some(to) = draft.digested_to {
        let sql = "INSERT INTO channels VALUES (?1, 0, '', ?2) ON CONFLICT DO UPDATE SET digested_to = ?2";
        transaction.prepare_cached(sql)?.execute(params![channel, to])?;
    }
    Ok(id)
}

/// 20 hex digits over what makes the letter this one, so that a state restored from a copy never gives an old id to
/// something new.
fn letter_id(channel: &str, draft: &Draft, now: i64) -> String {
    let mut hash = Sha256::new();
    for part in [channel, draft.kind.name(), &now.to_string()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    for (finding, revision, _, _) in &draft.items {
        hash.update(finding.as_bytes());
        hash.update(revision.to_be_bytes());
    }
    hex(hash.finalize().get(..10).unwrap_or_default())
}
