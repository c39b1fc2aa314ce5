//! The worker threads. A batch is cut into one slice a worker; slices come back in order. Plain threads, no async. There are
//! two sets of slices, so that one batch is judged while what was found in the one before is read.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use super::batch::Batch;
use super::work::{Slice, Task, work};
use super::world::World;
use crate::domain::position::Lane;

struct Job {
    world: Arc<World>,
    batch: Arc<Batch>,
    lanes: Arc<[Lane]>,
    range: Range<usize>,
    task: Task,
    slice: Slice,
}

struct Hand {
    jobs: Option<Sender<Job>>,
    done: Receiver<(Slice, Instant)>,
    thread: Option<JoinHandle<()>>,
}

/// Threads that judge, each with its own buffers.
pub struct Crew {
    hands: Vec<Hand>,
    /// What was found in the batch that was finished last.
    found: Vec<Slice>,
    /// For the next batch, while none is judged.
    spare: Vec<Slice>,
}

/// A worker ended before its slice was done. The batch is not recorded; the process stops without commit.
#[derive(Debug, thiserror::Error)]
#[error("a worker thread ended unexpectedly; nothing of its batch was recorded, restart to go on")]
pub struct WorkerLost;

impl Crew {
    /// Starts `workers` threads (at least one).
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(workers: usize) -> std::io::Result<Self> {
        let hands = (0..workers.max(1)).map(Hand::start).collect::<Result<Vec<_>, _>>()?;
        let slices = || hands.iter().map(|_| Slice::default()).collect();
        let (found, spare) = (slices(), slices());
        Ok(Self { hands, found, spare })
    }

    /// Has a batch judged. The one before must be finished.
    ///
    /// # Errors
    /// [`WorkerLost`] when a thread ended.
    pub fn begin(
        &mut self,
        world: &Arc<World>,
        batch: &Arc<Batch>,
        lanes: &Arc<[Lane]>,
        task: Task,
    ) -> Result<(), WorkerLost> {
        let (messages, workers) = (batch.messages().len(), self.hands.len());
        for (at, hand) in self.hands.iter().enumerate() {
            let range = messages * at / workers..messages * (at + 1) / workers;
            let slice = std::mem::take(&mut self.spare[at]);
            let (world, batch, lanes) = (Arc::clone(world), Arc::clone(batch), Arc::clone(lanes));
            hand.give(Job { world, batch, lanes, range, task, slice })?;
        }
        Ok(())
    }

    /// Waits until the batch that was begun is judged. Gives when the last worker was done.
    ///
    /// # Errors
    /// [`WorkerLost`] when a thread ended.
    pub fn finish(&mut self) -> Result<Instant, WorkerLost> {
        let mut done = None;
        for (hand, slice) in self.hands.iter().zip(&mut self.spare) {
            let (found, at) = hand.done.recv().map_err(|_| WorkerLost)?;
            *slice = found;
            done = done.max(Some(at));
        }
        std::mem::swap(&mut self.found, &mut self.spare);
        Ok(done.unwrap_or_else(Instant::now))
    }

    /// What was found in the batch that was finished last, in input order.
    pub fn found(&mut self) -> &mut [Slice] {
        &mut self.found
    }
}

impl Hand {
    fn start(number: usize) -> std::io::Result<Self> {
        let (jobs, inbox) = channel::<Job>();
        let (outbox, done) = channel();
        let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            // what a worker remembers stays with it, whichever slice it fills
            let mut own = Slice::default();
            for mut job in inbox {
                job.slice.exchange(&mut own);
                work(&job.world, &job.batch, job.range, job.task, &job.lanes, &mut job.slice);
                job.slice.exchange(&mut own);
                job.slice.world = Some(job.world);
                // the batch must be free again before the slice is back
                drop((job.batch, job.lanes));
                if outbox.send((job.slice, Instant::now())).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { jobs: Some(jobs), done, thread: Some(thread) })
    }

    fn give(&self, job: Job) -> Result<(), WorkerLost> {
        self.jobs.as_ref().ok_or(WorkerLost)?.send(job).map_err(|_| WorkerLost)
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // a panicked worker was reported by `finish` already
            drop(thread.join());
        }
    }
}
