//! Members of the group that go in the worst moment: what they had must find an owner, and they must find their way back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::instance::{Configuration, Instance, PATIENCE, generate, wait_until};
use super::join::{Joined, log};
use super::node::{Broker, edition, shared};

const PARTITIONS: i32 = 12;

/// A member that takes what it is given, and is gone between the two steps of giving something up: it does not say so.
#[derive(Default)]
struct Brittle {
    has_some: AtomicBool,
    is_asked: AtomicBool,
}

impl ClientContext for Brittle {}

impl ConsumerContext for Brittle {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            consumer.incremental_assign(list).unwrap();
            self.has_some.store(list.count() > 0, Ordering::Release);
        } else if self.is_asked.swap(true, Ordering::AcqRel) {
            // it is being closed
            consumer.incremental_unassign(list).unwrap();
        }
    }
}

fn brittle(broker: &Broker, topic: &str, group: &str) -> BaseConsumer<Brittle> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &broker.0).set("group.id", group).set("group.instance.id", "a");
    client.set("partition.assignment.strategy", "cooperative-sticky").set("session.timeout.ms", "30000");
    client.set("heartbeat.interval.ms", "300").set("enable.auto.commit", "false");
    let consumer: BaseConsumer<Brittle> = client.create_with_context(Brittle::default()).unwrap();
    consumer.subscribe(&[topic]).unwrap();
    consumer
}

/// Polls it without taking anything.
fn poll_until(consumer: &BaseConsumer<Brittle>, is_so: impl Fn(&Brittle) -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so(consumer.context()) {
        assert!(Instant::now() < until);
        drop(consumer.poll(Duration::from_millis(50)));
    }
}

/// A static member that is killed when it gave partitions up and had not said so yet comes back to what it was to keep. The
/// broker keeps the group as it is, in which nobody owns the others.
#[test]
fn partitions_that_nobody_owns_find_an_owner() {
    let Some(_) = edition("partitions without owner") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("orphans", PARTITIONS);
    generate(&broker.0, "orphans", &["--events", "5000", "--duplicates", "0"]);
    let first = brittle(&broker, "orphans", "orphans");
    poll_until(&first, |member| member.has_some.load(Ordering::Acquire));
    let mut configured = Configuration::new(&broker.0, "orphans", "orphans");
    let mut other = Instance::new(&place.path().join("b"), &configured);
    other.start();
    poll_until(&first, |member| member.is_asked.load(Ordering::Acquire));
    drop(first);
    configured.source("instance_id", "a");
    let mut again = Instance::new(&place.path().join("a"), &configured);
    again.start();
    let begun = Instant::now();
    wait_until("all partitions have an owner", PATIENCE, || broker.is_done("orphans", "orphans"));
    let took = begun.elapsed();
    let said = format!("{}{}", again.said(), other.said());
    assert!(said.contains("nobody owns"), "the situation did not come about: {said}");
    for instance in [&mut again, &mut other] {
        instance.stop();
    }
    Joined::of(["a", "b"].map(|name| log(&place.path().join(name)))).assert_covers(&broker.ends("orphans"));
    eprintln!("partitions without owner: read to their ends after {took:?}");
}

/// By the newest protocol (KIP-848) the broker takes a static member that was killed back when its session is over: it waits.
#[test]
fn a_killed_static_member_waits_for_the_end_of_its_session() {
    let Some(_) = edition("killed static member") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("killed", PARTITIONS);
    generate(&broker.0, "killed", &["--events", "5000", "--duplicates", "0"]);
    let mut configured = Configuration::new(&broker.0, "killed", "killed");
    configured.source("protocol", "consumer");
    configured.source("instance_id", "a");
    let mut instance = Instance::new(place.path(), &configured);
    instance.start();
    wait_until("all is read", PATIENCE, || broker.is_done("killed", "killed"));
    instance.kill();
    generate(&broker.0, "killed", &["--events", "5000", "--duplicates", "0", "--seed", "2"]);
    let begun = Instant::now();
    instance.start();
    wait_until("the rest is read", PATIENCE, || {
        assert!(instance.is_up(), "it ended: {}", instance.said());
        broker.is_done("killed", "killed")
    });
    let took = begun.elapsed();
    assert!(instance.said().contains("its session"), "it was not refused: {}", instance.said());
    instance.stop();
    Joined::of([log(place.path())]).assert_covers(&broker.ends("killed"));
    eprintln!("killed static member: taken back and done after {took:?}");
}
