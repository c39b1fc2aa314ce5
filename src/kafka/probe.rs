//! What this user may see of the brokers, asked without reading, writing or joining anything: for the doctor.

use std::error::Error;
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::{ConnectError, Connection, Reports, Trouble};

/// How long the brokers may take for each answer.
const PATIENCE: Duration = Duration::from_secs(6);

/// How long the client is heard after a failure.
const HEARING: Duration = Duration::from_secs(3);

/// A client that only asks.
pub struct Probe(BaseConsumer<Asking>);

struct Asking(Reports);

impl ClientContext for Asking {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        super::log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(&error, reason);
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.0.token()
    }
}

impl ConsumerContext for Asking {}

impl Probe {
    /// Makes the client, for questions about `group`.
    ///
    /// # Errors
    /// A secret or file is not to be had, or the client refuses its settings.
    pub fn open(connection: &Connection, group: &str) -> Result<Self, ConnectError> {
        let mut client = connection.client()?;
        client.set("group.id", group).set("enable.auto.commit", "false").set_log_level(RDKafkaLogLevel::Info);
        let refused = |error| ConnectError::Refused(Trouble::of(&error, "").said);
        client.create_with_context(Asking(Reports::new(connection))).map(Self).map_err(refused)
    }

    /// How many brokers there are.
    ///
    /// # Errors
    /// No broker answers, or none lets us in.
    pub fn brokers(&self) -> Result<usize, Trouble> {
        // the client connects, and tells why it cannot, only while it is polled
        drop(self.0.poll(Duration::from_millis(200)));
        let metadata = self.0.fetch_metadata(Some("__harbourwatch_doctor"), PATIENCE);
        metadata.map(|metadata| metadata.brokers().len()).map_err(|error| {
            self.listen();
            self.why(&error)
        })
    }

    /// Hears what the client has to say, one thing a poll, until it is a trouble that an operator must mend. That one may come
    /// late: while a request fails for want of a connection, the client tries again and is refused again.
    fn listen(&self) {
        let until = Instant::now() + HEARING;
        while Instant::now() < until && self.0.context().0.lasting().is_none() {
            drop(self.0.poll(Duration::from_millis(50)));
        }
    }

    /// How many partitions a topic has.
    ///
    /// # Errors
    /// There is no such topic, or this user may not see it.
    pub fn partitions(&self, topic: &str) -> Result<Vec<i32>, Trouble> {
        let metadata = self.0.fetch_metadata(Some(topic), PATIENCE).map_err(|error| self.why(&error))?;
        let found = metadata.topics().iter().find(|one| one.name() == topic);
        if let Some(error) = found.and_then(|topic| topic.error()) {
            return Err(Trouble::of_code(error.into(), topic));
        }
        Ok(found.into_iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id()).collect())
    }

    /// Records of a topic that the group has not taken, by the offsets that it committed.
    ///
    /// # Errors
    /// This user may not ask for the group's offsets, or the brokers do not answer.
    pub fn lag(&self, topic: &str, partitions: &[i32]) -> Result<u64, Trouble> {
        let committed = self.committed(topic, partitions).map_err(|error| self.why(&error))?;
        let mut lag = 0;
        for partition in partitions {
            let ends = self.0.fetch_watermarks(topic, *partition, PATIENCE).map_err(|error| self.why(&error))?;
            let next = match committed.find_partition(topic, *partition).map(|one| one.offset()) {
                Some(Offset::Offset(next)) => next,
                Some(_) | None => ends.0,
            };
            lag += u64::try_from(ends.1 - next.max(ends.0)).unwrap_or(0);
        }
        Ok(lag)
    }

    /// Asks again for a while: a group that nobody has used yet has no coordinator at first.
    fn committed(&self, topic: &str, partitions: &[i32]) -> Result<TopicPartitionList, KafkaError> {
        let mut tries = 0;
        loop {
            let mut list = TopicPartitionList::new();
            for partition in partitions {
                list.add_partition(topic, *partition);
            }
            match self.0.committed_offsets(list, PATIENCE) {
                Err(error) if tries < 10 && Trouble::of(&error, "").cause.passes() => tries += 1,
                answer => return answer,
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// What the client told between the lines says more than that a request timed out.
    fn why(&self, error: &KafkaError) -> Trouble {
        let reports = &self.0.context().0;
        let told = reports.lasting().map(|(trouble, _)| trouble).or_else(|| reports.last());
        told.unwrap_or_else(|| Trouble::of(error, ""))
    }
}
