//! Standing arrangements: what the configuration says of storage is judged and told once a tenant, arrangement and day,
//! whatever the cut of batches, the number of workers or a restart, and not again by uploads to the same storage.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use harbourwatch::app::wire;
use harbourwatch::domain::event::Personal;
use harbourwatch::domain::party::TenantId;
use harbourwatch::pipeline::Run;
use harbourwatch::pipeline::batch::Limits;
use harbourwatch::pipeline::crew::Crew;
use harbourwatch::pipeline::dedupe::Dedupe;
use harbourwatch::pipeline::report::{BatchReport, FindingDelta};
use harbourwatch::pipeline::standing::arrangements;
use harbourwatch::pipeline::tally::Tally;
use harbourwatch::pipeline::work::Task;
use harbourwatch::pipeline::world::World;
use harbourwatch::settings::{EXAMPLE_BANK, Settings};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{KEY, Kept, Memory, bank, day, run, run_in};

const HK_TENANT: &str = "ding8f2c41a0b7d9e63524f2f5cc6abecb85";
const SZ_TENANT: &str = "ding41c07be95d2a8f3635c2f4657eb6378f";
/// 2026-11-23 10:00 HKT.
const MORNING: i64 = 1_795_399_200_000;
const HOUR: i64 = 3_600_000;

/// A space of the example bank that is kept in Zhangjiakou, against the bank's own residency rule.
const OLD_EXPORTS: &str = "24870552358";

fn row(number: u64, at: i64, more: &Value) -> Vec<u8> {
    let mut row = json!({
        "action": 2, "bizId": number, "gmtCreate": at, "userId": "manager4521", "ipAddress": "203.0.113.7",
        "corpId": HK_TENANT, "targetSpaceId": "24870551923", "resource": "notes.docx", "resourceSize": 10,
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row.to_string().into_bytes()
}

fn standing(reports: &[BatchReport]) -> Vec<&FindingDelta> {
    reports.iter().flat_map(|report| &report.findings).filter(|delta| delta.key.kind == "store_at_rest").collect()
}

/// Subject and count of each standing finding.
fn counts(reports: &[BatchReport]) -> BTreeMap<(String, i64), u64> {
    let mut counts = BTreeMap::new();
    for delta in standing(reports) {
        *counts.entry((format!("{} {}", delta.key.tenant, delta.key.subject), delta.key.window)).or_default() +=
            delta.count;
    }
    counts
}

fn records(reports: &[BatchReport]) -> Vec<Value> {
    let all = reports.iter().flat_map(|report| &report.records);
    all.map(|record| serde_json::from_slice(&record.json).unwrap()).collect()
}

#[test]
fn arrangements_are_told_with_the_first_event_of_a_tenant_and_day_in_hong_kong() {
    let morning = MORNING - 10 * HOUR;
    let (late, next) = (morning + 24 * HOUR - 1, morning + 24 * HOUR);
    let events = [MORNING, late, next, MORNING + 1].into_iter().zip(1..).map(|(at, n)| row(n, at, &json!({})));
    let (reports, lines, _) = run(events.collect(), 1, 10, 2);
    let told = |day: i64| ((format!("{HK_TENANT} space {OLD_EXPORTS}"), day), 1);
    assert_eq!(counts(&reports), [told(morning), told(next)].into());
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 4, "one line an event, none for the arrangement");
    let first = standing(&reports)[0];
    assert_eq!((first.first, first.last, first.bytes), (morning, morning, 0), "the day, whatever event came first");
    assert_eq!((first.key.destination.as_str(), first.key.verdict, first.key.rule), ("CN", "PROHIBITED", "R5"));
    assert_eq!(first.facts.policy_rule.as_deref(), Some("core-data-in-hk"));
    let [exporter, actor, address, file] =
        [&first.facts.actor_name, &first.facts.actor_id, &first.facts.address, &first.facts.resource]
            .map(Personal::reveal);
    assert_eq!((exporter.as_str(), format!("{actor}{address}{file}").as_str()), ("Victoria Harbour Bank Limited", ""));
    let share = &reports[0].coverage[0];
    assert_eq!((share.received, share.judged), (4, 4), "an arrangement is no event");
}

#[test]
fn an_arrangement_that_is_covered_is_evidence_and_tells_nobody() {
    let (reports, ..) = run(vec![row(1, MORNING, &json!({}))], 1, 10, 1);
    let kept: Vec<_> = records(&reports).into_iter().filter(|record| record["act"] == "store_at_rest").collect();
    let verdicts: Vec<_> = kept.iter().map(|record| (&record["data"]["space"], &record["verdict"])).collect();
    assert_eq!(
        verdicts,
        [(&json!(OLD_EXPORTS), &json!("PROHIBITED")), (&json!("24870552399"), &json!("COVERED"))],
        "{kept:#?}"
    );
    assert_eq!(kept[1]["legs"][0]["safeguard"], "dingtalk-storage-sg");
    assert_eq!(standing(&reports).len(), 1);
    let ids: std::collections::BTreeSet<_> =
        reports.iter().flat_map(|report| &report.records).map(|record| &record.id).collect();
    assert_eq!(ids.len(), reports.iter().map(|report| report.records.len()).sum::<usize>(), "ids of their own");
    assert!(kept.iter().all(|record| record["shape"] == "standing"), "and not taken for an event");
}

#[test]
fn uploads_to_the_same_storage_are_counted_with_it_and_graver_ones_told_alone() {
    let upload = |n, more: Value| {
        let mut all = json!({"action": 0, "targetSpaceId": OLD_EXPORTS, "resource": "list.xlsx"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row(n, MORNING, &all)
    };
    let events = vec![
        upload(1, json!({})),
        upload(2, json!({"userId": "16338841"})),
        // from Shenzhen: the same storage
        upload(3, json!({"userId": "sz-2207191", "ipAddress": "198.51.100.10"})),
    ];
    let (reports, ..) = run(events, 1, 10, 1);
    assert_eq!(counts(&reports).into_values().collect::<Vec<_>>(), [4], "the arrangement and three uploads");
    assert_eq!(reports[0].findings.iter().filter(|delta| delta.key.kind == "upload").count(), 0);

    // office documents: MEDIUM by the arrangement, graver by the name of the file
    let world = world(&[(
        "storage = { place = \"HK\", evidence = \"DMS-2026-0417, dedicated storage, schedule 2\" }",
        "storage = { place = \"TH\", evidence = \"x\" }",
    )]);
    let office = |n, name: &str| row(n, MORNING, &json!({"action": 0, "targetSpaceId": 77, "resource": name}));
    let (reports, ..) = run_in(&world, vec![office(1, "notes.docx"), office(2, "passport-copies.pdf")], 1, 10, 1);
    let default = standing(&reports).into_iter().find(|delta| delta.key.subject == "tenant default").unwrap();
    assert_eq!((default.count, default.severity.name()), (2, "MEDIUM"), "the arrangement and the notes");
    let alone: Vec<_> = reports[0].findings.iter().filter(|delta| delta.key.kind == "upload").collect();
    assert_eq!(alone.len(), 1);
    assert_eq!(
        (alone[0].key.subject.as_str(), alone[0].facts.resource.reveal().as_str()),
        ("space 77", "passport-copies.pdf")
    );
    assert!(alone[0].severity > default.severity);
}

#[test]
fn nobodys_arrangement_is_told_for_an_event_without_time_or_of_another_tenant() {
    let events = vec![
        row(1, 0, &json!({})),
        row(2, MORNING, &json!({"corpId": "dingffff"})),
        b"{}".to_vec(),
        row(3, MORNING, &json!({"corpId": SZ_TENANT, "targetSpaceId": "31500088217"})),
    ];
    let (reports, ..) = run(events, 1, 10, 1);
    assert_eq!(counts(&reports), BTreeMap::new(), "the Shenzhen tenant keeps its own files in Shenzhen");
}

#[test]
fn a_space_is_its_own_tenants_or_that_of_its_entity_or_the_first() {
    let subjects =
        |world: &World, tenant| arrangements(world, TenantId(tenant)).map(|one| one.subject()).collect::<Vec<_>>();
    let world =
        world(&[("id = \"24870552046\"", "id = \"24870552046\"\ntenant = \"ding41c07be95d2a8f3635c2f4657eb6378f\"")]);
    let shenzhen = ["tenant default", "space 24870552046", "space 31500088217"];
    assert_eq!(subjects(&world, 1), shenzhen);
    let bank = subjects(&world, 0);
    assert_eq!((bank.len(), bank[0].as_str(), bank[1].as_str()), (11, "tenant default", "space 24870551923"));
}

#[test]
fn a_reload_tells_what_it_changes_and_nothing_else() {
    let stricter = [(
        "allowed = [\"HK\", \"SG\"]\n\n[[residency]]\nid = \"sg-office\"",
        "allowed = [\"HK\"]\n\n[[residency]]\nid = \"sg-office\"",
    )];
    let (before, after) = (bank(), world(&stricter));
    let events: Vec<_> = (1..=4).map(|n| row(n, MORNING, &json!({}))).collect();
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let world = || {
        let first = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2;
        Arc::clone(if first { &before } else { &after })
    };
    let (mut source, mut kept, stop) = (Memory::new(events, 1), Kept::default(), AtomicBool::new(false));
    let task = Task { key: KEY, lines: false };
    let run = Run { world: &world, limits: Limits { messages: 1, ..Limits::default() }, task, stop: &stop };
    let mut tally = Tally::new(Dedupe::new(1 << 20, []), &[]);
    run.through(&mut source, &mut kept, &mut Crew::start(1).unwrap(), &mut tally, &mut |_| ()).unwrap();
    // batches of one policy may have been recorded together
    let told = |report: &BatchReport| (report.in_force.policy.clone(), standing(std::slice::from_ref(report)).len());
    let mut told: Vec<_> = kept.0.iter().map(told).collect();
    told.dedup_by(|later, first| later.0 == first.0 && later.1 == 0);
    let policies = [&before, &after].map(|world| world.policy.digest.clone());
    assert_eq!(told, policies.map(|policy| (policy, 1)), "Zhangjiakou; then Singapore, which is no longer allowed");
    assert_eq!(counts(&kept.0).into_values().collect::<Vec<_>>(), [1, 1]);
}

fn world(changes: &[(&str, &str)]) -> Arc<World> {
    let mut text = EXAMPLE_BANK.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "bank.toml has no {from:?}");
        text = text.replacen(from, to, 1);
    }
    Arc::new(wire::world(&text.parse::<Settings>().unwrap()).unwrap())
}

/// Runs the messages with a stop and start after each of `cuts`, as the process would: window and lanes from what was
/// recorded.
fn in_pieces(messages: &[Vec<u8>], cuts: &[usize], window: usize) -> Vec<BatchReport> {
    let (mut reports, mut prints, mut from): (Vec<BatchReport>, Vec<u128>, usize) = (Vec::new(), Vec::new(), 0);
    for to in cuts.iter().copied().chain([messages.len()]) {
        let mut source = Memory::new(messages[from..to].to_vec(), 1);
        let (mut kept, stop) = (Kept::default(), AtomicBool::new(false));
        let world = bank();
        let task = Task { key: KEY, lines: false };
        let limits = Limits { messages: 50, ..Limits::default() };
        let run = Run { world: &|| Arc::clone(&world), limits, task, stop: &stop };
        let earlier = prints[prints.len().saturating_sub(window)..].to_vec();
        let mut tally = Tally::new(Dedupe::new(window, earlier), &[]);
        run.through(&mut source, &mut kept, &mut Crew::start(2).unwrap(), &mut tally, &mut |_| ()).unwrap();
        prints.extend(kept.0.iter().flat_map(|report| report.fingerprints.clone()));
        reports.append(&mut kept.0);
        from = to;
    }
    reports
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Also with a window of duplicates that is too small for the day.
    #[test]
    fn a_restart_tells_nothing_twice(seed in any::<u64>(), cut in 0usize..=600, small in any::<bool>()) {
        let messages = day(seed, 600, 0);
        let cut = cut.min(messages.len());
        let window = if small { 40 } else { 1 << 20 };
        let (whole, pieces) = (in_pieces(&messages, &[], window), in_pieces(&messages, &[cut], window));
        prop_assert!(!counts(&whole).is_empty());
        prop_assert_eq!(counts(&whole), counts(&pieces));
        if !small {
            prop_assert!(standing(&whole).iter().filter(|one| one.facts.resource.reveal().is_empty()).count() <= 2);
        }
    }
}
