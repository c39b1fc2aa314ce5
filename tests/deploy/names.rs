//! Every metric and label that a dashboard, a rule or a document names is one that the program has.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::promql::{grouped_by, selectors};
use super::{BINARY, files, read, root};

/// Labels that Prometheus adds.
const ADDED: [&str; 3] = ["job", "instance", "le"];

/// Metrics of the program with their labels, histograms with their three parts; by its own word.
pub(super) fn known() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(BINARY).arg("metrics").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success());
    let mut known = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut words = line.split(' ');
        let (name, kind, labels) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let labels = labels.trim_matches(['{', '}']).split(',').filter(|label| !label.is_empty());
        let labels: BTreeSet<_> = labels.chain(ADDED).map(str::to_owned).collect();
        let ends: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        known.extend(ends.iter().map(|end| (format!("{name}{end}"), labels.clone())));
    }
    known
}

/// `record:` names of the rules with the labels that they keep.
fn recorded() -> BTreeMap<String, BTreeSet<String>> {
    let text = read("deploy/prometheus/harbourwatch.rules.yaml");
    let rules = text.split("- record: ").skip(1);
    let kept = |rule: &str| grouped_by(rule).into_iter().chain(ADDED.map(str::to_owned)).collect();
    rules.map(|rule| (rule.lines().next().unwrap().to_owned(), kept(rule))).collect()
}

/// What is wrong with the names in a query.
fn faults(query: &str, known: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut all: BTreeSet<String> = ADDED.map(str::to_owned).into();
    for selector in selectors(query) {
        match known.get(&selector.name) {
            None => faults.push(format!("no metric {}", selector.name)),
            Some(labels) => {
                let strange = selector.labels.difference(labels);
                faults.extend(strange.map(|label| format!("{} has no label {label}", selector.name)));
                all.extend(labels.iter().cloned());
            }
        }
    }
    faults.extend(grouped_by(query).difference(&all).map(|label| format!("grouped by {label}, which none has")));
    faults
}

/// Queries of all panels and variables, each with where it stands.
pub(super) fn queries() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in files("deploy/grafana/dashboards", "json") {
        let board: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let title = board["title"].as_str().unwrap();
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                found.push((format!("{title}: {}", panel["title"]), target["expr"].as_str().unwrap().to_owned()));
            }
        }
        for variable in board["templating"]["list"].as_array().unwrap() {
            let query = variable["query"]["query"].as_str().unwrap_or("");
            found.push((format!("{title}: variable {}", variable["name"]), query.to_owned()));
        }
    }
    found
}

#[test]
fn dashboards_and_rules_name_what_there_is() {
    let mut known = known();
    let recorded = recorded();
    assert!(known.len() > 50 && recorded.len() > 5);
    for (place, query) in queries() {
        assert_eq!(faults(&query, &known), [""; 0], "{place}\n{query}");
    }
    known.extend(recorded);
    for file in ["rules", "alerts"] {
        let text = read(&format!("deploy/prometheus/harbourwatch.{file}.yaml"));
        for rule in text.split("  expr: ").skip(1) {
            let expr = rule.split("\n        for:").next().unwrap().split("\n        labels:").next().unwrap();
            let expr = expr.split("\n      - ").next().unwrap();
            assert_eq!(faults(expr, &known), [""; 0], "{file}\n{expr}");
        }
    }
}

#[test]
fn a_renamed_metric_or_label_is_noticed() {
    let known = known();
    let good = "sum by (outcome) (rate(harbourwatch_events_total{outcome=\"judged\"}[5m]))";
    assert_eq!(faults(good, &known), [""; 0]);
    assert_eq!(faults(&good.replace("events_total", "event_total"), &known).len(), 2);
    assert_eq!(faults(&good.replace("outcome=", "result="), &known), ["harbourwatch_events_total has no label result"]);
    assert_eq!(faults(&good.replace("(outcome)", "(verdict)"), &known), ["grouped by verdict, which none has"]);
}

#[test]
fn documents_name_what_there_is() {
    let (known, mut seen) = (known(), 0);
    let mut pages: Vec<_> = ["docs", "deploy"].iter().flat_map(|folder| files(folder, "md")).collect();
    pages.extend(["README.md", "ARCHITECTURE.md"].map(|name| root().join(name)));
    for page in pages {
        for selector in selectors(&fs::read_to_string(&page).unwrap()) {
            // a family is named without its parts, and a recorded figure by its whole name
            let is_known = known.contains_key(&selector.name) || known.contains_key(&format!("{}_sum", selector.name));
            let is_known = is_known || recorded().contains_key(&selector.name) || selector.name.ends_with('_');
            assert!(is_known, "{} names {}", page.display(), selector.name);
            seen += 1;
        }
    }
    assert!(seen > 0);
}

/// What a running service shows is what `harbourwatch metrics` lists.
#[test]
fn the_list_of_metrics_is_that_of_a_running_service() {
    let known = known();
    let shown = super::super::cli::metrics_of_a_service();
    let names: BTreeSet<_> = shown.lines().filter(|line| !line.starts_with('#')).collect();
    for line in &names {
        let name = line.split(['{', ' ']).next().unwrap();
        let labels = known.get(name).unwrap_or_else(|| panic!("{name} is not on the list"));
        for pair in line.split_once('{').map_or("", |(_, rest)| rest).split("\",").filter(|pair| pair.contains("=\"")) {
            let label = pair.split('=').next().unwrap();
            assert!(labels.contains(label), "{name} has {label}");
        }
    }
    let absent = |name: &&String| !names.iter().any(|line| line.split(['{', ' ']).next() == Some(name));
    let absent: BTreeSet<_> = known.keys().filter(absent).map(String::as_str).collect();
    // nothing was rejected, no broker was there, nothing was verified yet, and retention looks after a minute
    let excused = [
        "harbourwatch_kafka_",
        "harbourwatch_rejected_total",
        "harbourwatch_archive_last_verify_",
        "harbourwatch_retention_last_run_",
    ];
    let rest: Vec<_> = absent.iter().filter(|name| !excused.iter().any(|start| name.starts_with(start))).collect();
    assert!(rest.is_empty(), "a running service does not show {rest:?}");
}
