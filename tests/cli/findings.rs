//! `findings`: what people are told, gravest first, in words and as JSON.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::harness::{Room, golden};

/// One possible transfer of each sort, at one place and time.
fn room() -> Room {
    let room = Room::new();
    room.bank(&[]);
    let row = |number: u32, more: Value| {
        let mut row = json!({
            "action": 2, "bizId": number, "gmtCreate": 1_795_399_200_000_i64 + i64::from(number), "userId": "sg-90017",
            "realName": "Goh Jun Wei", "ipAddress": "198.51.100.140", "targetSpaceId": 24_870_551_923_u64,
            "resource": "notes.docx", "resourceSize": 1000,
        });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row.to_string() + "\n"
    };
    let events = [
        row(
            1,
            json!({"userId": "ext-mp-001", "realName": "Rajesh Pillai", "targetSpaceId": 24_870_551_987_u64, "ipAddress": "165.21.83.88"}),
        ),
        row(2, json!({"userId": "ext-qj-001", "realName": "沈立群", "ipAddress": "192.0.2.11"})),
        row(3, json!({"userId": "ext-qj-001", "realName": "沈立群", "ipAddress": "192.0.2.11"})),
        row(4, json!({"ipAddress": "192.0.2.130"})),
        row(5, json!({"action": 5})),
        row(6, json!({"action": 0, "targetSpaceId": 24_870_552_358_u64, "ipAddress": "203.0.113.7"})),
        row(7, json!({"userId": "manager4521", "ipAddress": "203.0.113.7"})),
        row(8, json!({"action": 0, "ipAddress": "10.9.9.9", "targetSpaceId": 24_870_551_923_u64})),
    ];
    room.write("events.ndjson", events.concat());
    room.run(&["replay", "-c", "bank.toml", "--data", "data", "events.ndjson"]).exits(0);
    room
}

#[test]
fn words_are_shown_gravest_first_in_either_language_or_both() {
    let room = room();
    let told = |lang: &str| room.run(&["findings", "--data", "data", "--lang", lang]).exits(0).out;
    let (english, chinese, both) = (told("en"), told("zh"), told("both"));
    golden("findings-en.txt", &english);
    golden("findings-zh.txt", &chinese);
    let heads = |text: &str| text.lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(heads(&both).len(), heads(&english).len() + heads(&chinese).len());
    let severity = |head: &String| {
        ["[CRITICAL]", "[HIGH]", "[MEDIUM]", "[LOW]"].iter().position(|one| head.starts_with(one)).unwrap()
    };
    assert!(heads(&english).is_sorted_by_key(severity), "{:?}", heads(&english));
    for word in ["violat", "illegal", "unlawful", "breach", "leak", "違反", "違法", "非法", "洩"] {
        assert!(!both.to_lowercase().contains(word), "{word}");
    }
}

#[test]
fn only_the_gravest_are_shown_on_request() {
    let room = room();
    let all = room.run(&["findings", "--data", "data"]).exits(0).out;
    let two = room.run(&["findings", "--data", "data", "--most", "2"]).exits(0).out;
    assert!(all.starts_with(&two) && two.matches("\nWho: ").count() == 2, "{two}");
    let default = room.run(&["findings", "--data", "data", "--lang", "en"]).exits(0).out;
    assert_eq!(all, default);
    let json = |more: &[&str]| room.run(&[&["findings", "--data", "data", "--json"], more].concat()).exits(0).lines();
    let (all, two) = (json(&[]), json(&["--most", "2"]));
    assert!(all.len() > 2 && two.len() == 2 && two.iter().all(|one| all.contains(one)));
    let ids: Vec<_> = two.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted());
    let grave = |of: &[Value]| of.iter().filter(|one| one["severity"] == "CRITICAL").count();
    assert_eq!(grave(&two), grave(&all).min(2), "the gravest");
}

#[test]
fn json_lists_every_finding_once_sorted_by_id() {
    let room = room();
    let found = room.run(&["findings", "--data", "data", "--json"]).exits(0).lines();
    let ids: Vec<_> = found.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let of = |verdict: &str| found.iter().filter(|one| one["verdict"] == verdict).collect::<Vec<_>>();
    let defect = of("DEFECT");
    assert_eq!((defect.len(), &defect[0]["count"]), (1, &json!(2)), "two of a kind are one finding");
    assert_eq!((of("UNCOVERED").len(), of("PROHIBITED").len(), of("DOMESTIC").len()), (2, 1, 0));
    let standing: Vec<_> = found.iter().filter(|one| one["kind"] == "store_at_rest").collect();
    assert_eq!((standing.len(), &standing[0]["count"]), (1, &json!(2)), "the arrangement and the upload under it");
    for one in &found {
        for field in [
            "schema", "id", "series", "severity", "verdict", "rule", "window", "first", "last", "count", "kind",
            "tenant", "record",
        ] {
            assert!(!one[field].is_null(), "{field}: {one}");
        }
    }
}

#[test]
fn the_folder_may_be_that_of_a_configuration_and_must_be_there() {
    let room = room();
    let named = room.run(&["findings", "--data", "data", "--json"]).exits(0).out;
    room.bank(&[("dir = \"data/outbox\"", "dir = \"data/state\"")]);
    assert_eq!(room.run(&["findings", "-c", "bank.toml", "--json"]).exits(0).out, named);
    room.run(&["findings", "--data", "elsewhere"]).exits(1).complains(&["elsewhere/state/state.db", "--data"]);
}
