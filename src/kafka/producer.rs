//! Sends messages and says of each whether all in-sync replicas have it. Nothing counts as sent before.

use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header as RawHeader, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, IntoOpaque};
use thiserror::Error;

use super::connection::{ConnectError, Connection};
use super::context::{self, Reports};
use super::trouble::Trouble;

/// How long one message may take to be acknowledged, retries included.
const DELIVERY: Duration = Duration::from_secs(60);

/// Longest pause when the client's own queue is full.
const QUEUE_FULL: Duration = Duration::from_millis(10);

/// A header of a message.
pub type Header<'a> = (&'a str, Option<&'a [u8]>);

/// A message to send.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Where to.
    pub topic: &'a str,
    /// Decides the partition; `None`: any.
    pub key: Option<&'a [u8]>,
    /// What.
    pub payload: &'a [u8],
    /// Beside it, in this order.
    pub headers: &'a [Header<'a>],
    /// Ms since the epoch; `None`: now.
    pub timestamp: Option<i64>,
}

/// Why a message was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SendError(pub Trouble);

impl SendError {
    /// Whether trying again may help.
    pub fn passes(&self) -> bool {
        self.0.cause.passes()
    }
}

/// Whether messages wait for others that go the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// They do not: few messages, each waited for.
    AtOnce,
    /// For 20 ms: many messages, and consumers that want them in large batches.
    Gather,
}

/// A client that writes.
pub struct Producer {
    client: ThreadedProducer<Acks>,
    reports: Arc<Reports>,
}

/// Messages that are waited for together.
#[derive(Debug, Default)]
pub struct Round(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    failed: Vec<(usize, SendError)>,
}

/// Comes back with the acknowledgement of one message.
struct Ticket {
    round: Arc<Waiting>,
    index: usize,
}

/// Takes the client's answers.
struct Acks(Arc<Reports>);

impl Producer {
    /// Makes a client that sends each message once and in order. Connects in the background.
    ///
    /// # Errors
    /// A secret or file is not to be had, or the client refuses its settings.
    pub fn connect(connection: &Connection, haste: Haste) -> Result<Self, ConnectError> {
        let reports = Arc::new(Reports::new(connection));
        let settings = settings(connection, haste, DELIVERY)?;
        let client = settings.create_with_context(Acks(Arc::clone(&reports))).map_err(|error| refused(&error))?;
        Ok(Self { client, reports })
    }

    /// Errors of the client.
    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    /// Sends messages and waits until each is acknowledged or has failed. What failed is given with its index.
    ///
    /// # Errors
    /// The messages that were not acknowledged; the others were.
    pub fn send_all(&self, messages: &[Outgoing<'_>]) -> Result<(), Vec<(usize, SendError)>> {
        let round = Round::default();
        for (index, message) in messages.iter().enumerate() {
            self.offer(message, &round, index);
        }
        round.wait(DELIVERY + Duration::from_secs(5))
    }

    /// Hands one message to the client, waiting while its queue is full. Its fate is told to `round` under `index`.
    pub fn offer(&self, message: &Outgoing<'_>, round: &Round, index: usize) {
        round.open();
        let ticket = Box::new(Ticket { round: Arc::clone(&round.0), index });
        if let Err((error, ticket)) = hand_over(&self.client, record(message, ticket)) {
            ticket.settle(Err(SendError(Trouble::of(&error, ""))));
        }
    }

    /// Waits until everything that was handed over is acknowledged or has failed. Gives how many were not within `limit`.
    pub fn flush(&self, limit: Duration) -> usize {
        // its result says the same as the count
        drop(self.client.flush(limit));
        usize::try_from(self.client.in_flight_count()).unwrap_or_default()
    }
}

impl Round {
    fn open(&self) {
        self.0.state().open += 1;
    }

    /// Messages without an answer yet.
    pub fn open_count(&self) -> usize {
        self.0.state().open
    }

    /// The first failure so far.
    pub fn failed(&self) -> Option<SendError> {
        self.0.state().failed.first().map(|(_, error)| error.clone())
    }

    /// Waits for all answers.
    ///
    /// # Errors
    /// What was not acknowledged, by index; answers that did not come within `limit` are among them.
    pub fn wait(&self, limit: Duration) -> Result<(), Vec<(usize, SendError)>> {
        let state = self.0.state();
        let waited = self.0.done.wait_timeout_while(state, limit, |state| state.open > 0);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut failed = std::mem::take(&mut state.failed);
        if state.open > 0 {
            failed.push((usize::MAX, told(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut))));
        }
        if failed.is_empty() { Ok(()) } else { Err(failed) }
    }
}

impl Waiting {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    fn settle(self, result: Result<(), SendError>) {
        let mut state = self.round.state();
        state.open -= 1;
        if let Err(error) = result {
            state.failed.push((self.index, error));
        }
        if state.open == 0 {
            self.round.done.notify_all();
        }
    }
}

/// The settings of a client that writes; `delivery`: how long one message may take.
pub(super) fn settings(
    connection: &Connection,
    haste: Haste,
    delivery: Duration,
) -> Result<ClientConfig, ConnectError> {
    let mut client = connection.client()?;
    let given = |key: &str| connection.properties.contains_key(key);
    // once and in order, on all in-sync replicas
    client.set("enable.idempotence", "true").set("acks", "all");
    client.set("message.timeout.ms", delivery.as_millis().to_string());
    // small batches of records cost every consumer three to four times as much
    let linger = match haste {
        Haste::AtOnce => "0",
        Haste::Gather => "20",
    };
    let tuning = [("linger.ms", linger), ("batch.size", "1000000"), ("compression.type", "lz4")];
    for (key, value) in tuning.into_iter().filter(|(key, _)| !given(key)) {
        client.set(key, value);
    }
    if !given("queue.buffering.max.kbytes") {
        // bounds memory; the default is a gigabyte
        client.set("queue.buffering.max.kbytes", "65536");
    }
    client.set_log_level(RDKafkaLogLevel::Info);
    Ok(client)
}

pub(super) fn refused(error: &KafkaError) -> ConnectError {
    ConnectError::Refused(Trouble::of(error, "").said)
}

/// Hands one message to a client, waiting while its queue is full. What it does not take comes back with the reason.
pub(super) fn hand_over<C>(
    client: &ThreadedProducer<C>,
    mut record: BaseRecord<'_, [u8], [u8], C::DeliveryOpaque>,
) -> Result<(), (KafkaError, C::DeliveryOpaque)>
where
    C: ProducerContext + 'static,
{
    // the clock is looked at only where the queue is full: there are as many messages as events
    let mut until = None;
    loop {
        match client.send(record) {
            Ok(()) => return Ok(()),
            Err((error, back)) if is_full(&error) && !is_over(&mut until) => {
                std::thread::sleep(QUEUE_FULL);
                record = back;
            }
            Err((error, back)) => return Err((error, back.delivery_opaque)),
        }
    }
}

/// Whether the time for one message is over, which began with the first question.
fn is_over(until: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    now > *until.get_or_insert(now + DELIVERY)
}

pub(super) fn record<'a, O: IntoOpaque>(message: &Outgoing<'a>, opaque: O) -> BaseRecord<'a, [u8], [u8], O> {
    let mut record = BaseRecord::with_opaque_to(message.topic, opaque).payload(message.payload);
    record.key = message.key;
    record.timestamp = message.timestamp;
    if !message.headers.is_empty() {
        let add = |headers: OwnedHeaders, (key, value): &Header<'_>| headers.insert(RawHeader { key, value: *value });
        let headers = OwnedHeaders::new_with_capacity(message.headers.len());
        record.headers = Some(message.headers.iter().fold(headers, add));
    }
    record
}

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

/// Why a message did not go out, noted as well.
pub(super) fn undelivered(reports: &Reports, error: &KafkaError) -> SendError {
    // that time ran out is the least of it: what kept it from going out says more
    let is_late = error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageTimedOut);
    let before = reports.last().filter(|_| is_late);
    let told = before.unwrap_or_else(|| Trouble::of(error, ""));
    reports.note(told.clone());
    SendError(told)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn told(error: KafkaError) -> SendError {
    let text = if let KafkaError::Transaction(error) = &error { error.to_string() } else { String::new() };
    SendError(Trouble::of(&error, &text))
}

impl ClientContext for Acks {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        context::log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(&error, reason);
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.0.token()
    }
}

impl ProducerContext for Acks {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        match result {
            Ok(_) => {
                self.0.works();
                ticket.settle(Ok(()));
            }
            Err((error, _)) => {
                ticket.settle(Err(undelivered(&self.0, error)));
            }
        }
    }
}
