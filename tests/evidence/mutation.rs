//! Whatever is changed in an archive, the verifier names it.

use super::*;
use harbourwatch::evidence::checkpoint::Checkpoint;
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
    while caught < 400 {
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
