//! The courier of one channel: a loop that leases what is due, sends it and notes the outcome.
//!
//! One notice that a receiver does not take backs off alone. When several in a row fail, it is the channel that is ill:
//! the courier then tries one notice at a time and rests in between, and the first success sets everything in motion.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::audience::View;
use super::channel::{Channel, Message, SendError};
use crate::metrics::{Metrics, NotificationOutcome, Stage};
use crate::outbox::{self, ChannelSpec, OutboxError, Outcome, Parcel, Queue};

/// Notices leased at a time.
const LEASE: usize = 64;

/// Failures in a row from which the channel counts as ill.
const ILL: u32 = 3;

/// First and longest rest of an ill channel, in ms.
const REST_MS: (i64, i64) = (5_000, 300_000);

/// Doublings from the first rest to beyond the longest.
const DOUBLINGS: u32 = 6;

/// How often an idle courier looks for work.
const IDLE: Duration = Duration::from_secs(1);

/// Carries one channel's notices.
#[derive(Debug)]
pub struct Courier {
    queue: Queue,
    spec: ChannelSpec,
    channel: Box<dyn Channel>,
    metrics: Arc<Metrics>,
    /// Failures in a row.
    failures: u32,
    /// Until when an ill channel is left alone, ms since the epoch.
    rest_until: i64,
    now: fn() -> i64,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Notices that the receiver took.
    pub delivered: usize,
    /// Notices that it did not take.
    pub failed: usize,
    /// Notices given back untried.
    pub returned: usize,
}

impl Courier {
    /// A courier for a channel; `spec` is the one that the outbox was opened with.
    pub fn new(queue: Queue, spec: ChannelSpec, channel: Box<dyn Channel>, metrics: Arc<Metrics>) -> Self {
        Self { queue, spec, channel, metrics, failures: 0, rest_until: 0, now: outbox::wall_clock }
    }

    /// The same with another clock (ms since the epoch), for tests.
    #[must_use]
    pub fn with_clock(mut self, now: fn() -> i64) -> Self {
        self.now = now;
        self
    }

    /// Sends what is due, once.
    ///
    /// # Errors
    /// The state database refuses; leases run out and the notices are tried again.
    pub fn round(&mut self) -> Result<Round, OutboxError> {
        let mut round = Round::default();
        if (self.now)() >= self.rest_until {
            let most = if self.failures >= ILL { 1 } else { LEASE };
            for parcel in self.queue.lease(&self.spec.name, (self.now)(), most)? {
                self.carry(&parcel, &mut round)?;
            }
        }
        self.report()?;
        Ok(round)
    }

    fn carry(&mut self, parcel: &Parcel, round: &mut Round) -> Result<(), OutboxError> {
        let outcome = if (self.now)() < self.rest_until { Outcome::Returned } else { self.send(parcel) };
        match &outcome {
            Outcome::Delivered => round.delivered += 1,
            Outcome::Failed(_) | Outcome::Refused(_) => round.failed += 1,
            Outcome::Returned => round.returned += 1,
        }
        self.queue.settle(&self.spec, parcel, &outcome, (self.now)())?;
        self.count(&outcome);
        match outcome {
            // A refusal is an answer: the channel works.
            Outcome::Delivered | Outcome::Refused(_) => self.recovered()?,
            Outcome::Failed(why) => self.failing(&why),
            Outcome::Returned => {}
        }
        Ok(())
    }

    fn send(&mut self, parcel: &Parcel) -> Outcome {
        let view = View::of(&parcel.finding, self.channel.audience());
        match self.channel.send(&Message { id: parcel.finding.notice_id(), view }) {
            Ok(()) => Outcome::Delivered,
            Err(SendError::Transient(why)) => Outcome::Failed(why),
            Err(SendError::Permanent(why)) => Outcome::Refused(why),
        }
    }

    fn failing(&mut self, why: &str) {
        self.failures = self.failures.saturating_add(1);
        if self.failures == ILL {
            tracing::warn!(channel = %self.spec.name, why, "the channel takes no notices; they wait and are tried again");
        }
        if self.failures >= ILL {
            let (first, longest) = REST_MS;
            let rest = first << (self.failures - ILL).min(DOUBLINGS);
            self.rest_until = (self.now)().saturating_add(rest.min(longest));
        }
    }

    fn recovered(&mut self) -> Result<(), OutboxError> {
        if self.failures >= ILL {
            tracing::info!(channel = %self.spec.name, "the channel takes notices again");
            self.queue.wake(&self.spec.name, (self.now)())?;
        }
        self.failures = 0;
        self.rest_until = 0;
        Ok(())
    }

    fn count(&self, outcome: &Outcome) {
        let counted = match outcome {
            Outcome::Delivered => NotificationOutcome::Delivered,
            Outcome::Failed(_) => NotificationOutcome::Failed,
            Outcome::Refused(_) => NotificationOutcome::Refused,
            Outcome::Returned => return,
        };
        self.metrics.notification(&self.spec.name, counted);
        if counted == NotificationOutcome::Delivered {
            self.metrics.success(Stage::Notify, (self.now)());
        }
    }

    fn report(&self) -> Result<(), OutboxError> {
        let backlog = self.queue.backlog(&self.spec.name)?;
        let age = backlog.oldest.map_or(0, |oldest| (self.now)().saturating_sub(oldest).max(0));
        self.metrics.outbox(&self.spec.name, backlog.pending, age, backlog.dead);
        Ok(())
    }

    /// Starts the courier on a thread of its own.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn spawn(self) -> std::io::Result<Running> {
        let (stop, stopped) = channel();
        let name = format!("courier-{}", self.spec.name);
        let thread = std::thread::Builder::new().name(name).spawn(move || self.run(&stopped))?;
        Ok(Running { stop, thread })
    }

    fn run(mut self, stopped: &Receiver<()>) {
        let mut pause = IDLE;
        while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            // a full lease says that more is due
            pause = if self.logged_round() >= LEASE { Duration::ZERO } else { IDLE };
        }
        // What is due at the stop goes out now if the channel takes it, and at the next start if not.
        self.logged_round();
    }

    /// A round; gives how many notices were delivered.
    fn logged_round(&mut self) -> usize {
        let round = self.round().inspect_err(|error| {
            tracing::warn!(channel = %self.spec.name, %error, "notices could not be carried; trying again");
        });
        round.map_or(0, |round| round.delivered)
    }
}

/// A courier at work.
#[derive(Debug)]
pub struct Running {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Lets the courier finish its round and one more, then ends it.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("a courier ended by a fault of its own; its notices stay owed");
        }
    }
}
