//! The batch that is on its way to the disk. The recorder works on a thread of its own, so that the next batch is filled
//! and judged meanwhile; at most one batch is aloft, and batches land in the order in which they took off.

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

/// A batch that is on disk.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) durable: Durable,
    /// How long it took.
    pub(super) recording: Duration,
}

/// The recorder at work on its thread.
pub(super) struct Flight<'scope> {
    orders: Option<SyncSender<Order>>,
    answers: Receiver<Answer>,
    /// Whether an answer is awaited.
    aloft: bool,
    /// The answer that was fetched before the pipeline asked for it.
    landed: Option<Answer>,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
}

impl<'scope> Flight<'scope> {
    /// Starts the thread.
    pub(super) fn start<R: Recorder + Send>(scope: &'scope Scope<'scope, '_>, recorder: &'scope mut R) -> Self {
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
        let thread = scope.spawn(write);
        Self { orders: Some(orders), answers, aloft: false, landed: None, thread: Some(thread) }
    }

    /// Sends a batch off. The one before must have landed.
    pub(super) fn take_off(&mut self, report: BatchReport) -> Result<(), RecordError> {
        self.give(Order::Record(Box::new(report)))
    }

    /// Lets the recorder do what it does when nothing comes in. What was sent off must have landed.
    pub(super) fn idle(&mut self) -> Result<(), RecordError> {
        self.give(Order::Idle)?;
        self.land(&mut || ()).map(drop)
    }

    /// Waits for what is aloft; `None` if nothing is. `waiting` is called now and then while it takes long.
    pub(super) fn land(&mut self, waiting: &mut dyn FnMut()) -> Answer {
        while self.landed.is_none() && self.aloft {
            if !self.look(PATIENCE) {
                waiting();
            }
        }
        self.landed.take().unwrap_or(Ok(None))
    }

    fn give(&mut self, order: Order) -> Result<(), RecordError> {
        let taken = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        self.aloft = taken;
        if taken { Ok(()) } else { Err(lost()) }
    }

    /// Whether the answer came within the time.
    fn look(&mut self, patience: Duration) -> bool {
        let answer = match self.answers.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => Err(lost()),
        };
        (self.landed, self.aloft) = (Some(answer), false);
        true
    }
}

/// How long a landing is waited for between two signs of life to the source.
const PATIENCE: Duration = Duration::from_millis(200);

impl InFlight for Flight<'_> {
    fn wait(&mut self, patience: Duration) -> Option<&Durable> {
        let until = Instant::now() + patience;
        while self.aloft && self.landed.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if !self.look(left) {
                break;
            }
        }
        match &self.landed {
            Some(Ok(Some(landing))) => Some(&landing.durable),
            Some(Ok(None) | Err(_)) | None => None,
        }
    }

    fn is_aloft(&self) -> bool {
        self.aloft || self.landed.is_some()
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
            Ok(Some(Landing { durable, recording: begun.elapsed() }))
        }
        Order::Idle => recorder.idle().map(|()| None),
    }
}

fn lost() -> RecordError {
    RecordError(
        "the recorder's thread ended unexpectedly; nothing of its batch is committed, restart to go on".to_owned(),
    )
}
