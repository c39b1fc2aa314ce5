//! What people do with the evidence is in it, once, whoever held the log when they did it.

use super::*;
use harbourwatch::app::handover::{Desk, Recorded, filing};
use harbourwatch::evidence::deed::Access;
use harbourwatch::evidence::disk::Fate;
use harbourwatch::evidence::{Deed, Detail, Filing, Inbox, Note};
use harbourwatch::outbox::Bounds;
use harbourwatch::recorder::dead_letters::DeadLetterTopic;
use harbourwatch::recorder::{Folders, Ledger};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn acknowledgement(number: usize) -> Filing {
    let detail = json!({"finding": format!("{number:024x}"), "by": "officer", "note": "agreement found"});
    filing(&detail, |commitment| Deed::Acknowledged { commitment }).unwrap()
}

fn folders(room: &Room) -> Folders {
    Folders { evidence: room.archive(), state: room.dir.path().join("keys") }
}

fn ledger(room: &Room, faults: Option<Faults>) -> Result<Ledger, String> {
    let options = Options { faults, ..room.options() };
    Ledger::open(&folders(room), &options, &[], Bounds::default(), DeadLetterTopic::None)
        .map_err(|error| error.to_string())
}

#[test]
fn a_deed_and_its_detail_are_part_of_the_log() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 5).unwrap();
    let looked = json!({"by": "officer", "why": "access request 12"});
    let looked = filing(&looked, |commitment| Deed::Accessed { access: Access::Query, commitment }).unwrap();
    let notes = [Note::Deed(acknowledgement(1)), Note::Deed(looked)];
    let (records, coverage) = ([record(5)], [coverage(5, 6)]);
    let batch = Batch { now_ms: NOW, records: &records, coverage: &coverage, notes: &notes, ..Batch::default() };
    let staged = log.stage(&batch).unwrap();
    log.publish(staged).unwrap();
    log.close().unwrap();
    room.assert_sound(6);
    assert_eq!(room.verify().deeds, 2);
}

#[test]
fn a_detail_that_is_no_line_of_json_or_not_its_commitment_is_refused() {
    let detail = |text: &str| Detail { salt: [1; 16], text: text.to_owned() };
    let refused = |text: &str| Filing::with(detail(text), |commitment| Deed::Acknowledged { commitment }).is_none();
    assert!(!refused(r#"{"by":"x"}"#));
    for text in ["", "[1]", "{", "{\"a\":\n1}", "{} ", "{}{}"] {
        assert!(refused(text), "{text:?}");
    }
    assert!(refused(&json!({"why": "x".repeat(20_000)}).to_string()));
    assert!(Filing::with(detail("{}"), |_| Deed::Acknowledged { commitment: [0; 32] }).is_none());
    assert!(Filing::plain(Deed::Acknowledged { commitment: [0; 32] }).is_none());
}

/// Fails the step number `at` and all after it; counts them.
fn dies_at(at: usize, fate: Fate) -> (Faults, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let faults = Faults::new(move |_, _| match counter.fetch_add(1, Ordering::SeqCst) {
        now if now < at => Fate::Done,
        now if now == at => fate,
        _ => Fate::Lost,
    });
    (faults, count)
}

#[test]
fn a_deed_left_in_the_inbox_is_recorded_once_wherever_the_writer_dies() {
    let run = |at: usize, fate: Fate| {
        let room = Room::new();
        ledger(&room, None).unwrap().close().unwrap();
        let inbox = Inbox::new(&folders(&room).state);
        (0..3).for_each(|number| drop(inbox.submit(&room.archive(), &acknowledgement(number)).unwrap()));
        let (faults, count) = dies_at(at, fate);
        let outcome = ledger(&room, Some(faults)).and_then(|mut ledger| {
            ledger.flush().map_err(|why| why.to_string())?;
            Ok((ledger, count.load(Ordering::SeqCst)))
        });
        assert_eq!(outcome.is_ok(), fate == Fate::Done, "step {at} {fate:?} failed and nobody said so");
        let steps = outcome.map_or(0, |(_, steps)| steps);
        let mut again = ledger(&room, None).unwrap();
        again.flush().unwrap();
        again.close().unwrap();
        assert_eq!(room.verify().deeds, 3, "step {at} {fate:?}");
        assert!(inbox.waiting().unwrap().is_empty());
        steps
    };
    let steps = run(usize::MAX, Fate::Done);
    assert!(steps > 20, "{steps}");
    for at in 0..steps {
        for fate in [Fate::Lost, Fate::Kept, Fate::Torn] {
            run(at, fate);
        }
    }
}

#[test]
fn what_is_no_deed_is_set_aside_and_keeps_no_other_waiting() {
    let room = Room::new();
    let mut ledger = ledger(&room, None).unwrap();
    let state = folders(&room).state;
    let inbox = Inbox::new(&state);
    inbox.submit(&room.archive(), &acknowledgement(1)).unwrap();
    let slip = fs::read_to_string(&files(&state.join("inbox"))[0]).unwrap();
    let changed = slip.replace("officer", "someone");
    assert_ne!(slip, changed);
    for (name, text) in [("0.json", "{}"), ("1.json", changed.as_str()), ("2.tmp", "half"), ("3.json", "\0")] {
        fs::write(state.join("inbox").join(name), text).unwrap();
    }
    ledger.flush().unwrap();
    ledger.close().unwrap();
    assert_eq!(room.verify().deeds, 1);
    let left: Vec<_> = files(&state.join("inbox")).iter().map(|path| path.extension().unwrap().to_owned()).collect();
    assert_eq!(left, ["bad", "bad", "tmp", "bad"]);
}

#[test]
fn a_command_records_by_itself_or_through_the_service_that_holds_the_log() {
    let room = Room::new();
    let config = room.dir.path().join("harbourwatch.toml");
    let data = room.dir.path().join("data");
    fs::write(&config, include_str!("../../config/minimal.toml")).unwrap();
    let desk = Desk::of(&config, Some(&data)).unwrap();
    assert!(desk.record(&acknowledgement(0)).is_err(), "there is no log yet");
    let open = || harbourwatch::app::wire::ledger(desk.settings(), desk.folders(), &[]).unwrap();
    open().close().unwrap();
    assert_eq!(desk.record(&acknowledgement(1)).unwrap(), Recorded::Done);
    let mut held = open();
    std::thread::scope(|scope| {
        let command = scope.spawn(|| desk.record(&acknowledgement(2)).unwrap());
        while !command.is_finished() {
            held.flush().unwrap();
            std::thread::yield_now();
        }
        assert_eq!(command.join().unwrap(), Recorded::Done);
    });
    held.close().unwrap();
    let report = verify(&data.join("evidence"), &VerifyOptions::default()).unwrap();
    assert!(report.is_sound(), "{:?}", report.breaches);
    assert_eq!(report.deeds, 2);
}
