//! The Kafka source against librdkafka's in-process mock cluster: faults that a real broker does not produce on demand, and
//! batch consumption held against the safe loop. What is promised to users is tested against a real broker (`broker`).

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harbourwatch::admin::{PartitionState, Readiness};
use harbourwatch::domain::position::Lane;
use harbourwatch::kafka::{Connection, Haste, Header, Outgoing, Producer, Round};
use harbourwatch::metrics::{Metrics, Scope};
use harbourwatch::pipeline::batch::{Batch, Limits};
use harbourwatch::pipeline::ports::{Grounded, Polled, Reached, Source};
use harbourwatch::pipeline::report::Origin;
use harbourwatch::source::kafka::{Fetch, Kafka, Options};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

const TOPIC: &str = "audit";

/// Longest wait for anything; the mock's rebalances take seconds.
const PATIENCE: Duration = Duration::from_secs(60);

struct Cluster(MockCluster<'static, DefaultProducerContext>);

impl Cluster {
    fn new(partitions: i32) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, partitions, 1).unwrap();
        Self(cluster)
    }

    fn connection(&self) -> Connection {
        Connection { brokers: vec![self.0.bootstrap_servers()], ..Connection::default() }
    }

    fn options(&self, group: &str) -> Options {
        // the mock wants short sessions
        let session_timeout = Duration::from_secs(6);
        Options { session_timeout, commit_every: Duration::ZERO, ..Options::new(self.connection(), group, &[TOPIC]) }
    }

    /// `n` messages with a key and, each third, headers; some without bytes.
    fn fill(&self, n: u32) {
        let producer = Producer::connect(&self.connection(), Haste::AtOnce).unwrap();
        let round = Round::default();
        for number in 0..n {
            let (key, payload) = (format!("user {}", number % 7), payload(number));
            let headers: [Header<'_>; 2] = [("trace", Some(b"abc")), ("empty", None)];
            let headers = if number.is_multiple_of(3) { &headers[..] } else { &[] };
            let key = Some(key.as_bytes()).filter(|_| !number.is_multiple_of(5));
            let timestamp = Some(1_795_392_000_000 + i64::from(number));
            producer.offer(&Outgoing { topic: TOPIC, key, payload: &payload, headers, timestamp }, &round, 0);
        }
        round.wait(PATIENCE).unwrap();
    }
}

fn payload(number: u32) -> Vec<u8> {
    if number.is_multiple_of(11) {
        Vec::new()
    } else {
        format!("message {number} {}", "x".repeat(number as usize % 90)).into_bytes()
    }
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(&Scope::default()).unwrap())
}

fn open(options: Options, reached: &[Reached]) -> Kafka {
    Kafka::open(options, reached, metrics(), Readiness::default().latch("source")).unwrap()
}

/// What came of one message: bytes, and what came along.
type Seen = (Vec<u8>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>, Option<i64>);

/// Polls until `n` messages came; gives them by partition and offset.
fn drain(source: &mut Kafka, n: usize) -> BTreeMap<(i32, u64), Seen> {
    let (mut batch, mut seen, until) = (Batch::default(), BTreeMap::new(), Instant::now() + PATIENCE);
    while seen.len() < n {
        assert!(Instant::now() < until, "only {} of {n} messages came", seen.len());
        batch.clear();
        source.poll(&mut batch, &Limits::default(), &mut Grounded).unwrap();
        let mut described = rejected(&batch, source);
        source.describe(&mut described);
        for (message, one) in batch.messages().iter().zip(described) {
            let place = (source.lanes()[message.lane.0 as usize].partition, message.offset);
            let Origin { key, headers, timestamp } = one.origin.unwrap_or_else(|| panic!("{place:?} has no origin"));
            let before = seen.insert(place, (batch.payload(message).to_vec(), key, headers, timestamp));
            assert!(before.is_none(), "{place:?} came twice");
        }
    }
    seen
}

/// The messages of a batch as if all had been rejected.
fn rejected(batch: &Batch, source: &Kafka) -> Vec<harbourwatch::pipeline::report::Rejected> {
    use harbourwatch::domain::position::Position;
    use harbourwatch::pipeline::report::Rejected;
    let one = |message: &harbourwatch::pipeline::batch::Message| Rejected {
        position: Position { lane: message.lane, offset: message.offset, index: 0 },
        lane: source.lanes()[message.lane.0 as usize].clone(),
        reason: "not_json",
        detail: String::new(),
        raw: Arc::from([].as_slice()),
        cut: 0,
        origin: None,
    };
    batch.messages().iter().map(one).collect()
}

/// What the evidence would say if everything that was seen were recorded.
fn recorded(source: &Kafka, seen: &BTreeMap<(i32, u64), Seen>) -> Vec<Reached> {
    let lengths = lane_lengths(seen);
    let reached = |lane: &Lane| {
        let next = lengths[&lane.partition];
        let last_digest = digest(&seen[&(lane.partition, next - 1)].0);
        Reached { lane: lane.clone(), next, last_digest }
    };
    source.lanes().iter().map(reached).collect()
}

fn lane_lengths(seen: &BTreeMap<(i32, u64), Seen>) -> BTreeMap<i32, u64> {
    let mut lengths = BTreeMap::new();
    for (partition, offset) in seen.keys() {
        let length = lengths.entry(*partition).or_insert(0);
        assert_eq!(*length, *offset, "partition {partition} has a hole");
        *length = offset + 1;
    }
    lengths
}

#[test]
fn batch_consumption_gives_what_the_safe_loop_gives() {
    let cluster = Cluster::new(3);
    cluster.fill(2_500);
    let ways = [Fetch::Poll, Fetch::Batch].map(|fetch| {
        let mut source = open(Options { fetch, ..cluster.options(&format!("{fetch:?}")) }, &[]);
        let seen = drain(&mut source, 2_500);
        source.close();
        seen
    });
    let [safe, fast] = ways;
    assert_eq!(safe.values().filter(|seen| seen.0.is_empty()).count(), 2_500_usize.div_ceil(11));
    assert_eq!(safe.values().filter(|seen| !seen.2.is_empty()).count(), 2_500_usize.div_ceil(3));
    assert!(safe.values().all(|seen| seen.3.is_some()));
    for (place, one) in &safe {
        assert_eq!(Some(one), fast.get(place), "{place:?}");
    }
    assert_eq!(safe.len(), fast.len());
    lane_lengths(&fast);
}

#[test]
fn a_refused_commit_is_tried_again_and_the_group_goes_on_behind_what_it_took() {
    let cluster = Cluster::new(2);
    cluster.fill(300);
    let metrics = metrics();
    let latch = Readiness::default().latch("source");
    let mut source = Kafka::open(cluster.options("g"), &[], Arc::clone(&metrics), latch).unwrap();
    let seen = drain(&mut source, 300);
    let lengths = lane_lengths(&seen);
    let refusals = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
    ];
    cluster.0.request_errors(RDKafkaApiKey::OffsetCommit, &refusals);
    let reached = recorded(&source, &seen);
    crate::support::with_receipt(reached, |durable| source.commit(durable).unwrap());
    let (mut batch, until) = (Batch::default(), Instant::now() + PATIENCE);
    while !metrics.render().unwrap().contains("kafka_commits_total{outcome=\"ok\"} 2\n") {
        assert!(Instant::now() < until, "the commit was not tried again: {}", metrics.render().unwrap());
        batch.clear();
        source.poll(&mut batch, &Limits::default(), &mut Grounded).unwrap();
        assert!(batch.is_empty(), "a refused commit must not have messages read again");
    }
    assert!(!metrics.render().unwrap().contains("kafka_commits_total{outcome=\"refused\"} 0\n"));
    source.close();
    // another instance, without our evidence, goes on where the group stands
    cluster.fill(10);
    let mut other = open(Options { instance: "another".to_owned(), ..cluster.options("g") }, &[]);
    let seen = drain(&mut other, 10);
    assert!(seen.keys().all(|(partition, offset)| *offset >= lengths[partition]));
    other.close();
}

#[test]
fn what_is_recorded_is_not_read_again_although_the_group_knows_nothing_of_it() {
    let cluster = Cluster::new(2);
    cluster.fill(400);
    let mut source = open(cluster.options("g"), &[]);
    let seen = drain(&mut source, 400);
    let lengths = lane_lengths(&seen);
    let reached = recorded(&source, &seen);
    // ends without a commit, as by a kill
    drop(source);
    cluster.fill(20);
    let mut again = open(cluster.options("g"), &reached);
    let rest = drain(&mut again, 20);
    assert!(rest.keys().all(|(partition, offset)| *offset >= lengths[partition]));
    again.close();
    // the same evidence and other bytes under the last offset: another topic of the same name
    let other = Reached { last_digest: "0".repeat(16), ..reached[0].clone() };
    let mut fooled = open(cluster.options("h"), &[other]);
    let (mut batch, until) = (Batch::default(), Instant::now() + PATIENCE);
    let error = loop {
        assert!(Instant::now() < until, "the other topic was not noticed");
        batch.clear();
        match fooled.poll(&mut batch, &Limits::default(), &mut Grounded) {
            Ok(_) => {}
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("source.kafka.epoch"), "{error}");
}

fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_outage_of_the_broker_is_waited_for() {
    let cluster = Cluster::new(1);
    cluster.fill(50);
    let mut source = open(cluster.options("g"), &[]);
    drain(&mut source, 50);
    cluster.0.broker_down(1).unwrap();
    let (mut batch, until) = (Batch::default(), Instant::now() + Duration::from_secs(4));
    while Instant::now() < until {
        batch.clear();
        assert_eq!(source.poll(&mut batch, &Limits::default(), &mut Grounded).unwrap(), Polled::Idle);
    }
    cluster.0.broker_up(1).unwrap();
    cluster.fill(30);
    let rest = drain(&mut source, 30);
    assert_eq!(rest.keys().next(), Some(&(0, 50)));
    source.close();
}

#[test]
fn a_topic_that_does_not_exist_ends_the_run_with_the_cause() {
    let cluster = Cluster::new(1);
    cluster.0.topic_error("missing", RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART).unwrap();
    let mut options = cluster.options("g");
    options.topics = vec!["missing".to_owned()];
    let mut source = open(options, &[]);
    let (mut batch, until) = (Batch::default(), Instant::now() + PATIENCE);
    let error = loop {
        assert!(Instant::now() < until, "the missing topic was not told");
        if let Err(error) = source.poll(&mut batch, &Limits::default(), &mut Grounded) {
            break error.to_string();
        }
    };
    assert!(error.contains("does not exist"), "{error}");
}

/// The process's own figure.
fn figure(metrics: &Metrics, series: &str) -> f64 {
    let text = metrics.render().unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned));
    value.and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// The recorder is stuck for longer than the client may go without a poll, and than its session lasts: the partitions stay
/// ours, no message is lost or comes twice, and none is held ready beyond the bound.
#[test]
fn a_recorder_that_is_stuck_costs_no_partition() {
    for fetch in [Fetch::Batch, Fetch::Poll] {
        let cluster = Cluster::new(2);
        cluster.fill(200);
        let mut options = Options { fetch, ..cluster.options("g") };
        options.connection.properties.insert("max.poll.interval.ms".to_owned(), "6000".to_owned());
        let (metrics, readiness) = (metrics(), Readiness::default());
        let mut source = Kafka::open(options, &[], Arc::clone(&metrics), readiness.latch("source")).unwrap();
        let first = drain(&mut source, 200);
        cluster.fill(100);
        let until = Instant::now() + Duration::from_secs(9);
        while Instant::now() < until {
            source.keep_alive();
            std::thread::sleep(Duration::from_millis(200));
        }
        let held = readiness.assignment().unwrap();
        assert!(held.iter().all(|one| one.state == PartitionState::Held) && held.len() == 2, "{held:?}");
        let rest = drain(&mut source, 100);
        assert!(rest.keys().all(|place| !first.contains_key(place)), "{fetch:?}: came twice");
        assert_eq!(lane_lengths(&first.into_iter().chain(rest).collect()).values().sum::<u64>(), 300);
        let moved = |event| figure(&metrics, &format!("harbourwatch_kafka_rebalances_total{{event=\"{event}\"}}"));
        assert_eq!((moved("assigned"), moved("revoked"), moved("lost")), (1.0, 0.0, 0.0), "{fetch:?}");
        source.close();
    }
}

/// A partition has something and gives nothing: it is fetched anew, then by another client, and goes on where it stood.
#[test]
fn a_partition_with_lag_that_gives_nothing_is_looked_after() {
    let cluster = Cluster::new(1);
    cluster.fill(50);
    let options = Options { stall: Duration::from_secs(2), ..cluster.options("g") };
    let (metrics, readiness) = (metrics(), Readiness::default());
    let mut source = Kafka::open(options, &[], Arc::clone(&metrics), readiness.latch("source")).unwrap();
    drain(&mut source, 50);
    // every fetch fails from here on, while the ends of partitions are told
    let errors = vec![RDKafkaRespErr::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR; 100_000];
    cluster.0.request_errors(RDKafkaApiKey::Fetch, &errors);
    cluster.fill(30);
    let (mut batch, until, mut was_stalled) = (Batch::default(), Instant::now() + PATIENCE, false);
    while figure(&metrics, "harbourwatch_kafka_clients_total") < 2.0 {
        assert!(Instant::now() < until, "the partition was not looked after");
        batch.clear();
        assert_eq!(source.poll(&mut batch, &Limits::default(), &mut Grounded).unwrap(), Polled::Idle);
        let assignment = readiness.assignment().unwrap_or_default();
        was_stalled |= assignment.iter().any(|one| one.state == PartitionState::Stalled && one.lag == Some(30));
    }
    assert!(was_stalled, "readiness did not show it");
    assert!(figure(&metrics, "harbourwatch_kafka_stalls_total") >= 1.0);
    cluster.0.clear_request_errors(RDKafkaApiKey::Fetch);
    let rest = drain(&mut source, 30);
    assert_eq!(rest.keys().next(), Some(&(0, 50)));
    source.close();
}
