//! The laws of the dashboards: those of Grafana's dashboard linter, and some of our own.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::promql::selectors;
use super::{files, read};

/// Panels whose counters are compared as they are: a rate would hide a difference.
const RAW: [&str; 2] = ["Unaccounted events", "Conservation"];

fn boards() -> Vec<Value> {
    let read = |path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let boards: Vec<Value> = files("deploy/grafana/dashboards", "json").into_iter().map(read).collect();
    assert_eq!(boards.len(), 3);
    boards
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

fn panels(board: &Value) -> impl Iterator<Item = &Value> {
    board["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
}

/// Everything that breaks a law, in words.
fn faults(board: &Value) -> Vec<String> {
    let mut faults = board_faults(board);
    faults.extend(panels(board).flat_map(panel_faults));
    faults
}

fn board_faults(board: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, law: &str| {
        if !holds {
            faults.push(law.to_owned());
        }
    };
    must(text(board, "uid").starts_with("harbourwatch-"), "a uid of its own");
    must(text(board, "description").len() > 40, "a description");
    must(board["editable"] == false, "not editable");
    must(board["schemaVersion"] == 42, "the schema that the types are checked against");
    let variables: Vec<_> = board["templating"]["list"].as_array().unwrap().iter().collect();
    let names: Vec<_> = variables.iter().map(|variable| text(variable, "name")).collect();
    must(names.get(..3) == Some(&["datasource", "job", "instance"][..]), "data source, job and instance to choose");
    must(variables[0]["type"] == "datasource" && variables[0]["query"] == "prometheus", "Prometheus as data source");
    for variable in variables.get(1..).unwrap_or(&[]) {
        let source = &variable["datasource"]["uid"];
        must(source == "$datasource" && variable["type"] == "query", "variables from the chosen data source");
        must(variable["multi"] == true && variable["includeAll"] == true, "variables with many values and all");
        must(variable["allValue"] == ".+", "all matches every value and no empty one");
        must(variable["refresh"] == 2, "variables that follow the chosen time");
    }
    let ids: BTreeSet<_> = board["panels"].as_array().unwrap().iter().map(|panel| panel["id"].as_u64()).collect();
    must(ids.len() == board["panels"].as_array().unwrap().len(), "an id for each panel");
    let titles: BTreeSet<_> = panels(board).map(|panel| text(panel, "title")).collect();
    must(titles.len() == panels(board).count(), "no title twice");
    must(!overlap(board), "no panel over another, none beyond 24 columns");
    faults
}

fn overlap(board: &Value) -> bool {
    let mut taken = BTreeSet::new();
    board["panels"].as_array().unwrap().iter().any(|panel| {
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        let cells = (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)));
        cells.into_iter().any(|cell| cell.0 >= 24 || !taken.insert(cell))
    })
}

fn panel_faults(panel: &Value) -> Vec<String> {
    let title = text(panel, "title");
    let mut faults = Vec::new();
    let mut must = |holds: bool, law: &str| {
        if !holds {
            faults.push(format!("{title}: {law}"));
        }
    };
    must(!title.is_empty(), "a title");
    must(text(panel, "description").len() > 20, "a description");
    must(!text(&panel["fieldConfig"]["defaults"], "unit").is_empty(), "a unit");
    must(panel["datasource"]["uid"] == "$datasource", "the chosen data source");
    let targets: Vec<_> = panel["targets"].as_array().into_iter().flatten().collect();
    must(!targets.is_empty(), "a query");
    for target in targets {
        must(target["datasource"]["uid"] == "$datasource", "a query to the chosen data source");
        let found = selectors(text(target, "expr"));
        must(!found.is_empty(), "a query of a metric");
        for selector in found {
            let scoped =
                selector.matchers.contains("job=~\"$job\"") && selector.matchers.contains("instance=~\"$instance\"");
            must(scoped, "job and instance in every selector");
            must(["", "$__rate_interval", "$__range"].contains(&&*selector.window), "a window that follows the time");
            let counts = ["_total", "_bucket", "_sum", "_count"].iter().any(|end| selector.name.ends_with(end));
            let rated = ["rate", "increase"].contains(&&*selector.under) && !selector.window.is_empty();
            must(
                rated == counts || (counts && RAW.contains(&title)),
                "counters, and only they, under rate or increase",
            );
        }
    }
    faults
}

#[test]
fn every_dashboard_keeps_the_laws() {
    for board in boards() {
        assert_eq!(faults(&board), [""; 0], "{}", board["title"]);
        assert!(panels(&board).count() >= 10);
    }
}

#[test]
fn a_broken_law_is_noticed() {
    let board = boards().remove(1);
    let panel = board["panels"].as_array().unwrap().iter().position(|panel| panel["type"] == "stat").unwrap();
    let expr = board["panels"][panel]["targets"][0]["expr"].as_str().unwrap().to_owned();
    let broken: [(&str, Value); 10] = [
        ("/editable", json!(true)),
        ("/templating/list/1/allValue", json!(".*")),
        ("/templating/list/2/multi", json!(false)),
        ("/panels/PANEL/title", json!("")),
        ("/panels/PANEL/description", json!("")),
        ("/panels/PANEL/fieldConfig/defaults/unit", json!("")),
        ("/panels/PANEL/targets", json!([])),
        ("/panels/PANEL/gridPos/x", json!(22)),
        ("/panels/PANEL/targets/0/expr", json!(expr.replace("job=~\"$job\",", ""))),
        ("/panels/PANEL/targets/0/expr", json!(expr.replace("$__range", "5m"))),
    ];
    for (place, value) in broken {
        let mut board = board.clone();
        *board.pointer_mut(&place.replace("PANEL", &panel.to_string())).unwrap() = value;
        assert!(!faults(&board).is_empty(), "{place}");
    }
}

#[test]
fn the_three_say_what_they_are_for() {
    let shown = |name: &str, wanted: &[&str]| {
        let board: Value = serde_json::from_str(&read(&format!("deploy/grafana/dashboards/{name}.json"))).unwrap();
        let titles: Vec<_> = panels(&board).map(|panel| text(panel, "title").to_owned()).collect();
        for title in wanted {
            assert!(titles.iter().any(|one| one == title), "{name} has no panel {title}: {titles:?}");
        }
    };
    shown("flows", &["Destinations of flows from Hong Kong", "Flows by verdict", "Flows by kind", "Top destinations"]);
    shown("flows", &["Uncovered and undetermined share", "Safeguards by time remaining"]);
    shown(
        "pipeline",
        &["Events per second", "Lag in records", "Lag in time", "Batch", "From event to evidence", "Memory"],
    );
    shown("pipeline", &["Rejected by reason", "Conservation", "Age of the geolocation data", "Rebalances"]);
    shown("evidence", &["Checkpoint age", "Evidence verified", "Outbox depth", "Outbox age"]);
    shown("evidence", &["Notifications by channel and outcome"]);
}
