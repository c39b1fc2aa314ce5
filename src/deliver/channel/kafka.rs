//! Findings in a topic: key = id of the finding, so that its updates stay in order; CloudEvents 1.0 headers in binary mode
//! (Kafka protocol binding §3.2), so that a consumer can drop repetitions by `ce_id`. A notice counts as told when all in-sync
//! replicas have it. Never decides what a reader sees: that is the audience's.

use super::{Channel, Message, SendError};
use crate::deliver::audience::{Audience, Field};
use crate::deliver::render;
use crate::kafka::{self, Outgoing, Producer};

/// Type of the event while the finding is new, and after.
const CREATED: &str = "harbourwatch.finding.created.v1";
const UPDATED: &str = "harbourwatch.finding.updated.v1";

/// Sends notices to a topic.
pub struct Kafka {
    name: String,
    audience: Audience,
    topic: String,
    producer: Producer,
}

impl Kafka {
    /// A channel to `topic`, which must exist.
    pub fn new(name: &str, audience: Audience, topic: &str, producer: Producer) -> Self {
        Self { name: name.to_owned(), audience, topic: topic.to_owned(), producer }
    }
}

impl std::fmt::Debug for Kafka {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kafka").field("name", &self.name).field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Channel for Kafka {
    fn name(&self) -> &str {
        &self.name
    }

    fn audience(&self) -> Audience {
        self.audience
    }

    fn send(&mut self, message: &Message) -> Result<(), SendError> {
        let view = &message.view;
        let line = render::finding::json_line(&message.id, view);
        let finding = view.text(Field::Id);
        let kind = if view.number(Field::Revision).unwrap_or_default() > 1 { UPDATED } else { CREATED };
        let source = format!("urn:harbourwatch:{}", view.text(Field::Tenant));
        let time = time(view.number(Field::Last).unwrap_or_default());
        let texts = [
            ("content-type", "application/json"),
            ("ce_specversion", "1.0"),
            ("ce_id", &message.id),
            ("ce_source", &source),
            ("ce_type", kind),
            ("ce_time", &time),
            ("ce_subject", finding),
        ];
        let headers = texts.map(|(name, value)| (name, Some(value.as_bytes())));
        let outgoing = Outgoing {
            topic: &self.topic,
            key: Some(finding.as_bytes()),
            payload: line.as_bytes(),
            headers: &headers,
            timestamp: None,
        };
        self.producer.send_all(&[outgoing]).map_err(|failed| told(failed.into_iter().next()))
    }
}

fn told(failed: Option<(usize, kafka::SendError)>) -> SendError {
    match failed {
        // one that is too large stays so; a wrong password may be mended
        Some((_, error)) if error.0.cause == kafka::Cause::TooLarge => SendError::Permanent(error.to_string()),
        Some((_, error)) => SendError::Transient(error.to_string()),
        None => SendError::Transient("kafka: no answer".to_owned()),
    }
}

/// RFC 3339 in UTC; the epoch for a time outside the calendar.
fn time(ms: i64) -> String {
    let stamp = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{stamp:.3}")
}
