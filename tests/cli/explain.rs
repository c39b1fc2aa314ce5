//! `explain`: legs, places with method and confidence, the rules tried in order and why each passed or failed, the
//! safeguard that matched or the condition that failed, the factors of the severity.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::harness::{Room, TENANT, golden};

/// A row of the bank's tenant by somebody of the Singapore office, with more or other fields.
fn row(more: &Value) -> String {
    let mut row = json!({
        "action": 2, "bizId": "24870551923007", "gmtCreate": 1_795_399_200_000_i64, "userId": "sg-90017",
        "realName": "Goh Jun Wei", "ipAddress": "198.51.100.140", "targetSpaceId": 24_870_551_923_u64,
        "resource": "notes.docx", "resourceSize": 1000, "orgName": "維港銀行有限公司",
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row.to_string()
}

fn explain(room: &Room, event: &str, arguments: &[&str]) -> super::harness::Ran {
    room.feed(&[&["explain", "-c", "config/bank.toml"], arguments].concat(), event)
}

#[test]
fn each_way_a_verdict_comes_about_is_shown_step_by_step() {
    let room = Room::new();
    let claims = json!({"userId": "sz-2207191", "ipAddress": "198.51.100.10", "targetSpaceId": 24_870_552_011_u64});
    let cases = [
        ("covered", room.read("config/example-event.json")),
        // everything agreed leaves identity data out
        ("defect", row(&json!({"userId": "ext-qj-001", "ipAddress": "192.0.2.11"}))),
        ("unfiled", row(&claims)),
        ("undetermined", row(&json!({"ipAddress": "192.0.2.130"}))),
        ("uncovered", row(&json!({"action": 5, "resource": "HKID copies.zip"}))),
        ("prohibited", row(&json!({"action": 8, "receiverName": "Backup (Coastal Share Inc.)", "receiverType": 0}))),
        ("domestic", row(&json!({"userId": "manager4521", "ipAddress": "203.0.113.7"}))),
        ("out-of-scope", row(&json!({"targetSpaceId": 24_870_552_046_u64}))),
    ];
    for (name, event) in cases {
        golden(&format!("explain-{name}.txt"), &explain(&room, &event, &[]).exits(0).out);
    }
}

#[test]
fn json_says_the_same_for_machines() {
    let room = Room::new();
    let defect = row(&json!({"userId": "ext-qj-001", "ipAddress": "192.0.2.11"}));
    let shown = explain(&room, &defect, &["--json"]).exits(0).lines().remove(0);
    assert_eq!(
        (&shown["verdict"], &shown["severity"], &shown["item"]),
        (&json!("DEFECT"), &json!("CRITICAL"), &json!("customer-list"))
    );
    assert_eq!((&shown["index"], &shown["shape"], &shown["tenant"]), (&json!(0), &json!("audit_row"), &json!(TENANT)));
    let leg = &shown["legs"][0];
    assert_eq!(
        (&leg["kind"], &leg["rule"], &leg["safeguard"]),
        (&json!("access"), &json!("R8"), &json!("rmc-qianjiang-2024"))
    );
    assert_eq!((&leg["failed"], &leg["binding"]), (&json!("category"), &json!(true)));
    assert_eq!(
        leg["origin"],
        json!({
            "places": ["HK"], "code": "HK", "method": "tenant_setting", "confidence": "medium",
            "source": "tenant setting: DMS-2026-0417, dedicated storage, schedule 2",
        })
    );
    assert_eq!((&leg["destination"]["method"], &leg["destination"]["confidence"]), (&json!("site"), &json!("high")));
    assert_eq!(leg["recipient"]["party"], "qianjiang");
    let text = explain(&room, &defect, &[]).exits(0).out;
    for line in leg["reasoning"].as_array().unwrap() {
        assert!(text.contains(line.as_str().unwrap()), "{line}");
    }
}

#[test]
fn the_file_of_an_event_may_be_named_or_come_in() {
    let room = Room::new();
    let named = room.run(&["explain", "-c", "config/bank.toml", "config/example-event.json"]).exits(0);
    let fed = explain(&room, &room.read("config/example-event.json"), &[]).exits(0);
    assert_eq!(named.out, fed.out);
    assert_eq!(explain(&room, &room.read("config/example-event.json"), &["-"]).exits(0).out, fed.out);
    room.run(&["explain", "-c", "config/bank.toml", "absent.json"]).exits(1).complains(&["absent.json"]);
}

#[test]
fn a_page_is_explained_row_by_row_and_a_bad_row_says_why() {
    let room = Room::new();
    let page =
        format!("{{\"list\":[{},{{\"action\":\"?\",\"bizId\":1}},{}]}}", row(&json!({})), row(&json!({"action": 6})));
    let ran = explain(&room, &page, &[]).exits(1);
    ran.says(&[
        "event 0: action 2 download file / 下载文件",
        "event 1: rejected (bad_field): field action",
        "event 2: action 6 rename file",
        "moves no data",
    ]);
    let lines = explain(&room, &page, &["--json"]).exits(1).lines();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1], json!({"index": 1, "rejected": "bad_field", "detail": "field action"}));
    explain(&room, "{\"list\":[]}", &[]).exits(0).complains(&["a page without events"]);
    explain(&room, "not json", &[]).exits(1).says(&["rejected (not_json): byte 1"]);
}

#[test]
fn an_act_that_no_table_has_is_undetermined_and_says_so() {
    let ran = explain(&Room::new(), &row(&json!({"action": 34})), &[]).exits(0);
    ran.says(&[
        "action 34 (not in the tables)",
        "verdict UNDETERMINED",
        "unclassified",
        "not in the tables: it may move data anywhere",
    ]);
}

#[test]
fn a_file_of_another_organisation_is_told_as_such() {
    let ran = explain(&Room::new(), &row(&json!({"orgName": "某某公司"})), &[]).exits(0);
    ran.says(&["a file of another organisation", "from       unknown (other_organisation)"]);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

/// A leg on one line.
fn leg_of(leg: &Value) -> String {
    let place = |end: &Value| {
        let places: Vec<_> = end["places"].as_array().unwrap().iter().map(text).collect();
        let place = if places.is_empty() { text(&end["doubt"]) } else { places.join(" or ") };
        format!("{place} by {}", text(&end["method"]))
    };
    let [kind, verdict, severity] = ["kind", "verdict", "severity"].map(|key| text(&leg[key]));
    let (from, to, party) = (place(&leg["origin"]), place(&leg["destination"]), text(&leg["recipient"]["party"]));
    format!("{kind} {from} → {to}, {party}: {verdict} {severity}")
}

/// Kind, ends, recipient and verdict of every leg of every sample.
#[test]
fn the_samples_of_every_shape_come_to_the_expected_legs() {
    let room = Room::new();
    room.bank(&[("\"維港銀行\", ", "\"維港銀行\", \"海港服務（香港）有限公司\", ")]);
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dingtalk");
    let mut shown = String::new();
    for file in ["samples.jsonl", "samples-push.jsonl"] {
        let samples = std::fs::read_to_string(data.join(file)).unwrap();
        let page = format!("[{}]", samples.lines().collect::<Vec<_>>().join(","));
        for event in room.feed(&["explain", "-c", "bank.toml", "--json"], page).exits(0).lines() {
            let number = event["index"].as_u64().unwrap() + 1;
            let told = ["shape", "act", "verdict"].map(|key| text(&event[key]));
            writeln!(shown, "{file} {number}: {}", told.join(", ")).unwrap();
            event["legs"].as_array().unwrap().iter().for_each(|leg| writeln!(shown, "    {}", leg_of(leg)).unwrap());
        }
    }
    golden("samples.txt", &shown);
}
