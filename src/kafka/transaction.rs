//! Messages and a group's offsets that take effect together or not at all. One client under one `transactional.id` an
//! instance; a newer one with the same id fences the older off. Its calls block: it belongs on a thread of its own.
//!
//! librdkafka has three classes of failure here. *Retriable*: the same call is made again, also where a commit timed out,
//! since only that tells how it ended. *To be aborted*: the transaction is, and nothing has happened. *Fatal*: the client is
//! of no more use; whether the transaction took effect is told by the group's offsets alone.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{Producer as _, ProducerContext, ThreadedProducer};

use super::connection::{ConnectError, Connection};
use super::context::{self, Reports};
use super::producer::{Haste, Outgoing, SendError, hand_over, record, refused, settings, told, undelivered};
use super::{Cause, REQUEST};

/// After this long the broker aborts a transaction whose client is silent. Others wait for it: who reads committed records,
/// and who takes a partition over.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Between two tries of a call.
const PAUSE: Duration = Duration::from_millis(100);

/// Why a transaction did not take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It was aborted: nothing was sent and no offset moved.
    Undone(SendError),
    /// The client is of no more use, and the group's offsets tell whether it took effect.
    Broken(SendError),
    /// Another client has taken over under the same id. This one must not go on.
    Fenced(SendError),
}

/// A client that sends by transactions.
pub struct Transactions {
    client: ThreadedProducer<Failures>,
}

/// Takes the client's answers: only those of messages that failed, since the commit tells of all others at once.
struct Failures {
    reports: Reports,
    first: Mutex<Option<SendError>>,
}

impl Transactions {
    /// Makes the client. Connects in the background.
    ///
    /// # Errors
    /// A secret or file is not to be had, or the client refuses its settings.
    pub fn connect(connection: &Connection, id: &str) -> Result<Self, ConnectError> {
        let mut settings = settings(connection, Haste::Gather, TIMEOUT)?;
        settings.set("transactional.id", id);
        settings.set("transaction.timeout.ms", TIMEOUT.as_millis().to_string());
        // an answer of each message costs as much as the message
        settings.set("delivery.report.only.error", "true");
        let failures = Failures { reports: Reports::new(connection), first: Mutex::default() };
        Ok(Self { client: settings.create_with_context(failures).map_err(|error| refused(&error))? })
    }

    /// Fences off any other client with this id, and waits until its transactions are settled.
    ///
    /// # Errors
    /// No broker answers, or this user may not. The client is to be made anew.
    pub fn begin_with(&self) -> Result<(), SendError> {
        let init = || self.client.init_transactions(REQUEST);
        persist(init, &until(REQUEST)).map_err(told)
    }

    /// Sends messages and commits them together with the group's offsets. A commit that is under way is waited for as long as
    /// `go_on` says so: nothing else tells how it ended.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn transact(
        &self,
        messages: &[Outgoing<'_>],
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
        go_on: &dyn Fn() -> bool,
    ) -> Result<(), Failed> {
        let begun = Instant::now();
        self.client.context().first().take();
        let prepared = self.prepare(messages, offsets, group).map_err(|why| (why, false));
        let ended = prepared.and_then(|()| {
            // sends what is not sent yet, and fails if any message did
            persist(|| self.client.commit_transaction(REQUEST), go_on).map_err(|error| {
                // not known to have ended: it must not be taken for undone
                let is_open = is_open(&error);
                (told(error), is_open)
            })
        });
        match ended {
            Ok(()) => {
                self.client.context().reports.works();
                Ok(())
            }
            // why a message failed says more than that one did
            Err((why, unsettled)) => {
                let first = self.client.context().first().take();
                Err(self.settle(first.unwrap_or(why), unsettled, begun))
            }
        }
    }

    fn prepare(
        &self,
        messages: &[Outgoing<'_>],
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), SendError> {
        self.client.begin_transaction().map_err(told)?;
        for message in messages {
            hand_over(&self.client, record(message, ())).map_err(|(error, ())| told(error))?;
        }
        persist(|| self.client.send_offsets_to_transaction(offsets, group, REQUEST), &until(TIMEOUT)).map_err(told)
    }

    /// Aborts what failed. Where that fails too, or the commit may still be under way, the client is of no more use.
    fn settle(&self, why: SendError, unsettled: bool, begun: Instant) -> Failed {
        let client = &self.client;
        let aborted = if unsettled {
            Err(KafkaError::Canceled)
        } else {
            persist(|| client.abort_transaction(REQUEST), &until(TIMEOUT))
        };
        match client.client().fatal_error() {
            None if aborted.is_ok() => Failed::Undone(why),
            None => Failed::Broken(why),
            // the broker does the same to a client that was silent for too long
            Some((code, _)) if Cause::of_code(code) == Cause::Fenced && begun.elapsed() < TIMEOUT => {
                Failed::Fenced(told(KafkaError::Global(code)))
            }
            Some((code, _)) => Failed::Broken(told(KafkaError::Global(code))),
        }
    }
}

fn until(limit: Duration) -> impl Fn() -> bool {
    let until = Instant::now() + limit;
    move || Instant::now() < until
}

/// Makes a call again for as long as that may help.
fn persist(call: impl Fn() -> KafkaResult<()>, go_on: &dyn Fn() -> bool) -> KafkaResult<()> {
    loop {
        match call() {
            Err(error) if is_open(&error) && go_on() => std::thread::sleep(PAUSE),
            ended => return ended,
        }
    }
}

/// Whether the call has not come to an end.
fn is_open(error: &KafkaError) -> bool {
    if let KafkaError::Transaction(error) = error { error.is_retriable() } else { false }
}

impl Failures {
    /// The first message of the transaction that failed, and why.
    fn first(&self) -> MutexGuard<'_, Option<SendError>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Failures {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        context::log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.error(&error, reason);
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.reports.token()
    }
}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let why = undelivered(&self.reports, error);
            self.first().get_or_insert(why);
        }
    }
}
