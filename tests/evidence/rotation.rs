//! Keys change without anything being rewritten, and whoever trusts one key can follow to the next.

use super::*;
use harbourwatch::evidence::deed::{Deletion, Rotation};
use harbourwatch::evidence::disk::Fate;
use harbourwatch::evidence::keyring::Keyring;
use harbourwatch::evidence::keys::make_next;
use harbourwatch::evidence::verify::BreachKind;
use harbourwatch::evidence::{Deed, Detail, Filing, Note};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn key(room: &Room) -> PathBuf {
    room.options().key
}

fn rotation(room: &Room, log: &Log) -> Filing {
    let to = make_next(&key(room), "harbourwatch/evidence/test").unwrap();
    let detail = Detail { salt: [9; 16], text: r#"{"by":"officer","why":"test"}"#.into() };
    Filing::with(detail, |commitment| Deed::Rotated(Rotation::Signer { from: log.vkey(), to, commitment })).unwrap()
}

fn file(log: &mut Log, filing: &Filing) -> Result<u64, EvidenceError> {
    let notes = [Note::Deed(filing.clone())];
    let staged = log.stage(&Batch { now_ms: NOW, notes: &notes, ..Batch::default() })?;
    Ok(log.publish(staged)?.size)
}

fn verify_with(room: &Room, vkey: &str) -> VerifyReport {
    verify(&room.archive(), &VerifyOptions { vkey: Some(vkey), ..VerifyOptions::default() }).unwrap()
}

#[test]
fn a_log_goes_on_under_a_new_signing_key_and_each_key_leads_to_the_next() {
    let room = Room::new();
    let mut log = room.open();
    let (mut vkeys, mut at) = (vec![log.vkey()], 0);
    for _ in 0..3 {
        put(&mut log, at, at + 20).unwrap();
        let filing = rotation(&room, &log);
        file(&mut log, &filing).unwrap();
        assert!(room.verify().is_sound(), "at once");
        vkeys.push(log.vkey());
        put(&mut log, at + 20, at + 30).unwrap();
        (at, log) = (at + 30, reopened(&room, log));
    }
    log.close().unwrap();
    room.assert_sound(at);
    for vkey in &vkeys {
        let report = verify_with(&room, vkey);
        assert!(report.is_sound() && report.warnings.is_empty(), "{:#?}", report.breaches);
    }
    assert_eq!(vkeys.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    assert!(!key(&room).with_extension("key.next").exists());
    // the list of keys is for convenience: it can be made again from the log
    let path = room.archive().join("log.vkey");
    let list = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    drop(room.open());
    assert_eq!(fs::read_to_string(&path).unwrap(), list);
    // and every way to change it is seen
    let lines: Vec<&str> = list.lines().collect();
    for wrong in [&lines[1..], &lines[..3], &[lines[0], lines[2], lines[1], lines[3]], &lines[3..], &lines[..0]] {
        fs::write(&path, wrong.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        assert!(!room.verify().is_sound(), "{}", wrong.len());
    }
}

fn reopened(room: &Room, log: Log) -> Log {
    log.close().unwrap();
    room.open()
}

#[test]
fn a_change_of_the_signing_key_survives_every_crash() {
    let run = |at: usize, fate: Fate| {
        let room = Room::new();
        let mut log = room.open();
        put(&mut log, 0, 5).unwrap();
        log.close().unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        let faults = Faults::new(move |_, _| match counter.fetch_add(1, Ordering::SeqCst) {
            now if now < at => Fate::Done,
            now if now == at => fate,
            _ => Fate::Lost,
        });
        let attempt = || {
            let mut log = room.open_with(faults)?;
            let filing = rotation(&room, &log);
            file(&mut log, &filing)?;
            put(&mut log, 5, 9)?;
            Ok::<_, EvidenceError>((log, count.load(Ordering::SeqCst)))
        };
        let outcome = attempt();
        assert_eq!(outcome.is_ok(), fate == Fate::Done);
        let steps = outcome.map_or(0, |(_, steps)| steps);
        let mut log = room.open();
        assert!(room.verify().is_sound(), "step {at} {fate:?}: {:#?}", room.verify().breaches);
        let done = reached(&log);
        put(&mut log, done, 12).unwrap();
        log.close().unwrap();
        room.assert_sound(12);
        steps
    };
    let steps = run(usize::MAX, Fate::Done);
    for at in 0..steps {
        for fate in [Fate::Lost, Fate::Kept, Fate::Torn] {
            run(at, fate);
        }
    }
}

#[test]
fn other_recipients_are_an_entry_and_open_frames_from_there_on() {
    use age::secrecy::ExposeSecret;
    let room = Room::new();
    let identities: Vec<_> = (0..2).map(|_| age::x25519::Identity::generate()).collect();
    for (n, identity) in (0..).zip(&identities) {
        let options = Options { recipients: vec![identity.to_public().to_string()], ..room.options() };
        let mut log = Log::open(&room.archive(), &options).unwrap();
        put(&mut log, n * 10, n * 10 + 5).unwrap();
        put(&mut log, n * 10 + 5, n * 10 + 10).unwrap();
        log.close().unwrap();
    }
    let entries =
        String::from_utf8_lossy(&fs::read(files(&room.archive().join("tile/entries")).pop().unwrap()).unwrap())
            .matches("recipients")
            .count();
    assert_eq!(entries, 2);
    // an officer who had a new key keeps the old one in the same file
    let both: String =
        identities.iter().map(|identity| format!("{}\n", identity.to_string().expose_secret())).collect();
    let how = VerifyOptions { identity: Some(&both), ..VerifyOptions::default() };
    let report = verify(&room.archive(), &how).unwrap();
    assert!(report.is_sound(), "{:#?}", report.breaches);
    assert_eq!(report.opened, 20);
}

#[test]
fn a_key_that_the_log_says_is_gone_stays_gone_even_if_a_copy_is_put_back() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 14).unwrap();
    log.close().unwrap();
    let path = room.dir.path().join("keys/evidence.key.subjects");
    let copy = fs::read(&path).unwrap();
    let held = || Keyring::open(&path, false).unwrap().all().unwrap();
    let before = held();
    assert_eq!(before.len(), 7);
    let mut log = room.open();
    let detail = Detail::new(r#"{"by":"officer","ground":"s.26"}"#.into()).unwrap();
    let erased = Filing::with(detail, |commitment| Deed::Erased { commitment, keys: vec![before[2].id] }).unwrap();
    file(&mut log, &erased).unwrap();
    assert_eq!(held().len(), 6);
    let gone = before[2].id.0;
    let holds = |bytes: &[u8]| bytes.windows(16).any(|window| window == gone);
    assert!(holds(&copy) && !holds(&fs::read(&path).unwrap()), "the pages of the file still have it");
    let (month, class) = (before[0].month, "transfer".to_owned());
    let all = Deletion::Keys { month, class, count: 5, rule: "transfer:72".into(), kept: vec![before[4].id] };
    file(&mut log, &Filing::plain(Deed::Deleted(all)).unwrap()).unwrap();
    assert_eq!(held(), [before[4].clone()]);
    log.close().unwrap();
    fs::write(&path, copy).unwrap();
    assert_eq!(held().len(), 7);
    drop(room.open());
    assert_eq!(held(), [before[4].clone()]);
    // the subject of an erased key has a new one from now on
    let mut log = room.open();
    put(&mut log, 14, 28).unwrap();
    log.close().unwrap();
    assert_eq!(held().len(), 7);
    room.assert_sound(28);
    // without the keys the log does not go on and forget them in silence
    fs::remove_file(&path).unwrap();
    let refused = Log::open(&room.archive(), &room.options()).unwrap_err().to_string();
    assert!(refused.contains("keys init"), "{refused}");
    assert_eq!(room.verify().breaches.iter().map(|breach| breach.kind).collect::<Vec<_>>(), Vec::<BreachKind>::new());
}
