//! Reads a topic once, from where a group left off to what its end is now. For commands; the stream has its own source.

use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::topic_partition_list::Offset;
use thiserror::Error;

use super::REQUEST;
use super::connection::{ConnectError, Connection};
use super::trouble::Trouble;

/// How long the brokers may say nothing before reading counts as failed.
const SILENCE: Duration = Duration::from_secs(30);

/// Why a topic cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// No client.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The brokers refuse.
    #[error("{0}")]
    Refused(Trouble),
    /// They say nothing.
    #[error("kafka: nothing came for 30 seconds although there is more; are the brokers up?")]
    Silent,
}

impl From<KafkaError> for ReadError {
    fn from(error: KafkaError) -> Self {
        Self::Refused(Trouble::of(&error, ""))
    }
}

/// A message, copied. Its values may be personal.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Taken {
    pub partition: i32,
    pub offset: u64,
    pub key: Option<Vec<u8>>,
    pub payload: Vec<u8>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Taken {
    /// The text of the last header with this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().rev().find(|(known, _)| known == name)?;
        std::str::from_utf8(found.1.as_deref()?).ok()
    }
}

/// A topic, from where the group left off to what is its end now.
pub struct Reader {
    consumer: BaseConsumer,
    topic: String,
    /// Partition, next offset, end.
    ranges: Vec<(i32, i64, i64)>,
}

impl Reader {
    /// Looks up the topic's partitions and ends. `group` remembers how far it was read by [`Reader::commit`].
    ///
    /// # Errors
    /// No client, no such topic, no grant, no broker.
    pub fn open(connection: &Connection, topic: &str, group: &str) -> Result<Self, ReadError> {
        let mut client = connection.client()?;
        client.set("group.id", group).set("enable.auto.commit", "false").set("enable.partition.eof", "false");
        client.set("isolation.level", "read_committed").set("auto.offset.reset", "earliest");
        let consumer: BaseConsumer = client.create()?;
        let metadata = consumer.fetch_metadata(Some(topic), REQUEST)?;
        let found = metadata.topics().iter().find(|one| one.name() == topic);
        if let Some(error) = found.and_then(|topic| topic.error()) {
            return Err(ReadError::Refused(Trouble::of_code(error.into(), topic)));
        }
        let partitions = found.into_iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id());
        let mut reader = Self { consumer, topic: topic.to_owned(), ranges: Vec::new() };
        for partition in partitions.collect::<Vec<_>>() {
            let range = reader.range(partition)?;
            reader.ranges.push(range);
        }
        reader.assign()?;
        Ok(reader)
    }

    fn range(&self, partition: i32) -> Result<(i32, i64, i64), ReadError> {
        let (low, high) = self.consumer.fetch_watermarks(&self.topic, partition, REQUEST)?;
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic, partition);
        let list = self.consumer.committed_offsets(list, REQUEST)?;
        let known = list.find_partition(&self.topic, partition).map(|one| one.offset());
        let next = match known {
            Some(Offset::Offset(next)) => next.max(low),
            Some(_) | None => low,
        };
        Ok((partition, next, high))
    }

    fn assign(&self) -> Result<(), ReadError> {
        let mut list = TopicPartitionList::new();
        for (partition, next, _) in self.ranges.iter().filter(|(_, next, end)| next < end) {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(*next))?;
        }
        Ok(self.consumer.assign(&list)?)
    }

    /// Messages between where the group left off and the end, markers of transactions included.
    pub fn left(&self) -> u64 {
        self.ranges.iter().map(|(_, next, end)| u64::try_from(end - next).unwrap_or_default()).sum()
    }

    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// The brokers refuse or say nothing.
    pub fn take(&mut self) -> Result<Option<Taken>, ReadError> {
        let until = Instant::now() + SILENCE;
        while self.left() > 0 {
            if let Some(message) = self.consumer.poll(Duration::from_millis(100)) {
                let taken = taken(&message?);
                if self.reach(taken.partition, i64::try_from(taken.offset).unwrap_or(i64::MAX) + 1) {
                    return Ok(Some(taken));
                }
            }
            self.pass_markers()?;
            if Instant::now() > until {
                return Err(ReadError::Silent);
            }
        }
        Ok(None)
    }

    /// Notes how far a partition is; whether the message was before the end.
    fn reach(&mut self, partition: i32, next: i64) -> bool {
        let Some(range) = self.ranges.iter_mut().find(|(known, _, _)| *known == partition) else { return false };
        let is_new = range.1 < next && next <= range.2;
        range.1 = range.1.max(next).min(range.2);
        is_new
    }

    /// A partition may end in the markers of a transaction, which come as no message but move its position.
    fn pass_markers(&mut self) -> Result<(), ReadError> {
        for element in self.consumer.position()?.elements() {
            if let Offset::Offset(next) = element.offset() {
                self.reach(element.partition(), next);
            }
        }
        Ok(())
    }

    /// Remembers for the group how far the topic was read.
    ///
    /// # Errors
    /// The brokers refuse.
    pub fn commit(&self) -> Result<(), ReadError> {
        let mut list = TopicPartitionList::new();
        for (partition, next, _) in &self.ranges {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(*next))?;
        }
        Ok(self.consumer.commit(&list, CommitMode::Sync)?)
    }
}

fn taken(message: &rdkafka::message::BorrowedMessage<'_>) -> Taken {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    Taken {
        partition: message.partition(),
        offset: u64::try_from(message.offset()).unwrap_or_default(),
        key: message.key().map(<[u8]>::to_vec),
        payload: message.payload().unwrap_or_default().to_vec(),
        headers: headers.map(|one| (one.key.to_owned(), one.value.map(<[u8]>::to_vec))).collect(),
    }
}
