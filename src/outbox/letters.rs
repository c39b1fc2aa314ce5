//! A letter's way out: leased, tried, delivered, given to another channel or given up.

use rusqlite::{OptionalExtension, Transaction, params};

use super::letter::{Body, Kind, Mishap};
use super::queue::{LEASE_MS, Outcome, Queue, back_off};
use super::spec::ChannelSpec;
use super::{OutboxError, begin, stored_letter, trouble};

/// A leased letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    /// Stable key, the same at every try.
    pub id: String,
    /// Why it was written.
    pub kind: Kind,
    /// The channel whose findings it tells.
    pub owner: String,
    /// What it says.
    pub body: Body,
    /// Failures so far.
    pub attempts: u32,
    /// Since when it fails, ms since the epoch; 0 if it does not.
    pub failing_since: i64,
}

impl Queue {
    /// Leases the letter of a channel that waits longest.
    ///
    /// # Errors
    /// The database refuses, or the letter is unreadable.
    pub fn lease_letter(&mut self, channel: &str, now: i64) -> Result<Option<Sealed>, OutboxError> {
        let sql = "UPDATE letters SET lease_until = ?3 WHERE id = (
                SELECT id FROM letters WHERE channel = ?1 AND state = 0 AND next_at <= ?2 AND lease_until <= ?2
                ORDER BY next_at, created LIMIT 1)
            RETURNING id, kind, owner, body, attempts, failing_since";
        let lease_until = now.saturating_add(LEASE_MS);
        let sealed = self.connection.prepare_cached(sql)?.query_row(params![channel, now, lease_until], |row| {
            let kind = Kind::parse(row.get_ref(1)?.as_str()?).unwrap_or(Kind::Findings);
            let body = stored_letter::from_json(row.get_ref(3)?.as_str()?);
            Ok((row.get(0)?, kind, row.get(2)?, body, row.get(4)?, row.get(5)?))
        });
        let Some((id, kind, owner, body, attempts, failing_since)) = sealed.optional()? else { return Ok(None) };
        let body = body.ok_or(OutboxError::Corrupt("a letter"))?;
        Ok(Some(Sealed { id, kind, owner, body, attempts, failing_since }))
    }

    /// Takes down how a try went. A letter that its channel cannot deliver goes to the channel's fallback, or is given up.
    ///
    /// # Errors
    /// The database refuses; the lease runs out and the letter is tried again.
    pub fn settle_letter(
        &mut self,
        spec: &ChannelSpec,
        specs: &[ChannelSpec],
        letter: &Sealed,
        outcome: &Outcome,
        now: i64,
    ) -> Result<(), OutboxError> {
        let owner = specs.iter().find(|other| other.name == letter.owner).unwrap_or(spec);
        let transaction = begin(&mut self.connection)?;
        match outcome {
            Outcome::Delivered => delivered(&transaction, owner, letter, now)?,
            Outcome::Failed(why) => failed(&transaction, spec, letter, why, 0, now)?,
            Outcome::Later(why, wait) => failed(&transaction, spec, letter, why, *wait, now)?,
            Outcome::Refused(why) => refused(&transaction, spec, letter, why, now)?,
            Outcome::Returned => {
                let sql = "UPDATE letters SET lease_until = 0 WHERE id = ?1";
                transaction.prepare_cached(sql)?.execute([&letter.id])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Sends nothing more to a channel whose receiver is gone, until an operator opens it again.
    ///
    /// # Errors
    /// The database refuses.
    pub fn close(&mut self, spec: &ChannelSpec, why: &str, now: i64) -> Result<(), OutboxError> {
        let transaction = begin(&mut self.connection)?;
        let sql =
            "INSERT INTO channels VALUES (?1, ?2, ?3, 0) ON CONFLICT DO UPDATE SET closed_at = ?2, closed_why = ?3";
        transaction.execute(sql, params![spec.name, now, why])?;
        trouble::note(&transaction, spec, Mishap::Closed, why, now)?;
        if let Some((to, _)) = &spec.fallback {
            move_all(&transaction, &spec.name, to, now)?;
        }
        Ok(transaction.commit()?)
    }
}

fn delivered(transaction: &Transaction<'_>, owner: &ChannelSpec, letter: &Sealed, now: i64) -> Result<(), OutboxError> {
    let sql = "UPDATE outbox SET
        delivered = i.revision, delivered_at = ?2, told = i.count, told_severity = i.severity, attempts = 0,
        last_error = NULL, letter = NULL, why = 0,
        state = iif(outbox.revision > i.revision, 0, 1),
        created = iif(outbox.revision > i.revision, ?2, created),
        next_at = iif(outbox.revision > i.revision, ?2 + ?3, next_at),
        repeat_at = iif(?4 > 0 AND i.severity >= ?5, ?2 + ?4, 0)
        FROM letter_items AS i
        WHERE i.letter = ?1 AND outbox.letter = ?1 AND outbox.finding = i.finding";
    let repeat = owner.repeat.unwrap_or(0);
    let values = params![letter.id, now, owner.interval, repeat, owner.repeat_from as u8];
    transaction.prepare_cached(sql)?.execute(values)?;
    transaction.prepare_cached("DELETE FROM letter_items WHERE letter = ?1")?.execute([&letter.id])?;
    // What it said is no longer needed, and is personal.
    let sql = "UPDATE letters SET state = 1, sent_at = ?2, lease_until = 0, last_error = NULL, body = '' WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute(params![letter.id, now])?;
    Ok(())
}

fn failed(
    transaction: &Transaction<'_>,
    spec: &ChannelSpec,
    letter: &Sealed,
    why: &str,
    least: i64,
    now: i64,
) -> Result<(), OutboxError> {
    let since = if letter.failing_since > 0 { letter.failing_since } else { now };
    if let Some((to, after)) = &spec.fallback
        && now.saturating_sub(since) >= *after
    {
        return hand_over(transaction, letter, &spec.name, to, now);
    }
    let Some(wait) = back_off(&letter.id, letter.attempts) else {
        return refused(transaction, spec, letter, why, now);
    };
    // A letter that has somewhere else to go does not sleep past the moment when it goes there.
    let most = spec.fallback.as_ref().map_or(i64::MAX, |(_, after)| since.saturating_add(*after));
    let next_at = now.saturating_add(wait.max(least)).min(most.max(now + 1));
    let sql = "UPDATE letters SET attempts = ?2, next_at = ?3, lease_until = 0, last_error = ?4, failing_since = ?5
        WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute(params![letter.id, letter.attempts + 1, next_at, why, since])?;
    Ok(())
}

fn refused(
    transaction: &Transaction<'_>,
    spec: &ChannelSpec,
    letter: &Sealed,
    why: &str,
    now: i64,
) -> Result<(), OutboxError> {
    if let Some((to, _)) = &spec.fallback {
        return hand_over(transaction, letter, &spec.name, to, now);
    }
    let sql = "UPDATE letters SET state = 2, attempts = ?2, lease_until = 0, last_error = ?3 WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute(params![letter.id, letter.attempts + 1, why])?;
    // What has changed since is told in a letter to come; the rest is given up with this one.
    let sql = "UPDATE outbox SET last_error = ?2, state = iif(outbox.revision > i.revision, 0, 2),
        next_at = ?3, letter = iif(outbox.revision > i.revision, NULL, outbox.letter)
        FROM letter_items AS i WHERE i.letter = ?1 AND outbox.letter = ?1 AND outbox.finding = i.finding";
    transaction.prepare_cached(sql)?.execute(params![letter.id, why, now])?;
    trouble::note(transaction, spec, Mishap::GivenUp, why, now)
}

/// Gives a letter to another channel. Its id stays, so whoever got it after all can tell.
fn hand_over(
    transaction: &Transaction<'_>,
    letter: &Sealed,
    from: &str,
    to: &str,
    now: i64,
) -> Result<(), OutboxError> {
    let mut body = letter.body.clone();
    body.moved_from.get_or_insert_with(|| from.to_owned());
    let body = stored_letter::to_json(&body).ok_or(OutboxError::Corrupt("a letter"))?;
    let sql =
        "UPDATE letters SET channel = ?2, body = ?3, next_at = ?4, attempts = 0, lease_until = 0, failing_since = 0
        WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute(params![letter.id, to, body, now])?;
    Ok(())
}

fn move_all(transaction: &Transaction<'_>, from: &str, to: &str, now: i64) -> Result<(), OutboxError> {
    let sql = "SELECT id, body FROM letters WHERE channel = ?1 AND state = 0";
    let mut statement = transaction.prepare_cached(sql)?;
    let rows = statement.query_map([from], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let waiting: Vec<_> = rows.collect::<Result<_, _>>()?;
    for (id, body) in waiting {
        let body = stored_letter::from_json(&body).ok_or(OutboxError::Corrupt("a letter"))?;
        let letter = Sealed { id, kind: Kind::Findings, owner: from.to_owned(), body, attempts: 0, failing_since: 0 };
        hand_over(transaction, &letter, from, to, now)?;
    }
    Ok(())
}
