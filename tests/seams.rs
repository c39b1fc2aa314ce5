//! Where two rooms meet: what one assumes and the other must keep.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use harbourwatch::app::wire;
use harbourwatch::pipeline::report::BatchReport;
use harbourwatch::pipeline::world::World;
use harbourwatch::settings::{EXAMPLE_BANK, Settings};
use serde_json::{Value, json};

use crate::support::{bank, run_in};

const HK_TENANT: &str = "ding8f2c41a0b7d9e63524f2f5cc6abecb85";

/// The example bank with changes to its text; each must apply.
fn bank_with(changes: &[(&str, &str)]) -> Arc<World> {
    let changed = changes.iter().fold(EXAMPLE_BANK.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    Arc::new(wire::world(&changed.parse::<Settings>().unwrap()).unwrap())
}

/// A download in the head office, with more or other fields.
fn download(more: &Value) -> Value {
    let mut row = json!({
        "action": 2, "bizId": "100", "gmtCreate": 1_763_456_712_345_i64, "userId": "manager4521",
        "ipAddress": "203.0.113.7", "resource": "notes.docx",
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

fn run(world: &Arc<World>, messages: &[Value]) -> (Vec<BatchReport>, Vec<Value>) {
    let messages = messages.iter().map(|message| message.to_string().into_bytes()).collect();
    let (reports, lines, _) = run_in(world, messages, 1, usize::MAX, 1);
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    (reports, lines.map(|line| serde_json::from_slice(line).unwrap()).collect())
}

fn line(world: &Arc<World>, message: &Value) -> Value {
    run(world, std::slice::from_ref(message)).1.remove(0)
}

fn verdict(world: &Arc<World>, message: &Value) -> String {
    line(world, message)["verdict"].as_str().unwrap_or("-").to_owned()
}

#[test]
fn the_usual_storage_stands_in_only_where_the_event_says_nothing_else() {
    let cases = [
        (json!({}), "HK"),
        (json!({"region": "SINGAPORE"}), "SG"),
        (json!({"region": "UNKNOWN"}), "HK"),
        (json!({"region": "ATLANTIS"}), "ZZ"),
        (json!({"host": "https://x.oss-xx-atlantis.aliyuncs.com/a"}), "ZZ"),
        (json!({"host": "https://files.s3.eu-west-3.amazonaws.com/a"}), "ZZ"),
        (json!({"region": "ATLANTIS", "host": "https://x.oss-cn-hongkong.aliyuncs.com/a"}), "HK"),
    ];
    for (storage, expected) in cases {
        let line = line(&bank(), &download(&json!({"_enrichment": storage})));
        assert_eq!(line["legs"][0]["origin"]["code"], expected, "{storage}");
        let verdict = if expected == "ZZ" { "UNDETERMINED" } else { line["verdict"].as_str().unwrap() };
        assert_eq!(line["verdict"], verdict, "{storage}");
    }
}

#[test]
fn statements_about_storage_that_contradict_each_other_settle_nothing() {
    for more in [
        json!({"_enrichment": {"region": "cn-hongkong", "host": "https://sz.trans.dingtalk.com/a"}}),
        json!({"_enrichment": {"host": "https://x.oss-cn-hongkong.aliyuncs.com/a", "bucket": "lippi-space-sz"}}),
        json!({"docPcUrl": "https://x.oss-ap-southeast-1.aliyuncs.com/a"}),
    ] {
        let row = download(&more);
        let line = line(&bank(), &row);
        assert_eq!(line["verdict"], "UNDETERMINED", "{more}: {line}");
        assert_eq!(line["legs"][0]["origin"]["doubt"], "conflict", "{more}");
        assert_eq!(line["legs"][0]["origin"]["places"].as_array().unwrap().len(), 2, "{more}");
    }
}

#[test]
fn a_document_address_never_establishes_a_place() {
    let world =
        bank_with(&[(r#"place = "HK", evidence = "DMS-2026-0417"#, r#"place = "SG", evidence = "DMS-2026-0417"#)]);
    let row = download(&json!({"docPcUrl": "https://files.vhb.example/a"}));
    assert_eq!(line(&world, &row)["legs"][0]["origin"]["doubt"], "conflict");
}

#[test]
fn a_knowledge_base_speaks_where_its_space_is_silent() {
    let change = "[[spaces]]\nid = \"wiki-sg\"\nitem = \"customer-list\"\nstorage = { place = \"SG\", evidence = \"X-1\" }\n\n[[spaces]]\nid = \"silent\"\noperator = \"lantau-cloud\"\n\n[[spaces]]\nid = \"24870551923\"";
    let world = bank_with(&[("[[spaces]]\nid = \"24870551923\"", change)]);
    let row = download(&json!({"targetSpaceId": "silent", "workSpaceId": "wiki-sg"}));
    let origin = line(&world, &row)["legs"][0]["origin"].clone();
    assert_eq!((&origin["code"], &origin["source"]), (&json!("SG"), &json!("space wiki-sg: X-1")));
}

#[test]
fn nothing_of_the_first_tenant_is_lent_to_a_tenant_that_is_not_configured() {
    let stored = json!({"region": "cn-hongkong"});
    let opened = json!({"action": 24, "corpId": "ding-somebody-else", "_enrichment": stored});
    assert_eq!(verdict(&bank(), &download(&opened)), "UNDETERMINED", "whose staff it reaches is not known");
    let sent = |corp: &str| {
        let receiver = json!([{"receiverId": "16338841", "receiverName": "x", "receiverType": 0}]);
        download(&json!({"action": 8, "corpId": corp, "_enrichment": stored, "docReceiverList": receiver}))
    };
    assert_eq!(verdict(&bank(), &sent(HK_TENANT)), "DOMESTIC");
    assert_eq!(verdict(&bank(), &sent("ding-somebody-else")), "UNDETERMINED", "a staff id of another tenant");
}

#[test]
fn a_display_name_is_no_proof_of_being_in_hong_kong() {
    let sent = |id: Option<&str>, name: &str| {
        let receiver = json!([{"receiverId": id, "receiverName": name, "receiverType": 0}]);
        verdict(&bank(), &download(&json!({"action": 8, "docReceiverList": receiver})))
    };
    assert_eq!(sent(Some("16338841"), "whatever"), "DOMESTIC");
    assert_eq!(sent(None, "Lee Chi Keung"), "DOMESTIC", "where the event gives no id, the name is all there is");
    assert_eq!(sent(Some("99887766"), "Lee Chi Keung"), "UNDETERMINED", "somebody else of that name");
    assert_eq!(sent(Some("99887766"), "Mallory (Victoria Harbour Bank)"), "UNDETERMINED");
    assert_eq!(sent(Some("99887766"), "Tan (Straits Freight)"), sent(None, "Tan (Straits Freight)"));
}
