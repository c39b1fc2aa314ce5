//! Start, stop, memory, and what the broker does with records behind our back.

use std::time::{Duration, Instant};

use harbourwatch::kafka::{Connection, Haste, Outgoing, Producer, Round};

use super::instance::{Configuration, Instance, PATIENCE, generate, wait_until};
use super::join::{Joined, log};
use super::node::{Edition, edition, shared};

#[test]
fn sigterm_under_full_load_loses_nothing_and_takes_seconds() {
    let Some(_) = edition("sigterm under load") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("load", 6);
    generate(&broker.0, "load", &["--events", "400000", "--duplicates", "0"]);
    let mut instance = Instance::new(place.path(), &Configuration::new(&broker.0, "load", "load"));
    let mut longest = Duration::ZERO;
    for _ in 0..3 {
        instance.start();
        instance.wait_said("partitions assigned");
        std::thread::sleep(Duration::from_millis(700));
        longest = longest.max(instance.stop());
        // what was recorded is committed, and nothing more
        let committed: u64 = broker.committed("load", "load", 6).into_iter().flatten().sum();
        let covered: u64 = log(place.path()).ranges.values().flatten().map(|(from, to)| to - from).sum();
        assert_eq!(committed, covered);
    }
    assert!(longest < Duration::from_secs(30), "{longest:?}");
    instance.start();
    wait_until("the rest is read", PATIENCE, || broker.is_done("load", "load"));
    instance.stop();
    let log = log(place.path());
    Joined::of([log]).assert_covers(&broker.ends("load"));
    eprintln!("sigterm: three stops under load, the longest took {longest:?}");
}

/// The lag is deep: memory stays bounded all the same. The long edition has 5 GB of it.
#[test]
fn memory_stays_bounded_at_any_lag() {
    let Some(edition) = edition("memory") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("deep", 12);
    let bytes: u64 = if edition == Edition::Full { 5 << 30 } else { 600 << 20 };
    let connection = Connection { brokers: vec![broker.0.clone()], ..Connection::default() };
    let producer = Producer::connect(&connection, Haste::Gather).unwrap();
    let (mut sent, mut number) = (0u64, 0u64);
    while sent < bytes {
        let round = Round::default();
        for _ in 0..10_000 {
            number += 1;
            let payload = row(number);
            sent += payload.len() as u64;
            let key = format!("u{}", number % 5_000);
            let outgoing = Outgoing {
                topic: "deep",
                key: Some(key.as_bytes()),
                payload: payload.as_bytes(),
                headers: &[],
                timestamp: None,
            };
            producer.offer(&outgoing, &round, 0);
        }
        round.wait(PATIENCE).unwrap();
    }
    let mut configuration = Configuration::new(&broker.0, "deep", "deep");
    configuration.set("evidence", "record", vec!["PROHIBITED", "UNCOVERED", "DEFECT", "UNDETERMINED", "COVERED"]);
    let mut instance = Instance::new(place.path(), &configuration);
    instance.start();
    let begun = Instant::now();
    let mut peak = 0;
    wait_until("the lag is worked off", PATIENCE * 5, || {
        assert!(instance.is_up(), "{}", instance.said());
        peak = peak.max(instance.peak_mib());
        broker.is_done("deep", "deep")
    });
    let took = begun.elapsed();
    instance.stop();
    broker.delete_topic("deep");
    eprintln!(
        "memory: {} MiB of lag in {number} messages worked off in {took:?}; peak {peak} MiB resident",
        sent >> 20
    );
    assert!(peak < 512, "{peak} MiB");
}

/// A domestic row of about a kilobyte.
fn row(number: u64) -> String {
    let filler = "檔案".repeat(120);
    format!(
        "{{\"action\":2,\"bizId\":\"{number}\",\"gmtCreate\":{},\"userId\":\"u{}\",\"ipAddress\":\"203.80.96.{}\",\"resource\":\"{filler}\"}}",
        1_795_392_000_000 + number,
        number % 5_000,
        number % 250
    )
}

#[test]
fn records_that_the_broker_deleted_unread_are_said_to_be_lost() {
    let Some(_) = edition("retention") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("short", 1);
    generate(&broker.0, "short", &["--events", "3000", "--duplicates", "0"]);
    let mut instance = Instance::new(place.path(), &Configuration::new(&broker.0, "short", "short"));
    instance.start();
    wait_until("the first part is read", PATIENCE, || broker.is_done("short", "short"));
    instance.stop();
    let first = broker.ends("short")[0];
    generate(&broker.0, "short", &["--events", "3000", "--duplicates", "0", "--seed", "8"]);
    let second = broker.ends("short")[0];
    broker.delete_records("short", 0, first as i64 + 500);
    instance.start();
    wait_until("the rest is read", PATIENCE, || broker.is_done("short", "short"));
    assert_eq!(instance.metric("harbourwatch_kafka_lost_records_total"), Some(500.0));
    assert!(instance.said().contains("deleted before they were read"), "{}", instance.said());
    instance.stop();
    let log = log(place.path());
    assert_eq!(log.gaps, ["retention"]);
    assert_eq!(log.ranges[&0].last().unwrap().1, second);
}

#[test]
fn a_topic_made_anew_under_its_old_name_stops_the_run_until_it_has_an_epoch() {
    let Some(_) = edition("topic made anew") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("again", 1);
    generate(&broker.0, "again", &["--events", "2000"]);
    let mut configuration = Configuration::new(&broker.0, "again", "again");
    let mut instance = Instance::new(place.path(), &configuration);
    instance.start();
    wait_until("it is read", PATIENCE, || broker.is_done("again", "again"));
    instance.stop();
    broker.delete_topic("again");
    std::thread::sleep(Duration::from_secs(2));
    broker.topic("again", 1);
    generate(&broker.0, "again", &["--events", "500", "--seed", "9"]);
    instance.start();
    let status = instance.wait(PATIENCE);
    assert_eq!(status.code(), Some(1));
    assert!(instance.said().contains("source.kafka.epoch"), "{}", instance.said());
    configuration.source("epoch", "2");
    // another group, since the broker may still know the old one's offsets
    configuration.source("group", "again-2");
    instance.configure(&configuration);
    instance.start();
    wait_until("the new topic is read", PATIENCE, || broker.is_done("again-2", "again"));
    instance.stop();
    assert_eq!(log(place.path()).received, 2_500);
}

#[test]
fn ready_and_lag_tell_the_truth_also_when_idle() {
    let Some(_) = edition("ready and lag") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("idle", 2);
    let mut instance = Instance::new(place.path(), &Configuration::new(&broker.0, "idle", "idle"));
    instance.start();
    instance.wait_said("partitions assigned");
    wait_until("it is ready", PATIENCE, || instance.get("/ready").is_some_and(|answer| answer.contains("200 OK")));
    generate(&broker.0, "idle", &["--events", "100", "--duplicates", "0"]);
    wait_until("all is read", PATIENCE, || broker.is_done("idle", "idle"));
    let lag = |partition| {
        instance.metric(&format!("harbourwatch_kafka_consumer_lag{{partition=\"{partition}\",topic=\"idle\"}}"))
    };
    wait_until("lag is shown", PATIENCE, || lag(0) == Some(0.0) && lag(1) == Some(0.0));
    let caught_up = |partition, next| {
        let shown = format!(
            "{{\"lag\":0,\"next\":{next},\"partition\":{partition},\"state\":\"caught_up\",\"topic\":\"idle\"}}"
        );
        instance.get("/ready").is_some_and(|answer| answer.contains(&shown))
    };
    let ends = broker.ends("idle");
    wait_until("readiness shows both partitions", PATIENCE, || caught_up(0, ends[0]) && caught_up(1, ends[1]));
    // frozen, it falls behind; thawed, it says so before it has caught up, or has caught up
    instance.signal("STOP");
    generate(&broker.0, "idle", &["--events", "100", "--duplicates", "0", "--seed", "2"]);
    instance.signal("CONT");
    wait_until("it catches up", PATIENCE, || broker.is_done("idle", "idle"));
    instance.stop();
    assert_eq!(log(place.path()).received, 200);
}
