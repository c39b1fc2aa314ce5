//! What the consumer tells while it is polled: rebalances, commits, errors. Rebalances are only written down here; the source
//! carries them out between two batches, when it knows what is on its way to the disk.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rdkafka::TopicPartitionList;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;

use super::health::Board;
use crate::kafka::{self, Reports};

/// A partition by name.
pub(super) type Partition = (String, i32);

/// What the group decided, to be carried out by the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rebalance {
    Assign(Vec<Partition>),
    Revoke(Vec<Partition>),
}

/// The answer to a commit, by partition.
pub(super) type Committed = (Partition, Result<u64, RDKafkaErrorCode>);

/// Shared by the consumer, which writes, and the source, which reads.
pub(super) struct Events {
    pub(super) reports: Arc<Reports>,
    rebalances: Mutex<VecDeque<(Instant, Rebalance)>>,
    commits: Mutex<Vec<Committed>>,
    /// Why the thread that commits cannot go on.
    gave_up: Mutex<Option<String>>,
    /// Set before the consumer is dropped: nobody carries out rebalances any more.
    closing: AtomicBool,
    /// Counts calls, so that the source knows when there are no more events.
    calls: AtomicU64,
    board: Arc<Board>,
}

impl Events {
    pub(super) fn new(reports: Arc<Reports>, board: Arc<Board>) -> Self {
        Self {
            reports,
            board,
            rebalances: Mutex::default(),
            commits: Mutex::default(),
            gave_up: Mutex::default(),
            closing: AtomicBool::default(),
            calls: AtomicU64::default(),
        }
    }

    /// The next rebalance to carry out, and since when it waits. It stays until [`Events::done`].
    pub(super) fn rebalance(&self) -> Option<(Instant, Rebalance)> {
        lock(&self.rebalances).front().cloned()
    }

    /// The next rebalance was carried out.
    pub(super) fn done(&self) {
        lock(&self.rebalances).pop_front();
    }

    /// The group's answer to a commit.
    pub(super) fn answer(&self, answers: impl Iterator<Item = Committed>) {
        lock(&self.commits).extend(answers);
    }

    /// Answers to commits since the last call.
    pub(super) fn take_commits(&self) -> Vec<Committed> {
        std::mem::take(&mut *lock(&self.commits))
    }

    /// Nothing more can be committed, and why.
    pub(super) fn give_up(&self, why: String) {
        lock(&self.gave_up).get_or_insert(why);
    }

    /// Why nothing more can be committed.
    pub(super) fn gave_up(&self) -> Option<String> {
        lock(&self.gave_up).clone()
    }

    /// Whether the consumer is about to be dropped.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// From now on partitions that are taken away are let go at once.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        lock(&self.rebalances).clear();
    }

    /// Grows with every event.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

impl ClientContext for Events {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.called();
        kafka::log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.called();
        self.reports.error(&error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.called();
        self.board.keep_statistics(statistics);
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.called();
        self.reports.token()
    }
}

impl ConsumerContext for Events {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        self.called();
        if self.is_closing() {
            return let_go(consumer, list);
        }
        let partitions = names(list);
        let is_assign = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let event = if is_assign { Rebalance::Assign(partitions) } else { Rebalance::Revoke(partitions) };
        lock(&self.rebalances).push_back((Instant::now(), event));
    }
}

/// Gives up everything without commit, as at the end.
fn let_go(consumer: &BaseConsumer<Events>, list: &TopicPartitionList) {
    let gone = match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    };
    if let Err(error) = gone {
        tracing::debug!(%error, "partitions not given up");
    }
}

fn names(list: &TopicPartitionList) -> Vec<Partition> {
    list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
