//! `replay`: files in every dress and standard input, one verdict line for each event, and where it goes on.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::Stdio;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::harness::{Beside, Room, golden};

const REPLAY: [&str; 5] = ["replay", "-c", "bank.toml", "--data", "data"];

fn replay(room: &Room, more: &[&str]) -> super::harness::Ran {
    room.run(&[&REPLAY, more].concat())
}

/// What a verdict line says beside where the event was.
fn told(line: &Value) -> Value {
    let mut line = line.clone();
    line.as_object_mut().unwrap().remove("position");
    line
}

/// Reads to the end while the test goes on, so that no full pipe holds the program up.
fn read_beside(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

#[test]
fn a_verdict_line_has_the_fields_that_are_promised() {
    let room = Room::new();
    room.bank(&[]);
    let row = json!({
        "action": 8, "bizId": "1", "gmtCreate": 1_795_399_200_000_i64, "userId": "manager4521", "ipAddress": "203.0.113.7",
        "targetSpaceId": 24_870_551_923_u64, "docReceiverList": [
            {"receiverName": "Lee Chi Keung", "receiverType": 0, "receiverId": "16338841"},
            {"receiverName": "Tan (Straits Freight)", "receiverType": 0},
        ],
    });
    let moves_nothing = json!({"action": 6, "bizId": "1", "gmtCreate": 1_795_399_200_000_i64, "userId": "manager4521"});
    let lines = [row.to_string(), row.to_string(), moves_nothing.to_string(), "{}".to_owned()].join("\n") + "\n";
    room.write("events.ndjson", &lines);
    let ran = replay(&room, &["--verdicts", "events.ndjson"]).exits(0);
    let shown: String = ran.lines().iter().map(|line| serde_json::to_string_pretty(line).unwrap() + "\n").collect();
    // the topic carries a digest of the path, which is another for each room
    let topic = ran.lines()[0]["position"]["topic"].as_str().unwrap().to_owned();
    golden("verdict-lines.txt", &shown.replace(&topic, "TOPIC"));
    ran.complains(&[
        "conservation: 4 received = 2 judged + 1 rejected + 1 duplicate (holds)",
        "evidence:",
        "data/evidence",
    ]);
}

#[test]
fn plain_compressed_and_piped_input_give_the_same_verdicts() {
    let room = Room::new();
    room.bank(&[]);
    room.generate("day.ndjson", 3000, 11);
    let day = fs::read(room.path("day.ndjson")).unwrap();
    fs::write(room.path("day.ndjson.gz"), gz(&day)).unwrap();
    fs::write(room.path("day.ndjson.zst"), zstd::encode_all(day.as_slice(), 1).unwrap()).unwrap();
    let verdicts = |data: &str, name: &str, input: &[u8]| {
        let arguments = ["replay", "-c", "bank.toml", "--data", data, "--verdicts", name];
        room.feed(&arguments, input).exits(0).lines().iter().map(told).collect::<Vec<_>>()
    };
    let plain = verdicts("plain", "day.ndjson", b"");
    assert_eq!(plain.len(), 3000);
    for (data, name, input) in [("gz", "day.ndjson.gz", &b""[..]), ("zst", "day.ndjson.zst", b""), ("stdin", "-", &day)]
    {
        let other = verdicts(data, name, input);
        let parting = plain.iter().zip(&other).position(|(a, b)| a != b);
        assert_eq!((other.len(), parting), (plain.len(), None), "{name}");
    }
}

#[test]
fn a_finding_of_a_line_is_a_finding_of_the_list() {
    let room = Room::new();
    room.bank(&[]);
    room.generate("day.ndjson", 5000, 12);
    let ran = replay(&room, &["--verdicts", "day.ndjson"]).exits(0);
    let of_legs: BTreeSet<String> = ran
        .lines()
        .iter()
        .flat_map(|line| line["legs"].as_array().cloned().unwrap_or_default())
        .filter_map(|leg| leg["finding"].as_str().map(str::to_owned))
        .collect();
    let listed = room.run(&["findings", "--data", "data", "--json"]).exits(0).lines();
    let ids = |standing_too: bool| -> BTreeSet<String> {
        let wanted = listed.iter().filter(|one| standing_too || one["kind"] != "store_at_rest");
        wanted.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert!(listed.len() > 50);
    assert!(of_legs.is_subset(&ids(true)), "{:?}", of_legs.difference(&ids(true)));
    // what no line is about are the standing arrangements
    assert!(ids(false).is_subset(&of_legs), "{:?}", ids(false).difference(&of_legs));
}

#[test]
fn a_second_replay_goes_on_where_the_evidence_ends() {
    let room = Room::new();
    room.bank(&[]);
    room.generate("day.ndjson", 2000, 13);
    let whole = replay(&room, &["--verdicts", "day.ndjson"]).exits(0);
    let again = replay(&room, &["--verdicts", "day.ndjson"]).exits(0);
    assert_eq!(again.out, "", "nothing is told twice");
    again.complains(&["conservation: 0 received"]);
    let mut longer = fs::read(room.path("day.ndjson")).unwrap();
    longer.extend_from_slice(b"{\"action\":6,\"bizId\":\"x\",\"gmtCreate\":1795399200000,\"userId\":\"u\"}\n");
    fs::write(room.path("day.ndjson"), longer).unwrap();
    let more = replay(&room, &["--verdicts", "day.ndjson"]).exits(0).lines();
    assert_eq!(more.len(), 1, "a file that grew is read on");
    assert_eq!(
        more[0]["position"]["offset"].as_u64(),
        whole.lines().last().unwrap()["position"]["offset"].as_u64().map(|last| last + 1)
    );
    room.run(&["verify", "data/evidence"]).exits(0);
}

#[test]
fn a_replay_that_is_stopped_says_so_and_goes_on_at_the_next_start() {
    let room = Room::new();
    room.bank(&[]);
    room.generate("day.ndjson", 400, 15);
    let day = fs::read(room.path("day.ndjson")).unwrap();
    let half = day.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(199).unwrap().0 + 1;
    let mut command = room.command(&[&REPLAY[..], &["--verdicts", "-"]].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Beside(command.spawn().unwrap());
    child.0.stdin.as_mut().unwrap().write_all(&day[..half]).unwrap();
    // the first verdict is there: the run is under way, and waits for more
    let (mut out, mut first) = (BufReader::new(child.0.stdout.take().unwrap()), String::new());
    let err = read_beside(child.0.stderr.take().unwrap());
    out.read_line(&mut first).unwrap();
    let rest = read_beside(out);
    child.signal("TERM");
    let (rest, err) = (rest.join().unwrap(), String::from_utf8(err.join().unwrap()).unwrap());
    assert_eq!(child.0.wait().unwrap().code(), Some(1), "a part is not the whole: {err}");
    assert!(err.contains("stopped before the end of the input"), "{err}");
    let ran = room.feed(&[&REPLAY[..], &["--verdicts", "-"]].concat(), &day).exits(0);
    let told = [first.as_bytes(), &rest, ran.out.as_bytes()].concat();
    let whole = room.feed(&["replay", "-c", "bank.toml", "--data", "whole", "--verdicts", "-"], &day).exits(0);
    assert!(told == whole.out.as_bytes(), "each verdict once, in order");
}

#[test]
fn what_is_no_event_is_kept_with_its_bytes_place_and_reason() {
    let room = Room::new();
    room.bank(&[]);
    room.write("bad.ndjson", b"{\"action\":2\n\xff\xfe\n{\"hello\":1}\n");
    let ran = replay(&room, &["--verdicts", "bad.ndjson"]).exits(0);
    let reasons: Vec<_> = ran.lines().iter().map(|line| line["reason"].as_str().unwrap().to_owned()).collect();
    assert_eq!(reasons, ["not_json", "invalid_utf8", "no_event"]);
    let letters = super::harness::json_lines(&room.read("data/state/dead-letters.ndjson"));
    assert_eq!(letters.len(), 3);
    for (letter, reason) in letters.iter().zip(&reasons) {
        assert_eq!(letter["reason"], **reason, "{letter}");
        assert!(letter["topic"].is_string() && letter["offset"].is_u64(), "{letter}");
    }
}

#[test]
fn a_torn_archive_is_an_error_after_what_could_be_read() {
    let room = Room::new();
    room.bank(&[]);
    room.generate("day.ndjson", 2000, 14);
    let mut torn = gz(&fs::read(room.path("day.ndjson")).unwrap());
    torn.truncate(torn.len() / 2);
    fs::write(room.path("day.ndjson.gz"), torn).unwrap();
    let ran = replay(&room, &["day.ndjson.gz"]).exits(1);
    ran.complains(&["day.ndjson.gz"]);
    room.run(&["verify", "data/evidence"]).exits(0);
}

#[test]
fn a_file_that_is_not_there_is_named_and_nothing_is_begun() {
    let room = Room::new();
    room.bank(&[]);
    replay(&room, &["absent.ndjson"]).exits(1).complains(&["absent.ndjson"]);
    replay(&room, &[]).exits(64);
}
