//! The courier of one channel: a loop that takes what is due, sends it and notes the outcome.
//!
//! One notice that a receiver does not take backs off alone. When several calls in a row fail, it is the channel that is ill:
//! the courier then tries one notice at a time and rests in between, and the first success sets everything in motion. A
//! receiver that asks to be left alone is left alone. Letters of a channel whose receiver is gone go to its fallback.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::audience::Audience;
use super::channel::{SendError, Way};
use super::composer::{Composer, Rules};
use super::health::Health;
use super::keyring::{Keyring, KeyringError};
use super::letter::Letter;
use super::notice::{Notice, Step};
use super::pseudonym::Key;
use super::states::{Checkpoints, States};
use super::view::View;
use crate::metrics::{Metrics, NotificationOutcome, Stage};
use crate::outbox::{self, ChannelSpec, Finding, News, OutboxError, Outcome, Parcel, Queue, Reason, Sealed};

/// Notices leased at a time, at least.
const LEASE: usize = 64;

/// Letters sent in a round.
const LETTERS: usize = 8;

/// How often an idle courier looks for work.
const IDLE: Duration = Duration::from_secs(1);

/// Carries what one channel owes.
#[derive(Debug)]
pub struct Courier {
    queue: Queue,
    spec: ChannelSpec,
    /// All channels, for those that letters come from and go to.
    specs: Arc<[ChannelSpec]>,
    way: Way,
    composer: Composer,
    keys: Option<Arc<Keyring>>,
    states: Option<States>,
    metrics: Arc<Metrics>,
    health: Health,
    now: fn() -> i64,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Notices and letters that the receiver took.
    pub delivered: usize,
    /// Those that it did not take.
    pub failed: usize,
    /// Those given back untried.
    pub returned: usize,
}

impl Courier {
    /// A courier for a channel; `spec` is the one that the outbox was opened with.
    pub fn new(queue: Queue, spec: ChannelSpec, way: Way, metrics: Arc<Metrics>) -> Self {
        let specs = Arc::from([spec.clone()]);
        let composer = Composer::new(Rules::default());
        Self {
            queue,
            spec,
            specs,
            way,
            composer,
            keys: None,
            states: None,
            metrics,
            health: Health::default(),
            now: outbox::wall_clock,
        }
    }

    /// The same among other channels.
    #[must_use]
    pub fn among(mut self, specs: &Arc<[ChannelSpec]>) -> Self {
        self.specs = Arc::clone(specs);
        self
    }

    /// The same with rules for letters.
    #[must_use]
    pub fn by_rules(mut self, rules: Rules) -> Self {
        self.composer = Composer::new(rules);
        self
    }

    /// The same with the keys of its readers' pseudonyms.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<Keyring>) -> Self {
        self.keys = Some(keys);
        self
    }

    /// The same, which also tells the log's signed checkpoint, if it is a feed: at once, and then hourly where it has changed.
    #[must_use]
    pub fn with_checkpoints(mut self, read: Checkpoints) -> Self {
        self.states = Some(States::new(read));
        self
    }

    /// The same with another clock (ms since the epoch), for tests.
    #[must_use]
    pub fn with_clock(mut self, now: fn() -> i64) -> Self {
        self.now = now;
        self
    }

    /// Composes and sends what is due, once.
    ///
    /// # Errors
    /// The state database refuses; leases run out and everything is tried again.
    pub fn round(&mut self) -> Result<Round, OutboxError> {
        let now = (self.now)();
        let mut round = Round::default();
        self.queue.sweep(&self.spec, &self.specs, now)?;
        let is_closed = self.queue.backlog(&self.spec.name, now)?.closed.is_some();
        if matches!(self.way, Way::People(_)) {
            self.compose(is_closed, now)?;
        }
        if !is_closed && !self.health.rests(now) {
            match self.way {
                Way::Feed(_) => {
                    self.carry_notices(&mut round)?;
                    self.carry_checkpoint();
                }
                Way::People(_) => self.carry_letters(&mut round)?,
            }
        }
        self.report()?;
        Ok(round)
    }

    fn compose(&mut self, is_closed: bool, now: i64) -> Result<(), OutboxError> {
        let fallback = self.spec.fallback.as_ref().filter(|_| is_closed);
        let carrier = fallback.map_or(&self.spec.name, |(to, _)| to).clone();
        let filed = self.composer.compose(&mut self.queue, &self.spec, &self.specs, &carrier, now)?;
        for held in &filed.held {
            let reason = match held.reason {
                Reason::Silence(_) => "silence",
                Reason::Inhibited => "inhibited",
                Reason::Digest => "digest",
            };
            self.metrics.delivery().held(&self.spec.name, reason, held.findings);
        }
        Ok(())
    }

    fn carry_notices(&mut self, round: &mut Round) -> Result<(), OutboxError> {
        let Way::Feed(channel) = &self.way else { return Ok(()) };
        let most = channel.most().max(1);
        let lease = if self.health.is_ill() { 1 } else { LEASE.max(most) };
        let parcels = self.queue.lease(&self.spec.name, (self.now)(), lease)?;
        for parcels in parcels.chunks(most) {
            let outcomes = self.send(parcels)?;
            outcomes.iter().for_each(|outcome| self.count(outcome, round));
            let tried: Vec<_> = parcels.iter().cloned().zip(outcomes.iter().cloned()).collect();
            self.queue.settle_all(&self.spec, &tried, (self.now)())?;
            self.judge(&outcomes)?;
        }
        Ok(())
    }

    fn carry_checkpoint(&mut self) {
        let now = (self.now)();
        let (Some(states), Way::Feed(channel)) = (&mut self.states, &mut self.way) else { return };
        let statement = if self.health.is_well() { states.due(now) } else { None };
        let Some(statement) = statement else { return };
        match channel.state(&statement) {
            Ok(_) => states.told(statement),
            Err(error) => {
                states.not_taken(statement, now);
                tracing::warn!(channel = %self.spec.name, %error, "the signed checkpoint was not taken; trying again");
            }
        }
    }

    /// One outcome for each parcel.
    fn send(&mut self, parcels: &[Parcel]) -> Result<Vec<Outcome>, OutboxError> {
        if self.health.rests((self.now)()) {
            return Ok(vec![Outcome::Returned; parcels.len()]);
        }
        let notices: Result<Vec<Notice>, KeyringError> = parcels.iter().map(|parcel| self.notice(parcel)).collect();
        let notices = match notices {
            Ok(notices) => notices,
            Err(error) => return Ok(vec![Outcome::Failed(error.to_string()); parcels.len()]),
        };
        let Way::Feed(channel) = &mut self.way else { return Ok(vec![Outcome::Returned; parcels.len()]) };
        let mut answers = channel.send(&notices);
        // a channel that answers for fewer than it was given has not said that it sent the others
        answers.resize(parcels.len(), Err(SendError::Transient("no answer".to_owned())));
        answers.into_iter().map(|answer| self.outcome(answer)).collect()
    }

    fn notice(&self, parcel: &Parcel) -> Result<Notice, KeyringError> {
        let step = match parcel.news {
            News::Created => Step::Created,
            News::Updated => Step::Updated,
            News::Repeated => Step::Repeated,
            News::Acknowledged => Step::Acknowledged,
        };
        let key = self.key(&parcel.finding)?;
        let view = View::with_key(&parcel.finding, self.way.audience(), key.as_ref());
        self.metrics.delivery().cut(&self.spec.name, u64::from(view.cut()));
        Ok(Notice { id: parcel.notice_id(), view, step, test: false })
    }

    /// The key of a finding's pseudonyms, for readers who get such.
    fn key(&self, finding: &Finding) -> Result<Option<Key>, KeyringError> {
        match (self.way.audience(), &self.keys) {
            (Audience::Soc, Some(keys)) => keys.at(finding.made).map(Some),
            (Audience::Soc, None) | (Audience::Officer | Audience::Chat, _) => Ok(None),
        }
    }

    fn carry_letters(&mut self, round: &mut Round) -> Result<(), OutboxError> {
        for _ in 0..LETTERS {
            if self.health.rests((self.now)()) {
                break;
            }
            let Some(letter) = self.queue.lease_letter(&self.spec.name, (self.now)())? else { break };
            let answer = self.post(&letter);
            let outcome = self.outcome(answer)?;
            self.count(&outcome, round);
            self.queue.settle_letter(&self.spec, &self.specs, &letter, &outcome, (self.now)())?;
            self.judge(std::slice::from_ref(&outcome))?;
        }
        Ok(())
    }

    fn post(&mut self, sealed: &Sealed) -> Result<(), SendError> {
        let keys = sealed.body.shown.iter().map(|one| Ok((one.finding.made, self.key(&one.finding)?)));
        let keys: Vec<_> =
            keys.collect::<Result<_, KeyringError>>().map_err(|error| SendError::Transient(error.to_string()))?;
        let key = |made| keys.iter().find(|(at, _)| *at == made).and_then(|(_, key)| key.clone());
        let letter = Letter::of(&sealed.id, sealed.kind, &sealed.body, self.way.audience(), &key);
        match &mut self.way {
            Way::People(messenger) => messenger.post(&letter),
            Way::Feed(_) => Err(SendError::Permanent("this channel tells findings one by one".to_owned())),
        }
    }

    fn outcome(&mut self, answer: Result<(), SendError>) -> Result<Outcome, OutboxError> {
        Ok(match answer {
            Ok(()) => Outcome::Delivered,
            Err(SendError::Transient(why)) => Outcome::Failed(why),
            Err(SendError::Later { why, wait_ms }) => Outcome::Later(why, wait_ms.max(0)),
            Err(SendError::Permanent(why)) => Outcome::Refused(why),
            Err(SendError::Gone(why)) => {
                tracing::error!(
                    channel = %self.spec.name, why,
                    "the receiver is gone; nothing more is sent there until `harbourwatch outbox retry --channel` opens it"
                );
                self.queue.close(&self.spec, &why, (self.now)())?;
                self.health.rest_until((self.now)().saturating_add(1));
                Outcome::Returned
            }
        })
    }

    /// What a call says of the channel's health.
    fn judge(&mut self, outcomes: &[Outcome]) -> Result<(), OutboxError> {
        let now = (self.now)();
        for outcome in outcomes {
            if let Outcome::Later(_, wait) = outcome {
                self.health.rest_until(now.saturating_add(*wait));
            }
        }
        // A refusal is an answer: the channel works.
        if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Delivered | Outcome::Refused(_))) {
            return self.recovered();
        }
        if let Some(Outcome::Failed(why)) = outcomes.iter().find(|outcome| matches!(outcome, Outcome::Failed(_))) {
            self.failing(why);
        }
        Ok(())
    }

    fn failing(&mut self, why: &str) {
        if self.health.failed((self.now)()) {
            tracing::warn!(channel = %self.spec.name, why, "the channel takes nothing; what is owed waits and is tried again");
        }
    }

    fn recovered(&mut self) -> Result<(), OutboxError> {
        if self.health.is_ill() {
            tracing::info!(channel = %self.spec.name, "the channel takes messages again");
            self.queue.wake(&self.spec.name, (self.now)())?;
        }
        self.health.answered();
        Ok(())
    }

    fn count(&self, outcome: &Outcome, round: &mut Round) {
        let counted = match outcome {
            Outcome::Delivered => {
                round.delivered += 1;
                self.metrics.success(Stage::Notify, (self.now)());
                NotificationOutcome::Delivered
            }
            Outcome::Failed(_) | Outcome::Later(..) => {
                round.failed += 1;
                NotificationOutcome::Failed
            }
            Outcome::Refused(_) => {
                round.failed += 1;
                NotificationOutcome::Refused
            }
            Outcome::Returned => {
                round.returned += 1;
                return;
            }
        };
        self.metrics.notification(&self.spec.name, counted);
    }

    fn report(&self) -> Result<(), OutboxError> {
        let now = (self.now)();
        let backlog = self.queue.backlog(&self.spec.name, now)?;
        let age = backlog.oldest.map_or(0, |oldest| now.saturating_sub(oldest).max(0));
        self.metrics.outbox(&self.spec.name, backlog.pending, age, backlog.dead);
        self.metrics.delivery().channel(&self.spec.name, backlog.held, backlog.closed.is_none());
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
        // only one process has the recorder's lock, so what is leased now was in hand when another one ended
        if let Err(error) = self.queue.reclaim(&self.spec.name) {
            tracing::warn!(channel = %self.spec.name, %error, "what an earlier process had in hand waits for its lease");
        }
        let mut pause = IDLE;
        while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            // a full round says that more is due
            let full = if matches!(self.way, Way::Feed(_)) { LEASE } else { LETTERS };
            pause = if self.logged_round() >= full { Duration::ZERO } else { IDLE };
        }
        // What is due at the stop goes out now if the channel takes it, and at the next start if not.
        self.logged_round();
    }

    /// A round; gives how many notices or letters were delivered.
    fn logged_round(&mut self) -> usize {
        let round = self.round().inspect_err(|error| {
            tracing::warn!(channel = %self.spec.name, %error, "messages could not be carried; trying again");
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
            tracing::error!("a courier ended by a fault of its own; what it carries stays owed");
        }
    }
}
