//! What officers do with evidence, through the real program: look, report, hold, erase, keep within bounds. The bundle is
//! checked by its own verifier in Python, whole and tampered with.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::Digest as _;

use super::harness::Room;

pub(super) const WHY: [&str; 4] = ["--why", "inquiry 12 of the regulator", "--by", "Ada Officer"];

/// A day of the example bank in `demo`.
fn demo() -> Room {
    let room = Room::new();
    room.run(&["demo", "--events", "3000", "--seed", "5", "--data", "demo"]).exits(0);
    room
}

/// A demo whose frames only the officer and an escrow read.
pub(super) fn sealed() -> Room {
    let room = Room::new();
    let bank = room.read("config/bank.toml");
    room.write("bank.toml", &bank);
    room.run(&[
        "keys",
        "init",
        "-c",
        "bank.toml",
        "--data",
        "data",
        "--identity",
        "officer.key",
        "--identity",
        "escrow.key",
    ])
    .exits(0)
    .says(&[
        "verifier key: vhb.example/harbourwatch+",
        "subject keys: ",
        "identity:     officer.key",
        "recipients = [\"age1",
        "\", \"age1",
    ]);
    let public: Vec<String> = ["officer.key", "escrow.key"]
        .iter()
        .map(|name| format!("\"{}\"", room.read(name).lines().next().unwrap().trim_start_matches("# public key: ")))
        .collect();
    let named = format!("recipients = [{}]\n# DOM", public.join(", "));
    room.bank(&[("recipients = []\n# DOM", &named)]);
    room.run(&["generate", "--events", "2500", "--seed", "9", "--out", "day.ndjson"]).exits(0);
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "day.ndjson"]).exits(0);
    room
}

/// Runs a bundle's own verifier; `None` where there is no Python.
fn python(room: &Room, bundle: &str, more: &[&str]) -> Option<(i32, String)> {
    let output = Command::new("python3").arg(room.path(bundle).join("verify.py")).args(more).output();
    let Ok(output) = output else {
        eprintln!("NOT CHECKED: there is no python3 here, the bundle's own verifier was not run");
        return None;
    };
    Some((output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// The subject with the most records, by opening them.
fn subject(room: &Room, data: &[&str]) -> String {
    let ran = room.run(&[&["query", "--open"], data, &WHY].concat()).exits(0);
    let mut counts = std::collections::BTreeMap::new();
    for line in ran.lines() {
        let id = line["record"]["actor"]["id"].as_str().unwrap_or_default().to_owned();
        *counts.entry(id).or_insert(0) += 1;
    }
    counts.remove("");
    counts.into_iter().max_by_key(|(_, count)| *count).unwrap().0
}

#[test]
fn queries_are_recorded_with_who_and_why_and_show_nothing_personal_unless_opened() {
    let room = demo();
    let plain =
        room.run(&[&["query", "--data", "demo", "--verdict", "UNCOVERED", "--json"], WHY.as_slice()].concat()).exits(0);
    assert!(plain.lines().len() > 5);
    assert!(
        plain.lines().iter().all(|line| line["legs"].to_string().contains("UNCOVERED") && line.get("record").is_none())
    );
    let destination = plain.lines()[0]["legs"][0]["destination"].as_str().unwrap().to_owned();
    let fewer = room
        .run(&[&["query", "--data", "demo", "--destination", &destination, "--json"], WHY.as_slice()].concat())
        .exits(0);
    assert!(fewer.lines().iter().all(|line| line["legs"].to_string().contains(&destination)));
    let who = subject(&room, &["--data", "demo"]);
    let own = room.run(&[&["query", "--data", "demo", "--subject", &who, "--open"], WHY.as_slice()].concat()).exits(0);
    assert!(own.lines().iter().all(|line| line["record"]["actor"]["id"] == who.as_str() && line["sealed"] == false));
    room.run(&[&["query", "--data", "demo", "--from", "2001-01-01", "--to", "2001-01-31"], WHY.as_slice()].concat())
        .exits(0)
        .says(&["0 records"]);
    room.run(&["query", "--data", "demo"]).exits(64).complains(&["--why"]);
    room.run(&["query", "--data", "demo", "--why", ""]).exits(64).complains(&["--why"]);
    // nobody is no person
    room.run(&[&["subject", "", "--data", "demo", "--out", "nobody"], WHY.as_slice()].concat()).exits(64);
    room.run(&["erase", "", "--data", "demo", "--ground", "test", "--out", "nobody"]).exits(64);
    let report = room.run(&["verify", "demo/evidence", "--json"]).exits(0).lines().remove(0);
    assert_eq!(report["deeds"], 5);
    // neither the person's id nor the officer's reason stands in an entry
    for path in room.files("demo/evidence/tile") {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(
            !text.contains(&who) && !text.contains("Ada Officer") && !text.contains("inquiry"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_report_is_proven_by_its_own_verifier_and_every_tampering_is_named() {
    let room = demo();
    let ran = room.run(&[&["report", "--data", "demo", "--out", "bundle"], WHY.as_slice()].concat()).exits(0);
    ran.says(&["records in bundle", "for people:", "check it:"]);
    let page = room.read("bundle/report.html");
    for part in [
        "<svg",
        "Where data went",
        "By destination",
        "By safeguard",
        "Gaps and health",
        "Annex: records",
        "按目的地",
        "Singapore (SG) 新加坡",
        "Evidence verified",
        "inquiry 12 of the regulator",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for word in ["illegal", "violation", "breach", "unlawful"] {
        assert!(!page.to_lowercase().contains(word), "{word}");
    }
    let json: Value = serde_json::from_str(&room.read("bundle/report.json")).unwrap();
    let records = room.read("bundle/log-1/records.ndjson");
    assert_eq!(json["totals"]["records"], records.lines().count());
    assert!(!records.contains("\"key\"") && !room.path("bundle/opened.ndjson").exists());
    let vkey = room.read("demo/evidence/log.vkey").trim().to_owned();
    let Some((code, text)) = python(&room, "bundle", &["--vkey", &vkey]) else { return };
    assert!(code == 0 && text.starts_with("sound: "), "{text}");
    let tampered: [(&str, &str, &str, &str); 8] = [
        (
            "log-1/records.ndjson",
            "\\\"verdict\\\":\\\"UNCOVERED\\\"",
            "\\\"verdict\\\":\\\"COVERED\\\"",
            "not what the log committed to",
        ),
        ("log-1/records.ndjson", "\"index\":", "\"index\":1", "not in the signed log"),
        ("log-1/deeds.ndjson", " report ", " query ", "not in the signed log"),
        ("log-1/checkpoint", "\n— ", "\n\n— ", "checkpoint"),
        ("log-1/log.vkey", "+", "+0", "checkpoint"),
        ("records.csv", "UNCOVERED", "COVERED", "records.csv"),
        ("report.html", "UNCOVERED", "COVERED", "report.html"),
        ("SHA256SUMS", "report.json", "report.jsn", "report.js"),
    ];
    for (file, from, to, named) in tampered {
        let name = format!("bundle/{file}");
        let whole = room.read(&name);
        assert!(whole.contains(from), "{file}: {from}");
        room.write(&name, whole.replacen(from, to, 1));
        let (code, text) = python(&room, "bundle", &[]).unwrap();
        assert!(code == 2 && text.contains(named), "{file}: {text}");
        room.write(&name, whole);
    }
    // a record left out, a record twice, another key
    let mut lines: Vec<&str> = records.lines().collect();
    let last = lines.pop().unwrap();
    room.write("bundle/log-1/records.ndjson", lines.join("\n") + "\n");
    assert!(python(&room, "bundle", &[]).unwrap().1.contains("does not list the records"));
    lines.extend([last, last]);
    room.write("bundle/log-1/records.ndjson", lines.join("\n") + "\n");
    assert!(python(&room, "bundle", &[]).unwrap().1.contains("twice"));
    room.write("bundle/log-1/records.ndjson", &records);
    let other = room.run(&["demo", "--events", "100", "--data", "other"]).exits(0);
    assert!(other.out.contains("evidence"));
    let foreign = room.read("other/evidence/log.vkey").trim().to_owned();
    let (code, text) = python(&room, "bundle", &["--vkey", &foreign]).unwrap();
    assert!(code == 2 && text.contains("not of this log"), "{text}");
}

/// A bank whose evidence has a record of every judged event, and more of them than a page lists.
fn everything_recorded() -> Room {
    let room = Room::new();
    let bank = room.read("config/bank.toml");
    let mut configuration: toml::Table = bank.parse().unwrap();
    let all = ["PROHIBITED", "UNCOVERED", "DEFECT", "UNDETERMINED", "COVERED", "INBOUND", "DOMESTIC", "NO_HK_NEXUS"];
    let evidence = configuration["evidence"].as_table_mut().unwrap();
    evidence.insert("record".into(), all.to_vec().into());
    room.write("bank.toml", configuration.to_string());
    room.run(&["generate", "--events", "1500", "--seed", "8", "--out", "day.ndjson"]).exits(0);
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "day.ndjson"]).exits(0);
    room
}

#[test]
fn the_annex_of_a_report_lists_the_gravest_records_and_a_query_shows_the_time_of_hong_kong() {
    let room = everything_recorded();
    let query = |more: &[&str]| {
        room.run(&[&["query", "-c", "bank.toml", "--data", "data", "--most", "100000"], more, &WHY].concat()).exits(0)
    };
    let order = |line: &Value| {
        let gravity = |leg: &Value| {
            ["INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"].iter().position(|name| leg["severity"] == *name).unwrap()
        };
        let gravest = line["legs"].as_array().unwrap().iter().map(gravity).max().unwrap_or(0);
        (std::cmp::Reverse(gravest), line["time"].as_i64().unwrap(), line["id"].as_str().unwrap().to_owned())
    };
    let lines = query(&["--json"]).lines();
    let mut wanted: Vec<_> = lines.iter().map(order).collect();
    wanted.sort();
    let wanted: Vec<_> = wanted.into_iter().map(|(_, _, id)| id).collect();
    assert!(wanted.len() > 1_000, "{}", wanted.len());
    room.run(&[&["report", "-c", "bank.toml", "--data", "data", "--out", "bundle"], WHY.as_slice()].concat()).exits(0);
    let page = room.read("bundle/report.html");
    let (_, annex) = page.split_once("Annex: records").unwrap();
    let listed: Vec<_> = annex.split("<code>").skip(1).map(|rest| rest.split_once('<').unwrap().0).collect();
    assert_eq!(listed, wanted[..500]);
    for part in ["The 500 gravest of 1,", "最嚴重的 500 項", "The gravest first", "按嚴重程度由高至低排列"]
    {
        assert!(annex.contains(part), "{part}");
    }
    // for people both times; for machines UTC and the number, as ever
    let instant = jiff::Timestamp::from_millisecond(lines[0]["time"].as_i64().unwrap()).unwrap();
    let hong_kong = jiff::tz::offset(8).to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S HKT");
    assert_eq!(lines[0]["time_utc"], instant.strftime("%Y-%m-%d %H:%M:%S UTC").to_string().as_str());
    let row = format!("{hong_kong} ({} UTC)", instant.strftime("%H:%M:%S"));
    let table = query(&[]).out;
    let named: Vec<_> = table.lines().filter(|line| line.contains(lines[0]["id"].as_str().unwrap())).collect();
    assert!(!named.is_empty() && named.iter().all(|line| line.contains(&row)), "{row}: {named:?}");
}

/// A note may carry signatures that a verifier does not know; the log's own is what counts.
#[test]
fn signatures_of_witnesses_on_a_checkpoint_are_passed_over() {
    let room = demo();
    let note = room.read("demo/evidence/checkpoint");
    let (text, own) = note.split_once("\n\n").unwrap();
    let line = "— witness.example/w1 AAAAAAECAwQFBgcICQoLDA0ODw==\n";
    let cosigned = format!("{text}\n\n{line}{own}{}", line.replace("w1", "w2"));
    room.write("kept", &cosigned);
    room.run(&["verify", "demo/evidence", "--checkpoint", "kept", "--anchor", "kept"]).exits(0);
    room.write("kept", cosigned.replace(own, ""));
    room.run(&["verify", "demo/evidence", "--checkpoint", "kept"]).exits(2).says(&["Known"]);
    room.write("demo/evidence/checkpoint", &cosigned);
    room.run(&["verify", "demo/evidence"]).exits(0);
    // a bundle made of it says what the log signed, and its verifier takes the witnesses' lines as well
    room.run(&[&["report", "--data", "demo", "--out", "bundle"], WHY.as_slice()].concat()).exits(0);
    let sum =
        |text: &str| sha2::Sha256::digest(text).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let (name, sums) = ("bundle/log-1/checkpoint", room.read("bundle/SHA256SUMS"));
    let plain = room.read(name);
    let (text, own) = plain.split_once("\n\n").unwrap();
    for (signatures, sound) in [(format!("{line}{own}{line}"), true), (line.to_owned(), false)] {
        let note = format!("{text}\n\n{signatures}");
        room.write(name, &note);
        room.write("bundle/SHA256SUMS", sums.replace(&sum(&plain), &sum(&note)));
        let Some((code, text)) = python(&room, "bundle", &[]) else { return };
        assert_eq!(code, if sound { 0 } else { 2 }, "{text}");
    }
}

#[test]
fn one_persons_bundle_opens_and_after_an_erasure_only_the_proof_is_left() {
    let room = sealed();
    let data = ["-c", "bank.toml", "--data", "data"];
    // without the officer's identity nothing opens
    let shut = room.run(&[&["query", "--open"], data.as_slice(), &WHY].concat());
    shut.exits(1).complains(&["--identity"]);
    let read = ["-c", "bank.toml", "--data", "data", "--identity", "officer.key"];
    let who = subject(&room, &read);
    // the escrow reads as well as the officer
    assert_eq!(subject(&room, &["-c", "bank.toml", "--data", "data", "--identity", "escrow.key"]), who);
    room.run(&[&["subject", &who, "--out", "person"], read.as_slice(), &WHY].concat()).exits(0);
    let opened = room.read("person/opened.ndjson");
    assert!(opened.lines().count() > 2 && opened.lines().all(|line| line.contains(&format!("\"id\":\"{who}\""))));
    if let Some((code, text)) = python(&room, "person", &[]) {
        assert_eq!(code, 0, "{text}");
        room.write("person/opened.ndjson", opened.replacen(&who, "somebody", 1));
        let (code, text) = python(&room, "person", &[]).unwrap();
        assert!(code == 2 && text.contains("is not what was sealed"), "{text}");
    }
    // a hold refuses it, its end allows it
    let held = room.run(&[&["hold", "add", "--subject", &who], data.as_slice(), &WHY].concat()).exits(0);
    let hold = held.out.trim().trim_start_matches("hold ").to_owned();
    room.run(&["hold", "list", "-c", "bank.toml", "--data", "data"]).exits(0).says(&[
        &hold,
        "Ada Officer",
        "inquiry 12",
    ]);
    let order = ["--ground", "DPP2(2)", "--by", "Ada Officer"];
    room.run(&[&["erase", &who], data.as_slice(), &order].concat()).exits(1).complains(&["hold", &hold]);
    room.run(&[&["hold", "release", &hold], data.as_slice(), &WHY].concat()).exits(0);
    room.run(&["hold", "list", "-c", "bank.toml", "--data", "data"]).exits(0).says(&["no holds"]);
    room.run(&[&["erase", &who, "--out", "proof"], read.as_slice(), &order].concat())
        .exits(0)
        .says(&["erased: ", "Not touched"]);
    let proof = room.read("proof/log-1/records.ndjson");
    assert_eq!(proof.lines().count(), opened.lines().count());
    assert!(!proof.contains("\"key\"") && room.read("proof/log-1/deeds.ndjson").contains("hw1 E "));
    if let Some((code, text)) = python(&room, "proof", &[]) {
        assert_eq!(code, 0, "{text}");
    }
    // nothing that is left on the machine opens what was sealed
    let after = room.run(&[&["query", "--open"], read.as_slice(), &WHY].concat()).exits(0);
    assert!(after.lines().iter().all(|line| line["record"]["actor"]["id"] != who.as_str()));
    assert_eq!(after.lines().iter().filter(|line| line["sealed"] == true).count(), opened.lines().count());
    for path in room.files("data/evidence").into_iter().chain(room.files("data/state")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("state.db") && !name.starts_with("dead-letters") {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(who.len()).any(|window| window == who.as_bytes()), "{}", path.display());
        }
    }
    room.run(&[&["erase", &who], data.as_slice(), &order].concat()).exits(1).complains(&["no keys of this person"]);
    room.run(&["verify", "data/evidence", "--identity", "officer.key"]).exits(0);
    // the service goes on, and the bundle from before still verifies
    room.run(&["generate", "--events", "400", "--seed", "10", "--out", "next.ndjson"]).exits(0);
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "next.ndjson"]).exits(0);
    room.run(&["keys", "rotate", "-c", "bank.toml", "--data", "data", "--by", "Ada Officer", "--why", "yearly"])
        .exits(0)
        .says(&["verifier key: vhb.example/harbourwatch+"]);
    room.run(&["keys", "list", "-c", "bank.toml", "--data", "data"]).exits(0).says(&[
        "signed before",
        "signs",
        "reader        age1",
        "subject keys",
    ]);
    room.run(&["verify", "data/evidence", "--identity", "officer.key"]).exits(0);
}

#[test]
fn logs_of_several_instances_are_joined_by_record_id() {
    let room = demo();
    room.run(&["demo", "--events", "3000", "--seed", "5", "--data", "twin"]).exits(0);
    room.run(&["demo", "--events", "1000", "--seed", "6", "--data", "other"]).exits(0);
    let count = |also: &[&str]| {
        let words = [&["query", "--data", "demo", "--json", "--most", "100000"], also, &WHY].concat();
        room.run(&words).exits(0).lines().len()
    };
    let alone = count(&[]);
    assert_eq!(count(&["--also", "twin"]), alone, "the same records in two logs are shown once");
    assert!(count(&["--also", "twin", "--also", "other"]) >= alone);
    room.run(&[&["report", "--data", "demo", "--also", "other", "--out", "both"], WHY.as_slice()].concat()).exits(0);
    assert!(room.path("both/log-2/checkpoint").exists());
    if let Some((code, text)) = python(&room, "both", &[]) {
        assert!(code == 0 && text.contains("of 2 logs"), "{text}");
    }
    room.run(&["verify", "demo/evidence", "other/evidence"]).exits(0);
    // the same ids at other times: two sources of the same name, of which no event may be left out
    room.run(&["demo", "--events", "1500", "--seed", "5", "--data", "namesake"]).exits(0);
    let more = [&["report", "--data", "demo", "--also", "namesake", "--out", "named"], WHY.as_slice()].concat();
    room.run(&more).exits(0);
    let lines = |name: &str| room.read(name).lines().count();
    let words = [&["query", "--data", "namesake", "--json", "--most", "100000"], WHY.as_slice()].concat();
    let both = alone + room.run(&words).exits(0).lines().len();
    let listed = lines("named/log-1/records.ndjson") + lines("named/log-2/records.ndjson");
    assert!((both - 3..=both).contains(&listed), "all but the standing arrangements: {listed} of {both}");
    if let Some((code, text)) = python(&room, "named", &[]) {
        assert!(code == 0, "{text}");
    }
}

#[test]
fn a_report_over_a_shipped_copy_says_what_one_over_the_archive_says() {
    let room = demo();
    room.run(&["ship", "--data", "demo", "--to", "copy"]).exits(0);
    room.run(&["verify", "copy"]).exits(0);
    let report = |out: &str, more: &[&str]| {
        room.run(&[&["report", "--data", "demo", "--out", out], more, &WHY].concat()).exits(0);
        serde_json::from_str::<Value>(&room.read(&format!("{out}/report.json"))).unwrap()
    };
    let (here, there) = (report("here", &[]), report("there", &["--copy", "copy"]));
    assert!(here["totals"]["records"].as_u64().unwrap() > 20);
    assert_eq!(here["totals"], there["totals"]);
    if let Some((code, text)) = python(&room, "there", &[]) {
        assert_eq!(code, 0, "{text}");
    }
    // the keys are here, and who looked is recorded here
    let who = subject(&room, &["--data", "demo", "--copy", "copy"]);
    let words = ["query", "--data", "demo", "--copy", "copy", "--subject", &who, "--json"];
    assert!(room.run(&[&words, WHY.as_slice()].concat()).exits(0).lines().len() > 2);
    assert_eq!(room.run(&["verify", "demo/evidence", "--json"]).exits(0).lines()[0]["deeds"], 4);
    // a copy that was tampered with is found
    let segment = room.files("copy/segments").remove(0);
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    room.run(&["verify", "copy"]).exits(2);
}

#[test]
fn retention_shows_what_would_go_and_why_and_a_hold_keeps_it() {
    let room = demo();
    let plan = |now: &str| room.run(&["retention", "plan", "--data", "demo", "--now", now]).exits(0);
    plan("2026-12-01").says(&["subject keys", "transfer:72", "civil claims", "Personal fields"]);
    let due = |now: &str| {
        let ran = room.run(&["retention", "plan", "--data", "demo", "--json", "--now", now]).exits(0);
        ran.lines().iter().filter(|line| line["is_due"] == true && line["hold"].is_null()).count()
    };
    assert_eq!(due("2026-12-01"), 0);
    assert!(due("2040-01-01") > 0);
    room.run(&[&["hold", "add", "--data", "demo"], WHY.as_slice()].concat()).exits(0);
    assert_eq!(due("2040-01-01"), 0);
    room.run(&["retention", "apply", "--data", "demo"]).exits(0).says(&["nothing is due"]);
    room.run(&["retention", "apply", "--data", "demo", "--now", "2040-01-01"])
        .exits(1)
        .complains(&["--now is for retention plan"]);
    assert!(Path::new(&room.path("demo/evidence/segments")).exists());
}
