//! Every alert says whose it is and what to do, and is tested both ways.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::read;

/// An alert as written.
struct Alert {
    name: String,
    text: String,
}

fn alerts() -> Vec<Alert> {
    let text = read("deploy/prometheus/harbourwatch.alerts.yaml");
    let rules = text.split("- alert: ").skip(1);
    let rules = rules.map(|rule| Alert { name: rule.lines().next().unwrap().to_owned(), text: rule.to_owned() });
    rules.collect()
}

#[test]
fn every_alert_says_whose_it_is_and_what_to_do() {
    let runbook = read("docs/runbook.md");
    let chapters: BTreeSet<_> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let alerts = alerts();
    for alert in &alerts {
        let has = |text: &str| assert!(alert.text.contains(text), "{}: {text}", alert.name);
        has("severity: ");
        has("audience: ");
        has("summary: ");
        has("description: ");
        has(&format!("docs/runbook.md#{}\n", alert.name.to_lowercase()));
        assert!(chapters.contains(&*alert.name), "the runbook has no chapter {}", alert.name);
    }
    let names: BTreeSet<_> = alerts.iter().map(|alert| &*alert.name).collect();
    let stray: Vec<_> = chapters.difference(&names).filter(|name| name.starts_with("Harbourwatch")).collect();
    assert!(stray.is_empty(), "chapters without an alert: {stray:?}");
    assert!(names.len() >= 15);
}

#[test]
fn every_alert_has_a_case_that_fires_and_one_that_does_not() {
    let tests = read("deploy/prometheus/tests/alerts.test.yaml");
    let cases: Vec<_> = tests.split("alertname: ").skip(1).collect();
    for alert in alerts() {
        let own: Vec<_> = cases.iter().filter(|case| case.lines().next() == Some(&*alert.name)).collect();
        let quiet = own.iter().filter(|case| case.lines().nth(1).unwrap().contains("exp_alerts: []")).count();
        assert!(quiet > 0 && quiet < own.len(), "{}: {quiet} of {} cases are quiet", alert.name, own.len());
    }
}

/// The words of the law are kept: a possible transfer is never called what it may not be called.
#[test]
fn nobody_is_accused() {
    for file in
        ["deploy/prometheus/harbourwatch.alerts.yaml", "docs/runbook.md", "deploy/grafana/dashboards/flows.json"]
    {
        let text = read(file).to_lowercase();
        for word in ["violation", "illegal", "unlawful", "breach"] {
            assert!(!text.contains(word), "{file} says {word}");
        }
    }
}
