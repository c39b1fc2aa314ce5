//! Commands about what is told: outbox, silence, ack, preview, notify, reveal.

#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::harness::{Room, json_lines};

/// The example bank after a day, told to a file that the SOC reads and to a mail server that is not there.
fn room() -> Room {
    let room = Room::new();
    let mail = "[[channels]]\nid = \"officer\"\nkind = \"mail\"\nmin_severity = \"MEDIUM\"\n[channels.mail]\nserver = \
        \"127.0.0.1\"\nport = 9\nsecurity = \"none\"\nfrom = \"hw@example.com\"\nto = [\"dpo@example.com\"]\n\
        [channels.letters]\ncritical_wait_s = 0\nhigh_wait_s = 0\nmedium_wait_s = 0\nquiet = \"\"\nquiet_days_off = false\n";
    room.bank(&[
        ("[[channels]]\nid = \"officer\"\nkind = \"terminal\"\nmin_severity = \"MEDIUM\"\n", mail),
        ("path = \"data/findings.ndjson\"", "path = \"data/findings.ndjson\"\naudience = \"soc\""),
    ]);
    room.generate("events.ndjson", 300, 11);
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "events.ndjson"]).exits(0);
    room
}

fn at<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["-c", "bank.toml", "--data", "data"]].concat()
}

#[test]
fn what_a_dead_mail_server_owes_is_listed_shown_retried_and_not_dropped_while_it_is_tried() {
    let room = room();
    let owed = room.run(&at(&["outbox", "list", "--json", "--channel", "officer"])).exits(0).lines();
    assert!(!owed.is_empty() && owed.iter().all(|one| one["channel"] == "officer"), "{owed:?}");
    let failed = owed.iter().find(|one| one["attempts"].as_u64() > Some(0)).unwrap();
    let id = failed["id"].as_str().unwrap();
    assert!(failed["last_error"].as_str().unwrap().contains("mail 127.0.0.1"), "{failed}");
    let shown = room.run(&at(&["outbox", "show", id])).exits(0).out;
    assert!(shown.contains("Subject: ") && shown.contains("<html") && shown.contains("personal data"), "{shown}");
    room.run(&at(&["outbox", "retry", "--channel", "officer"])).exits(0).says(&["tried again: "]);
    room.run(&at(&["outbox", "drop", id])).exits(0).says(&["dropped: 0"]);
    room.run(&at(&["outbox", "retry", "--channel", "nobody"])).exits(1).complains(&["no channel", "officer, soc"]);
    assert_eq!(room.run(&at(&["outbox", "drop"])).code, Some(64));
}

#[test]
fn a_preview_is_cut_to_its_readers_and_a_pseudonym_is_turned_back_for_the_officer() {
    let room = room();
    let findings = room.run(&at(&["findings", "--json"])).exits(0).lines();
    let personal = |one: &Value| one["actor_name"].as_str().unwrap_or_default().to_owned();
    let finding = findings.iter().find(|one| personal(one).chars().count() > 3).unwrap();
    let id = finding["id"].as_str().unwrap();
    let officer = room.run(&at(&["preview", id.get(..8).unwrap(), "--channel", "officer"])).exits(0).out;
    assert!(officer.contains(&personal(finding)) && officer.contains("--- HTML ---"));
    let soc: Value = serde_json::from_str(&room.run(&at(&["preview", id, "--channel", "soc"])).exits(0).out).unwrap();
    assert!(!soc.to_string().contains(&personal(finding)), "{soc}");
    let pseudonym = soc["actor_id"].as_str().unwrap();
    assert!(pseudonym.starts_with("p1:soc-"), "{pseudonym}");
    let reveal = ["reveal", pseudonym, "--by", "officer", "--reason", "access request 12"];
    let revealed = room.run(&at(&reveal)).exits(0).out;
    assert!(revealed.contains(finding["actor_id"].as_str().unwrap()) && revealed.contains(id), "{revealed}");
    let unknown = ["reveal", "p1:soc-2020q1:AAAAAAAAAAAAAAAAAAAAAA", "--by", "o", "--reason", "r"];
    room.run(&at(&unknown)).exits(1).complains(&["destroyed"]);
    room.run(&at(&["preview", "ffffffffff", "--channel", "soc"])).exits(1).complains(&["no finding"]);
}

/// Whom a pseudonym stands for is shown when it is in the log that somebody asked, and not before.
#[test]
fn who_asked_for_a_person_and_why_is_in_the_evidence() {
    let room = room();
    let deeds = || room.run(&["verify", "data/evidence", "--json"]).exits(0).lines()[0]["deeds"].as_u64().unwrap();
    let soc = room.run(&at(&["findings", "--json"])).exits(0).lines();
    let id = soc[0]["id"].as_str().unwrap();
    let seen: Value = serde_json::from_str(&room.run(&at(&["preview", id, "--channel", "soc"])).exits(0).out).unwrap();
    let pseudonym = seen["actor_id"].as_str().unwrap();
    let before = deeds();
    let no_reason = ["reveal", pseudonym, "--by", "Privacy Officer", "--reason", " "];
    assert_eq!(room.run(&at(&no_reason)).exits(1).out, "");
    assert_eq!(deeds(), before, "what was refused is no access");
    let reveal = ["reveal", pseudonym, "--by", "Privacy Officer", "--reason", "access request 12"];
    assert!(!room.run(&at(&reveal)).exits(0).out.is_empty());
    assert_eq!(deeds(), before + 1);
    // an auditor's bundle shows it, with a proof that it is in the signed log, and a person's name nowhere
    let why = ["--by", "Auditor", "--why", "yearly audit"];
    room.run(&[&["report", "-c", "bank.toml", "--data", "data", "--out", "bundle"], why.as_slice()].concat()).exits(0);
    let told = room.read("bundle/log-1/deeds.ndjson");
    assert_eq!(told.matches(" reveal ").count(), 1, "{told}");
    // it is written down before it is shown: where it cannot be, nothing is
    std::fs::rename(room.path("data/evidence/tile"), room.path("data/evidence/elsewhere")).unwrap();
    let ran = room.run(&at(&reveal)).exits(1);
    assert_eq!(ran.out, "", "{}", ran.err);
}

#[test]
fn an_acknowledgement_and_a_silence_are_kept() {
    let room = room();
    let findings = room.run(&at(&["findings", "--json"])).exits(0).lines();
    let id = findings[0]["id"].as_str().unwrap();
    let ack = |note| room.run(&at(&["ack", id, "--by", "Officer", "--note", note]));
    ack("agreement found").exits(0).says(&["acknowledged: ", id]);
    ack("again").exits(0).says(&["acknowledged before: ", "by Officer"]);
    ack("two\nlines").exits(1).complains(&["--note"]);
    let silence =
        ["silence", "add", "--match", "destination=SG", "--for", "8h", "--by", "Officer", "--comment", "known"];
    room.run(&at(&silence)).exits(0).says(&["1  destination=SG", "by Officer: known"]);
    room.run(&at(&["silence", "list"])).exits(0).says(&["1  destination=SG"]);
    room.run(&at(&["silence", "expire", "1", "--by", "Officer"])).exits(0);
    assert_eq!(room.run(&at(&["silence", "list"])).exits(0).out, "");
    let verified = room.run(&["verify", "data/evidence", "--json"]).exits(0).out;
    assert!(verified.contains("\"deeds\":4") || verified.contains("\"deeds\": 4"), "{verified}");
    let wrong = ["silence", "add", "--match", "actor=x", "--for", "8h", "--by", "o", "--comment", "c"];
    room.run(&at(&wrong)).exits(1).complains(&["unknown field"]);
}

#[test]
fn a_test_message_says_how_it_went() {
    let room = room();
    room.run(&at(&["notify", "test", "soc"])).exits(0).says(&["soc: the receiver took"]);
    assert!(room.read("data/findings.ndjson").lines().last().unwrap().contains("\"tenant\":\"test\""));
    room.run(&at(&["notify", "test", "officer"])).exits(1).says(&["officer: not taken: mail 127.0.0.1"]);
}

#[test]
fn every_event_that_is_written_is_valid_ocsf() {
    let room = Room::new();
    room.bank(&[
        (
            "path = \"data/findings.ndjson\"\nmin_severity = \"LOW\"",
            "path = \"data/soc.ndjson\"\nmin_severity = \"INFO\"\naudience = \"soc\"\nformat = \"ocsf\"",
        ),
        (
            "id = \"officer\"\nkind = \"terminal\"",
            "id = \"officer\"\nkind = \"file\"\npath = \"data/officer.ndjson\"\nformat = \"ocsf\"",
        ),
        ("messages = ", "messages = 100 # "),
    ]);
    room.generate("events.ndjson", 3_000, 3);
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "events.ndjson"]).exits(0);
    for name in ["data/soc.ndjson", "data/officer.ndjson"] {
        let events = json_lines(&room.read(name));
        let activities: std::collections::BTreeSet<_> =
            events.iter().map(|event| event["activity_id"].as_u64().unwrap()).collect();
        assert!(events.len() > 20 && activities.contains(&1), "{name}: {} events, {activities:?}", events.len());
        for event in &events {
            let faults = crate::deliver::ocsf::faults(event);
            assert!(faults.is_empty(), "{name}: {faults:?} in {event}");
        }
    }
}
