//! What goes in comes out, is what other implementations of the same standards expect, and names nobody.

use super::*;
use harbourwatch::domain::position::{LaneId, Position};
use harbourwatch::evidence::archive::{Archive, Opened, numbers_of};
use harbourwatch::evidence::checkpoint::Checkpoint;
use harbourwatch::evidence::entry::Life;
use harbourwatch::evidence::keyring::Keyring;
use harbourwatch::evidence::keys::{TagKey, subjects_path, tag_path};
use harbourwatch::evidence::proof::{Prover, root_of};
use harbourwatch::evidence::search::Sought;
use harbourwatch::evidence::segment::SEGMENT_BYTES;
use harbourwatch::evidence::verify::BreachKind;
use harbourwatch::evidence::{Note, rebuild_index};
use harbourwatch::pipeline::report::Rejected;
use tlog_tiles::tlog::{self, HashReader};

#[test]
fn batches_of_all_sizes_verify() {
    let room = Room::new();
    let (mut log, mut at) = (room.open(), 0);
    room.assert_sound(0);
    for size in [1, 3, 255, 1, 300, 5000, 2] {
        put(&mut log, at, at + size).unwrap();
        at += size;
        room.assert_sound(at);
    }
    log.close().unwrap();
    room.assert_sound(at);
    assert!(room.verify().segments > 2);
    assert!(!room.archive().join("journal").exists());
    assert_eq!(reached(&room.open()), at);
}

struct Tiles(PathBuf);

impl tlog_tiles::tile::TileReader for Tiles {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        let path = |tile: &tlog_tiles::Tile| self.0.join(tile.path().replacen("tile/8/", "tile/", 1));
        Ok(tiles.iter().map(|tile| fs::read(path(tile)).unwrap()).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn the_independent_implementations_accept_checkpoint_and_tiles() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 700).unwrap();
    put(&mut log, 700, 703).unwrap();
    let note = signed_note::Note::from_bytes(&fs::read(room.archive().join("checkpoint")).unwrap()).unwrap();
    let verifier = signed_note::StandardVerifier::new(&log.vkey()).unwrap();
    note.verify(&signed_note::VerifierList::new(vec![Box::new(verifier)])).unwrap();
    let checkpoint = tlog_tiles::checkpoint::Checkpoint::from_bytes(note.text()).unwrap();
    let tiles = Tiles(room.archive());
    let reader = tlog_tiles::tile::TileHashReader::new(checkpoint.size(), *checkpoint.hash(), &tiles);
    for index in [0, 1, 255, 256, 699, checkpoint.size() - 1] {
        let leaf = reader.read_hashes(&[tlog::stored_hash_index(0, index)]).unwrap()[0];
        let proof = tlog::prove_record(checkpoint.size(), index, &reader).unwrap();
        tlog::check_record(&proof, checkpoint.size(), *checkpoint.hash(), index, leaf).unwrap();
        let own = Prover::new(&room.archive(), checkpoint.size()).path(index).unwrap();
        assert_eq!(own, proof.iter().map(|hash| hash.0).collect::<Vec<_>>());
    }
    assert!(Prover::new(&room.archive(), checkpoint.size()).path(checkpoint.size()).is_err());
}

#[test]
fn every_entry_of_logs_of_many_sizes_has_a_proof_that_leads_to_the_root() {
    let room = Room::new();
    let (mut log, mut at, mut entries) = (room.open(), 0, Vec::new());
    for count in [1, 2, 3, 60, 190, 255, 300, 7] {
        put(&mut log, at, at + count).unwrap();
        at += count;
        let archive = Archive::open(&room.archive(), None).unwrap();
        archive.entries(entries.len() as u64, |_, entry| entries.push(entry.to_string())).unwrap();
        let (size, root) = (log.size(), log.checkpoint().root);
        let mut prover = Prover::new(&room.archive(), size);
        for (index, entry) in (0..).zip(&entries) {
            let path = prover.path(index).unwrap();
            assert_eq!(root_of(entry, index, size, &path), Some(root), "{index} of {size}");
            assert_ne!(root_of(entry, index ^ 1, size, &path), Some(root), "{index} of {size}");
        }
    }
}

#[test]
fn records_come_out_as_they_went_in_and_are_held_against_the_log() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 100).unwrap();
    put(&mut log, 100, 150).unwrap();
    log.close().unwrap();
    let key = room.options().key;
    let (ring, tag) =
        (Keyring::open(&subjects_path(&key), false).unwrap(), TagKey::open(&tag_path(&key), false).unwrap());
    let archive = Archive::open(&room.archive(), None).unwrap();
    let sought =
        |subject: &str| Sought { subjects: Some(numbers_of(subject, &tag, Some(&ring)).unwrap()), ..Sought::default() };
    let rows = archive.find(&sought("chan.siu.ming.3")).unwrap();
    assert_eq!(rows.len(), 21);
    assert!(archive.find(&sought("chan.siu.ming.9")).unwrap().is_empty());
    let mut count = 0;
    let each = |found: Opened| {
        let offset = found.record["position"]["offset"].as_u64().unwrap();
        assert_eq!(found.record, serde_json::from_slice::<serde_json::Value>(&record(offset).json).unwrap());
        assert!(!found.shut && offset % 7 == 3);
        count += 1;
        Ok(())
    };
    archive.records(&rows, Some(&ring), each).unwrap();
    assert_eq!(count, 21);
    archive
        .records(&rows, None, |found| {
            assert!(found.shut && found.record.get("actor").is_some_and(|actor| actor.get("name").is_none()));
            Ok(())
        })
        .unwrap();
    // the writer goes on while somebody reads: what was there when the archive was opened is still found and proven
    let mut log = room.open();
    put(&mut log, 150, 170).unwrap();
    archive.records(&rows, Some(&ring), |_| Ok(())).unwrap();
    let (size, root) = (archive.checkpoint().size, archive.checkpoint().root);
    let path = Prover::new(&room.archive(), size).path(rows[20].i).unwrap();
    let mut entry = String::new();
    archive
        .entries(rows[20].i, |i, found| {
            if i == rows[20].i {
                entry = found.to_string();
            }
        })
        .unwrap();
    assert_eq!(root_of(&entry, rows[20].i, size, &path), Some(root));
    log.close().unwrap();
    // a frame that is not what the log committed to gives nothing
    let path = room.archive().join("segments/2026-11/000001.seg");
    let frame = fs::read(&path).unwrap();
    let length = u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize;
    let plain = String::from_utf8(zstd::decode_all(&frame[4..4 + length]).unwrap()).unwrap();
    let payload = zstd::encode_all(plain.replace("payroll", "nothing").as_bytes(), 3).unwrap();
    let forged = [(payload.len() as u32).to_be_bytes().as_slice(), &payload, &frame[4 + length..]].concat();
    fs::write(&path, forged).unwrap();
    let refused = archive.records(&rows, Some(&ring), |_| Ok(())).unwrap_err().to_string();
    assert!(refused.contains("not what the log committed to"), "{refused}");
}

#[test]
fn encrypted_frames_open_with_the_identity_only() {
    let room = Room::new();
    let identity = age::x25519::Identity::generate();
    let mut options = room.options();
    options.recipients = vec![identity.to_public().to_string()];
    let mut log = Log::open(&room.archive(), &options).unwrap();
    put(&mut log, 0, 40).unwrap();
    drop(log);
    let closed = room.verify();
    assert!(closed.is_sound() && closed.opened == 0 && closed.warnings.len() == 2, "{closed:#?}");
    let open = |identity: &age::x25519::Identity| {
        use age::secrecy::ExposeSecret;
        let text = identity.to_string();
        let how = VerifyOptions { identity: Some(text.expose_secret()), ..VerifyOptions::default() };
        verify(&room.archive(), &how).unwrap()
    };
    let opened = open(&identity);
    assert!(opened.is_sound() && opened.opened == 40, "{opened:#?}");
    let wrong = open(&age::x25519::Identity::generate());
    assert_eq!(wrong.breaches[0].kind, BreachKind::Record);
    assert_eq!(wrong.first_bad_record(), Some(0));
}

#[test]
fn nothing_outside_the_frames_names_a_person() {
    let room = Room::new();
    let mut options = room.options();
    options.recipients = vec![age::x25519::Identity::generate().to_public().to_string()];
    let mut log = Log::open(&room.archive(), &options).unwrap();
    put(&mut log, 0, 40).unwrap();
    let text = |path: &PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap()).contains("chan.siu.ming");
    let mut found: Vec<PathBuf> = files(room.dir.path()).into_iter().filter(text).collect();
    assert_eq!(found, Vec::<PathBuf>::new());
    drop(log);
    put(&mut room.open(), 40, 80).unwrap();
    found = files(&room.archive()).into_iter().filter(text).collect();
    assert!(found.iter().all(|path| path.starts_with(room.archive().join("segments"))), "{found:?}");
}

#[test]
#[cfg(unix)]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 300).unwrap();
    for path in files(&room.archive()) {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    }
}

#[test]
fn one_writer_at_a_time() {
    let room = Room::new();
    let log = room.open();
    assert!(matches!(Log::open(&room.archive(), &room.options()), Err(EvidenceError::Locked(_))));
    drop(log);
    room.open();
}

#[test]
fn notes_and_rejected_records_are_part_of_the_log() {
    let room = Room::new();
    let mut log = room.open();
    let notes = [
        Note::Life { life: Life::Start, version: "0.1.0".into() },
        Note::Config { what: "policy".into(), digest: "ab".repeat(32) },
        Note::Gap { lane: lane(), from: 0, to: 5, reason: "retention".into() },
    ];
    let rejected = [Rejected {
        position: Position { lane: LaneId(0), offset: 5, index: 0 },
        lane: lane(),
        reason: "not_json",
        detail: "at byte 0".into(),
        raw: b"{".as_slice().into(),
        cut: 0,
        origin: None,
    }];
    let mut coverage = [coverage(5, 6)];
    (coverage[0].judged, coverage[0].rejected) = (0, 1);
    let batch = Batch { now_ms: NOW, records: &[], coverage: &coverage, rejected: &rejected, notes: &notes };
    let staged = log.stage(&batch).unwrap();
    log.publish(staged).unwrap();
    let report = room.verify();
    assert!(report.is_sound(), "{:#?}", report.breaches);
    assert_eq!((report.entries, report.rejected, report.lanes[0].missing), (8, 1, 5));
}

#[test]
fn a_refused_batch_changes_nothing_and_the_log_goes_on() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 10).unwrap();
    let mut wrong_sum = coverage(10, 12);
    wrong_sum.judged = 1;
    let mut wrong_id = record(10);
    wrong_id.id = "another".into();
    let mut two_lines = record(10);
    two_lines.json = two_lines.json.replace_first();
    let bad_digest = [Note::Config { what: "policy".into(), digest: "AB".repeat(32) }];
    let cases = [
        Batch { coverage: &[wrong_sum], ..Batch::default() },
        Batch { coverage: &[coverage(9, 12)], ..Batch::default() },
        Batch { records: &[wrong_id], ..Batch::default() },
        Batch { records: &[two_lines], ..Batch::default() },
        Batch { notes: &bad_digest, ..Batch::default() },
        Batch { now_ms: i64::MAX, ..Batch::default() },
    ];
    for case in cases {
        assert!(matches!(log.stage(&case), Err(EvidenceError::Refused(_))), "{case:?}");
    }
    put(&mut log, 10, 20).unwrap();
    room.assert_sound(20);
    drop(log);
    // A new process knows the ends of the lanes from the log.
    assert!(matches!(put(&mut room.open(), 19, 22), Err(EvidenceError::Refused(_))));
}

trait ReplaceFirst {
    fn replace_first(&self) -> Vec<u8>;
}

impl ReplaceFirst for Vec<u8> {
    /// The same JSON with a line end in it.
    fn replace_first(&self) -> Vec<u8> {
        String::from_utf8(self.clone()).unwrap().replacen(',', ",\n", 1).into_bytes()
    }
}

#[test]
fn offsets_that_the_source_left_out_are_told_as_a_gap() {
    let room = Room::new();
    put(&mut room.open(), 0, 10).unwrap();
    put(&mut room.open(), 15, 20).unwrap();
    let report = room.verify();
    assert!(report.is_sound(), "{:#?}", report.breaches);
    assert_eq!((report.lanes[0].missing, report.lanes[0].received, report.lanes[0].next), (5, 15, 20));
}

#[test]
fn the_index_can_be_rebuilt() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 50).unwrap();
    put(&mut log, 50, 90).unwrap();
    log.close().unwrap();
    let rows = search::rows(&room.archive()).unwrap();
    fs::remove_dir_all(room.archive().join("index")).unwrap();
    fs::create_dir(room.archive().join("index")).unwrap();
    let tag = room.dir.path().join("keys/evidence.key.tag");
    assert_eq!(rebuild_index(&room.archive(), &tag, None).unwrap(), 90);
    assert_eq!(search::rows(&room.archive()).unwrap(), rows);
}

#[test]
fn a_month_begins_a_segment_and_a_clock_that_goes_back_does_not() {
    let room = Room::new();
    let mut log = Log::open(&room.archive(), &Options { segment_bytes: 1 << 20, ..room.options() }).unwrap();
    const DAY: i64 = 86_400_000;
    for (offset, now_ms) in [(0, NOW), (1, NOW + 10 * DAY), (2, NOW), (3, NOW + 10 * DAY)] {
        let (records, coverage) = ([record(offset)], [coverage(offset, offset + 1)]);
        let batch = Batch { now_ms, records: &records, coverage: &coverage, ..Batch::default() };
        let staged = log.stage(&batch).unwrap();
        log.publish(staged).unwrap();
    }
    drop(log);
    let names: Vec<_> =
        files(&room.archive().join("segments")).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["000001.seg", "000002.seg"]);
    room.assert_sound(4);
}

#[test]
fn a_log_can_be_verified_while_it_is_written() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 10).unwrap();
    let (records, coverage) = ([record(10)], [coverage(10, 11)]);
    let batch = Batch { now_ms: NOW, records: &records, coverage: &coverage, ..Batch::default() };
    let staged = log.stage(&batch).unwrap();
    let report = room.verify();
    assert!(report.is_sound() && report.records == 10 && report.warnings.len() == 2, "{report:#?}");
    log.publish(staged).unwrap();
    room.assert_sound(11);
}

#[test]
fn what_was_signed_before_is_held_against_the_archive() {
    let room = Room::new();
    let mut log = room.open();
    put(&mut log, 0, 10).unwrap();
    let old = log.checkpoint().note();
    put(&mut log, 10, 20).unwrap();
    let new = log.checkpoint().note();
    drop(log);
    let check = |room: &Room, known: &[String]| {
        verify(&room.archive(), &VerifyOptions { known, ..VerifyOptions::default() }).unwrap()
    };
    assert!(check(&room, &[old.clone(), new.clone()]).is_sound());
    // Another log under the same key and name: each is sound by itself, but not what was signed before.
    let other = Room::new();
    fs::create_dir(other.dir.path().join("keys")).unwrap();
    for name in ["evidence.key", "evidence.key.tag"] {
        fs::copy(room.dir.path().join("keys").join(name), other.dir.path().join("keys").join(name)).unwrap();
    }
    put(&mut other.open(), 0, 10).unwrap();
    assert!(other.verify().is_sound());
    for note in [old, new] {
        let report = check(&other, &[note]);
        assert_eq!(report.breaches.iter().map(|breach| breach.kind).collect::<Vec<_>>(), [BreachKind::Known]);
    }
    assert_eq!(check(&room, &["nonsense".into()]).breaches[0].kind, BreachKind::Known);
}

#[test]
fn a_checkpoint_put_back_is_refused_and_nothing_is_removed() {
    for clean in [true, false] {
        let room = Room::new();
        let mut log = room.open();
        let mut old = vec![log.checkpoint().clone()];
        for n in 0..3 {
            put(&mut log, n * 10, n * 10 + 10).unwrap();
            old.push(log.checkpoint().clone());
        }
        if clean {
            log.close().unwrap();
        } else {
            std::mem::forget(lock_free(log, &room));
        }
        for checkpoint in &old[..2] {
            let before = snapshot(&room);
            fs::write(room.archive().join("checkpoint"), Checkpoint::note(checkpoint)).unwrap();
            let refused = Log::open(&room.archive(), &room.options());
            assert!(matches!(refused, Err(EvidenceError::Contradiction { .. })), "{refused:?}");
            fs::write(room.archive().join("checkpoint"), old[3].note()).unwrap();
            assert_eq!(snapshot(&room), before);
        }
        room.assert_sound(30);
        fs::remove_file(room.archive().join("checkpoint")).unwrap();
        assert!(matches!(Log::open(&room.archive(), &room.options()), Err(EvidenceError::Contradiction { .. })));
    }
}

/// Leaves the archive as a killed process does, but for the lock, which goes with the file.
fn lock_free(log: Log, room: &Room) -> Log {
    fs::remove_file(room.archive().join("lock")).unwrap();
    log
}

fn snapshot(room: &Room) -> Vec<(PathBuf, Vec<u8>)> {
    let evidence = |path: &PathBuf| !path.ends_with("lock") && !path.starts_with(room.archive().join("index"));
    files(&room.archive()).into_iter().filter(evidence).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn the_key_stays_outside_and_belongs_to_one_log() {
    let room = Room::new();
    let inside = Options { key: room.archive().join("signing.key"), ..room.options() };
    assert!(matches!(Log::open(&room.archive(), &inside), Err(EvidenceError::Key(_))));
    put(&mut room.open(), 0, 1).unwrap();
    let other_name = Options { origin: "harbourwatch/evidence/other".into(), ..room.options() };
    assert!(matches!(Log::open(&room.archive(), &other_name), Err(EvidenceError::Key(_))));
    let other_key = Options { key: room.dir.path().join("keys/other.key"), ..room.options() };
    assert!(Log::open(&room.archive(), &other_key).is_err());
    assert!(!other_key.key.exists());
    room.assert_sound(1);
}

/// A batch of several frames, in segments that end before, within and behind them.
#[test]
fn frames_that_are_made_at_the_same_time_come_out_in_order() {
    let segments = |bytes: u64, batches: &[u64]| {
        let room = Room::new();
        let mut log = Log::open(&room.archive(), &Options { segment_bytes: bytes, ..room.options() }).unwrap();
        let mut at = 0;
        for count in batches {
            put(&mut log, at, at + count).unwrap();
            at += count;
        }
        drop(log);
        room.assert_sound(at);
        files(&room.archive().join("segments")).len()
    };
    assert_eq!(segments(1500, &[5000]), 3, "each frame ends a segment");
    assert_eq!(segments(1 << 20, &[5000, 3000, 9000]), 4);
    assert_eq!(segments(SEGMENT_BYTES, &[3, 5000, 4096, 1]), 1);
    // the first of several frames ends the segment before, the others lie in its own
    assert_eq!(segments(9 << 20, &[45_000, 5000]), 2);
}

#[test]
fn one_bad_record_refuses_all_frames_of_its_batch_and_nothing_else() {
    let room = Room::new();
    let mut log = Log::open(&room.archive(), &Options { segment_bytes: SEGMENT_BYTES, ..room.options() }).unwrap();
    put(&mut log, 0, 10).unwrap();
    for bad in [0, 2100, 4999] {
        let mut records: Vec<_> = (10..5010).map(record).collect();
        records[bad].json.truncate(20);
        let coverage = [coverage(10, 5010)];
        let batch = Batch { now_ms: NOW, records: &records, coverage: &coverage, ..Batch::default() };
        assert!(matches!(log.stage(&batch), Err(EvidenceError::Refused(_))));
    }
    put(&mut log, 10, 5010).unwrap();
    drop(log);
    room.assert_sound(5010);
}
