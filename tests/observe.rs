//! Metrics and the admin server.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use harbourwatch::admin::{Admin, AdminError, Assigned, PartitionState, Readiness};
use harbourwatch::domain::flow::FlowKind;
use harbourwatch::domain::verdict::{Severity, Verdict};
use harbourwatch::metrics::{
    EventOutcome, Folder, Loaded, Metrics, NotificationOutcome, Part, Retained, Scope, Stage, Step, Verified,
};

fn metrics() -> Metrics {
    let scope = Scope { revision: "abc1234".into(), places: vec!["AU".into()], channels: vec!["officer".into()] };
    Metrics::new(&scope).unwrap()
}

/// Every family touched once.
fn exercised() -> Metrics {
    let metrics = metrics();
    metrics.received(10);
    metrics.events(EventOutcome::Judged, 7);
    metrics.events(EventOutcome::Rejected, 2);
    metrics.events(EventOutcome::Duplicate, 1);
    metrics.rejected("no_action", 2);
    metrics.unclassified(1);
    metrics.flow(Verdict::Uncovered, FlowKind::Upload, *b"HK", *b"SG", 5, 500);
    metrics.flow(Verdict::Undetermined, FlowKind::Access, *b"ZZ", *b"WW", 2, 0);
    metrics.flow(Verdict::Covered, FlowKind::Send, *b"HK", *b"AU", 1, 1);
    metrics.findings(Severity::High, Verdict::Uncovered, 1);
    metrics.event_age(1.5);
    metrics.batch(0.02, 10);
    metrics.step(Step::Judge, 0.01);
    metrics.step(Step::Record, 0.01);
    metrics.outbox("officer", 3, 1_500, 0);
    metrics.notification("officer", NotificationOutcome::Delivered);
    metrics.archived(6, 42, 1_795_397_400_000);
    for stage in Stage::ALL {
        metrics.success(*stage, 1_795_397_400_000);
    }
    metrics.dedupe_window(9);
    let condition = metrics.condition();
    condition.load_refused(Part::Databases);
    condition.geo_max_age(45);
    condition.safeguards([("gba-2026", 3_000), ("rmc-2025", 2_000)].into_iter());
    condition.verified(Verified { sound: true, took: 0.5, at: 4_000 });
    condition.disk(Folder::Evidence, 500, 1_000);
    condition.retained(Retained { due: 7, held: 3 });
    condition.retention_deleted(4);
    condition.retention_ran(6_000);
    metrics.kafka().lag("dingtalk-audit", 3, 40, 1_500);
    metrics.kafka().errors("unreachable", 2);
    metrics.kafka().verdict_lines(5);
    metrics.loaded(&Loaded { pack: "hk-2026".into(), policy: "ab".repeat(32), geo_built: Some(1_000), at: 2_000 });
    metrics
}

/// Series of the text format with their values.
fn series(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.into(), value.parse().unwrap()))
        .collect()
}

#[test]
fn what_came_in_is_what_came_out() {
    let series = series(&exercised().render().unwrap());
    let out: f64 =
        series.iter().filter(|(name, _)| name.starts_with("harbourwatch_events_total{")).map(|(_, n)| n).sum();
    assert_eq!(series["harbourwatch_events_received_total"], 10.0);
    assert_eq!(out, 10.0);
}

#[test]
fn each_call_shows_under_its_name() {
    let series = series(&exercised().render().unwrap());
    for (name, value) in [
        ("harbourwatch_build_info{revision=\"abc1234\",version=\"0.1.0\"}", 1.0),
        ("harbourwatch_rejected_total{reason=\"no_action\"}", 2.0),
        ("harbourwatch_flows_total{destination=\"SG\",kind=\"upload\",origin=\"HK\",verdict=\"UNCOVERED\"}", 5.0),
        ("harbourwatch_flows_total{destination=\"WW\",kind=\"access\",origin=\"ZZ\",verdict=\"UNDETERMINED\"}", 2.0),
        ("harbourwatch_flow_bytes_total{destination=\"SG\",verdict=\"UNCOVERED\"}", 500.0),
        ("harbourwatch_verdicts_total{kind=\"upload\",verdict=\"UNCOVERED\"}", 5.0),
        ("harbourwatch_finding_records_total{severity=\"HIGH\",verdict=\"UNCOVERED\"}", 1.0),
        ("harbourwatch_outbox_oldest_seconds{channel=\"officer\"}", 1.5),
        ("harbourwatch_archive_tree_size", 42.0),
        ("harbourwatch_archive_checkpoint_timestamp_seconds", 1_795_397_400.0),
        ("harbourwatch_last_success_timestamp_seconds{stage=\"archive\"}", 1_795_397_400.0),
        ("harbourwatch_config_last_reload_successful", 1.0),
        ("harbourwatch_geo_data_timestamp_seconds", 1.0),
        ("harbourwatch_dedupe_window_events", 9.0),
        ("harbourwatch_processing_seconds_count{step=\"judge\"}", 1.0),
        ("harbourwatch_label_overflow_total", 0.0),
        ("harbourwatch_config_reload_failures_total{part=\"databases\"}", 1.0),
        ("harbourwatch_config_reload_failures_total{part=\"configuration\"}", 0.0),
        ("harbourwatch_geo_data_max_age_seconds", 3_888_000.0),
        ("harbourwatch_safeguard_valid_until_timestamp_seconds{safeguard=\"rmc-2025\"}", 2.0),
        ("harbourwatch_archive_last_verify_successful", 1.0),
        ("harbourwatch_archive_last_verify_timestamp_seconds", 4.0),
        ("harbourwatch_archive_verify_failures_total", 0.0),
        ("harbourwatch_disk_free_bytes{folder=\"evidence\"}", 500.0),
        ("harbourwatch_retention_due_records", 7.0),
        ("harbourwatch_retention_held_records", 3.0),
        ("harbourwatch_retention_deleted_records_total", 4.0),
        ("harbourwatch_retention_last_run_timestamp_seconds", 6.0),
    ] {
        assert_eq!(series.get(name), Some(&value), "{name}");
    }
}

#[test]
fn verdicts_exist_from_the_start() {
    let text = metrics().render().unwrap();
    let series = series(&text);
    for verdict in Verdict::ALL {
        for kind in FlowKind::ALL {
            let name =
                format!("harbourwatch_verdicts_total{{kind=\"{}\",verdict=\"{}\"}}", kind.name(), verdict.name());
            assert_eq!(series.get(&name), Some(&0.0), "{name}");
        }
    }
}

#[test]
fn labels_have_a_bound() {
    let metrics = metrics();
    for a in b'A'..=b'Z' {
        for b in b'A'..=b'Z' {
            metrics.flow(Verdict::Uncovered, FlowKind::Upload, *b"HK", [a, b], 1, 0);
        }
    }
    metrics.flow(Verdict::Uncovered, FlowKind::Upload, *b"HK", [0xff, 0], 1, 0);
    for number in 0..100 {
        metrics.rejected(Box::leak(format!("reason_{number}").into_boxed_str()), 1);
    }
    let series = series(&metrics.render().unwrap());
    let flows = series.keys().filter(|name| name.starts_with("harbourwatch_flows_total{")).count();
    assert_eq!(flows, 12, "eight territories, unknown, public, one configured, other");
    let reasons = series.keys().filter(|name| name.starts_with("harbourwatch_rejected_total{")).count();
    assert_eq!(reasons, 41);
    assert_eq!(series["harbourwatch_label_overflow_total"], (26.0 * 26.0 - 11.0 + 1.0) + 60.0);
}

#[test]
fn a_reload_shows_what_is_in_force_and_nothing_else() {
    let metrics = exercised();
    metrics.loaded(&Loaded { pack: "hk-2027".into(), policy: "cd".into(), geo_built: None, at: 3_000 });
    metrics.load_failed();
    let series = series(&metrics.render().unwrap());
    let rules: Vec<_> = series.keys().filter(|name| name.starts_with("harbourwatch_rules_info{")).collect();
    assert_eq!(rules, ["harbourwatch_rules_info{sha256=\"cd\",version=\"hk-2027\"}"]);
    assert_eq!(series["harbourwatch_config_last_reload_successful"], 0.0);
    assert_eq!(series["harbourwatch_config_last_reload_success_timestamp_seconds"], 3.0);
}

/// The rules of `promtool check metrics`, and our own on labels.
#[test]
fn names_and_labels_keep_the_conventions() {
    let text = exercised().render().unwrap();
    let mut kinds = BTreeMap::new();
    let mut helps = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next()) {
            (Some("#"), Some("TYPE")) => drop(kinds.insert(words.next().unwrap(), words.next().unwrap())),
            (Some("#"), Some("HELP")) => {
                let (name, help) = (words.next().unwrap(), words.next().unwrap());
                assert!(help.ends_with('.') && help.len() > 10, "{name}: {help}");
                helps.insert(name);
            }
            _ => {}
        }
    }
    let metrics = exercised();
    let listed: Vec<_> = metrics.catalogue().iter().map(|family| family.name.as_str()).collect();
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), listed, "every family is exercised");
    for (name, kind) in kinds {
        assert!(helps.contains(name), "{name}");
        assert!(name.starts_with("harbourwatch_") || name.starts_with("process_"), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
        for wrong in ["_ms", "_milliseconds", "_minutes", "_kb", "_count", "_sum", "_bucket", "_gauge", "_counter"] {
            assert!(!name.ends_with(wrong), "{name}");
        }
    }
    let allowed: BTreeSet<_> = [
        "version",
        "revision",
        "sha256",
        "outcome",
        "reason",
        "verdict",
        "kind",
        "origin",
        "destination",
        "severity",
        "step",
        "le",
        "channel",
        "stage",
        "topic",
        "partition",
        "event",
        "cause",
        "to",
        "part",
        "folder",
        "safeguard",
    ]
    .into();
    for name in series(&text).keys() {
        let labels = name.split_once('{').map_or("", |(_, labels)| labels.trim_end_matches('}'));
        for label in labels.split("\",").filter(|label| !label.is_empty()) {
            let key = label.split_once('=').unwrap().0;
            assert!(allowed.contains(key), "{name}: label {key}");
        }
    }
}

fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
}

fn admin(readiness: &Readiness) -> Admin {
    Admin::start("127.0.0.1:0".parse().unwrap(), Arc::new(exercised()), readiness.clone()).unwrap()
}

#[test]
fn readiness_waits_for_every_latch_and_can_be_lost() {
    let readiness = Readiness::default();
    let (source, databases) = (readiness.latch("source"), readiness.latch("databases"));
    let admin = admin(&readiness);
    let ready = || {
        let (status, _, body) = get(admin.address(), "/ready");
        (status, body)
    };
    assert_eq!(ready(), (503, r#"{"ready":false,"waiting_for":["source","databases"]}"#.into()));
    databases.release();
    assert_eq!(ready(), (503, r#"{"ready":false,"waiting_for":["source"]}"#.into()));
    source.release();
    assert_eq!(ready(), (200, r#"{"ready":true,"waiting_for":[]}"#.into()));
    let (topic, state) = ("audit".to_owned(), PartitionState::of(Some(2), false, false));
    source.show(vec![Assigned { topic, partition: 3, state, next: Some(7), lag: Some(2) }]);
    let partition = r#"{"lag":2,"next":7,"partition":3,"state":"reading","topic":"audit"}"#;
    let shown = format!(r#"{{"assignment":[{partition}],"ready":true,"waiting_for":[]}}"#);
    assert_eq!(ready(), (200, shown));
    source.show(Vec::new());
    databases.hold();
    assert_eq!(ready(), (503, r#"{"assignment":[],"ready":false,"waiting_for":["databases"]}"#.into()));
    assert_eq!(get(admin.address(), "/live").0, 200, "alive all the while");
    admin.stop();
}

#[test]
fn metrics_are_served_as_text_and_nothing_else_is_there() {
    let admin = admin(&Readiness::default());
    let (status, head, body) = get(admin.address(), "/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!(body.contains("harbourwatch_events_received_total 10\n"));
    for path in ["/", "/env", "/config", "/debug/pprof", "/metrics/x", "/ready/"] {
        assert_eq!(get(admin.address(), path).0, 404, "{path}");
    }
    admin.stop();
}

#[test]
fn a_taken_address_is_a_clear_error() {
    let admin = admin(&Readiness::default());
    let again = Admin::start(admin.address(), Arc::new(metrics()), Readiness::default());
    let Err(error @ AdminError::Bind { .. }) = again else { panic!("two servers on one address") };
    assert!(error.to_string().contains(&admin.address().to_string()), "{error}");
    admin.stop();
}

#[test]
fn a_stop_ends_the_server_even_with_a_client_that_hangs() {
    let admin = admin(&Readiness::default());
    let address = admin.address();
    let mut hanging = TcpStream::connect(address).unwrap();
    hanging.write_all(b"GET /metrics HTTP/1.1\r\nHost:").unwrap();
    let begun = std::time::Instant::now();
    admin.stop();
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn the_condition_shows_what_is_and_not_what_was() {
    let metrics = exercised();
    let condition = metrics.condition();
    condition.verified(Verified { sound: false, took: 0.5, at: 5_000 });
    condition.safeguards((0..300).map(|number| (["a", "b", "c"][number % 3], number as i64)).skip(298));
    let shown = series(&metrics.render().unwrap());
    assert_eq!(shown["harbourwatch_archive_last_verify_successful"], 0.0);
    assert_eq!(shown["harbourwatch_archive_verify_failures_total"], 1.0);
    let register: Vec<_> = shown.keys().filter(|name| name.starts_with("harbourwatch_safeguard_")).collect();
    assert_eq!(register.len(), 2, "what left the register is shown no more: {register:?}");
    let names: Vec<_> = (0..300).map(|number| format!("s{number}")).collect();
    condition.safeguards(names.iter().map(|name| (name.as_str(), 1)));
    let shown = series(&metrics.render().unwrap());
    assert_eq!(shown.keys().filter(|name| name.starts_with("harbourwatch_safeguard_")).count(), 200);
}
