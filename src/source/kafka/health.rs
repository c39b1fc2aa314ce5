//! Lag and the client's own figures, off the way of the data: a thread asks the brokers for the ends of our partitions and
//! reads the client's statistics. Also tells the source which partitions have something to give, and which nobody owns.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::Statistics;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::events::{Events, Partition};
use super::group::ownerless;
use super::options::Options;
use crate::metrics::Metrics;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(5);

/// For one answer of a broker.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far a partition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) partition: Partition,
    /// First offset that was not handed over; `None` before the first message.
    pub(super) next: Option<u64>,
    /// Time of the last message handed over, or when the partition came to us; ms since the epoch.
    pub(super) latest: i64,
}

/// Partitions that nobody owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ownerless {
    /// When it was first seen that there are some.
    pub(super) since: Instant,
    pub(super) partitions: Vec<Partition>,
}

/// Shared by the source and the thread.
#[derive(Debug, Default)]
pub(super) struct Board {
    progress: Mutex<Vec<Progress>>,
    lags: Mutex<HashMap<Partition, u64>>,
    ownerless: Mutex<Option<Ownerless>>,
    pub(super) statistics: Mutex<Option<Vec<u8>>>,
}

impl Board {
    /// The source's word on its partitions.
    pub(super) fn show(&self, progress: Vec<Progress>) {
        *lock(&self.progress) = progress;
    }

    /// Records that a partition had and that were not taken, as of the last round.
    pub(super) fn lag(&self, partition: &Partition) -> Option<u64> {
        lock(&self.lags).get(partition).copied()
    }

    /// Partitions that nobody has owned for at least `patience`, told once.
    pub(super) fn take_ownerless(&self, patience: Duration) -> Option<Vec<Partition>> {
        let taken = lock(&self.ownerless).take_if(|found| found.since.elapsed() >= patience)?;
        Some(taken.partitions)
    }

    /// What the group was last seen to have without owner.
    fn found_ownerless(&self, found: Vec<Partition>) {
        let mut known = lock(&self.ownerless);
        let since = known.as_ref().map_or_else(Instant::now, |known| known.since);
        *known = (!found.is_empty()).then_some(Ownerless { since, partitions: found });
    }
}

/// The thread at work.
#[derive(Debug)]
pub(super) struct Health {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Health {
    pub(super) fn start(
        consumer: Arc<BaseConsumer<Events>>,
        board: Arc<Board>,
        metrics: Arc<Metrics>,
        options: &Options,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let mut watch = Watch { consumer, board, metrics, group: options.watched_group(), looked: Instant::now() };
        let thread = std::thread::Builder::new().name("kafka-lag".to_owned()).spawn(move || watch.run(&stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // a fault there costs figures, no data
            drop(thread.join());
        }
    }
}

struct Watch {
    consumer: Arc<BaseConsumer<Events>>,
    board: Arc<Board>,
    metrics: Arc<Metrics>,
    /// The group that may have partitions without owner, and how often it is looked at.
    group: Option<(String, Duration)>,
    looked: Instant,
}

impl Watch {
    fn run(&mut self, stopped: &Receiver<()>) {
        let mut pause = Duration::from_millis(500);
        while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            self.lag(stopped);
            self.statistics();
            self.owners();
            pause = EVERY;
        }
        self.metrics.kafka().forget_lag();
    }

    fn lag(&self, stopped: &Receiver<()>) {
        let progress = lock(&self.board.progress).clone();
        self.metrics.kafka().assigned(progress.len() as u64);
        lock(&self.board.lags).retain(|partition, _| progress.iter().any(|one| one.partition == *partition));
        let known: Vec<_> = progress.iter().map(|one| (one.partition.0.as_str(), one.partition.1)).collect();
        self.metrics.kafka().keep_lag(&known);
        for one in &progress {
            let (topic, partition) = (&one.partition.0, one.partition.1);
            // a broker that does not answer leaves the figure as it was; its errors are counted elsewhere
            if let Ok((low, high)) = self.consumer.fetch_watermarks(topic, partition, PATIENCE) {
                let (low, high) = (u64::try_from(low).unwrap_or(0), u64::try_from(high).unwrap_or(0));
                let lag = high.saturating_sub(one.next.unwrap_or(low).max(low));
                let behind = if lag == 0 { 0 } else { crate::kafka::now_ms().saturating_sub(one.latest).max(0) };
                self.metrics.kafka().lag(topic, partition, lag, behind);
                lock(&self.board.lags).insert(one.partition.clone(), lag);
            }
            if stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected) {
                return;
            }
        }
    }

    fn owners(&mut self) {
        let due = self.group.as_ref().filter(|(_, every)| self.looked.elapsed() >= *every);
        if let Some((group, _)) = due {
            self.board.found_ownerless(ownerless(&self.consumer, group).unwrap_or_default());
            self.looked = Instant::now();
        }
    }

    fn statistics(&self) {
        let Some(text) = lock(&self.board.statistics).take() else { return };
        let Ok(statistics) = serde_json::from_slice::<Statistics>(&text) else { return };
        let partitions = || statistics.topics.values().flat_map(|topic| topic.partitions.values());
        let held = partitions().map(|partition| partition.fetchq_cnt).sum::<i64>();
        let bytes = partitions().map(|partition| partition.fetchq_size).sum::<u64>();
        let slowest = statistics.brokers.values().filter_map(|broker| broker.rtt.as_ref()).map(|rtt| rtt.p99).max();
        self.metrics.kafka().client(u64::try_from(held).unwrap_or(0), bytes, slowest.unwrap_or(0));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
