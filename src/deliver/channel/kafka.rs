//! Findings in a topic: key = id of the finding, so that its updates stay in order; CloudEvents 1.0 headers in binary mode
//! (Kafka protocol binding §3.2), so that a consumer can drop repetitions by `ce_id`. A notice counts as told when all in-sync
//! replicas have it. Never decides what a reader sees: that is the audience's.

use super::{Channel, SendError};
use crate::deliver::audience::Audience;
use crate::deliver::notice::Notice;
use crate::deliver::render::Context;
use crate::deliver::render::cloudevents::{self, Event};
use crate::deliver::statement::Statement;
use crate::kafka::{self, Header, Outgoing, Producer};

/// Notices handed to the producer at a time. They travel together, so thousands take a few round trips.
const MOST: usize = 2_000;

/// Sends notices to a topic.
pub struct Kafka {
    audience: Audience,
    topic: String,
    context: Context,
    producer: Producer,
}

impl Kafka {
    /// A channel to `topic`, which must exist.
    pub fn new(audience: Audience, topic: &str, context: Context, producer: Producer) -> Self {
        Self { audience, topic: topic.to_owned(), context, producer }
    }
}

impl std::fmt::Debug for Kafka {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kafka").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Channel for Kafka {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn most(&self) -> usize {
        MOST
    }

    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>> {
        let events: Vec<Event> = notices.iter().map(|notice| cloudevents::event(notice, &self.context)).collect();
        let headers: Vec<Vec<Header<'_>>> = events.iter().map(headers).collect();
        let pairs = events.iter().zip(&headers);
        let outgoing: Vec<_> = pairs.map(|(event, headers)| outgoing(&self.topic, event, headers)).collect();
        answers(notices.len(), self.producer.send_all(&outgoing))
    }

    fn state(&mut self, statement: &Statement) -> Result<bool, SendError> {
        let event = cloudevents::statement(statement, &self.context);
        let headers = headers(&event);
        let answers = answers(1, self.producer.send_all(&[outgoing(&self.topic, &event, &headers)]));
        answers.into_iter().collect::<Result<(), _>>().map(|()| true)
    }

    fn preview(&self, notice: &Notice) -> String {
        let event = cloudevents::event(notice, &self.context);
        let headers = event.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
        format!("topic: {}\nkey: {}\n{}\n{}\n", self.topic, event.key, headers.collect::<String>(), event.value)
    }
}

fn headers(event: &Event) -> Vec<Header<'_>> {
    event.headers.iter().map(|(name, value)| (*name, Some(value.as_bytes()))).collect()
}

fn outgoing<'a>(topic: &'a str, event: &'a Event, headers: &'a [Header<'a>]) -> Outgoing<'a> {
    Outgoing { topic, key: Some(event.key.as_bytes()), payload: event.value.as_bytes(), headers, timestamp: None }
}

/// One answer for each of `sent`. A failure that names none of them leaves open which it was: none counts as told then.
fn answers(sent: usize, outcome: Result<(), Vec<(usize, kafka::SendError)>>) -> Vec<Result<(), SendError>> {
    let mut answers = vec![Ok(()); sent];
    for (index, error) in outcome.err().unwrap_or_default() {
        match answers.get_mut(index) {
            Some(answer) => *answer = Err(told(&error)),
            None => return vec![Err(told(&error)); sent],
        }
    }
    answers
}

fn told(error: &kafka::SendError) -> SendError {
    // one that is too large stays so; a wrong password may be mended
    if error.0.cause == kafka::Cause::TooLarge {
        SendError::Permanent(error.to_string())
    } else {
        SendError::Transient(error.to_string())
    }
}
