//! A source and a recorder in memory, and the world of the example bank.

#![allow(clippy::unwrap_used)]

pub(crate) mod findings;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use harbourwatch::app::wire;
use harbourwatch::domain::position::{Lane, LaneId};
use harbourwatch::pipeline::Run;
use harbourwatch::pipeline::batch::{Batch, Limits};
use harbourwatch::pipeline::crew::Crew;
use harbourwatch::pipeline::dedupe::Dedupe;
use harbourwatch::pipeline::fingerprint::FingerprintKey;
use harbourwatch::pipeline::ports::{
    Durable, InFlight, Polled, Reached, RecordError, Recorder, Seal, Source, SourceError,
};
use harbourwatch::pipeline::report::BatchReport;
use harbourwatch::pipeline::tally::Tally;
use harbourwatch::pipeline::work::Task;
use harbourwatch::pipeline::world::World;
use harbourwatch::settings::{EXAMPLE_BANK, Settings};

/// Key of the duplicate check in tests.
pub(crate) const KEY: FingerprintKey = FingerprintKey([7; 16]);

/// The example bank, built once.
pub(crate) fn bank() -> Arc<World> {
    static WORLD: OnceLock<Arc<World>> = OnceLock::new();
    let build = || Arc::new(wire::world(&EXAMPLE_BANK.parse::<Settings>().unwrap()).unwrap());
    Arc::clone(WORLD.get_or_init(build))
}

/// Messages of a synthetic day, `garbage` of a million of them broken.
pub(crate) fn day(seed: u64, events: u64, garbage: u32) -> Vec<Vec<u8>> {
    use harbourwatch::source::generate::{Generator, Organisation, Plan, Quirks};
    let plan = Plan { quirks: Quirks { garbage, ..Quirks::default() }, ..Plan::new(seed, events) };
    let mut generator = Generator::new(plan, Organisation::bank());
    let mut messages = Vec::new();
    let mut message = Vec::new();
    while generator.next(&mut message).is_some() {
        messages.push(std::mem::take(&mut message));
    }
    messages
}

/// Hands out messages in lanes, by turns.
pub(crate) struct Memory {
    messages: Vec<Vec<u8>>,
    lanes: Vec<Lane>,
    at: usize,
    /// Offsets below which each lane was committed.
    pub(crate) committed: Vec<u64>,
}

impl Memory {
    pub(crate) fn new(messages: Vec<Vec<u8>>, lanes: u32) -> Self {
        let lanes: Vec<_> = (0..lanes as i32).map(|partition| Lane { topic: "memory".to_owned(), partition }).collect();
        let committed = vec![0; lanes.len()];
        Self { messages, lanes, at: 0, committed }
    }
}

impl Source for Memory {
    fn poll(&mut self, batch: &mut Batch, limits: &Limits, _: &mut dyn InFlight) -> Result<Polled, SourceError> {
        if self.at == self.messages.len() {
            return Ok(Polled::End);
        }
        while self.at < self.messages.len() && !batch.is_full(limits) {
            let (lane, offset) = (self.at % self.lanes.len(), self.at / self.lanes.len());
            batch.push(LaneId(lane as u32), offset as u64, &self.messages[self.at], 0);
            self.at += 1;
        }
        Ok(Polled::Filled)
    }

    fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    fn commit(&mut self, durable: &Durable) -> Result<(), SourceError> {
        for reached in durable.reached() {
            self.committed[reached.lane.partition as usize] = reached.next;
        }
        Ok(())
    }
}

/// Keeps every report.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Vec<BatchReport>);

impl Recorder for Kept {
    fn record(&mut self, report: &BatchReport, seal: Seal) -> Result<Durable, RecordError> {
        let reached = report.coverage.iter().map(|share| Reached {
            lane: share.lane.clone(),
            next: share.next,
            last_digest: share.last_digest.clone(),
        });
        let durable = seal.attest(reached.collect());
        self.0.push(BatchReport {
            coverage: report.coverage.clone(),
            records: report.records.clone(),
            rejected: report.rejected.clone(),
            findings: report.findings.clone(),
            fingerprints: report.fingerprints.clone(),
            gaps: report.gaps.clone(),
            told: report.told.clone(),
            in_force: report.in_force.clone(),
        });
        Ok(durable)
    }
}

/// Runs messages through the real pipeline; gives the reports and the verdict lines.
pub(crate) fn run(
    messages: Vec<Vec<u8>>,
    lanes: u32,
    batch: usize,
    workers: usize,
) -> (Vec<BatchReport>, Vec<u8>, Vec<u64>) {
    run_in(&bank(), messages, lanes, batch, workers)
}

/// The same in another world.
pub(crate) fn run_in(
    world: &Arc<World>,
    messages: Vec<Vec<u8>>,
    lanes: u32,
    batch: usize,
    workers: usize,
) -> (Vec<BatchReport>, Vec<u8>, Vec<u64>) {
    let (mut source, mut kept, mut lines) = (Memory::new(messages, lanes), Kept::default(), Vec::new());
    let limits = Limits { messages: batch, ..Limits::default() };
    let stop = AtomicBool::new(false);
    let task = Task { key: KEY, lines: true };
    let run = Run { world: &|| Arc::clone(world), limits, task, stop: &stop };
    let mut crew = Crew::start(workers).unwrap();
    let mut tally = Tally::new(Dedupe::new(1 << 20, []), &[]);
    run.through(&mut source, &mut kept, &mut crew, &mut tally, &mut |seen| lines.extend_from_slice(seen.lines))
        .unwrap();
    (kept.0, lines, source.committed)
}

/// Shows a receipt that reaches up to these offsets, by the one way in which receipts are made.
pub(crate) fn with_receipt(reached: Vec<Reached>, show: impl FnMut(&Durable)) {
    struct Once<F>(bool, F);
    impl<F: FnMut(&Durable)> Source for Once<F> {
        fn poll(&mut self, batch: &mut Batch, _: &Limits, _: &mut dyn InFlight) -> Result<Polled, SourceError> {
            if std::mem::replace(&mut self.0, true) {
                return Ok(Polled::End);
            }
            batch.push(LaneId(0), 0, b"{}", 0);
            Ok(Polled::Filled)
        }

        fn lanes(&self) -> &[Lane] {
            static LANE: OnceLock<[Lane; 1]> = OnceLock::new();
            LANE.get_or_init(|| [Lane { topic: "once".to_owned(), partition: 0 }])
        }

        fn commit(&mut self, durable: &Durable) -> Result<(), SourceError> {
            (self.1)(durable);
            Ok(())
        }
    }
    struct Yes(Vec<Reached>);
    impl Recorder for Yes {
        fn record(&mut self, _: &BatchReport, seal: Seal) -> Result<Durable, RecordError> {
            Ok(seal.attest(std::mem::take(&mut self.0)))
        }
    }
    let (world, stop, mut source) = (bank(), AtomicBool::new(false), Once(false, show));
    let task = Task { key: KEY, lines: false };
    let run = Run { world: &|| Arc::clone(&world), limits: Limits::default(), task, stop: &stop };
    let (mut crew, mut tally) = (Crew::start(1).unwrap(), Tally::new(Dedupe::new(16, []), &[]));
    run.through(&mut source, &mut Yes(reached), &mut crew, &mut tally, &mut |_| ()).unwrap();
}

/// Holds a text against the file of that name under `tests/golden`.
pub(crate) fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name}: look at the change, then run with UPDATE_GOLDEN=1");
}
