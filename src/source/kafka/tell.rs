//! Commits offsets together with the lines for stream users: one transaction has the lines of the events between what the group
//! has committed and what it is owed, and moves the group there. So who reads committed records has the line of every event
//! below the group's offset, once, whatever is killed when.
//!
//! Where the group stands is asked anew for each transaction, and the answer waits for transactions that are still open. A
//! member that has lost a partition cannot commit for it: the order carries the membership of the time when the partition
//! was ours, and the group refuses an older one.

use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::Offset;

use super::commits::Order;
use super::events::{Committed, Events};
use super::options::Options;
use crate::kafka::{ConnectError, Connection, Failed, Outgoing, REQUEST, SendError, Transactions, Trouble};
use crate::metrics::Metrics;
use crate::outbox::VerdictLines;
use crate::pipeline::ports::SourceError;
use crate::pipeline::told;

/// Bytes of lines from which a transaction takes no more batches in.
const MOST: usize = 16 << 20;

/// As for the source: how long a trouble that waiting does not mend may last once lines were told.
const LASTING: Duration = Duration::from_secs(60);

/// Tells lines.
pub(super) struct Teller {
    connection: Connection,
    topic: String,
    /// `transactional.id`: one an evidence log and group.
    id: String,
    lines: VerdictLines,
    metrics: std::sync::Arc<Metrics>,
    transactions: Option<Transactions>,
    worked: bool,
    failing: Option<Instant>,
}

/// What became of an order.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) answers: Vec<Committed>,
    /// More is owed than went out.
    pub(super) is_behind: bool,
}

/// A partition with what is to be told of it.
struct Part {
    /// Index in the order.
    at: usize,
    /// First offset that the group has not committed.
    from: u64,
    next: u64,
    lines: Vec<u8>,
}

impl Teller {
    /// `None` where stream users are told nothing.
    pub(super) fn new(options: &Options, metrics: &std::sync::Arc<Metrics>) -> Result<Option<Self>, SourceError> {
        let Some(topic) = options.verdicts.clone() else { return Ok(None) };
        let lines = VerdictLines::open(&options.state).map_err(|error| SourceError::Fatal(error.to_string()))?;
        Ok(Some(Self {
            connection: options.connection.clone(),
            topic,
            id: format!("{}-{}", options.group, options.instance),
            lines,
            metrics: std::sync::Arc::clone(metrics),
            transactions: None,
            worked: false,
            failing: None,
        }))
    }

    /// Commits what the order says, with its lines.
    pub(super) fn carry_out(&mut self, consumer: &BaseConsumer<Events>, order: &Order) -> Outcome {
        match self.commit(consumer, order) {
            Ok(outcome) => {
                (self.worked, self.failing) = (true, None);
                outcome
            }
            Err(Failed::Fenced(error)) => {
                let why = "another process tells the verdicts of this evidence log; this one must not go on";
                consumer.context().give_up(format!("{error} ({why})"));
                Self::refused(order)
            }
            Err(Failed::Undone(error)) => self.failed(consumer, order, &error),
            Err(Failed::Broken(error)) => {
                self.transactions = None;
                self.failed(consumer, order, &error)
            }
        }
    }

    /// What an operator must mend ends the process: at once if it never worked, and otherwise when it lasts.
    fn failed(&mut self, consumer: &BaseConsumer<Events>, order: &Order, error: &SendError) -> Outcome {
        let since = *self.failing.get_or_insert_with(Instant::now);
        tracing::warn!(%error, topic = self.topic, "verdicts not told yet; the offsets stay where they are");
        if !error.passes() && (!self.worked || since.elapsed() > LASTING) {
            consumer.context().give_up(format!("verdicts: topic {}: {error}", self.topic));
        }
        Self::refused(order)
    }

    fn refused(order: &Order) -> Outcome {
        let answer = |place: &super::commits::Place| (place.partition.clone(), Err(RDKafkaErrorCode::Unknown));
        Outcome { answers: order.places.iter().map(answer).collect(), is_behind: true }
    }

    fn commit(&mut self, consumer: &BaseConsumer<Events>, order: &Order) -> Result<Outcome, Failed> {
        let (parts, is_behind) = self.parts(consumer, order)?;
        let moving: Vec<_> = parts.iter().filter(|part| part.next > part.from).collect();
        if !moving.is_empty() {
            // who is no member at the moment has nothing to commit
            let group = order.group.as_ref().ok_or_else(|| failed("no member of the group at the moment"))?;
            let offsets = offsets(&moving, order)?;
            let lines = moving.iter().flat_map(|part| told::frames(&part.lines));
            let outgoing = |(_, line)| Outgoing {
                topic: &self.topic,
                key: Some(told::id(line)),
                payload: line,
                headers: &[],
                timestamp: None,
            };
            let messages: Vec<_> = lines.map(outgoing).collect();
            let told = messages.len() as u64;
            let transactions = ready(&mut self.transactions, &self.connection, &self.id)?;
            transactions.transact(&messages, &offsets, group, &|| !consumer.context().is_closing())?;
            self.metrics.kafka().verdict_lines(told);
        }
        for part in &parts {
            // what stays on file is below the group's offset and is never told again
            if let Err(error) = self.lines.let_go(&order.places[part.at].lane, part.next) {
                tracing::debug!(%error, "told lines not let go yet");
            }
        }
        let answer = |part: &Part| (order.places[part.at].partition.clone(), Ok(part.next));
        Ok(Outcome { answers: parts.iter().map(answer).collect(), is_behind })
    }

    /// What is to be told, partition by partition, up to a bound; and whether the bound was met.
    fn parts(&self, consumer: &BaseConsumer<Events>, order: &Order) -> Result<(Vec<Part>, bool), Failed> {
        let committed = committed(consumer, order)?;
        let (mut parts, mut room, mut is_behind) = (Vec::new(), MOST, false);
        for (at, (place, from)) in order.places.iter().zip(committed).enumerate() {
            if room == 0 {
                return Ok((parts, true));
            }
            if from >= place.next {
                // the group is ahead, as where our log has lost its end: those were told
                parts.push(Part { at, from, next: from, lines: Vec::new() });
                continue;
            }
            let untold = self.lines.untold(&place.lane, from, place.next, room).map_err(unread)?;
            room = room.saturating_sub(untold.lines.len());
            is_behind |= untold.next < place.next;
            parts.push(Part { at, from, next: untold.next, lines: untold.lines });
        }
        Ok((parts, is_behind))
    }
}

/// The client, made where there is none.
fn ready<'t>(
    transactions: &'t mut Option<Transactions>,
    connection: &Connection,
    id: &str,
) -> Result<&'t Transactions, Failed> {
    if transactions.is_none() {
        let made = Transactions::connect(connection, id).map_err(|error| unmade(&error))?;
        made.begin_with().map_err(Failed::Broken)?;
        *transactions = Some(made);
    }
    transactions.as_ref().ok_or_else(|| unmade(&ConnectError::Refused("no client".to_owned())))
}

/// Where the group stands, in the order of the places. Waits for open transactions to be settled.
fn committed(consumer: &BaseConsumer<Events>, order: &Order) -> Result<Vec<u64>, Failed> {
    let undone = |error| Failed::Undone(SendError(Trouble::of(&error, "")));
    let mut list = TopicPartitionList::with_capacity(order.places.len());
    for place in &order.places {
        list.add_partition(&place.partition.0, place.partition.1);
    }
    let list = consumer.committed_offsets(list, REQUEST).map_err(undone)?;
    let at = |place: &super::commits::Place| {
        let (topic, partition) = &place.partition;
        let found = list.find_partition(topic, *partition);
        let found = found.ok_or(rdkafka::error::KafkaError::Canceled)?;
        found.error()?;
        // nothing was ever committed: everything is to be told
        Ok(if let Offset::Offset(next) = found.offset() { u64::try_from(next).unwrap_or(0) } else { 0 })
    };
    order.places.iter().map(|place| at(place).map_err(undone)).collect()
}

fn offsets(moving: &[&Part], order: &Order) -> Result<TopicPartitionList, Failed> {
    let mut list = TopicPartitionList::with_capacity(moving.len());
    for part in moving {
        let place = &order.places[part.at];
        let mut one = list.add_partition(&place.partition.0, place.partition.1);
        one.set_metadata(&place.metadata);
        let offset = Offset::Offset(i64::try_from(part.next).unwrap_or(i64::MAX));
        one.set_offset(offset).map_err(|error| Failed::Undone(SendError(Trouble::of(&error, ""))))?;
    }
    Ok(list)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unread(error: crate::outbox::OutboxError) -> Failed {
    failed(&error.to_string())
}

fn failed(said: &str) -> Failed {
    Failed::Undone(SendError(Trouble { cause: crate::kafka::Cause::Other, said: said.to_owned() }))
}

fn unmade(error: &ConnectError) -> Failed {
    Failed::Broken(SendError(Trouble { cause: crate::kafka::Cause::Other, said: error.to_string() }))
}
