//! Sealed evidence: with age recipients in the configuration the service writes what it cannot read back, and nothing
//! personal stands in clear in the folder that is handed out.

#![allow(clippy::unwrap_used)]

use age::secrecy::ExposeSecret as _;

use super::harness::Room;

const MARKS: [&str; 4] = ["ZZNAMEZZ", "zzactorzz", "zzfilezz", "203.80.96.77"];

fn events() -> String {
    let row = |number: u32| {
        serde_json::json!({
            "action": 2, "bizId": number, "gmtCreate": 1_795_399_200_000_i64 + i64::from(number), "userId": "zzactorzz",
            "realName": "ZZNAMEZZ", "ipAddress": "203.80.96.77", "resource": "zzfilezz.xlsx", "targetSpaceId": 24_870_552_358_u64,
        })
    };
    (1..=300).map(|number| row(number).to_string() + "\n").collect()
}

fn holds_mark(bytes: &[u8]) -> Option<&'static str> {
    MARKS.into_iter().find(|mark| bytes.windows(mark.len()).any(|window| window == mark.as_bytes()))
}

#[test]
fn only_the_recipient_reads_the_records() {
    let room = Room::new();
    let (officer, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
    let recipients = format!("recipients = [\"{}\"]\n# DOM", officer.to_public());
    room.bank(&[
        ("recipients = []\n# DOM", &recipients),
        ("record = [\"PROHIBITED\", \"UNCOVERED\", \"DEFECT\", \"UNDETERMINED\", \"COVERED\"]",
         "record = [\"PROHIBITED\", \"UNCOVERED\", \"DEFECT\", \"UNDETERMINED\", \"COVERED\", \"INBOUND\", \"DOMESTIC\"]"),
    ]);
    room.write("events.ndjson", events());
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "events.ndjson"]).exits(0);
    for path in room.files("data/evidence") {
        assert_eq!(holds_mark(&std::fs::read(&path).unwrap()), None, "{}", path.display());
    }
    // neither is what opens it anywhere near the service
    for path in room.files("data") {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(14).any(|window| window == b"AGE-SECRET-KEY"), "{}", path.display());
    }
    let report = |identity: &[&str], code: i32| {
        room.run(&[&["verify", "data/evidence", "--json"], identity].concat()).exits(code).lines().remove(0)
    };
    let closed = report(&[], 0);
    assert_eq!(closed["opened"].as_u64(), Some(0), "sound as far as a stranger can see");
    let records = closed["records"].as_u64().unwrap();
    assert!(records > 300, "every event, and the standing arrangements of the day: {records}");
    room.write("officer.key", officer.to_string().expose_secret());
    assert_eq!(report(&["--identity", "officer.key"], 0)["opened"].as_u64(), Some(records));
    room.write("other.key", other.to_string().expose_secret());
    let wrong = room.run(&["verify", "data/evidence", "--identity", "other.key"]);
    assert_ne!(wrong.code, Some(0), "{}{}", wrong.out, wrong.err);
    // the next start needs no key either
    room.write("more.ndjson", events().replace("1795399", "1795499"));
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "more.ndjson"]).exits(0);
    assert_eq!(report(&["--identity", "officer.key"], 0)["opened"].as_u64(), Some(2 * records), "another day");
}

#[test]
fn without_recipients_the_records_are_there_to_be_read_and_check_says_so() {
    let room = Room::new();
    room.bank(&[]);
    room.run(&["check", "-c", "bank.toml"]).exits(0).complains(&["evidence.recipients", "age public key"]);
    room.write("events.ndjson", events());
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "events.ndjson"]).exits(0);
    let report = room.run(&["verify", "data/evidence", "--json"]).exits(0).lines().remove(0);
    assert_eq!(report["records"], report["opened"]);
}
