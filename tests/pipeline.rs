//! The order of things between source and recorder: overlap, landings, failures, lanes that resume.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harbourwatch::domain::position::{Lane, LaneId};
use harbourwatch::pipeline::batch::{Batch, Limits, Resume};
use harbourwatch::pipeline::crew::Crew;
use harbourwatch::pipeline::dedupe::Dedupe;
use harbourwatch::pipeline::ports::{
    Durable, InFlight, Polled, Reached, RecordError, Recorder, Seal, Source, SourceError,
};
use harbourwatch::pipeline::report::{BatchReport, Gap, GapReason, Rejected};
use harbourwatch::pipeline::tally::Tally;
use harbourwatch::pipeline::work::Task;
use harbourwatch::pipeline::{Run, RunError};

use crate::support::{self, KEY, bank, day};

/// What happened, in order, as both sides wrote it down.
type Diary = Arc<Mutex<Vec<String>>>;

/// Gives batches of one message each.
struct Scripted {
    batches: Vec<Vec<(u64, Option<Resume>)>>,
    lanes: Vec<Lane>,
    diary: Diary,
    /// Whether each batch lands before the next is given.
    patient: bool,
    /// From this message on, each comes at the second poll.
    slow_from: u64,
    was_idle: bool,
}

fn lane() -> Lane {
    Lane { topic: "scripted".to_owned(), partition: 0 }
}

impl Scripted {
    fn offsets(offsets: &[u64], diary: &Diary) -> Self {
        let batches = offsets.iter().rev().map(|offset| vec![(*offset, None)]).collect();
        Self {
            batches,
            lanes: vec![lane()],
            diary: Arc::clone(diary),
            patient: false,
            slow_from: u64::MAX,
            was_idle: false,
        }
    }
}

impl Source for Scripted {
    fn poll(&mut self, batch: &mut Batch, limits: &Limits, flight: &mut dyn InFlight) -> Result<Polled, SourceError> {
        let write = |line: String| self.diary.lock().unwrap().push(line);
        if self.patient {
            let describe = |rejected: &mut [Rejected]| write(format!("describe {}", rejected.len()));
            if let Some(durable) = flight.wait(Duration::from_secs(10), &describe) {
                write(format!("landed {}", durable.reached()[0].next));
            }
        }
        let is_slow = self.batches.last().is_some_and(|messages| messages[0].0 >= self.slow_from);
        self.was_idle = is_slow && !self.was_idle;
        if self.was_idle {
            write(format!("idle {}", limits.wait_ms));
            return Ok(Polled::Idle);
        }
        let Some(messages) = self.batches.pop() else { return Ok(Polled::End) };
        for (offset, resume) in messages {
            resume.into_iter().for_each(|resume| batch.resume(resume));
            batch.push(LaneId(0), offset, b"{}", 0);
            write(format!("poll {offset}"));
        }
        Ok(Polled::Filled)
    }

    fn keep_alive(&mut self) {
        self.diary.lock().unwrap().push("alive".to_owned());
    }

    fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    fn commit(&mut self, durable: &Durable) -> Result<(), SourceError> {
        self.diary.lock().unwrap().push(format!("commit {}", durable.reached()[0].next));
        Ok(())
    }
}

/// Records after a pause, and refuses from a given batch on.
struct Slow {
    pause: Duration,
    refuse_from: usize,
    done: Vec<BatchReport>,
    diary: Diary,
}

impl Recorder for Slow {
    fn record(&mut self, report: &BatchReport, seal: Seal) -> Result<Durable, RecordError> {
        std::thread::sleep(self.pause);
        if self.done.len() >= self.refuse_from {
            self.diary.lock().unwrap().push("refuse".to_owned());
            return Err(RecordError("the disk is full".to_owned()));
        }
        let share = &report.coverage[0];
        self.diary.lock().unwrap().push(format!("record {}", share.next));
        let reached = Reached { lane: lane(), next: share.next, last_digest: share.last_digest.clone() };
        let (coverage, gaps) = (report.coverage.clone(), report.gaps.clone());
        self.done.push(BatchReport { coverage, gaps, ..BatchReport::default() });
        Ok(seal.attest(vec![reached]))
    }
}

/// Batches of one message, which do not wait for company.
fn run(source: &mut Scripted, recorder: &mut Slow, reached: &[Reached]) -> Result<(), RunError> {
    run_with(Limits::default(), source, recorder, reached)
}

fn run_with(limits: Limits, source: &mut Scripted, recorder: &mut Slow, reached: &[Reached]) -> Result<(), RunError> {
    let world = bank();
    let stop = AtomicBool::new(false);
    let run = Run { world: &|| Arc::clone(&world), limits, task: Task { key: KEY, lines: false }, stop: &stop };
    let (mut crew, mut tally) = (Crew::start(1).unwrap(), Tally::new(Dedupe::new(16, []), reached));
    run.through(source, recorder, &mut crew, &mut tally, &mut |_| ())
}

fn at(diary: &Diary, what: &str) -> usize {
    let diary = diary.lock().unwrap();
    diary.iter().position(|line| line == what).unwrap_or_else(|| panic!("{what} is not in {diary:?}"))
}

#[test]
fn the_next_batch_is_filled_while_one_is_recorded_and_commits_follow_records_in_order() {
    let diary = Diary::default();
    let mut source = Scripted::offsets(&[0, 1, 2], &diary);
    let mut recorder =
        Slow { pause: Duration::from_millis(450), refuse_from: 9, done: Vec::new(), diary: Arc::clone(&diary) };
    run(&mut source, &mut recorder, &[]).unwrap();
    assert!(at(&diary, "poll 1") < at(&diary, "record 1"), "no overlap: {diary:?}");
    assert!(at(&diary, "alive") < at(&diary, "commit 3"), "the source must be kept alive meanwhile: {diary:?}");
    assert!(at(&diary, "record 1") < at(&diary, "record 3"), "{diary:?}");
    assert!(at(&diary, "record 3") < at(&diary, "commit 3"), "{diary:?}");
}

#[test]
fn batches_that_wait_for_the_recorder_are_recorded_as_one_up_to_a_bound() {
    let diary = Diary::default();
    let offsets: Vec<u64> = (0..22).collect();
    let mut source = Scripted::offsets(&offsets, &diary);
    let mut recorder =
        Slow { pause: Duration::from_millis(300), refuse_from: 9, done: Vec::new(), diary: Arc::clone(&diary) };
    // one message fills a batch, so the source counts as having a backlog
    let full = Limits { messages: 1, ..Limits::default() };
    run_with(full, &mut source, &mut recorder, &[]).unwrap();
    let ranges: Vec<_> =
        recorder.done.iter().map(|report| (report.coverage[0].from, report.coverage[0].next)).collect();
    // as many as are company enough, then as many as may wait, then the rest
    assert_eq!(ranges, [(0, 4), (4, 20), (20, 22)]);
    assert!(at(&diary, "poll 19") < at(&diary, "record 4"), "sixteen wait: {diary:?}");
    assert!(at(&diary, "commit 4") < at(&diary, "poll 21"), "the source waits with them: {diary:?}");
    let received: Vec<_> = recorder.done.iter().map(|report| report.coverage[0].received).collect();
    assert_eq!(received, [4, 16, 2]);
}

#[test]
fn a_batch_waits_for_company_and_they_take_off_when_no_more_comes() {
    let diary = Diary::default();
    let mut source = Scripted::offsets(&[0, 1, 2], &diary);
    source.slow_from = 2;
    let mut recorder = Slow { pause: Duration::ZERO, refuse_from: 9, done: Vec::new(), diary: Arc::clone(&diary) };
    // one message fills a batch, so that each counts as having others behind it
    let full = Limits { messages: 1, ..Limits::default() };
    run_with(full, &mut source, &mut recorder, &[]).unwrap();
    let ranges: Vec<_> = recorder.done.iter().map(|report| report.coverage[0].next).collect();
    // the recorder was free when the first was judged, and yet it was not recorded alone
    assert_eq!(ranges, [2, 3], "{diary:?}");
    // asked for no long wait while they are on their way, and done with before anything else came
    assert!(at(&diary, "idle 10") < at(&diary, "record 2"), "{diary:?}");
    assert!(at(&diary, "commit 2") < at(&diary, "poll 2"), "{diary:?}");
}

#[test]
fn a_source_that_gives_a_lane_away_has_the_batch_before_judged_described_and_recorded_first() {
    let diary = Diary::default();
    let mut source = Scripted::offsets(&[0, 1], &diary);
    source.patient = true;
    let mut recorder = Slow { pause: Duration::ZERO, refuse_from: 9, done: Vec::new(), diary: Arc::clone(&diary) };
    run(&mut source, &mut recorder, &[]).unwrap();
    let said = diary.lock().unwrap().clone();
    // in the poll that follows, before anything else is read
    assert_eq!(said[..4], ["poll 0", "describe 1", "record 1", "landed 1"], "{said:?}");
    assert!(at(&diary, "landed 1") < at(&diary, "poll 1"), "{said:?}");
}

#[test]
fn what_landed_before_a_failure_is_committed() {
    let diary = Diary::default();
    let mut source = Scripted::offsets(&[0, 1, 2], &diary);
    let mut recorder =
        Slow { pause: Duration::from_millis(100), refuse_from: 1, done: Vec::new(), diary: Arc::clone(&diary) };
    run(&mut source, &mut recorder, &[]).unwrap_err();
    let commits: Vec<_> = diary.lock().unwrap().iter().filter(|line| line.starts_with("commit")).cloned().collect();
    assert_eq!(commits, ["commit 1"]);
}

#[test]
fn what_is_not_recorded_is_not_committed_and_nothing_follows_it() {
    let diary = Diary::default();
    let mut source = Scripted::offsets(&[0, 1, 2, 3], &diary);
    let mut recorder = Slow { pause: Duration::ZERO, refuse_from: 1, done: Vec::new(), diary: Arc::clone(&diary) };
    let error = run(&mut source, &mut recorder, &[]).unwrap_err();
    assert!(error.to_string().contains("the disk is full"));
    let commits: Vec<_> = diary.lock().unwrap().iter().filter(|line| line.starts_with("commit")).cloned().collect();
    assert_eq!(commits, ["commit 1"]);
    assert_eq!(recorder.done.len(), 1);
    let refusals = diary.lock().unwrap().iter().filter(|line| *line == "refuse").count();
    assert_eq!(refusals, 1, "a recorder that failed is asked no more: {diary:?}");
}

#[test]
fn a_lane_that_was_away_leaves_a_gap_with_its_reason_and_never_claims_what_it_did_not_get() {
    let diary = Diary::default();
    let mut source = Scripted::offsets(&[], &diary);
    let resume = |at, why| Some(Resume { lane: LaneId(0), at, why });
    source.patient = true;
    source.batches = vec![
        vec![(40, None)],
        vec![(31, resume(30, GapReason::Retention))],
        vec![(20, resume(20, GapReason::Elsewhere))],
    ];
    let mut recorder = Slow { pause: Duration::ZERO, refuse_from: 9, done: Vec::new(), diary };
    let known = Reached { lane: lane(), next: 10, last_digest: String::new() };
    run(&mut source, &mut recorder, &[known]).unwrap();
    let gap = |from, to, why| vec![Gap { lane: lane(), from, to, why }];
    let [first, second, third] = &recorder.done[..] else { panic!("three batches") };
    assert_eq!(first.gaps, gap(10, 20, GapReason::Elsewhere));
    assert_eq!((first.coverage[0].from, first.coverage[0].next), (20, 21));
    assert_eq!(second.gaps, gap(21, 30, GapReason::Retention));
    // offsets without a message inside an assignment are covered
    assert_eq!((second.coverage[0].from, second.coverage[0].next), (30, 32));
    assert!(third.gaps.is_empty());
    assert_eq!((third.coverage[0].from, third.coverage[0].next), (32, 41));
}

#[test]
fn batches_that_join_are_what_one_batch_would_have_been() {
    let messages = day(11, 3_000, 20_000);
    let (whole, ..) = support::run(messages.clone(), 3, usize::MAX, 1);
    let (cut, ..) = support::run(messages, 3, 700, 2);
    let [whole] = <[BatchReport; 1]>::try_from(whole).unwrap();
    let mut cut = cut.into_iter();
    let mut joined = cut.next().unwrap();
    cut.for_each(|later| {
        assert!(joined.goes_with(&later));
        joined.join(later);
    });
    assert_eq!(joined.coverage, whole.coverage);
    assert_eq!(joined.records, whole.records);
    assert_eq!(joined.rejected, whole.rejected);
    assert_eq!(joined.findings, whole.findings);
    assert_eq!(joined.fingerprints, whole.fingerprints);
    assert_eq!((joined.events(), joined.byte_len()), (whole.events(), whole.byte_len()));
    assert!(whole.findings.iter().any(|finding| finding.count > 1) && !whole.rejected.is_empty());
}
