//! What stream users are told: read with nothing but a consumer of committed records, exactly one line of every judged event,
//! whatever is killed or frozen meanwhile.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use harbourwatch::kafka::{Connection, Failed, Outgoing, Transactions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::Value;

use super::instance::{Configuration, Instance, PATIENCE, generate, generating, wait_until};
use super::join::{Joined, log};
use super::node::{Broker, Edition, edition, shared};

const PARTITIONS: i32 = 6;

/// Kills, by turns.
const KILLS: u64 = 4;

/// Tries to freeze one in the middle of a transaction.
const FREEZES: u64 = 8;

/// Everything that a line says; a word about a person is not among it.
const FIELDS: [&str; 15] = [
    "destination",
    "id",
    "index",
    "kind",
    "offset",
    "origin",
    "partition",
    "recorded",
    "rule",
    "schema",
    "severity",
    "tenant",
    "time",
    "topic",
    "verdict",
];

/// All messages of a topic that a reader with this isolation sees, as key and value.
fn read(broker: &Broker, topic: &str, isolation: &str) -> Vec<(String, Vec<u8>)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &broker.0)
        .set("group.id", "verdict-reader")
        .set("isolation.level", isolation)
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let (mut list, partitions) = (TopicPartitionList::new(), broker.ends(topic).len());
    for partition in 0..partitions as i32 {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut found, mut ended, until) = (Vec::new(), 0, Instant::now() + PATIENCE);
    while ended < partitions {
        assert!(Instant::now() < until, "the end of {topic} was not reached");
        match consumer.poll(Duration::from_millis(200)) {
            None => {}
            Some(Ok(message)) => {
                let key = String::from_utf8(message.key().unwrap().to_vec()).unwrap();
                found.push((key, message.payload().unwrap().to_vec()));
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => panic!("{error}"),
        }
    }
    found
}

/// The lines by id; each id must come once, be the key, and the line must say nothing else than it may.
fn lines(broker: &Broker, topic: &str) -> BTreeMap<String, Value> {
    let mut lines = BTreeMap::new();
    for (key, value) in read(broker, topic, "read_committed") {
        let line: Value = serde_json::from_slice(&value).unwrap();
        let fields: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, FIELDS, "{line}");
        assert_eq!(line["id"], key.as_str());
        let before = lines.insert(key, line);
        assert!(before.is_none(), "told twice: {before:?}");
    }
    lines
}

fn configuration(broker: &Broker, topic: &str, group: &str, verdicts: &str) -> Configuration {
    let mut configuration = Configuration::new(&broker.0, topic, group);
    configuration.set("batch", "messages", 500);
    configuration.source("commit_interval_ms", 50);
    configuration.source("verdicts", verdicts);
    configuration
}

#[test]
fn every_judged_event_is_told_exactly_once_whatever_is_killed() {
    let Some(edition) = edition("verdicts") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    let protocols: &[&str] = match edition {
        Edition::Small => &["cooperative-sticky"],
        Edition::Full => &["cooperative-sticky", "range", "consumer"],
    };
    for protocol in protocols {
        exactly_once(&broker, &place.path().join(protocol), protocol);
    }
}

fn exactly_once(broker: &Broker, place: &std::path::Path, protocol: &str) {
    let name = |what: &str| format!("{what}-{protocol}");
    let (topic, group, verdicts) = (name("judged"), name("tellers"), name("verdicts"));
    broker.topic(&topic, PARTITIONS);
    broker.topic(&verdicts, 3);
    generate(&broker.0, &topic, &["--events", "20000", "--seed", "5", "--duplicates", "0"]);
    // until everything that is to happen has happened
    let arguments = ["--events", "500000", "--seed", "6", "--duplicates", "0", "--rate", "600"];
    let writer = generating(&broker.0, &topic, &arguments);
    let mut configured = configuration(broker, &topic, &group, &verdicts);
    configured.source("protocol", protocol);
    hold_transactions_open(&mut configured);
    let mut instances = ["a", "b"].map(|name| Instance::new(&place.join(name), &configured));
    // one comes back to its partitions, the other's go to whoever is there
    configured.source("instance_id", "a");
    instances[0].configure(&configured);
    instances.iter_mut().for_each(Instance::start);
    for round in 0..KILLS {
        kill(&mut instances, round);
    }
    freeze(broker, &topic, &mut instances[1]);
    drop(writer);
    wait_until("everything is committed", PATIENCE * 2, || {
        for instance in &mut instances {
            assert!(instance.is_up(), "{}", instance.said());
        }
        broker.is_done(&group, &topic)
    });
    let told = instances.iter().filter_map(|one| one.metric("harbourwatch_kafka_verdict_lines_total")).sum::<f64>();
    assert!(told > 0.0, "the metric says nothing");
    for instance in &mut instances {
        instance.stop();
    }
    compare(broker, place, (&topic, &verdicts), &instances, protocol);
}

/// Lines go out a few at a time: most of the time a transaction is open that has lines already and not yet the offsets, so that
/// whatever happens comes in the middle of one.
fn hold_transactions_open(configuration: &mut Configuration) {
    configuration.kafka("properties", "queue.buffering.max.messages", "100");
}

/// Kills one of two, at another moment each time, and starts it anew. Both must tell by then, so that each kill comes in the
/// middle of work.
fn kill(instances: &mut [Instance; 2], round: u64) {
    let victim = (round % 2) as usize;
    let until = Instant::now() + PATIENCE;
    let tells = |one: &Instance| one.metric("harbourwatch_kafka_verdict_lines_total").is_some_and(|lines| lines > 0.0);
    while !instances.iter().all(tells) {
        let said = instances.each_ref().map(Instance::said).join("\n---\n");
        assert!(instances.iter_mut().all(Instance::is_up), "one ended by itself: {said}");
        assert!(Instant::now() < until, "round {round}: not both of them tell: {said}");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(87 * round));
    instances[victim].kill();
    instances[victim].start();
}

/// A zombie: frozen in the middle of a transaction for longer than its session, it comes back to a group that went on without
/// it, and is refused. Meanwhile more is written than it can tell, so that it is hardly ever between two transactions.
fn freeze(broker: &Broker, topic: &str, instance: &mut Instance) {
    for attempt in 0..FREEZES {
        wait_until("it tells", PATIENCE, || {
            instance.metric("harbourwatch_kafka_verdict_lines_total").is_some_and(|lines| lines > 0.0)
        });
        let seed = (100 + attempt).to_string();
        let arguments = ["--events", "20000", "--seed", &seed, "--duplicates", "0", "--rate", "10000"];
        let flood = generating(&broker.0, topic, &arguments);
        std::thread::sleep(Duration::from_millis(900));
        instance.signal("STOP");
        std::thread::sleep(Duration::from_secs(9));
        instance.signal("CONT");
        flood.finish();
        let is_lost = instance.says_within("partitions lost", Duration::from_secs(15));
        if is_lost && instance.says_within("verdicts not told yet", Duration::from_secs(5)) {
            eprintln!("{} was frozen in the middle of a transaction at try {}", instance.dir.display(), attempt + 1);
            return;
        }
    }
    panic!("{} was never thrown out in the middle of a transaction: {}", instance.dir.display(), instance.said());
}

fn compare(
    broker: &Broker,
    place: &std::path::Path,
    (topic, verdicts): (&str, &str),
    instances: &[Instance; 2],
    protocol: &str,
) {
    let (group, alone_verdicts) = (format!("{topic}-alone"), format!("{verdicts}-alone"));
    broker.topic(&alone_verdicts, 1);
    let dir = place.join("alone");
    let mut alone = Instance::new(&dir, &configuration(broker, topic, &group, &alone_verdicts));
    alone.start();
    wait_until("the undisturbed run", PATIENCE, || broker.is_done(&group, topic));
    alone.stop();
    let (told, undisturbed) = (lines(broker, verdicts), lines(broker, &alone_verdicts));
    let log_alone = log(&dir);
    let judged = log_alone.received - log_alone.rejected - log_alone.duplicate;
    assert_eq!(undisturbed.len() as u64, judged, "one line of every judged event");
    let missing = undisturbed.keys().filter(|id| !told.contains_key(*id)).count();
    assert_eq!(missing, 0, "events of which nobody was told");
    assert_eq!(told, undisturbed, "the lines are those of an undisturbed run");
    // the evidence knows each of them
    let joined = Joined::of(instances.iter().map(|instance| log(&instance.dir)));
    let recorded = told.iter().filter(|(_, line)| line["recorded"] == true);
    assert!(recorded.clone().all(|(id, _)| joined.records.contains_key(id)));
    assert_eq!(recorded.count(), joined.records.len());
    let sent = read(broker, verdicts, "read_uncommitted").len();
    let said: String = instances.iter().map(Instance::all_said).collect();
    eprintln!(
        "verdicts, {protocol}: {} lines of {judged} judged events, each once; {KILLS} kills, {} sessions lost, {} commits refused, {} lines of aborted transactions hidden, {} records in two logs",
        told.len(),
        said.matches("partitions lost").count(),
        said.matches("commit refused").count(),
        sent - told.len(),
        joined.twice,
    );
    assert!(sent > told.len(), "no kill and no freeze came in the middle of a transaction that had lines");
}

#[test]
fn a_zombie_tells_nothing() {
    let Some(_) = edition("zombie") else { return };
    let broker = shared();
    broker.topic("zombie", 1);
    let connection = Connection { brokers: vec![broker.0.clone()], ..Connection::default() };
    let line = |text: &'static str| Outgoing {
        topic: "zombie",
        key: Some(b"k"),
        payload: text.as_bytes(),
        headers: &[],
        timestamp: None,
    };
    let member: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &broker.0).set("group.id", "zombies").create().unwrap();
    let (membership, offsets) = (member.group_metadata().unwrap(), TopicPartitionList::new());
    let transact = |who: &Transactions, text| who.transact(&[line(text)], &offsets, &membership, &|| true);
    let older = Transactions::connect(&connection, "same").unwrap();
    older.begin_with().unwrap();
    transact(&older, "one").unwrap();
    let newer = Transactions::connect(&connection, "same").unwrap();
    newer.begin_with().unwrap();
    let fenced = transact(&older, "two").unwrap_err();
    assert!(matches!(&fenced, Failed::Fenced(_)), "{fenced:?}");
    transact(&newer, "three").unwrap();
    // an offset for a membership that the group does not know: nothing of the transaction is seen
    let mut stale = TopicPartitionList::new();
    stale.add_partition_offset("zombie", 0, Offset::Offset(1)).unwrap();
    member.subscribe(&["zombie"]).unwrap();
    wait_until("it is a member", PATIENCE, || {
        drop(member.poll(Duration::from_millis(100)));
        member.assignment().unwrap().count() == 1
    });
    let former = member.group_metadata().unwrap();
    member.unsubscribe();
    wait_until("it has left", PATIENCE, || {
        drop(member.poll(Duration::from_millis(100)));
        member.assignment().unwrap().count() == 0
    });
    std::thread::sleep(Duration::from_secs(1));
    let refused = newer.transact(&[line("four")], &stale, &former, &|| true);
    assert!(matches!(&refused, Err(Failed::Undone(_))), "{refused:?}");
    transact(&newer, "five").unwrap();
    let seen: Vec<_> = read(&broker, "zombie", "read_committed").into_iter().map(|(_, value)| value).collect();
    assert_eq!(seen, [b"one".to_vec(), b"three".to_vec(), b"five".to_vec()]);
}

/// Of who goes on while the transaction of another is open: its offsets may still come to count.
#[test]
fn where_the_group_stands_is_known_only_when_open_transactions_are_settled() {
    let Some(_) = edition("an open transaction") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("pending", 1);
    broker.topic("pending-verdicts", 1);
    generate(&broker.0, "pending", &["--events", "200", "--duplicates", "0"]);
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &broker.0).set("group.id", "pending");
    let nobody = client.create::<BaseConsumer>().unwrap().group_metadata().unwrap();
    let other: BaseProducer = client.clone().set("transactional.id", "other").create().unwrap();
    let patience = Duration::from_secs(10);
    other.init_transactions(patience).unwrap();
    other.begin_transaction().unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset("pending", 0, Offset::Offset(50)).unwrap();
    other.send_offsets_to_transaction(&offsets, &nobody, patience).unwrap();
    let mut instance = Instance::new(place.path(), &configuration(&broker, "pending", "pending", "pending-verdicts"));
    instance.start();
    assert!(!instance.says_within("partitions assigned", Duration::from_secs(5)), "{}", instance.said());
    other.commit_transaction(patience).unwrap();
    wait_until("the rest is told", PATIENCE, || broker.is_done("pending", "pending"));
    instance.stop();
    let told = lines(&broker, "pending-verdicts");
    assert_eq!(told.values().filter_map(|line| line["offset"].as_u64()).min(), Some(50), "told by the other");
}

/// A folder that was copied, as a restored backup is: two processes speak for one log.
#[test]
fn a_second_process_with_the_same_log_ends_the_first_and_every_line_comes_once() {
    let Some(_) = edition("a copied log") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("copied", 2);
    broker.topic("copied-verdicts", 2);
    let configuration = configuration(&broker, "copied", "copies", "copied-verdicts");
    let mut first = Instance::new(&place.path().join("first"), &configuration);
    let told = |what| wait_until(what, PATIENCE, || broker.is_done("copies", "copied"));
    first.start();
    generate(&broker.0, "copied", &["--events", "500", "--seed", "3", "--duplicates", "0"]);
    told("the first is at work");
    first.stop();
    let mut second = Instance::new(&place.path().join("second"), &configuration);
    let from = first.dir.join("data");
    assert!(Command::new("cp").arg("-a").args([&from, &second.dir]).status().unwrap().success());
    first.start();
    generate(&broker.0, "copied", &["--events", "500", "--seed", "4", "--duplicates", "0"]);
    told("the first goes on");
    let arguments = ["--events", "100000", "--seed", "5", "--duplicates", "0", "--rate", "800"];
    let writer = generating(&broker.0, "copied", &arguments);
    second.start();
    let status = first.wait(Duration::from_secs(60));
    assert_eq!(status.code(), Some(1), "{}", first.said());
    assert!(first.said().contains("another process tells the verdicts of this evidence log"), "{}", first.said());
    assert!(second.is_up(), "{}", second.said());
    drop(writer);
    told("all is told");
    // its log goes on from the copy, so it reads again what the first took after that
    let ends = broker.ends("copied");
    wait_until("the second has it all", PATIENCE, || positions(&second) == ends);
    second.stop();
    let log = log(&second.dir);
    assert_eq!(lines(&broker, "copied-verdicts").len() as u64, log.received - log.rejected - log.duplicate);
}

/// First offset that an instance was not given yet, by partition, of those that it has.
fn positions(instance: &Instance) -> Vec<u64> {
    let ready = instance.get("/ready").unwrap();
    let (_, body) = ready.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let mut found: Vec<_> = body["assignment"].as_array().unwrap().iter().collect();
    found.sort_by_key(|one| one["partition"].as_i64());
    found.iter().map(|one| one["next"].as_u64().unwrap_or_default()).collect()
}

#[test]
fn a_topic_for_verdicts_that_does_not_exist_ends_the_run_and_one_that_is_deleted_is_waited_for() {
    let Some(_) = edition("verdicts without a topic") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("untold", 1);
    generate(&broker.0, "untold", &["--events", "100", "--duplicates", "0"]);
    let mut configuration = configuration(&broker, "untold", "untold", "no-such-topic");
    configuration.kafka("properties", "topic.metadata.propagation.max.ms", "3000");
    let mut instance = Instance::new(place.path(), &configuration);
    instance.start();
    let status = instance.wait(PATIENCE);
    assert_eq!(status.code(), Some(1));
    assert!(instance.said().contains("no-such-topic"), "{}", instance.said());
    assert!(instance.said().contains("does not exist"), "{}", instance.said());
    // recorded, and committed nowhere: told when the topic is there
    assert_eq!(broker.committed("untold", "untold", 1), [None]);
    broker.topic("no-such-topic", 1);
    instance.start();
    wait_until("it is told", PATIENCE, || broker.is_done("untold", "untold"));
    let before = lines(&broker, "no-such-topic");
    // what is aborted is sent anew, also when no more events come
    broker.delete_topic("no-such-topic");
    generate(&broker.0, "untold", &["--events", "100", "--seed", "2", "--duplicates", "0"]);
    instance.wait_said("verdicts not told yet");
    broker.topic("no-such-topic", 1);
    wait_until("the rest is told", PATIENCE, || broker.is_done("untold", "untold"));
    instance.stop();
    let (log, after) = (log(place.path()), lines(&broker, "no-such-topic"));
    assert!(before.keys().all(|id| !after.contains_key(id)), "told again");
    let told = (before.len() + after.len()) as u64;
    assert_eq!((log.received, told), (200, 200 - log.rejected - log.duplicate));
}
