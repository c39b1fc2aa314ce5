//! Findings in a topic, read by somebody else's tool.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::instance::{Configuration, Instance, PATIENCE, generate, harbourwatch, wait_until};
use super::node::{edition, shared};

#[test]
fn what_kcat_reads_from_the_findings_topic_is_the_findings() {
    let Some(_) = edition("feed") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("told", 4);
    broker.topic("findings", 2);
    generate(&broker.0, "told", &["--events", "20000"]);
    let mut configuration = Configuration::new(&broker.0, "told", "told");
    configuration.channel("id = \"feed\"\nkind = \"kafka\"\ntopic = \"findings\"\nmin_severity = \"LOW\"");
    let mut instance = Instance::new(place.path(), &configuration);
    instance.start();
    wait_until("all is read", PATIENCE, || broker.is_done("told", "told"));
    wait_until("all is told", PATIENCE, || {
        instance.metric("harbourwatch_outbox_pending{channel=\"feed\"}") == Some(0.0)
    });
    instance.stop();
    let read = Command::new("kcat")
        .args(["-b", &broker.0, "-t", "findings", "-C", "-e", "-q", "-f", "%k\t%h\t%s\n"])
        .output()
        .expect("kcat is on the path (Debian: kcat)");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let (mut last, mut checkpoints): (BTreeMap<String, u64>, u64) = (BTreeMap::new(), 0);
    for line in String::from_utf8(read.stdout).unwrap().lines() {
        let [key, headers, body] = line.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        if headers.contains("ce_type=harbourwatch.checkpoint.v1") {
            checkpoints += 1;
            continue;
        }
        assert!(
            headers.contains("ce_specversion=1.0") && headers.contains("ce_type=harbourwatch.finding."),
            "{headers}"
        );
        assert!(headers.contains(&format!("ce_subject={key}")), "{headers}");
        last.insert(key.to_owned(), count(&body));
    }
    let own = harbourwatch(place.path(), &["findings", "--data", "data", "--json"]);
    let own: BTreeMap<String, u64> = String::from_utf8(own.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|finding| finding["severity"] != "INFO")
        .map(|finding| (finding["id"].as_str().unwrap().to_owned(), finding["count"].as_u64().unwrap()))
        .collect();
    assert!(own.len() > 100, "{}", own.len());
    assert!(checkpoints > 0, "the feed carries the checkpoint of the evidence");
    assert_eq!(last, own, "the last word on each finding is its count");
    eprintln!("feed: {} findings read back by kcat", own.len());
}

fn count(body: &Value) -> u64 {
    body["count"].as_u64().unwrap()
}
