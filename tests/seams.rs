//! Where two rooms meet: what one assumes and the other must keep.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use harbourwatch::app::wire;
use harbourwatch::domain::position::{Lane, LaneId};
use harbourwatch::pipeline::Run;
use harbourwatch::pipeline::batch::{Batch, Limits};
use harbourwatch::pipeline::crew::Crew;
use harbourwatch::pipeline::dedupe::Dedupe;
use harbourwatch::pipeline::ports::{Durable, InFlight, Polled, Source, SourceError};
use harbourwatch::pipeline::report::BatchReport;
use harbourwatch::pipeline::tally::Tally;
use harbourwatch::pipeline::work::Task;
use harbourwatch::pipeline::world::World;
use harbourwatch::settings::{EXAMPLE_BANK, Settings};
use serde_json::{Value, json};

use crate::support::{KEY, Kept, bank, run_in};

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
        // the first address hides the region, the second names it
        (
            json!({"resourceUrls": ["https://down-cdn.dingtalk.com/a", "https://x.oss-ap-southeast-1.aliyuncs.com/a"]}),
            "SG",
        ),
        (
            json!({"headerSignatureInfo": {"resourceUrls": ["https://x.oss-accelerate.aliyuncs.com/a"],
                "internalResourceUrls": ["http://x.oss-ap-southeast-1-internal.aliyuncs.com/a"]}}),
            "SG",
        ),
        (json!({"resourceUrls": ["https://x.oss-cn-hongkong.aliyuncs.com/a", "https://files.example.org/a"]}), "ZZ"),
        (json!({"answer": {"headerSignatureInfo": {"region": "SINGAPORE"}}}), "SG"),
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
        json!({"_enrichment": {"resourceUrls": ["https://x.oss-cn-hongkong.aliyuncs.com/a", "https://sz.trans.dingtalk.com/a"]}}),
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
fn an_event_that_names_no_tenant_is_nobodys_where_several_are_watched() {
    let assumed = "default_tenant = \"ding8f2c41a0b7d9e63524f2f5cc6abecb85\"\n";
    assert_eq!(verdict(&bank(), &download(&json!({}))), "DOMESTIC", "the configuration says whose such events are");
    let world = bank_with(&[(assumed, "")]);
    assert_eq!(verdict(&world, &download(&json!({}))), "UNDETERMINED");
    assert_eq!(verdict(&world, &download(&json!({"corpId": HK_TENANT}))), "DOMESTIC");
    assert_eq!(line(&world, &download(&json!({})))["legs"][0]["origin"]["code"], "ZZ", "no tenant's storage is lent");
    let only = "[[entities]]\nid = \"c\"\nname = \"C\"\nregistered = \"HK\"\n[[tenants]]\nid = \"d\"\nentity = \"c\"\nitem = \"i\"\nstorage = { place = \"HK\", evidence = \"X\" }\n[[inventory]]\nid = \"i\"\nname = \"I\"\n[[sites]]\nid = \"o\"\ncidrs = [\"203.0.113.0/24\"]\nplace = \"HK\"\n";
    let only = Arc::new(wire::world(&only.parse::<Settings>().unwrap()).unwrap());
    assert_eq!(verdict(&only, &download(&json!({}))), "DOMESTIC", "a single tenant is meant");
}

#[test]
fn files_of_another_organisation_are_not_taken_to_be_in_our_storage() {
    // the audit log covers what members do in all organisations that they belong to
    let owned = |more: Value| line(&bank(), &download(&more));
    for own in ["維港銀行有限公司", "Victoria Harbour Bank Limited", "VHB Singapore", ""] {
        assert_eq!(owned(json!({"orgName": own}))["verdict"], "DOMESTIC", "{own}");
    }
    for other in ["Straits Freight Pte Ltd", "某某公司", "victoria harbour bank limited"] {
        let line = owned(json!({"orgName": other}));
        let origin = &line["legs"][0]["origin"];
        assert_eq!(
            (&line["verdict"], &origin["doubt"]),
            (&json!("UNDETERMINED"), &json!("other_organisation")),
            "{other}"
        );
    }
    let uploaded = owned(json!({"action": 0, "orgName": "Straits Freight Pte Ltd"}));
    assert_eq!(uploaded["legs"][0]["recipient"]["party"], "straits-freight");
    assert_eq!(uploaded["verdict"], "UNDETERMINED");
    let opened = owned(json!({"action": 24, "orgName": "Straits Freight Pte Ltd"}));
    assert_eq!(
        (&opened["legs"][0]["destination"]["code"], &opened["legs"][0]["recipient"]["party"]),
        (&json!("SG"), &json!("straits-freight"))
    );
    let stated = owned(json!({"orgName": "某某公司", "_enrichment": {"region": "cn-hongkong"}}));
    assert_eq!(stated["verdict"], "DOMESTIC", "what the event says of the storage holds for whoever owns the file");
    let listed = owned(json!({"orgName": "某某公司", "targetSpaceId": 24_870_552_399_u64}));
    assert_eq!(listed["legs"][0]["origin"]["code"], "SG", "so does the map of spaces");
}

/// A SIM from Hong Kong that roams in Shenzhen, or an office whose way out is in Hong Kong.
#[test]
fn a_database_that_says_hong_kong_settles_nothing_for_somebody_who_is_elsewhere() {
    const BY_DATABASE: &str = "203.80.96.10";
    let seen = |user: &str, address: &str, action: u8| {
        line(&bank(), &download(&json!({"userId": user, "ipAddress": address, "action": action})))
    };
    for user in ["sz-2207191", "ext-qj-001", "16338860"] {
        let access = seen(user, BY_DATABASE, 2);
        let place = &access["legs"][0]["destination"];
        assert_eq!((&access["verdict"], &place["doubt"]), (&json!("UNDETERMINED"), &json!("conflict")), "{access}");
        assert_eq!(place["places"][0], "HK", "{access}");
        assert_eq!(place["places"].as_array().unwrap().len(), 2, "{access}");
        let source = place["source"].as_str().unwrap();
        assert!(source.ends_with("; the directory has them elsewhere"), "{source}");
    }
    let upload = seen("sz-2207191", BY_DATABASE, 0);
    assert_eq!(upload["legs"][0]["possible"], json!(["INBOUND", "DOMESTIC"]), "{upload}");
    // who is in Hong Kong by the directory, or by nobody's word elsewhere
    for (user, address) in [("manager4521", BY_DATABASE), ("nobody-knows", BY_DATABASE), ("sz-2207191", "203.0.113.7")]
    {
        let access = seen(user, address, 2);
        assert_eq!(access["verdict"], "DOMESTIC", "{access}");
    }
    // an address that is in doubt already is not cleared by the directory
    let anycast = seen("sz-2207191", "1.1.1.1", 2);
    assert_eq!(anycast["legs"][0]["destination"]["doubt"], "opaque", "{anycast}");
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

#[test]
fn the_name_of_a_group_or_a_drive_places_nobody_in_hong_kong() {
    // whoever makes one names it, and anybody can be in it
    let sent = |kind: u8, list: &str, name: &str| {
        let one = if list == "docMemberList" {
            json!([{"memberName": name, "memberType": kind, "permissionRole": 1}])
        } else {
            json!([{"receiverName": name, "receiverType": kind}])
        };
        verdict(&bank(), &download(&json!({"action": if list == "docMemberList" { 20 } else { 15 }, list: one})))
    };
    // groups; a drive, a document; what no table has
    for (list, kinds) in [("docReceiverList", &[1, 2, 3, 9][..]), ("docMemberList", &[1, 9])] {
        for kind in kinds {
            assert_eq!(sent(*kind, list, "維港銀行"), "UNDETERMINED", "{list} {kind}");
            let elsewhere = sent(*kind, list, "Straits Freight");
            assert_eq!(elsewhere, "UNCOVERED", "{list} {kind}: a name that says elsewhere is followed");
        }
    }
    assert_eq!(sent(0, "docReceiverList", "Lee Chi Keung"), "DOMESTIC");
    assert_eq!(sent(2, "docMemberList", "Lee Chi Keung"), "DOMESTIC");
    assert_eq!(sent(3, "docMemberList", "維港銀行"), "DOMESTIC");
}

#[test]
fn a_mail_address_is_followed_to_its_organisation_and_as_a_name_never_to_hong_kong() {
    let sent = |id: Option<&str>, name: &str| {
        let receiver = json!([{"receiverId": id, "receiverName": name, "receiverType": 0}]);
        let line = line(&bank(), &download(&json!({"action": 8, "docReceiverList": receiver})));
        let leg = &line["legs"][0];
        format!("{} {}", leg["recipient"]["party"].as_str().unwrap(), leg["destination"]["code"].as_str().unwrap())
    };
    assert_eq!(sent(Some("tan@ops.straits-freight.example"), "x"), "straits-freight SG");
    assert_eq!(sent(Some("ka.yan@VHB.example"), "x"), "vhb HK", "an id is not chosen by its bearer");
    assert_eq!(sent(None, "tan@straits-freight.example"), "straits-freight SG");
    assert_eq!(sent(None, "ka.yan@vhb.example"), "stranger ZZ", "a display name is");
    for name in ["tan@straits-freight.example.org", "Tan tan@straits-freight.example", "a@b@straits-freight.example"] {
        assert_eq!(sent(None, name), "stranger ZZ", "{name}");
    }
}

#[test]
fn apps_and_files_of_one_push_event_are_not_duplicates_of_each_other() {
    let head = |kind: &str, body: Value| json!({"eventType": kind, "eventId": "e-1", "corpId": HK_TENANT, "eventBornTime": 1_763_456_712_345_i64, "data": body});
    let apps = json!({"authInfo": {"agent": [{"appid": 11, "agentname": "One"}, {"appid": 12, "agentname": "Two"}]}});
    let files = json!({"fileRecords": [
        {"fileName": "a.xlsx", "openCid": "c", "requestId": "r1"}, {"fileName": "a.xlsx", "openCid": "c", "requestId": "r2"},
    ]});
    for message in [head("org_suite_auth", apps), head("org_file_send_check", files)] {
        let (reports, lines) = run(&bank(), &[message.clone(), message]);
        let share = &reports[0].coverage[0];
        assert_eq!((share.received, share.judged, share.duplicate), (4, 2, 2), "{lines:?}");
    }
}

#[test]
fn two_acts_in_one_second_from_two_addresses_are_two() {
    let at = |address: &str| download(&json!({"gmtCreate": 1_763_456_712, "ipAddress": address}));
    let (reports, _) = run(&bank(), &[at("203.0.113.7"), at("198.51.100.200"), at("203.0.113.7")]);
    let share = &reports[0].coverage[0];
    assert_eq!((share.judged, share.duplicate), (2, 1));
}

#[test]
fn sizes_beyond_all_measure_stop_nothing() {
    let row = |biz: u32| {
        download(
            &json!({"bizId": biz, "ipAddress": "198.51.100.200", "resourceSize": i64::MAX, "targetSpaceId": "24870551923"}),
        )
    };
    let rows: Vec<_> = (1..5).map(row).collect();
    let (reports, lines) = run(&bank(), &rows);
    assert_eq!(lines.len(), 4);
    let access = reports[0].findings.iter().find(|finding| finding.key.kind == "access").unwrap();
    assert_eq!(access.count, 4);
}

#[test]
fn an_event_is_recorded_if_any_of_its_legs_is() {
    let record = r#"record = ["PROHIBITED", "UNCOVERED", "DEFECT", "UNDETERMINED", "COVERED"]"#;
    let world = bank_with(&[(record, "record = [\"UNDETERMINED\"]")]);
    let receivers = json!([
        {"receiverId": "ext-sf-001", "receiverName": "Tan", "receiverType": 0}, {"receiverId": "nobody-1", "receiverName": "Nobody", "receiverType": 0},
    ]);
    let (reports, lines) = run(&world, &[download(&json!({"action": 8, "docReceiverList": receivers}))]);
    assert_ne!(lines[0]["verdict"], "UNDETERMINED", "another leg is graver: {lines:?}");
    assert_eq!((reports[0].records.len(), reports[0].findings.len()), (1, 1));
}

#[test]
fn the_rejected_rows_of_a_page_share_its_bytes() {
    let bad = json!({"action": "?", "bizId": "1", "resource": "x".repeat(1000)});
    let page = json!({"list": vec![bad; 500]});
    let (reports, _) = run(&bank(), std::slice::from_ref(&page));
    let rejected = &reports[0].rejected;
    assert_eq!(rejected.len(), 500);
    assert!(rejected.iter().all(|one| one.raw.as_ptr() == rejected[0].raw.as_ptr()), "one copy, not 500");
    assert_eq!(rejected[0].raw.len(), page.to_string().len());
}

/// Puts a message into the batch with each answer, then ends.
struct Abrupt(Vec<Result<Polled, SourceError>>, [Lane; 1], u64);

impl Source for Abrupt {
    fn poll(&mut self, batch: &mut Batch, _: &Limits, _: &mut dyn InFlight) -> Result<Polled, SourceError> {
        assert!(batch.is_empty(), "a batch comes empty");
        let Some(answer) = self.0.pop() else { return Ok(Polled::End) };
        let row = download(&json!({"bizId": self.2})).to_string();
        batch.push(LaneId(0), self.2, row.as_bytes(), 0);
        self.2 += 1;
        answer
    }

    fn lanes(&self) -> &[Lane] {
        &self.1
    }

    fn commit(&mut self, _: &Durable) -> Result<(), SourceError> {
        Ok(())
    }
}

#[test]
fn what_a_poll_handed_over_counts_however_it_ended() {
    let transient = || Err(SourceError::Transient("away".to_owned()));
    let answers = vec![Ok(Polled::End), Ok(Polled::Idle), transient(), transient(), Ok(Polled::Filled)];
    let mut source = Abrupt(answers, [Lane { topic: "t".to_owned(), partition: 0 }], 0);
    let (world, mut kept, stop) = (bank(), Kept::default(), AtomicBool::new(false));
    let task = Task { key: KEY, lines: false };
    let run = Run { world: &|| Arc::clone(&world), limits: Limits::default(), task, stop: &stop };
    let (mut crew, mut tally) = (Crew::start(1).unwrap(), Tally::new(Dedupe::new(100, []), &[]));
    run.through(&mut source, &mut kept, &mut crew, &mut tally, &mut |_| {}).unwrap();
    let judged: u64 = kept.0.iter().flat_map(|report| &report.coverage).map(|share| share.judged).sum();
    assert_eq!(judged, 5, "five messages were handed over");
}

#[test]
fn leaving_a_grave_verdict_out_of_the_evidence_is_warned_of() {
    let record = r#"record = ["PROHIBITED", "UNCOVERED", "DEFECT", "UNDETERMINED", "COVERED"]"#;
    let warned = |text: &str| {
        let settings: Settings = text.parse().unwrap();
        settings.warnings.iter().filter(|warning| warning.contains("nor told")).count()
    };
    assert_eq!(warned(EXAMPLE_BANK), 0);
    assert_eq!(warned(&EXAMPLE_BANK.replace(record, r#"record = ["UNDETERMINED", "COVERED", "DEFECT"]"#)), 2);
}
