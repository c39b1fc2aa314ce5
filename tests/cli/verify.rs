//! `verify`: exit code 0 for a folder that is sound, 2 for one that is not, with the first bad record.

#![allow(clippy::unwrap_used)]

use std::fs;

use super::harness::Room;

fn room() -> Room {
    let room = Room::new();
    room.bank(&[]);
    room.generate("day.ndjson", 1500, 21);
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "day.ndjson"]).exits(0);
    room
}

#[test]
fn a_sound_folder_says_how_much_was_checked_and_how_fast() {
    let room = room();
    let ran = room.run(&["verify", "data/evidence"]).exits(0);
    ran.says(&[
        "lane",
        "received = ",
        " judged + ",
        " rejected + ",
        " duplicate",
        "sound: ",
        " records in ",
        " entries, ",
        "records/s",
    ]);
    let report = room.run(&["verify", "data/evidence", "--json"]).exits(0).lines().remove(0);
    assert_eq!((report["sound"].as_bool(), report["first_bad_record"].is_null()), (Some(true), true));
    let lane = &report["lanes"][0];
    let sum = ["judged", "rejected", "duplicate"].iter().map(|key| lane[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((lane["received"].as_u64(), sum), (Some(1500), 1500));
    assert!(report["records"].as_u64().unwrap() > 50 && report["records_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_changed_byte_is_found_and_the_record_named() {
    let room = room();
    let segment = room.files("data/evidence/segments").remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let ran = room.run(&["verify", "data/evidence"]).exits(2);
    ran.says(&["WRONG", "first bad record: ", "NOT SOUND"]);
    let report = room.run(&["verify", "data/evidence", "--json"]).exits(2).lines().remove(0);
    assert_eq!(report["sound"].as_bool(), Some(false));
    assert!(!report["first_bad_record"].is_null() && !report["breaches"].as_array().unwrap().is_empty());
}

#[test]
fn a_key_or_a_checkpoint_from_elsewhere_is_held_against_the_folder() {
    let room = room();
    let own = room.read("data/evidence/log.vkey").trim().to_owned();
    let ran = room.run(&["verify", "data/evidence", "--vkey", &own]).exits(0);
    assert!(!ran.out.contains("archive's own"), "{}", ran.out);
    fs::copy(room.path("data/evidence/checkpoint"), room.path("kept.checkpoint")).unwrap();
    room.generate("more.ndjson", 300, 22);
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "more.ndjson"]).exits(0);
    room.run(&["verify", "data/evidence", "--checkpoint", "kept.checkpoint"]).exits(0);
    room.run(&["replay", "-c", "bank.toml", "--data", "other", "more.ndjson"]).exits(0);
    let foreign = room.read("other/evidence/log.vkey").trim().to_owned();
    room.run(&["verify", "data/evidence", "--vkey", &foreign]).exits(2);
    room.run(&["verify", "other/evidence", "--checkpoint", "kept.checkpoint"]).exits(2);
}

#[test]
fn what_cannot_be_verified_at_all_is_a_failure_and_no_breach() {
    let room = room();
    room.run(&["verify", "absent"]).exits(1).complains(&["absent is no folder"]);
    room.run(&["verify", "data/evidence", "--vkey", "nonsense"]).exits(1);
    room.run(&["verify", "data/evidence", "--identity", "absent.key"]).exits(1).complains(&["absent.key"]);
    room.run(&["verify"]).exits(64);
    fs::create_dir(room.path("empty")).unwrap();
    room.run(&["verify", "empty"]).exits(2);
}
