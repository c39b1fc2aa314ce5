//! Whatever is changed in an archive, the verifier names it.

use super::*;
use harbourwatch::evidence::checkpoint::Checkpoint;
use harbourwatch::evidence::merkle::{Tree, leaf_hash};
use harbourwatch::evidence::note::NoteSigner;
use harbourwatch::evidence::verify::BreachKind;

/// An archive at rest: several batches, tiles on two levels, two finished segments.
fn at_rest() -> Room {
    let room = Room::new();
    let mut log = Log::open(&room.archive(), &Options { segment_bytes: 6000, ..room.options() }).unwrap();
    for (from, next) in [(0, 5), (5, 150), (150, 290), (290, 300)] {
        put(&mut log, from, next).unwrap();
    }
    log.close().unwrap();
    room.assert_sound(300);
    room
}

/// Files that are evidence. The lock is empty, the index is derived; neither says anything to a verifier.
fn evidence(room: &Room) -> Vec<PathBuf> {
    let derived = |path: &PathBuf| path.ends_with("lock") || path.starts_with(room.archive().join("index"));
    files(&room.archive()).into_iter().filter(|path| !derived(path)).collect()
}

fn mutate(dice: &mut Dice, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let (a, b) = (dice.roll(bytes.len()), dice.roll(bytes.len()));
    let (from, to) = (a.min(b), a.max(b));
    match dice.roll(8) {
        0 | 1 => bytes[a] ^= 1 << dice.roll(8),
        2 => bytes.truncate(a),
        3 => bytes.swap(a, b),
        4 => drop(bytes.drain(from..to)),
        5 => bytes.extend_from_within(from..to),
        6 => bytes[from..to].reverse(),
        _ => return None,
    }
    Some(bytes)
}

#[test]
fn every_change_of_a_file_is_caught() {
    let room = at_rest();
    let (files, mut dice, mut caught) = (evidence(&room), Dice(1), 0);
    while caught < 1500 {
        let path = &files[dice.roll(files.len())];
        let before = fs::read(path).unwrap();
        match mutate(&mut dice, &before) {
            Some(after) if after == before => continue,
            Some(after) => fs::write(path, after).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        let report = room.verify();
        assert!(!report.is_sound(), "a change of {} was missed", path.display());
        fs::write(path, before).unwrap();
        caught += 1;
    }
    room.assert_sound(300);
}

#[test]
fn every_byte_of_the_small_files_counts() {
    let room = at_rest();
    for path in evidence(&room).iter().filter(|path| path.metadata().unwrap().len() < 400) {
        let before = fs::read(path).unwrap();
        for index in 0..before.len() {
            let mut after = before.clone();
            after[index] ^= 0x20;
            fs::write(path, after).unwrap();
            assert!(!room.verify().is_sound(), "byte {index} of {}", path.display());
        }
        fs::write(path, before).unwrap();
    }
}

#[test]
fn files_that_change_places_or_are_added_are_caught() {
    let room = at_rest();
    let files = evidence(&room);
    for (one, other) in files.iter().zip(files.iter().skip(1)) {
        let (a, b) = (fs::read(one).unwrap(), fs::read(other).unwrap());
        fs::write(one, &b).unwrap();
        fs::write(other, &a).unwrap();
        assert!(!room.verify().is_sound(), "{} and {} changed places", one.display(), other.display());
        fs::write(one, a).unwrap();
        fs::write(other, b).unwrap();
    }
    for name in ["tile/0/001", "tile/0/009.p/3", "tile/note", "segments/2026-11/000009.seg", "segments/x"] {
        let path = room.archive().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"x").unwrap();
        let report = room.verify();
        assert_eq!(report.breaches.iter().map(|breach| breach.kind).collect::<Vec<_>>(), [BreachKind::Stray], "{name}");
        fs::remove_file(path).unwrap();
    }
    room.assert_sound(300);
}

#[test]
fn a_changed_entry_is_named_with_its_record() {
    let room = at_rest();
    let path = room.archive().join("tile/entries/000");
    let bundle = fs::read(&path).unwrap();
    // Entry 0 is the checkpoint, entry 1 names the recipients, entries 2 to 6 are the records of the first batch.
    let third = bundle.windows(6).enumerate().filter(|(_, window)| *window == b"hw1 R ").nth(2).unwrap().0;
    let mut changed = bundle;
    changed[third + 25] ^= 1;
    fs::write(&path, changed).unwrap();
    let report = room.verify();
    assert_eq!((report.breaches[0].kind, report.breaches[0].entry), (BreachKind::Entry, Some(4)));
    assert_eq!(report.first_bad_record(), Some(2));
}

#[test]
fn a_changed_frame_is_named_with_its_first_record() {
    let room = at_rest();
    let path = room.archive().join("segments/2026-11/000001.seg");
    let mut segment = fs::read(&path).unwrap();
    let second = 4 + u32::from_be_bytes(segment[..4].try_into().unwrap()) as usize;
    segment[second + 30] ^= 1;
    fs::write(&path, segment).unwrap();
    let report = room.verify();
    assert_eq!(report.breaches[0].kind, BreachKind::Frame);
    assert_eq!(report.first_bad_record(), Some(5));
}

/// Signs the archive's size and root anew with another key of the same name.
#[test]
fn a_log_signed_by_another_key_is_caught() {
    let room = at_rest();
    let path = room.archive().join("checkpoint");
    let checkpoint = Checkpoint::parse(&fs::read_to_string(&path).unwrap()).unwrap();
    let vkey = fs::read_to_string(room.archive().join("log.vkey")).unwrap();
    let thief = NoteSigner::new(&checkpoint.origin, &[66; 32]).unwrap();
    fs::write(&path, Checkpoint::sign(&thief, checkpoint.size, checkpoint.root).note()).unwrap();
    assert_eq!(room.verify().breaches[0].kind, BreachKind::Signature);
    // With their own key beside it the archive's history speaks against them, and so does an independent key.
    fs::write(room.archive().join("log.vkey"), format!("{}\n", thief.verifier().vkey())).unwrap();
    assert_eq!(room.verify().breaches[0].kind, BreachKind::History);
    let how = VerifyOptions { vkey: Some(&vkey), ..VerifyOptions::default() };
    assert_eq!(verify(&room.archive(), &how).unwrap().breaches[0].kind, BreachKind::VerifierKey);
}

#[test]
fn a_tail_cut_off_is_caught_by_a_checkpoint_kept_elsewhere() {
    let (room, mut kept) = (Room::new(), Vec::new());
    let mut log = room.open();
    for n in 0..3 {
        put(&mut log, n * 5, n * 5 + 5).unwrap();
        kept.push(log.checkpoint().note());
    }
    log.close().unwrap();
    fs::write(room.archive().join("checkpoint"), &kept[1]).unwrap();
    assert!(!room.verify().is_sound());
    let how = VerifyOptions { known: &kept[2..], ..VerifyOptions::default() };
    assert_eq!(verify(&room.archive(), &how).unwrap().breaches[0].kind, BreachKind::Known);
}

#[test]
fn nonsense_neither_panics_nor_passes() {
    let mut dice = Dice(3);
    for round in 0..60 {
        let room = Room::new();
        fs::create_dir_all(room.archive().join("tile/0")).unwrap();
        if round % 2 == 0 {
            let signer = NoteSigner::new("a/log", &[1; 32]).unwrap();
            fs::write(room.archive().join("log.vkey"), format!("{}\n", signer.verifier().vkey())).unwrap();
            let size = [1, 256, u64::MAX][dice.roll(3)];
            fs::write(room.archive().join("checkpoint"), Checkpoint::sign(&signer, size, [0; 32]).note()).unwrap();
        }
        for name in ["tile/entries/000.p/1", "tile/0/000.p/1", "segments/2026-11/000001.seg"] {
            let path = room.archive().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let noise: Vec<u8> = (0..dice.roll(80)).map(|_| dice.roll(256) as u8).collect();
            fs::write(path, noise).unwrap();
        }
        assert!(!room.verify().is_sound());
    }
}

/// Where an entry stands in its bundle, with its length prefix.
fn entries_of(bundle: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (mut at, mut found) = (0, Vec::new());
    while at < bundle.len() {
        let length = usize::from(u16::from_be_bytes([bundle[at], bundle[at + 1]]));
        found.push(at..at + 2 + length);
        at += 2 + length;
    }
    found
}

/// Frames of a segment, with their length prefixes.
fn frames_of(segment: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (mut at, mut found) = (0, Vec::new());
    while at < segment.len() {
        let length = u32::from_be_bytes(segment[at..at + 4].try_into().unwrap()) as usize;
        found.push(at..at + 4 + length);
        at += 4 + length;
    }
    found
}

/// Cuts along the joints: whole entries and frames are left out, doubled, exchanged, put elsewhere.
#[test]
fn whole_entries_and_frames_removed_doubled_or_reordered_are_caught() {
    let room = at_rest();
    let (mut dice, mut caught) = (Dice(7), 0);
    let jointed = |path: &PathBuf| {
        path.starts_with(room.archive().join("tile/entries")) || path.starts_with(room.archive().join("segments"))
    };
    let files: Vec<PathBuf> = evidence(&room).into_iter().filter(jointed).collect();
    while caught < 500 {
        let path = &files[dice.roll(files.len())];
        let before = fs::read(path).unwrap();
        let is_segment = path.extension().is_some_and(|end| end == "seg");
        let parts = if is_segment { frames_of(&before) } else { entries_of(&before) };
        let mut order: Vec<usize> = (0..parts.len()).collect();
        let (a, b) = (dice.roll(parts.len()), dice.roll(parts.len()));
        match dice.roll(5) {
            0 => drop(order.remove(a)),
            1 => order.insert(a, b),
            2 => order.swap(a, b),
            3 => order.truncate(a),
            _ => {
                let taken = order.remove(a);
                order.insert(b.min(order.len()), taken);
            }
        }
        let after: Vec<u8> = order.iter().flat_map(|part| before[parts[*part].clone()].to_vec()).collect();
        if after == before {
            continue;
        }
        fs::write(path, after).unwrap();
        assert!(!room.verify().is_sound(), "a change of {} was missed: {order:?}", path.display());
        fs::write(path, before).unwrap();
        caught += 1;
    }
    room.assert_sound(300);
}

/// Cut off behind any entry and signed again: with the true key and the root it had then, with the true key and another root,
/// and with another key of the same name.
#[test]
fn a_log_put_back_to_any_size_and_signed_again_is_caught() {
    let room = at_rest();
    let path = room.archive().join("checkpoint");
    let whole = [fs::read_to_string(&path).unwrap()];
    let now = Checkpoint::parse(&whole[0]).unwrap();
    let own = NoteSigner::parse(&fs::read_to_string(room.options().key).unwrap()).unwrap();
    let thief = NoteSigner::new(&now.origin, &[66; 32]).unwrap();
    let how = VerifyOptions { known: &whole, ..VerifyOptions::default() };
    let (mut tree, mut caught) = (Tree::default(), 0);
    for bundle in files(&room.archive().join("tile/entries")).iter().map(|path| fs::read(path).unwrap()) {
        for entry in entries_of(&bundle) {
            tree.push(leaf_hash(&bundle[entry.start + 2..entry.end]), |_, _| ());
            for (signer, root) in [(&own, tree.root()), (&own, [7; 32]), (&thief, tree.root())] {
                let again = Checkpoint::sign(signer, tree.size(), root);
                if again != now {
                    fs::write(&path, again.note()).unwrap();
                    assert!(!verify(&room.archive(), &how).unwrap().is_sound(), "signed again at {}", tree.size());
                    caught += 1;
                }
            }
        }
    }
    assert_eq!((tree.size(), tree.root(), caught), (now.size, now.root, 3 * now.size - 1));
}

/// Whoever has the signing key can write another history. The checkpoint that somebody kept tells.
#[test]
fn a_history_written_anew_with_the_true_key_is_caught_by_a_checkpoint_kept_elsewhere() {
    let (room, mut kept) = (Room::new(), Vec::new());
    let mut log = room.open();
    for n in 0..4 {
        put(&mut log, n * 5, n * 5 + 5).unwrap();
        kept.push(log.checkpoint().note());
    }
    log.close().unwrap();
    fs::remove_dir_all(room.archive()).unwrap();
    // the keyring stays; the log begins anew under the same signing key, without one record
    fs::remove_file(room.dir.path().join("keys/evidence.key.subjects")).unwrap();
    let mut log = room.open();
    let records: Vec<Record> = (0..20).filter(|offset| *offset != 7).map(record).collect();
    let mut all = coverage(0, 20);
    (all.received, all.judged) = (19, 19);
    let staged = log.stage(&Batch { now_ms: NOW, records: &records, coverage: &[all], ..Batch::default() }).unwrap();
    log.publish(staged).unwrap();
    put(&mut log, 20, 40).unwrap();
    log.close().unwrap();
    assert!(room.verify().is_sound(), "by itself it looks whole");
    for note in &kept {
        let how = VerifyOptions { known: std::slice::from_ref(note), ..VerifyOptions::default() };
        let report = verify(&room.archive(), &how).unwrap();
        assert_eq!(report.breaches.iter().map(|breach| breach.kind).collect::<Vec<_>>(), [BreachKind::Known], "{note}");
    }
}

#[test]
fn an_archive_put_back_to_an_earlier_state_is_caught_by_a_checkpoint_kept_elsewhere() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 300).unwrap();
    log.close().unwrap();
    let copy: Vec<(PathBuf, Vec<u8>)> =
        files(&room.archive()).into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    let mut log = room.open();
    put(&mut log, 300, 310).unwrap();
    let kept = [log.checkpoint().note()];
    log.close().unwrap();
    let how = VerifyOptions { known: &kept, ..VerifyOptions::default() };
    assert!(verify(&room.archive(), &how).unwrap().is_sound());
    fs::remove_dir_all(room.archive()).unwrap();
    for (path, bytes) in copy {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    assert!(room.verify().is_sound(), "by itself it is whole");
    assert_eq!(verify(&room.archive(), &how).unwrap().breaches[0].kind, BreachKind::Known);
}

#[test]
fn two_hundred_archives_of_killed_and_restarted_runs_are_sound() {
    use harbourwatch::evidence::disk::Fate;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    for seed in 0..200 {
        let (room, mut dice) = (Room::new(), Dice(seed));
        for _ in 0..3 {
            let (count, last) = (Arc::new(AtomicUsize::new(0)), dice.roll(60));
            let fate = [Fate::Lost, Fate::Kept, Fate::Torn][dice.roll(3)];
            let faults = Faults::new(move |_, _| match count.fetch_add(1, Ordering::SeqCst) {
                now if now < last => Fate::Done,
                now if now == last => fate,
                _ => Fate::Lost,
            });
            let run = || {
                let mut log = room.open_with(faults)?;
                for _ in 0..4 {
                    let at = reached(&log);
                    put(&mut log, at, at + 1 + dice.roll(20) as u64)?;
                }
                Ok::<_, EvidenceError>(())
            };
            let (Ok(()) | Err(_)) = run();
        }
        let mut log = room.open();
        let at = reached(&log);
        put(&mut log, at, at + 3).unwrap();
        log.close().unwrap();
        room.assert_sound(at + 3);
    }
}
