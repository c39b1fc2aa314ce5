//! `generate`: a day of the invented bank, the same bytes for the same seed.

#![allow(clippy::unwrap_used)]

use std::fs;

use super::harness::Room;

#[test]
fn the_same_seed_gives_the_same_bytes_wherever_they_go() {
    let room = Room::new();
    room.generate("a.ndjson", 3000, 5);
    room.generate("b.ndjson", 3000, 5);
    room.generate("c.ndjson", 3000, 6);
    let [a, b, c] = ["a.ndjson", "b.ndjson", "c.ndjson"].map(|name| fs::read(room.path(name)).unwrap());
    assert!(a == b, "a file does not differ");
    assert!(a != c, "another seed does");
    let printed = room.command(&["generate", "--events", "3000", "--seed", "5"]).output().unwrap();
    assert!(printed.stdout == a, "standard output does not differ either");
}

#[test]
fn all_shapes_both_scripts_and_every_verdict_occur() {
    let room = Room::new();
    room.generate("day.ndjson", 30_000, 7);
    // garbage is part of a day
    let text = String::from_utf8_lossy(&fs::read(room.path("day.ndjson")).unwrap()).into_owned();
    for mark in [
        "\"gmtCreate\"",
        "\"gmt_create\"",
        "\"list\"",
        "\"payload\"",
        "\"specVersion\"",
        "\"EventType\"",
        "\"biz_data\"",
        "客戶",
        "Customer",
        "\"ipAddress\":\"\"",
    ] {
        assert!(text.contains(mark), "{mark}");
    }
    room.bank(&[]);
    let ran = room.run(&["replay", "day.ndjson", "-c", "bank.toml", "--data", "data", "--verdicts"]).exits(0);
    for verdict in [
        "PROHIBITED",
        "UNCOVERED",
        "DEFECT",
        "UNDETERMINED",
        "COVERED",
        "INBOUND",
        "DOMESTIC",
        "NO_HK_NEXUS",
        "OUT_OF_SCOPE",
    ] {
        assert!(ran.out.contains(&format!("\"verdict\":\"{verdict}\"")), "{verdict} does not occur");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    Room::new()
        .run(&["generate", "--events", "1", "--out", "no/such/folder/x.ndjson"])
        .exits(1)
        .complains(&["no/such/folder/x.ndjson"]);
}
