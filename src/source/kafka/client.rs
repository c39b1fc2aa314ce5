//! One client: made with what is on disk now, and closed within a time limit. Made again when certificates change or a
//! partition is stuck.

use std::sync::mpsc::channel;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;

use super::commits::Committer;
use super::events::Events;
use super::fetch::Fetcher;
use super::health::{Board, Health};
use super::options::{Fetch, Options};
use super::tell::Teller;
use crate::kafka::{Reports, Trouble};
use crate::metrics::Metrics;
use crate::pipeline::ports::SourceError;

/// How long closing may take. librdkafka has been seen to hang there; the process then leaves it behind.
const CLOSING: Duration = Duration::from_secs(10);

/// The consumer and what hangs on it. Dropped in this order.
pub(super) struct Client {
    /// `None` where messages are taken one by one.
    fetcher: Option<Fetcher>,
    committer: Committer,
    _health: Health,
    pub(super) board: Arc<Board>,
    consumer: Arc<BaseConsumer<Events>>,
    events: Arc<Events>,
}

impl Client {
    /// Makes a client and subscribes. It connects in the background.
    pub(super) fn open(options: &Options, metrics: &Arc<Metrics>) -> Result<Self, SourceError> {
        let settings = options.client().map_err(|error| SourceError::Fatal(error.to_string()))?;
        let fatal = |error| SourceError::Fatal(Trouble::of(&error, "").to_string());
        let board = Arc::<Board>::default();
        let events = Events::new(Arc::new(Reports::new(&options.connection)), Arc::clone(&board));
        let consumer: BaseConsumer<Events> = settings.create_with_context(events).map_err(fatal)?;
        let consumer = Arc::new(consumer);
        let fetcher = match options.fetch {
            Fetch::Batch => Fetcher::new(Arc::clone(&consumer)),
            Fetch::Poll => None,
        };
        subscribe(&consumer, options).map_err(fatal)?;
        let health = Health::start(Arc::clone(&consumer), Arc::clone(&board), Arc::clone(metrics), options);
        let health = health.map_err(|error| SourceError::Fatal(format!("kafka: no thread for lag: {error}")))?;
        let committer = Committer::start(Arc::clone(&consumer), Teller::new(options, metrics)?);
        let committer =
            committer.map_err(|error| SourceError::Fatal(format!("kafka: no thread for commits: {error}")))?;
        metrics.kafka().client_made();
        let events = Arc::clone(consumer.context());
        Ok(Self { fetcher, committer, _health: health, board, consumer, events })
    }

    /// Leaves the group, also as a static member, and joins it again: the group shares all partitions out anew. Ours are taken
    /// away in order first.
    pub(super) fn rejoin(&self, options: &Options) -> Result<(), KafkaError> {
        self.consumer.unsubscribe();
        subscribe(&self.consumer, options)
    }

    pub(super) fn consumer(&self) -> &BaseConsumer<Events> {
        &self.consumer
    }

    /// A share of the consumer, for a loop that borrows messages from it.
    pub(super) fn share(&self) -> Arc<BaseConsumer<Events>> {
        Arc::clone(&self.consumer)
    }

    pub(super) fn committer(&self) -> &Committer {
        &self.committer
    }

    pub(super) fn events(&self) -> &Events {
        &self.events
    }

    pub(super) fn fetcher(&mut self) -> Option<&mut Fetcher> {
        self.fetcher.as_mut()
    }

    pub(super) fn held(&self) -> Option<&Fetcher> {
        self.fetcher.as_ref()
    }

    /// Another poll begins: gives the messages of the one before the last back.
    pub(super) fn turn(&mut self) {
        self.fetcher.iter_mut().for_each(Fetcher::turn);
    }

    /// Leaves the group and ends the client, within a time limit.
    pub(super) fn close(self) {
        let consumer = Arc::clone(&self.consumer);
        drop(self);
        let (done, closed) = channel::<()>();
        let close = move || {
            drop(consumer);
            drop(done);
        };
        let started = std::thread::Builder::new().name("kafka-close".to_owned()).spawn(close);
        // the sender is dropped, not used: any answer but a time-out says that it is done
        if started.is_ok() && closed.recv_timeout(CLOSING) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("the kafka client does not close; it is left behind, and the group notices by its time-out");
        }
    }
}

fn subscribe(consumer: &BaseConsumer<Events>, options: &Options) -> Result<(), KafkaError> {
    let topics: Vec<_> = options.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics)
}

/// From here on nobody carries out rebalances, for which the consumer would wait without end when it is dropped.
impl Drop for Client {
    fn drop(&mut self) {
        self.events.close();
        if let Err(error) = self.consumer.unassign() {
            tracing::debug!(%error, "partitions not given up");
        }
    }
}

impl Board {
    /// Keeps the client's latest statistics for the thread that reads them.
    pub(super) fn keep_statistics(&self, text: &[u8]) {
        *self.statistics.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_vec());
    }
}
