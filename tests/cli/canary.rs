//! Marked personal values go through the program in every way that an event can go, and must come out nowhere but in
//! records, findings and dead letters: not in the log at its most talkative, not in metrics, not in errors, not in the
//! entries of the evidence log, not in a checkpoint.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::harness::{Room, TENANT};
use super::run::Service;

/// Name, id, file, receiver's name and id, organisation, mail, address, as no other text would have them.
const MARKS: [&str; 9] = [
    "ZZNAMEZZ",
    "zzactorzz",
    "zzfilezz",
    "ZZRECEIVERZZ",
    "zzrecvidzz",
    "ZZORGZZ",
    "zzmail@zzhost.example",
    "203.80.96.77",
    "zzunionzz",
];

fn row(number: u32, more: &Value) -> Value {
    let mut row = json!({
        "action": 2, "bizId": number, "gmtCreate": 1_795_399_200_000_i64 + i64::from(number), "userId": "zzactorzz",
        "realName": "ZZNAMEZZ", "operatorName": "ZZNAMEZZ", "unionId": "zzunionzz", "ipAddress": "203.80.96.77",
        "resource": "zzfilezz_HKID.xlsx", "orgName": "ZZORGZZ", "targetSpaceId": 24_870_552_358_u64,
        "receiverName": "ZZRECEIVERZZ", "receiverId": "zzrecvidzz", "receiverType": 0,
        "docReceiverList": [{"receiverName": "zzmail@zzhost.example", "receiverType": 0}],
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

/// Events that are judged in every way, refused in every way, and seen before.
fn messages() -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> =
        (0..=34).map(|action| row(action, &json!({"action": action})).to_string().into_bytes()).collect();
    let more = [
        json!({"ipAddress": "203.80.96.77, 10.0.0.1"}),
        json!({"ipAddress": "ZZNAMEZZ"}),
        json!({"gmtCreate": "ZZNAMEZZ"}),
        json!({"ipAddress": {"zzactorzz": "ZZNAMEZZ"}}),
        json!({"userId": [["zzactorzz"]]}),
        json!({"action": "ZZNAMEZZ"}),
        json!({"corpId": "ZZORGZZ"}),
        json!({"_enrichment": "zzfilezz"}),
        json!({"_enrichment": {"region": "ZZORGZZ", "host": "zzfilezz.example"}}),
        json!({"docMemberList": "zzmail@zzhost.example"}),
        json!({"resource": "zzfilezz".repeat(2000)}),
    ];
    messages.extend((100..).zip(&more).map(|(number, more)| row(number, more).to_string().into_bytes()));
    let push = json!({"eventType": "chat_add_member", "eventId": "zzactorzz", "eventCorpId": TENANT, "eventBornTime": 1_795_399_200_000_i64,
        "data": {"operator": "zzactorzz", "userId": ["zzrecvidzz"], "unionId": ["zzunionzz"]}});
    messages.push(push.to_string().into_bytes());
    messages.push(json!({"eventType": "ZZNAMEZZ", "eventId": "zzactorzz", "corpId": TENANT}).to_string().into_bytes());
    messages.push(
        json!({"list": [row(200, &json!({})), {"action": "ZZNAMEZZ", "bizId": "zzfilezz"}]}).to_string().into_bytes(),
    );
    messages.push(b"{\"realName\":\"ZZNAMEZZ\",\"action\":}".to_vec());
    messages.push(b"{\"action\":2,\"realName\":\"ZZNAMEZZ\xff\"}".to_vec());
    messages.push(b"ZZNAMEZZ zzfilezz".to_vec());
    messages.push(format!("{}\"ZZNAMEZZ\"{}", "[".repeat(200), "]".repeat(200)).into_bytes());
    messages.push([b"{\"realName\":\"ZZNAMEZZ\",\"x\":\"".as_slice(), &b"zzfilezz".repeat(1 << 20), b"\"}"].concat());
    // seen before, byte for byte
    messages.push(row(2, &json!({"action": 2})).to_string().into_bytes());
    messages
}

fn assert_clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for mark in MARKS {
        let at = text.find(mark);
        assert!(
            at.is_none(),
            "{mark} is in {what}: …{}…",
            at.map_or("", |at| text.get(at.saturating_sub(80)..).unwrap_or("")).chars().take(200).collect::<String>()
        );
    }
}

#[test]
fn marked_values_come_out_in_no_log_metric_error_or_entry() {
    let room = Room::new();
    room.bank(&[
        ("level = \"info\"", "level = \"trace\""),
        ("[[channels]]\nid = \"officer\"\nkind = \"terminal\"\nmin_severity = \"MEDIUM\"\n\n", ""),
        ("record = [\"PROHIBITED\", \"UNCOVERED\", \"DEFECT\", \"UNDETERMINED\", \"COVERED\"]",
         "record = [\"PROHIBITED\", \"UNCOVERED\", \"DEFECT\", \"UNDETERMINED\", \"COVERED\", \"INBOUND\", \"DOMESTIC\"]"),
    ]);
    let messages = messages();
    let mut service = Service::start(&room);
    let lines = messages.iter().flat_map(|message| [message.as_slice(), b"\n"].concat()).collect::<Vec<u8>>();
    service.feed(&lines);
    // a page holds two
    service.until_received(messages.len() as f64 + 1.0);
    assert_clean("the metrics", service.metrics().as_bytes());
    let ran = service.finish().exits(0);
    assert_clean("the log", ran.err.as_bytes());
    for path in room
        .files("data/evidence/tile")
        .into_iter()
        .chain([room.path("data/evidence/checkpoint"), room.path("data/evidence/log.vkey")])
    {
        assert_clean(&path.display().to_string(), &std::fs::read(path).unwrap());
    }
    let verified = room.run(&["verify", "data/evidence"]).exits(0);
    assert_clean("what verify says", format!("{}{}", verified.out, verified.err).as_bytes());
    // the marks did go in: they are where they belong
    let findings = room.run(&["findings", "--data", "data", "--json"]).exits(0).out;
    let letters = std::fs::read(room.path("data/state/dead-letters.ndjson")).unwrap();
    assert!(findings.contains("ZZNAMEZZ") && findings.contains("zzfilezz"), "{findings}");
    assert!(letters.len() > 10_000);
}

#[test]
fn a_refused_event_is_explained_without_its_values() {
    let room = Room::new();
    // the first ones are sound
    for message in messages().iter().skip(35) {
        let ran = room.feed(&["explain", "-c", "config/bank.toml"], message);
        let refused: Vec<&str> = ran.out.lines().filter(|line| line.contains("rejected (")).collect();
        assert_clean("a reason", refused.join("\n").as_bytes());
        assert_clean("an error", ran.err.as_bytes());
    }
}

#[test]
fn what_goes_wrong_with_the_disk_is_told_without_values() {
    let room = Room::new();
    room.bank(&[]);
    let lines = messages().join(&b'\n');
    room.write("events.ndjson", lines);
    // the folder of the evidence is a file
    room.write("occupied", "");
    let ran = room.run(&["replay", "-c", "bank.toml", "--data", "occupied", "events.ndjson"]).exits(1);
    assert_clean("the error", ran.err.as_bytes());
}
