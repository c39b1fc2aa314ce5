//! Kafka as a source: one member of a consumer group.
//!
//! Rebalances are carried out between two batches (`rebalance`): before a partition is given away, what is on its way to
//! the disk lands and is committed. Offsets are committed only with a receipt (`commits`); where reading begins is decided
//! by the evidence and the group together (`lanes`). Messages are taken many at a time (`fetch`, `fill`), everything else is
//! served by rust-rdkafka's `BaseConsumer` on the same thread.
//!
//! An outage of the brokers is waited for, however long. What an operator must mend (a wrong password, a topic that does not
//! exist, a missing grant) ends the process with the cause in words.

mod client;
mod commits;
mod events;
mod fetch;
mod fill;
mod group;
mod health;
mod lanes;
mod options;
mod rebalance;
mod tell;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{BorrowedMessage, Message as _};

pub use options::{Begin, Fetch, Options, Protocol};

use crate::admin::Latch;
use crate::domain::position::{Lane, LaneId};
use crate::kafka::{Cause, REQUEST, Trouble};
use crate::metrics::Metrics;
use crate::pipeline::batch::{Batch, Limits};
use crate::pipeline::ports::{Durable, InFlight, Polled, Reached, Source, SourceError};
use crate::pipeline::report::{Origin, Rejected};
use client::Client;
use commits::Commits;
use fetch::TopicHandle;
use lanes::Lanes;

/// How long a trouble that waiting does not mend may last once the source was running, before the process ends. A changed
/// password or grant often reaches the brokers before it reaches us, or the reverse.
const LASTING: Duration = Duration::from_secs(60);

/// Between two looks while lines for stream users do not go out as fast as events come in.
const BREATH: Duration = Duration::from_millis(10);

/// How long the group may refuse an instance that it still knows: by default brokers let sessions last 45 s, at most 60.
const RELEASED: Duration = Duration::from_secs(90);

/// Between two tries meanwhile.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(1);

/// How long the first assignment is waited for while no broker answers.
const UNREACHABLE: Duration = Duration::from_secs(60);

/// Reads topics of Kafka as a member of a group.
pub struct Kafka {
    options: Options,
    metrics: Arc<Metrics>,
    ready: Latch,
    client: Client,
    lanes: Lanes,
    commits: Commits,
    watch: watch::Watch,
    /// Slots by the client's own handle, to spare a look-up by name for each message.
    handles: HashMap<(TopicHandle, i32), usize>,
    /// What came along with the messages of the last poll, where the client does not keep it for us.
    origins: Vec<(LaneId, u64, Origin)>,
    /// The same of the poll before.
    origins_before: Vec<(LaneId, u64, Origin)>,
    /// Slots whose offset the broker does not have, until that is dealt with.
    adrift: Vec<usize>,
    /// Why nothing more is read, when the topic is another.
    broken: Option<String>,
    /// Partitions that are paused while the recorder takes long, where messages are taken one by one.
    paused: bool,
    /// Set when the first assignment has come.
    began: bool,
    opened: Instant,
    /// Since when the group refuses us because it still knows this instance from before.
    refused: Option<Instant>,
}

impl Kafka {
    /// Joins the group.
    ///
    /// # Errors
    /// [`SourceError::Fatal`]: secrets, files or settings are not usable.
    pub fn open(
        options: Options,
        reached: &[Reached],
        metrics: Arc<Metrics>,
        ready: Latch,
    ) -> Result<Self, SourceError> {
        let client = Client::open(&options, &metrics)?;
        let lanes = Lanes::new(reached, &options.epoch);
        let watch = watch::Watch::new(&options);
        let commits = Commits::default();
        Ok(Self {
            options,
            metrics,
            ready,
            client,
            lanes,
            commits,
            watch,
            handles: HashMap::new(),
            origins: Vec::new(),
            origins_before: Vec::new(),
            adrift: Vec::new(),
            broken: None,
            paused: false,
            began: false,
            opened: Instant::now(),
            refused: None,
        })
    }

    /// Leaves the group: commits what is recorded, gives the partitions up, closes the client within a time limit.
    pub fn close(mut self) {
        self.commits.send_now(&self.client, &self.lanes, &self.options, REQUEST);
        self.commits.answers(self.client.events().take_commits(), &self.lanes, &self.metrics);
        self.ready.hold();
        self.client.close();
    }

    /// Serves the client's events without taking a message. Only to be called where none can come: they are routed to the
    /// fetcher, or paused.
    fn serve(&mut self) -> Result<(), SourceError> {
        let consumer = self.client.share();
        loop {
            let before = self.client.events().calls();
            match consumer.poll(Duration::ZERO) {
                None => {}
                Some(Ok(message)) => self.take_back(&message)?,
                Some(Err(error)) => self.failed(&error)?,
            }
            if self.client.events().calls() == before {
                break;
            }
        }
        drop(consumer);
        self.take_in()
    }

    /// Deals with what the events brought.
    fn take_in(&mut self) -> Result<(), SourceError> {
        self.commits.answers(self.client.events().take_commits(), &self.lanes, &self.metrics);
        self.client.events().reports.take_counts().for_each(|(cause, n)| self.metrics.kafka().errors(cause.name(), n));
        self.settled()
    }

    /// A message that came where none was expected is fetched again, at its turn.
    fn take_back(&mut self, message: &BorrowedMessage<'_>) -> Result<(), SourceError> {
        let partition = (message.topic().to_owned(), message.partition());
        let at = self.lanes.slot(&partition);
        tracing::debug!(topic = %partition.0, partition = partition.1, "message out of turn, fetched again");
        self.fetch_again(at, unsigned(message.offset()))
    }

    /// Whether the client is in a state that waiting will not mend.
    fn settled(&mut self) -> Result<(), SourceError> {
        if let Some(why) = self.client.events().gave_up() {
            return Err(SourceError::Fatal(why));
        }
        if let Some((code, text)) = self.client.consumer().client().fatal_error() {
            if code == RDKafkaErrorCode::UnreleasedInstanceId && self.waits_for_release() {
                std::thread::sleep(BETWEEN_REFUSALS);
                return self.reopen();
            }
            let error = rdkafka::error::KafkaError::Global(code);
            return Err(SourceError::Fatal(Trouble::of(&error, &text).to_string()));
        }
        let reports = &self.client.events().reports;
        match reports.lasting() {
            Some((trouble, since)) if !self.began || since > LASTING => Err(SourceError::Fatal(trouble.to_string())),
            Some(_) => Ok(()),
            None if !self.began && self.opened.elapsed() > UNREACHABLE => match reports.last() {
                Some(trouble) if trouble.cause == Cause::Unreachable => {
                    Err(SourceError::Transient(trouble.to_string()))
                }
                Some(_) | None => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Whether the group may take this instance back when its session from before is over: it was killed, and by the newest
    /// protocol (KIP-848) a static member that did not leave is refused for that long.
    fn waits_for_release(&mut self) -> bool {
        if self.refused.is_none() {
            tracing::warn!("the group still knows this instance_id from before; waiting for the end of its session");
        }
        self.refused.get_or_insert_with(Instant::now).elapsed() < RELEASED
    }

    fn failed(&self, error: &rdkafka::error::KafkaError) -> Result<(), SourceError> {
        let reports = &self.client.events().reports;
        if let rdkafka::error::KafkaError::MessageConsumptionFatal(code) = error
            // waited for, where the client's state is looked at
            && *code != RDKafkaErrorCode::UnreleasedInstanceId
        {
            return Err(SourceError::Fatal(Trouble::of_code(*code, "the client gave up").to_string()));
        }
        // its text, where it has one, came through the context already
        if error.rdkafka_error_code().is_none() || reports.last().is_none() {
            reports.note(Trouble::of(error, ""));
        }
        Ok(())
    }

    fn changed(&self, at: usize) -> String {
        let (topic, partition) = &self.lanes.slots[at].partition;
        let next = self.lanes.slots[at].next.unwrap_or_default();
        format!(
            "kafka: {topic}/{partition}: the record before offset {next} is not what was recorded; the topic was deleted and \
             made anew, or the brokers lost records. Its offsets now mean other records: set source.kafka.epoch to a new \
             word, and it is read as a new topic"
        )
    }
}

impl Source for Kafka {
    fn poll(&mut self, batch: &mut Batch, limits: &Limits, flight: &mut dyn InFlight) -> Result<Polled, SourceError> {
        self.client.turn();
        self.origins_before = std::mem::take(&mut self.origins);
        if let Some(why) = &self.broken {
            return Err(SourceError::Fatal(why.clone()));
        }
        match self.options.fetch {
            Fetch::Batch => self.serve()?,
            Fetch::Poll => self.resume()?,
        }
        self.rebalance(flight)?;
        self.bring_back()?;
        self.look_after(flight)?;
        self.commits.send_due(&self.client, &self.lanes, &self.options);
        if self.commits.is_behind(&self.client) {
            // what is judged and not told is kept, and must not grow without bound
            std::thread::sleep(BREATH);
            return Ok(Polled::Idle);
        }
        self.fill(batch, limits)
    }

    fn describe(&self, rejected: &mut [Rejected]) {
        if rejected.is_empty() {
            return;
        }
        match self.client.held() {
            Some(fetcher) => fetcher.describe(rejected, |lane| self.lanes.topic(lane)),
            None => fill::describe(rejected, self.origins_before.iter().chain(&self.origins)),
        }
    }

    fn keep_alive(&mut self) {
        if self.options.fetch == Fetch::Poll {
            self.pause();
        }
        // errors show again at the next poll; partitions wait with it, unless they wait too long
        if let Err(error) = self.serve() {
            tracing::warn!(%error, "while the recorder takes long");
        }
        self.let_go_of_the_overdue();
        self.show_held();
    }

    fn lanes(&self) -> &[Lane] {
        &self.lanes.lanes
    }

    fn commit(&mut self, durable: &Durable) -> Result<(), SourceError> {
        for reached in durable.reached() {
            if let Some(slot) = self.lanes.recorded(reached) {
                self.commits.owe(slot, reached.next);
            }
        }
        Ok(())
    }
}

/// Kafka's offsets are signed, those of records are never below 0.
fn unsigned(offset: i64) -> u64 {
    u64::try_from(offset).unwrap_or_default()
}
