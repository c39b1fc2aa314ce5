//! Every step on disk fails in every way, then the next start must leave a sound log without loss or double.

mod deeds;

use super::*;
use harbourwatch::evidence::disk::{Fate, Step};
use std::sync::{Arc, Mutex};

const BATCHES: [u64; 5] = [0, 3, 4, 300, 310];

/// Records what is missing of [`BATCHES`], from where the log says it is.
fn resume(log: &mut Log) -> Result<(), EvidenceError> {
    let done = reached(log);
    for pair in BATCHES.windows(2).filter(|pair| pair[1] > done) {
        put(log, pair[0].max(done), pair[1])?;
    }
    Ok(())
}

/// The step number `at` meets `fate`; if `dies`, no step after it happens. Gives the steps taken, too.
fn faults(at: usize, fate: Fate, dies: bool) -> (Faults, Arc<Mutex<Vec<Step>>>) {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let taken = steps.clone();
    let faults = Faults::new(move |step: Step, _: &Path| {
        let mut taken = taken.lock().unwrap();
        taken.push(step);
        match taken.len() - 1 {
            now if now == at => fate,
            now if now > at && dies => Fate::Lost,
            _ => Fate::Done,
        }
    });
    (faults, steps)
}

fn run(room: &Room, faults: Faults) -> Result<(), EvidenceError> {
    let mut log = room.open_with(faults)?;
    resume(&mut log)?;
    log.close()
}

#[test]
fn every_step_may_fail_in_every_way() {
    let (no_faults, steps) = faults(usize::MAX, Fate::Done, false);
    run(&Room::new(), no_faults).unwrap();
    let steps = steps.lock().unwrap().clone();
    assert!(steps.len() > 80, "{}", steps.len());
    for (at, step) in steps.into_iter().enumerate() {
        for (fate, dies) in [(Fate::Lost, true), (Fate::Kept, true), (Fate::Torn, true), (Fate::Kept, false)] {
            if fate == Fate::Torn && !matches!(step, Step::Append | Step::Write) {
                continue; // Without bytes there is nothing to tear.
            }
            let room = Room::new();
            let (faults, _) = faults(at, fate, dies);
            let outcome = run(&room, faults);
            assert!(outcome.is_err(), "step {at} {fate:?} failed and nobody said so");
            let found = |name: &str| room.archive().join(name).exists();
            assert!(
                found("log.vkey") || !found("checkpoint"),
                "step {at} {fate:?}: a checkpoint that nobody can verify"
            );
            settle(&room, &format!("step {at} {fate:?}"));
        }
    }
}

/// The next start: sound as found, whole after resuming, and again after a clean stop.
fn settle(room: &Room, case: &str) {
    let mut log = Log::open(&room.archive(), &room.options()).unwrap_or_else(|error| panic!("{case}: {error}"));
    let report = room.verify();
    assert!(report.is_sound(), "{case}: {:#?}", report.breaches);
    assert_eq!(report.records, reached(&log), "{case}");
    resume(&mut log).unwrap_or_else(|error| panic!("{case}: {error}"));
    log.close().unwrap();
    room.assert_sound(310);
}

#[test]
fn a_failed_step_closes_the_log_until_the_next_start() {
    let room = Room::new();
    let faults = Faults::new(|step, path| {
        let torn = step == Step::Append && path.ends_with("journal");
        if torn { Fate::Torn } else { Fate::Done }
    });
    let mut log = room.open_with(faults).unwrap();
    assert!(matches!(put(&mut log, 0, 5), Err(EvidenceError::Disk { .. })));
    assert!(matches!(put(&mut log, 0, 5), Err(EvidenceError::Poisoned)));
    drop(log);
    settle(&room, "poisoned");
}

#[test]
fn a_staged_batch_counts_only_when_it_is_published() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 3).unwrap();
    let (records, coverage) = ([record(3)], [coverage(3, 4)]);
    let batch = Batch { now_ms: NOW, records: &records, coverage: &coverage, ..Batch::default() };
    let staged = log.stage(&batch).unwrap();
    assert_eq!(staged.size(), log.size() + 4);
    drop((staged, log));
    let log = room.open();
    assert_eq!(reached(&log), 3);
    drop(log);
    settle(&room, "staged");
}

#[test]
fn killed_again_and_again_nothing_is_lost_and_nothing_alarms() {
    let mut dice = Dice(7);
    for round in 0..15 {
        let (room, mut kills) = (Room::new(), 0);
        loop {
            let fate = [Fate::Lost, Fate::Kept, Fate::Torn][dice.roll(3)];
            let (faults, _) = faults(dice.roll(60), fate, true);
            // Kills get rarer, so that each round ends.
            if kills > 12 || run(&room, faults).is_ok() {
                break;
            }
            kills += 1;
        }
        settle(&room, &format!("round {round}"));
    }
}

/// A log that was killed while a batch was staged: `verify` holds then, and must hold at every moment of the next start.
fn killed() -> Room {
    let room = Room::new();
    let mut log = room.open();
    for (from, to) in [(0, 300), (300, 700)] {
        put(&mut log, from, to).unwrap();
    }
    let (records, coverage) = ([record(700)], [coverage(700, 701)]);
    let batch = Batch { now_ms: NOW, records: &records, coverage: &coverage, ..Batch::default() };
    let staged = log.stage(&batch).unwrap();
    fs::remove_file(room.archive().join("lock")).unwrap();
    std::mem::forget((staged, log));
    room
}

#[test]
fn a_start_that_is_killed_leaves_what_was_published_as_it_was() {
    let (no_faults, steps) = faults(usize::MAX, Fate::Done, false);
    killed().open_with(no_faults).map(std::mem::forget).unwrap();
    let steps = steps.lock().unwrap().clone();
    assert!(steps.len() > 10, "{steps:?}");
    for (at, step) in steps.into_iter().enumerate() {
        for fate in [Fate::Lost, Fate::Kept, Fate::Torn] {
            let room = killed();
            assert!(room.open_with(faults(at, fate, true).0).is_err(), "step {at} {step:?} {fate:?}");
            let report = room.verify();
            assert!(report.is_sound(), "step {at} {step:?} {fate:?}: {:#?}", report.breaches);
        }
    }
}

#[test]
fn a_journal_that_turns_over_loses_nothing() {
    // Batches big enough that the tiles are synced in between; killed behind the turn.
    let room = Room::new();
    let mut log = Log::open(&room.archive(), &Options { segment_bytes: 1 << 20, ..room.options() }).unwrap();
    for n in 0..12 {
        put(&mut log, n * 2500, (n + 1) * 2500).unwrap();
    }
    let journal = fs::metadata(room.archive().join("journal")).unwrap().len();
    assert!(journal < 8 << 20, "the journal never turned over: {journal} bytes");
    fs::remove_file(room.archive().join("lock")).unwrap();
    std::mem::forget(log);
    // Tiles of the last batches never reached the medium.
    let tile = files(&room.archive().join("tile/entries")).pop().unwrap();
    fs::write(&tile, b"").unwrap();
    let log = room.open();
    assert_eq!(reached(&log), 30_000);
    drop(log);
    room.assert_sound(30_000);
}
