//! Dead letters in a topic: the original bytes under the original key, the original headers, and in further headers where the
//! message was and what is wrong with it. One record for each message, also where many rows of a page are rejected.

use std::time::Duration;

use crate::kafka::{Cause, Header, Outgoing, Producer};
use crate::pipeline::report::Rejected;

/// Names of the headers that are added.
pub mod header {
    /// How they begin.
    pub const PREFIX: &str = "hw.";
    /// Topic that the message was in.
    pub const TOPIC: &str = "hw.topic";
    /// Its partition.
    pub const PARTITION: &str = "hw.partition";
    /// Its offset.
    pub const OFFSET: &str = "hw.offset";
    /// Its time in ms since the epoch, where it had one.
    pub const TIMESTAMP: &str = "hw.timestamp";
    /// Indices of the rejected events in the message, with commas between them.
    pub const INDEX: &str = "hw.index";
    /// Why the first of them was rejected.
    pub const REASON: &str = "hw.reason";
    /// Where in the message and what is wrong, of each.
    pub const DETAIL: &str = "hw.detail";
    /// Bytes that had to be cut off, where any were.
    pub const CUT: &str = "hw.bytes_cut";
}

/// Tries before the batch counts as not recorded. Each waits a minute for the brokers.
const TRIES: u32 = 20;

/// Longest text of details; the rest of a page's rows are in the same state as those that are told.
const DETAIL: usize = 4096;

/// Sends them and waits until all in-sync replicas have them. Gives back what the topic does not take because of its size.
///
/// # Errors
/// The brokers did not take them.
pub(super) fn send(producer: &Producer, topic: &str, rejected: &[Rejected]) -> Result<Vec<Rejected>, String> {
    let mut open: Vec<Letter<'_>> = letters(rejected);
    let mut too_large = Vec::new();
    for attempt in 1..=TRIES {
        let headers: Vec<_> = open.iter().map(Letter::headers).collect();
        let outgoing: Vec<_> =
            open.iter().zip(&headers).map(|(letter, headers)| letter.outgoing(topic, headers)).collect();
        let Err(failed) = producer.send_all(&outgoing) else { return Ok(too_large) };
        let fits = |index: usize| !failed.iter().any(|(at, error)| *at == index && error.0.cause == Cause::TooLarge);
        if let Some((_, error)) = failed.iter().find(|(_, error)| !error.passes()) {
            return Err(format!("dead letters to topic {topic}: {error}"));
        }
        let again = |index: usize| failed.iter().any(|(at, _)| *at == index || *at == usize::MAX);
        let numbered: Vec<_> = open.into_iter().enumerate().collect();
        too_large.extend(numbered.iter().filter(|(at, _)| !fits(*at)).flat_map(|(_, letter)| letter.rows.to_vec()));
        open = numbered.into_iter().filter(|(at, _)| fits(*at) && again(*at)).map(|(_, letter)| letter).collect();
        if open.is_empty() {
            return Ok(too_large);
        }
        tracing::warn!(attempt, left = open.len(), topic, "dead letters not taken yet; trying again");
        std::thread::sleep(Duration::from_secs(1));
    }
    Err(format!("dead letters to topic {topic}: not taken by the brokers after {TRIES} tries"))
}

/// The rejected events of one message.
struct Letter<'a> {
    rows: &'a [Rejected],
    added: Vec<(&'static str, String)>,
}

fn letters(rejected: &[Rejected]) -> Vec<Letter<'_>> {
    let same = |one: &Rejected, other: &Rejected| {
        (one.position.lane, one.position.offset) == (other.position.lane, other.position.offset)
    };
    rejected.chunk_by(same).filter_map(Letter::new).collect()
}

impl<'a> Letter<'a> {
    fn new(rows: &'a [Rejected]) -> Option<Self> {
        let first = rows.first()?;
        let indices: Vec<_> = rows.iter().map(|row| row.position.index.to_string()).collect();
        let mut added = vec![
            (header::TOPIC, first.lane.topic.clone()),
            (header::PARTITION, first.lane.partition.to_string()),
            (header::OFFSET, first.position.offset.to_string()),
            (header::INDEX, indices.join(",")),
            (header::REASON, first.reason.to_owned()),
            (header::DETAIL, details(rows)),
        ];
        let timestamp = first.origin.as_ref().and_then(|origin| origin.timestamp);
        added.extend(timestamp.map(|at| (header::TIMESTAMP, at.to_string())));
        added.extend((first.cut > 0).then(|| (header::CUT, first.cut.to_string())));
        Some(Self { rows, added })
    }

    fn headers(&self) -> Vec<Header<'_>> {
        let own = self.rows.iter().take(1).filter_map(|row| row.origin.as_ref()).flat_map(|origin| &origin.headers);
        let own = own.map(|(name, value)| (name.as_str(), value.as_deref()));
        own.chain(self.added.iter().map(|(name, value)| (*name, Some(value.as_bytes())))).collect()
    }

    fn outgoing<'o>(&'o self, topic: &'o str, headers: &'o [Header<'o>]) -> Outgoing<'o> {
        let row = &self.rows[0];
        let origin = row.origin.as_ref();
        let key = origin.and_then(|origin| origin.key.as_deref());
        Outgoing { topic, key, payload: &row.raw, headers, timestamp: None }
    }
}

/// The details of all rows, cut where they become long.
fn details(rows: &[Rejected]) -> String {
    let mut text = String::new();
    for row in rows {
        if text.len() > DETAIL {
            text.push_str("; …");
            break;
        }
        let before = if text.is_empty() { "" } else { "; " };
        text.push_str(before);
        if rows.len() > 1 {
            text.push_str(&format!("{}: ", row.position.index));
        }
        text.push_str(&row.detail);
    }
    text
}
