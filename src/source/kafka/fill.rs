//! Messages into the batch: many at a time, or one by one where that was chosen. What is no message, such as an error of a
//! partition, is set aside. Never decides whose turn a message is: the lanes do.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::fetch::{self, Fetched, TopicHandle};
use super::lanes::{Lanes, Take};
use super::options::Fetch;
use super::{Kafka, unsigned};
use crate::domain::position::LaneId;
use crate::kafka::Trouble;
use crate::pipeline::batch::{Batch, Limits};
use crate::pipeline::ports::{Polled, SourceError};
use crate::pipeline::report::{Origin, Rejected};

/// Longest wait for a first message; what has come by then is handed over.
const FIRST: Duration = Duration::from_millis(200);

impl Kafka {
    /// Takes messages in until the batch is full or nothing more is there.
    pub(super) fn fill(&mut self, batch: &mut Batch, limits: &Limits) -> Result<Polled, SourceError> {
        match self.options.fetch {
            Fetch::Batch => self.fill_by_batch(batch, limits),
            Fetch::Poll => self.fill_by_poll(batch, limits)?,
        }
        match &self.broken {
            // what was taken before is handed over first
            Some(why) if batch.is_empty() => Err(SourceError::Fatal(why.clone())),
            Some(_) | None if batch.is_empty() => Ok(Polled::Idle),
            Some(_) | None => Ok(Polled::Filled),
        }
    }

    fn fill_by_batch(&mut self, batch: &mut Batch, limits: &Limits) {
        let mut wait = FIRST.min(Duration::from_millis(limits.wait_ms));
        while self.broken.is_none() && !batch.is_full(limits) {
            let most = (limits.messages - batch.messages().len()).min(fetch::MOST);
            let Self { client, lanes, handles, .. } = self;
            let Some(fetcher) = client.fetcher() else { break };
            let mut taker = Taker { lanes, handles, last: None, batch, limits, odd: Vec::new() };
            let came = fetcher.fetch(most, wait, |message| taker.message(message));
            let odd = taker.odd;
            odd.into_iter().for_each(|odd| self.odd(odd));
            if came < most {
                break;
            }
            wait = Duration::ZERO;
        }
    }

    /// The safe way: one message a call, events in between. Rebalances are noted and end the batch.
    fn fill_by_poll(&mut self, batch: &mut Batch, limits: &Limits) -> Result<(), SourceError> {
        let until = Instant::now() + FIRST.min(Duration::from_millis(limits.wait_ms));
        let consumer = self.client.share();
        while !batch.is_full(limits) && Instant::now() < until && self.client.events().rebalance().is_none() {
            match consumer.poll(Duration::from_millis(10)) {
                None if batch.is_empty() => {}
                None => break,
                Some(Ok(message)) => self.one(&message, batch, limits),
                Some(Err(error)) => self.failed(&error)?,
            }
        }
        self.take_in()
    }

    fn one(&mut self, message: &BorrowedMessage<'_>, batch: &mut Batch, limits: &Limits) {
        let at = self.lanes.slot(&(message.topic().to_owned(), message.partition()));
        let (payload, offset) = (message.payload().unwrap_or_default(), unsigned(message.offset()));
        let taken = self.lanes.take(at, offset, payload, message.timestamp().to_millis());
        hand_over(taken, (self.lanes.slots[at].lane, offset, payload), batch, limits);
        match taken {
            Take::Hand(_) => self.origins.push((self.lanes.slots[at].lane, offset, origin(message))),
            Take::Pass => {}
            Take::Changed => self.broken = Some(self.changed(at)),
        }
    }

    /// What is no message: an error of a partition, or a message that shows that the topic is another.
    fn odd(&mut self, odd: Odd) {
        match odd {
            Odd::Changed(at) => self.broken = Some(self.changed(at)),
            Odd::Failed(at, RDKafkaErrorCode::AutoOffsetReset) => self.adrift.push(at),
            Odd::Failed(at, code) => {
                let (topic, partition) = &self.lanes.slots[at].partition;
                let trouble = Trouble::of_code(code, &format!("{topic}/{partition}"));
                self.client.events().reports.note(trouble);
            }
        }
    }
}

/// Puts messages of the batch way into the batch.
struct Taker<'t> {
    lanes: &'t mut Lanes,
    handles: &'t mut HashMap<(TopicHandle, i32), usize>,
    /// The slot of the last message: many of a partition come after one another.
    last: Option<((TopicHandle, i32), usize)>,
    batch: &'t mut Batch,
    limits: &'t Limits,
    odd: Vec<Odd>,
}

/// What is no message to hand over.
#[derive(Clone, Copy, Debug)]
enum Odd {
    Changed(usize),
    Failed(usize, RDKafkaErrorCode),
}

impl Taker<'_> {
    fn slot(&mut self, message: &Fetched<'_>) -> usize {
        let handle = (message.handle(), message.partition());
        if let Some((known, at)) = self.last
            && known == handle
        {
            return at;
        }
        let made = || self.lanes.slot(&(message.topic(), message.partition()));
        let at = *self.handles.entry(handle).or_insert_with(made);
        self.last = Some((handle, at));
        at
    }

    fn message(&mut self, message: &Fetched<'_>) {
        let at = self.slot(message);
        let lanes = &mut *self.lanes;
        if let Some(code) = message.error() {
            return self.odd.push(Odd::Failed(at, code));
        }
        let (payload, offset) = (message.payload(), unsigned(message.offset()));
        let taken = lanes.take(at, offset, payload, message.timestamp());
        if taken == Take::Changed {
            self.odd.push(Odd::Changed(at));
        }
        hand_over(taken, (lanes.slots[at].lane, offset, payload), self.batch, self.limits);
    }
}

fn hand_over(taken: Take, (lane, offset, payload): (LaneId, u64, &[u8]), batch: &mut Batch, limits: &Limits) {
    let Take::Hand(resume) = taken else { return };
    resume.into_iter().for_each(|resume| batch.resume(resume));
    let kept = payload.len().min(limits.message_bytes);
    batch.push(lane, offset, &payload[..kept], (payload.len() - kept) as u64);
}

/// As the fetcher does it, over what was copied.
pub(super) fn describe<'o>(rejected: &mut [Rejected], origins: impl Iterator<Item = &'o (LaneId, u64, Origin)>) {
    let mut origins = origins.peekable();
    for one in rejected {
        let wanted = (one.position.lane, one.position.offset);
        while origins.next_if(|(lane, offset, _)| (*lane, *offset) != wanted).is_some() {}
        one.origin = origins.peek().map(|(_, _, origin)| origin.clone());
    }
}

fn origin(message: &BorrowedMessage<'_>) -> Origin {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    let header =
        |header: rdkafka::message::Header<'_, &[u8]>| (header.key.to_owned(), header.value.map(<[u8]>::to_vec));
    let key = message.key().map(<[u8]>::to_vec);
    Origin { key, headers: headers.map(header).collect(), timestamp: message.timestamp().to_millis() }
}
