//! `demo`: a day of the invented bank from end to end, for people.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::harness::{Beside, Room};

#[test]
fn a_small_day_shows_flows_findings_conservation_speed_and_how_to_verify() {
    let room = Room::new();
    let ran = room.run(&["demo", "--events", "4000", "--seed", "3", "--data", "demo"]).exits(0);
    ran.says(&[
        "A working day of Victoria Harbour Bank (invented): 4,000 messages, seed 3",
        "metrics while it runs: http://127.0.0.1:",
        "Flows, gravest first",
        "from → to",
        "kind",
        "verdict",
        "PROHIBITED",
        "The ten gravest findings",
        "1. [CRITICAL] ",
        "Who: ",
        "10. [",
        "conservation: ",
        "(holds)",
        "speed: ",
        "evidence: ",
        "check it: harbourwatch verify demo/evidence",
    ]);
    assert!(!ran.out.contains('\u{1b}'), "colours only on a terminal");
    room.run(&["verify", "demo/evidence"]).exits(0);
    let findings = room.read("demo/findings.ndjson");
    assert!(findings.lines().count() > 10);
    let ran = room.run(&["demo", "--events", "100", "--data", "demo"]).exits(1);
    ran.complains(&["demo"]);
}

#[test]
fn findings_are_in_the_language_that_is_asked_for() {
    let ran = Room::new().run(&["demo", "--events", "2000", "--data", "demo", "--lang", "zh"]).exits(0);
    assert!(ran.out.contains("個人資料可能被轉移至香港以外的地方") && !ran.out.contains("\nWho: "), "{}", ran.out);
}

#[test]
fn the_metrics_stay_up_on_request_until_a_signal() {
    let room = Room::new();
    let mut command = room.command(&["demo", "--events", "500", "--data", "demo", "--serve"]);
    let mut child = Beside(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines
        .find_map(|line| line.split("http://").nth(1).map(|rest| rest.trim_end_matches("/metrics").to_owned()))
        .unwrap();
    let mut seen = String::new();
    for line in lines.by_ref() {
        seen = line;
        if seen.contains("interrupt") || seen.contains("Ctrl") {
            break;
        }
    }
    let metrics = super::run::get(&address, "/metrics").1;
    assert!(metrics.contains("harbourwatch_"), "{seen}: {metrics}");
    child.signal("TERM");
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}
