//! What went wrong with a channel, to be told by another.

use rusqlite::{Connection, Transaction, params};

use super::letter::{Mishap, Trouble};
use super::spec::ChannelSpec;
use super::{OutboxError, count};

/// Trouble gathers for so many ms before it is told, and so many between two words on it.
pub(super) const GATHER_MS: i64 = 60_000;
const AGAIN_MS: i64 = 3_600_000;

/// Adds one message to the trouble of a channel, if another is to hear of it.
pub(super) fn note(
    transaction: &Transaction<'_>,
    spec: &ChannelSpec,
    mishap: Mishap,
    why: &str,
    now: i64,
) -> Result<(), OutboxError> {
    let Some(recipient) = &spec.trouble_to else { return Ok(()) };
    let sql = "INSERT INTO troubles VALUES (?1, ?2, ?3, 1, ?4, 0, ?5) ON CONFLICT DO UPDATE SET
        since = iif(messages = 0, ?4, since), messages = messages + 1, why = ?5";
    transaction.prepare_cached(sql)?.execute(params![recipient, spec.name, mishap.name(), now, why])?;
    Ok(())
}

/// What a channel is to tell of others now.
pub(super) fn due(connection: &Connection, recipient: &str, now: i64) -> Result<Vec<Trouble>, OutboxError> {
    let sql = "SELECT about, mishap, messages, since, why FROM troubles
        WHERE recipient = ?1 AND messages > 0 AND since <= ?2 AND told_at <= ?3 ORDER BY since, about";
    let mut statement = connection.prepare_cached(sql)?;
    let bounds = params![recipient, now - GATHER_MS, now - AGAIN_MS];
    let rows = statement.query_map(bounds, |row| {
        Ok(Trouble {
            channel: row.get(0)?,
            mishap: Mishap::parse(row.get_ref(1)?.as_str()?).unwrap_or(Mishap::GivenUp),
            messages: count(row.get(2)?),
            since: row.get(3)?,
            why: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes down that it was put into a letter. What happened meanwhile stays for the next.
pub(super) fn told(
    transaction: &Transaction<'_>,
    recipient: &str,
    troubles: &[Trouble],
    now: i64,
) -> Result<(), OutboxError> {
    let sql = "UPDATE troubles SET messages = messages - ?4, told_at = ?5
        WHERE recipient = ?1 AND about = ?2 AND mishap = ?3 AND messages >= ?4";
    for trouble in troubles {
        let messages = super::int(trouble.messages);
        let values = params![recipient, trouble.channel, trouble.mishap.name(), messages, now];
        transaction.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}
