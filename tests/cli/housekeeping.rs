//! What a service does by itself once a day: findings and keys that have had their time are let go, and nothing that is owed.

#![allow(clippy::unwrap_used)]

use super::harness::{Room, until};
use super::run::Service;

const DAY_MS: i64 = 86_400_000;

/// A vendor's download in Singapore, `days` ago.
fn row(days: i64) -> String {
    let at = jiff::Timestamp::now().as_millisecond() - days * DAY_MS;
    format!(
        "{{\"action\":2,\"bizId\":{days},\"gmtCreate\":{at},\"userId\":\"ext-mp-001\",\"ipAddress\":\"165.21.83.88\",\
         \"targetSpaceId\":24870551923,\"resource\":\"notes.docx\"}}\n"
    )
}

/// How many findings are on file that ended more than 400 days ago, and how many later.
fn on_file(room: &Room) -> (usize, usize) {
    let limit = jiff::Timestamp::now().as_millisecond() - 400 * DAY_MS;
    let findings = room.run(&["findings", "--data", "data", "--json"]).exits(0).lines();
    let old = findings.iter().filter(|one| one["last"].as_i64().unwrap() < limit).count();
    (old, findings.len() - old)
}

/// A room in which a service has judged events of long ago and of today and told the SOC; and what was on file then.
fn room(more: &str) -> (Room, (usize, usize)) {
    let room = Room::new();
    let officer = "[[channels]]\nid = \"officer\"\nkind = \"terminal\"\nmin_severity = \"MEDIUM\"\n";
    room.bank(&[
        (officer, more),
        ("path = \"data/findings.ndjson\"", "path = \"data/findings.ndjson\"\naudience = \"soc\""),
    ]);
    let mut service = Service::start(&room);
    service.feed([row(700), row(500), row(0)].concat());
    service.until_received(3.0);
    service.finish().exits(0);
    let before = on_file(&room);
    assert!(before.0 >= 2 && before.1 >= 1, "{before:?}");
    (room, before)
}

#[test]
fn findings_and_keys_that_have_had_their_time_are_let_go_by_a_running_service() {
    let (room, before) = room("");
    let ring = "data/state/pseudonyms-soc.keys";
    let key = room.read(ring).lines().next_back().unwrap().to_owned();
    let (id, secret) = key.split_once(' ').unwrap();
    room.write(ring, format!("soc-2020q1 {secret}\n{}", room.read(ring)));
    let mut service = Service::start(&room);
    service.feed(row(1));
    service.until_received(1.0);
    service.until_logged("keys of pseudonyms have had their time and are destroyed");
    service.until_logged("findings have had their time and are let go");
    let ran = service.finish().exits(0);
    assert_eq!(ran.err.matches("have had their time and are let go").count(), 1, "once a day");
    let after = on_file(&room);
    assert!(after.0 == 0 && after.1 >= before.1, "{before:?} {after:?}");
    let ring = room.read(ring);
    assert!(ring.contains(id) && !ring.contains("2020q1"), "the key in use stays");
    // they were findings; the evidence of what they were made of stays for its own time
    room.run(&["verify", "data/evidence"]).exits(0);
}

#[test]
fn what_is_owed_is_kept_however_old_it_is() {
    let mail = "[[channels]]\nid = \"officer\"\nkind = \"mail\"\nmin_severity = \"INFO\"\n[channels.mail]\nserver = \
        \"127.0.0.1\"\nport = 9\nsecurity = \"none\"\nfrom = \"hw@example.com\"\nto = [\"dpo@example.com\"]\n";
    let (room, before) = room(mail);
    let mut service = Service::start(&room);
    service.feed(row(1));
    service.until_received(1.0);
    until("the archive stage", || {
        (service.metric("harbourwatch_last_success_timestamp_seconds", "archive") > 0.0).then_some(())
    });
    service.finish().exits(0);
    assert_eq!(on_file(&room).0, before.0, "a finding that the officer has not been told of is never let go");
}
