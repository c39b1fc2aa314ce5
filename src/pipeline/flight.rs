//! The batches that are on their way to the disk. The recorder works on a thread of its own, so that the next batch is
//! filled and judged meanwhile. One report is aloft at a time, and reports land in the order in which they took off. What
//! is judged while the recorder is busy joins up at the gate and takes off as one: how long the medium takes then bounds
//! how many batches share a wait for it, not how many events are judged in a second.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::ports::{Durable, InFlight, RecordError, Recorder, Seal};
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
}

/// The recorder at work on its thread.
pub(super) struct Flight<'scope> {
    orders: Option<SyncSender<Order>>,
    answers: Receiver<Answer>,
    room: Room,
    /// Batches for which an answer is awaited; an idle turn counts none.
    aloft: Option<usize>,
    gate: Option<Gate>,
    /// What landed and was not asked for yet.
    landed: Option<Landing>,
    /// Why nothing lands any more.
    failed: Option<RecordError>,
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
        Self { orders: Some(orders), answers, room, aloft: None, gate: None, landed: None, failed: None, thread }
    }

    /// Whether the batch goes together with what waits at the gate; else that must land first.
    pub(super) fn takes(&self, report: &BatchReport) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.report.goes_with(report))
    }

    /// Sends a batch off, or has it wait at the gate while the recorder is busy.
    pub(super) fn take_off(&mut self, report: BatchReport) {
        self.look(Duration::ZERO);
        match &mut self.gate {
            Some(gate) => {
                gate.report.join(report);
                gate.batches += 1;
            }
            None => self.gate = Some(Gate { report: Box::new(report), batches: 1 }),
        }
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
        self.failed.is_none()
            && self.gate.as_ref().is_some_and(|gate| gate.report.events() >= events || gate.report.byte_len() >= bytes)
    }

    /// Lets the recorder do what it does when nothing comes in. What was sent off must have landed.
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
        while self.aloft.is_some() {
            if !self.look(PATIENCE) {
                waiting();
            }
        }
        self.landed()
    }

    /// Sends off what waits at the gate, if the recorder is free. After a failure nothing takes off any more.
    fn depart(&mut self) {
        if self.aloft.is_none()
            && self.failed.is_none()
            && let Some(Gate { report, batches }) = self.gate.take()
        {
            self.give(Order::Record(report), batches);
        }
    }

    fn give(&mut self, order: Order, batches: usize) {
        let taken = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        self.aloft = taken.then_some(batches);
        if !taken {
            self.failed.get_or_insert_with(lost);
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
            Err(failed) => _ = self.failed.get_or_insert(failed),
        }
        true
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

impl InFlight for Flight<'_> {
    fn wait(&mut self, patience: Duration) -> Option<&Durable> {
        let until = Instant::now() + patience;
        while self.aloft.is_some() {
            let left = until.saturating_duration_since(Instant::now());
            if !self.look(left) {
                break;
            }
        }
        self.landed.as_ref().map(|landing| &landing.durable)
    }

    fn is_aloft(&self) -> bool {
        self.aloft.is_some()
    }
}

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
