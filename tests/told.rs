//! Laws of what stream users are told: a line of every judged event and of nothing else, the same whatever the cut, and in the
//! state database exactly if the evidence has its batch.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use harbourwatch::app::wire;
use harbourwatch::domain::position::Lane;
use harbourwatch::outbox::{Outbox, VerdictLines};
use harbourwatch::pipeline::report::{BatchReport, Coverage};
use harbourwatch::pipeline::told::{Told, frame, frames, id};
use harbourwatch::pipeline::world::World;
use harbourwatch::settings::{EXAMPLE_BANK, Settings};

use crate::support::{bank, day, run_in};

fn telling() -> Arc<World> {
    Arc::new(wire::world(&EXAMPLE_BANK.parse::<Settings>().unwrap()).unwrap().telling(true))
}

/// Lane and offset → lines.
fn lines(reports: &[BatchReport]) -> BTreeMap<(Lane, u64), Vec<Vec<u8>>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for report in reports {
        for told in &report.told {
            let lane = &report.coverage[told.lane].lane;
            for (offset, line) in frames(&told.lines) {
                all.entry((lane.clone(), offset)).or_default().push(line.to_vec());
            }
        }
    }
    all
}

#[test]
fn every_judged_event_has_one_line_whatever_the_cut() {
    let world = telling();
    let messages = day(3, 4_000, 30_000);
    let (whole, _, _) = run_in(&world, messages.clone(), 3, 10_000, 1);
    let (cut, _, _) = run_in(&world, messages, 3, 97, 3);
    assert_eq!(lines(&whole), lines(&cut));
    let sum = |share: fn(&Coverage) -> u64| whole.iter().flat_map(|report| &report.coverage).map(share).sum::<u64>();
    let (judged, rejected, duplicate) = (sum(|one| one.judged), sum(|one| one.rejected), sum(|one| one.duplicate));
    assert!(rejected > 0 && duplicate > 0, "{rejected} rejected, {duplicate} duplicates");
    let told: Vec<_> = lines(&whole).into_values().flatten().collect();
    assert_eq!(told.len() as u64, judged);
    let ids: BTreeSet<_> = told.iter().map(|line| id(line).to_vec()).collect();
    assert_eq!(ids.len(), told.len(), "each has its own id");
    let records: Vec<_> = whole.iter().flat_map(|report| &report.records).collect();
    let of_events = records.iter().filter(|record| !record.json.windows(10).any(|part| part == b"\"standing\""));
    assert!(of_events.clone().count() > 100);
    for record in of_events {
        assert!(ids.contains(record.id.as_bytes()), "no line of record {}", record.id);
    }
}

#[test]
fn a_line_names_nobody() {
    let (reports, _, _) = run_in(&telling(), day(4, 3_000, 0), 1, 1_000, 1);
    let people: BTreeSet<_> =
        reports.iter().flat_map(|report| &report.records).map(|one| one.subject.clone()).collect();
    assert!(people.len() > 20);
    let mut kinds = BTreeSet::new();
    for line in lines(&reports).into_values().flatten() {
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        kinds.insert(line["verdict"].to_string());
        for value in line.as_object().unwrap().values().filter_map(serde_json::Value::as_str) {
            assert!(!people.contains(value), "{line}");
        }
    }
    assert!(kinds.len() > 4, "{kinds:?}");
}

#[test]
fn where_nobody_asked_nothing_is_written() {
    let (reports, _, _) = run_in(&bank(), day(3, 500, 0), 2, 100, 2);
    assert!(reports.iter().all(|report| report.told.is_empty()));
}

fn lane() -> Lane {
    Lane { topic: "audit".to_owned(), partition: 4 }
}

/// A batch of the offsets from `from` to below `next`, a line each.
fn batch(from: u64, next: u64) -> BatchReport {
    let received = next - from;
    let (rejected, duplicate, last_digest) = (0, 0, String::new());
    let coverage = Coverage { lane: lane(), from, next, received, judged: received, rejected, duplicate, last_digest };
    let mut lines = Vec::new();
    (from..next).for_each(|offset| frame(&mut lines, offset, format!("line {offset}").as_bytes()));
    BatchReport { coverage: vec![coverage], told: vec![Told { lane: 0, lines }], ..BatchReport::default() }
}

fn offsets(lines: &VerdictLines, from: u64, below: u64, most: usize) -> (Vec<u64>, u64) {
    let untold = lines.untold(&lane(), from, below, most).unwrap();
    (frames(&untold.lines).map(|(offset, _)| offset).collect(), untold.next)
}

#[test]
fn lines_are_there_exactly_if_the_evidence_has_their_batch() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("state.db");
    let mut outbox = Outbox::open(&path, &[]).unwrap();
    let lines = VerdictLines::open(&path).unwrap();
    outbox.prepare(1, &batch(0, 10)).unwrap();
    assert_eq!(offsets(&lines, 0, 10, 1_000), (vec![], 10), "not published yet");
    outbox.apply(1).unwrap();
    outbox.prepare(2, &batch(10, 20)).unwrap();
    drop(outbox);
    // the crash came before the evidence was published: the batch never happened
    let mut outbox = Outbox::open(&path, &[]).unwrap();
    outbox.recover(1).unwrap();
    assert_eq!(offsets(&lines, 0, 20, 1_000), ((0..10).collect(), 20));
    // this time it came after
    outbox.prepare(2, &batch(10, 14)).unwrap();
    drop(outbox);
    let mut outbox = Outbox::open(&path, &[]).unwrap();
    outbox.recover(2).unwrap();
    assert_eq!(offsets(&lines, 0, 14, 1_000), ((0..14).collect(), 14));
}

#[test]
fn lines_go_on_from_where_the_group_stands_and_a_bound_ends_them_with_a_batch() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("state.db");
    let mut outbox = Outbox::open(&path, &[]).unwrap();
    for number in 0..4 {
        outbox.prepare(number + 1, &batch(number * 10, number * 10 + 10)).unwrap();
        outbox.apply(number + 1).unwrap();
    }
    let lines = VerdictLines::open(&path).unwrap();
    // another member has committed in the middle of a batch
    assert_eq!(offsets(&lines, 13, 25, 1_000), ((13..25).collect(), 25));
    assert_eq!(offsets(&lines, 0, 40, 1), ((0..10).collect(), 10));
    assert_eq!(offsets(&lines, 40, 40, 1), (vec![], 40));
    lines.let_go(&lane(), 25).unwrap();
    assert_eq!(offsets(&lines, 0, 40, 1_000), ((20..40).collect(), 40), "a batch goes when all of it was told");
    let other = Lane { partition: 5, ..lane() };
    assert_eq!(lines.untold(&other, 0, 40, 1_000).unwrap().lines, [] as [u8; 0]);
}
