//! The batches that are on their way to the disk. The recorder works on a thread of its own, so that the next batch is
//! filled and judged meanwhile. One report is aloft at a time, and reports land in the order in which they took off. What
//! is judged while the recorder is busy joins up at the gate and takes off as one: how long the medium takes then bounds
//! how many batches share a wait for it, not how many events are judged in a second. A trip costs the same whether it
//! carries ten records or a thousand, so that under a backlog batches wait for company, for a moment, even while the
//! recorder is free.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::ports::{Durable, RecordError, Recorder, Seal};
use super::report::BatchReport;

/// What the recorder is asked for.
enum Order {
    Record(Box<BatchReport>),
    /// Nothing came in for a while.
    Idle,
}

/// What it answers.
type Answer = Result<Option<Landing>, RecordError>;

/// Reports that are on disk.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) durable: Durable,
    /// Batches that it covers, as they took off.
    pub(super) batches: usize,
    /// How long it took to make them durable.
    pub(super) recording: Duration,
}

impl Landing {
    fn join(&mut self, later: Self) {
        self.durable.join(later.durable);
        self.batches += later.batches;
        self.recording += later.recording;
    }
}

/// Bounds on what waits at the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Events.
    pub(super) events: u64,
    /// Bytes of records and rejected input.
    pub(super) bytes: usize,
}

/// Reports that wait for the recorder, as one.
struct Gate {
    report: Box<BatchReport>,
    batches: usize,
    /// Events, and bytes of records and rejected input.
    events: u64,
    bytes: usize,
    since: Instant,
}

impl Gate {
    fn new() -> Self {
        Self { report: Box::default(), batches: 0, events: 0, bytes: 0, since: Instant::now() }
    }

    fn let_in(&mut self, report: BatchReport) {
        (self.events, self.bytes) = (self.events + report.events(), self.bytes + report.byte_len());
        if self.batches == 0 {
            *self.report = report;
        } else {
            self.report.join(report);
        }
        self.batches += 1;
    }
}

/// How long batches may wait for company, and the share of the room at the gate that is company enough.
const LINGER: Duration = Duration::from_millis(100);
const ENOUGH: u64 = 4;

/// The recorder at work on its thread.
pub(super) struct Flight<'scope> {
    orders: Option<SyncSender<Order>>,
    answers: Receiver<Answer>,
    room: Room,
    /// Batches for which an answer is awaited; an idle turn counts none.
    aloft: Option<usize>,
    gate: Option<Gate>,
    /// Whether what is at the gate may wait for company.
    lingers: bool,
    /// What landed and was not asked for yet.
    landed: Option<Landing>,
    /// Why nothing lands any more, until it was told.
    failed: Option<RecordError>,
    /// After a failure nothing takes off any more.
    is_grounded: bool,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
}

impl<'scope> Flight<'scope> {
    /// Starts the thread.
    pub(super) fn start<R: Recorder + Send>(
        scope: &'scope Scope<'scope, '_>,
        recorder: &'scope mut R,
        room: Room,
    ) -> Self {
        // one order at a time: the next is given only when the answer to the last was taken
        let (orders, inbox) = sync_channel(1);
        let (outbox, answers) = channel();
        let write = move || {
            for order in inbox {
                if outbox.send(carry_out(recorder, order)).is_err() {
                    return;
                }
            }
        };
        let thread = Some(scope.spawn(write));
        Self {
            orders: Some(orders),
            answers,
            room,
            aloft: None,
            gate: None,
            lingers: false,
            landed: None,
            failed: None,
            is_grounded: false,
            thread,
        }
    }

    /// Whether the batch goes together with what waits at the gate; else that must land first. After a failure all the same:
    /// nothing is waited for.
    pub(super) fn takes(&self, report: &BatchReport) -> bool {
        self.is_grounded || self.gate.as_ref().is_none_or(|gate| gate.report.goes_with(report))
    }

    /// Sends a batch off, or has it wait at the gate: while the recorder is busy, or for a moment if it `lingers` because
    /// others come right behind it.
    pub(super) fn take_off(&mut self, report: BatchReport, lingers: bool) {
        self.lingers = lingers;
        self.look(Duration::ZERO);
        if self.is_grounded {
            return;
        }
        self.gate.get_or_insert_with(Gate::new).let_in(report);
        self.depart();
    }

    /// Waits while as much is at the gate as may wait there. `waiting` is called now and then while it takes long.
    pub(super) fn make_room(&mut self, waiting: &mut dyn FnMut()) {
        while self.is_crowded() {
            if !self.look(PATIENCE) {
                waiting();
            }
        }
    }

    fn is_crowded(&self) -> bool {
        let Room { events, bytes } = self.room;
        !self.is_grounded && self.gate.as_ref().is_some_and(|gate| gate.events >= events || gate.bytes >= bytes)
    }

    /// Lets the recorder do what it does when nothing comes in. All must have landed.
    pub(super) fn idle(&mut self) -> Result<(), RecordError> {
        self.give(Order::Idle, 0);
        self.land(&mut || ()).map(drop)
    }

    /// What has landed; never waits. What landed before a failure is told first.
    pub(super) fn landed(&mut self) -> Answer {
        self.look(Duration::ZERO);
        match (self.landed.take(), self.failed.take()) {
            (None, Some(failed)) => Err(failed),
            (landed, failed) => {
                self.failed = failed;
                Ok(landed)
            }
        }
    }

    /// Waits for all that took off; to be called until it gives `None`. `waiting` is called now and then while it takes long.
    pub(super) fn land(&mut self, waiting: &mut dyn FnMut()) -> Answer {
        self.hurry();
        while self.aloft.is_some() {
            if !self.look(PATIENCE) {
                waiting();
            }
        }
        self.landed()
    }

    /// Waits until nothing is on its way any more, at most until then.
    pub(super) fn wait(&mut self, until: Instant) {
        self.hurry();
        while self.aloft.is_some() && self.look(until.saturating_duration_since(Instant::now())) {}
    }

    /// The receipt for what is durable and was not asked for yet.
    pub(super) fn durable(&self) -> Option<&Durable> {
        self.landed.as_ref().map(|landing| &landing.durable)
    }

    /// Whether anything is still on its way.
    pub(super) fn is_aloft(&self) -> bool {
        self.aloft.is_some() || self.gate.is_some()
    }

    /// Nothing waits for company any more.
    fn hurry(&mut self) {
        self.lingers = false;
        self.depart();
    }

    /// Sends off what waits at the gate, if the recorder is free.
    fn depart(&mut self) {
        let Room { events, bytes } = self.room;
        let (lingers, enough) = (self.lingers, (events / ENOUGH, bytes / ENOUGH as usize));
        let is_due = |gate: &mut Gate| {
            !lingers || gate.events >= enough.0 || gate.bytes >= enough.1 || gate.since.elapsed() >= LINGER
        };
        if self.aloft.is_none()
            && !self.is_grounded
            && let Some(Gate { report, batches, .. }) = self.gate.take_if(is_due)
        {
            self.give(Order::Record(report), batches);
        }
    }

    fn give(&mut self, order: Order, batches: usize) {
        let taken = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        self.aloft = taken.then_some(batches);
        if !taken {
            self.fail(lost());
        }
    }

    /// Whether an answer came within the time. With it, what waits at the gate takes off.
    fn look(&mut self, patience: Duration) -> bool {
        let Some(batches) = self.aloft else { return false };
        let answer = match self.answers.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => Err(lost()),
        };
        self.aloft = None;
        match answer {
            Ok(landing) => {
                landing.into_iter().for_each(|landing| self.keep(Landing { batches, ..landing }));
                self.depart();
            }
            Err(failed) => self.fail(failed),
        }
        true
    }

    fn fail(&mut self, why: RecordError) {
        self.is_grounded = true;
        self.failed.get_or_insert(why);
    }

    fn keep(&mut self, landing: Landing) {
        match &mut self.landed {
            Some(before) => before.join(landing),
            None => self.landed = Some(landing),
        }
    }
}

/// How long a landing is waited for between two signs of life to the source.
const PATIENCE: Duration = Duration::from_millis(200);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // a recorder that panicked has lost its batch, which the landing reported
            drop(thread.join());
        }
    }
}

fn carry_out<R: Recorder>(recorder: &mut R, order: Order) -> Answer {
    let begun = Instant::now();
    match order {
        Order::Record(report) => {
            let durable = recorder.record(&report, Seal::new())?;
            Ok(Some(Landing { durable, batches: 0, recording: begun.elapsed() }))
        }
        Order::Idle => recorder.idle().map(|()| None),
    }
}

fn lost() -> RecordError {
    RecordError(
        "the recorder's thread ended unexpectedly; nothing of its batch is committed, restart to go on".to_owned(),
    )
}
