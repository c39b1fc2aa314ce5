//! Kafka to evidence, side by side on one broker in one run: `cargo bench --bench end_to_end [-- --write] [-- EVENTS]`.
//!
//! - **batch**: a bare consumer that takes many messages a call and sums their bytes;
//! - **poll**: the same with rust-rdkafka's `BaseConsumer::poll`;
//! - **harbourwatch**: the program itself as a member of a group, with its evidence on disk, on topics of which 1, 10 and 50 of a
//!   hundred events are recorded; and, where 1 is, with a line of every judged event in a topic as well, sent by transactions that
//!   move the group's offsets.
//!
//! All with the client's settings of the program, checksums included, by turns, `ROUNDS` times; medians. The broker is Apache
//! Kafka by `tests/broker/kafka`, or `KAFKA_BOOTSTRAP`; it shares the machine. Times run from the first message to the last; for
//! harbourwatch to the moment when the last one is committed.

#![allow(missing_docs, unreachable_pub, unsafe_code, clippy::unwrap_used, clippy::print_stdout)]

mod lab;

use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harbourwatch::kafka::{Connection, Haste, Outgoing, Producer, Round};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::bindings as sys;
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

const PARTITIONS: i32 = 6;
const ROUNDS: usize = 3;

/// Of a hundred events, those that become evidence records.
const SHARES: [u64; 3] = [1, 10, 50];

/// Topic for a line of every judged event.
const VERDICTS: &str = "bench-verdicts";

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/broker/kafka");

/// Longest wait for one reading.
const PATIENCE: Duration = Duration::from_secs(180);

/// What one reading took.
#[derive(Clone, Copy, Debug)]
struct Took {
    wall: f64,
    processor: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let events = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(600_000);
    let node = Node::start();
    make(&node.bootstrap, VERDICTS);
    let topics = SHARES.map(|share| fill(&node.bootstrap, share, events));
    let mut rows = rows(&node.bootstrap, &topics);
    for round in 0..ROUNDS {
        rows.iter_mut().for_each(|row| row.took.push((row.read)(round)));
    }
    let report = report(&topics, &rows);
    println!("{report}");
    if arguments.iter().any(|argument| argument == "--write") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results/end_to_end.md");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, report).unwrap();
        println!("written to {}", path.display());
    }
}

/// One consumer and what its readings took.
struct Row<'t> {
    name: String,
    events: u64,
    read: Box<dyn Fn(usize) -> Took + 't>,
    took: Vec<Took>,
}

impl<'t> Row<'t> {
    fn new(name: &str, topic: &Topic, read: impl Fn(usize) -> Took + 't) -> Self {
        Self { name: name.to_owned(), events: topic.events, read: Box::new(read), took: Vec::new() }
    }

    /// Events a second.
    fn rate(&self) -> f64 {
        self.events as f64 / median(self.took.iter().map(|one| one.wall).collect())
    }

    /// Processor time an event, in ns.
    fn processor(&self) -> f64 {
        median(self.took.iter().map(|one| one.processor).collect()) * 1e9 / self.events as f64
    }
}

fn rows<'t>(bootstrap: &'t str, topics: &'t [Topic; SHARES.len()]) -> Vec<Row<'t>> {
    let first = &topics[0];
    let mut rows = vec![
        Row::new("bare batch consumer, sums the bytes", first, |_| bare(bootstrap, first, by_batch)),
        Row::new("bare `BaseConsumer` poll loop", first, |_| bare(bootstrap, first, by_poll)),
    ];
    for topic in topics {
        let name = format!("harbourwatch, {} % recorded", topic.share);
        rows.push(Row::new(&name, topic, move |round| harbourwatch(bootstrap, topic, round, None)));
    }
    let name = format!("harbourwatch, {} % recorded, every verdict to a topic", first.share);
    rows.push(Row::new(&name, first, move |round| harbourwatch(bootstrap, first, round, Some(VERDICTS))));
    rows
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn report(topics: &[Topic], rows: &[Row<'_>]) -> String {
    let first = rows[0].rate();
    let mut text = format!("{}\n\n", lab::ruler::machine());
    text += &format!(
        "{} events a topic in {} messages of {:.0} bytes in the mean, {PARTITIONS} partitions, lz4; broker on the same machine; median of \
         {ROUNDS} readings by turns.\n\n",
        topics[0].events,
        topics[0].messages,
        topics[0].bytes as f64 / topics[0].messages as f64
    );
    text +=
        "| consumer | events/s | processor time an event, ns | of the bare batch consumer |\n|---|---:|---:|---:|\n";
    for row in rows {
        text += &format!("| {} | {:.0} | {:.0} | {:.2} |\n", row.name, row.rate(), row.processor(), row.rate() / first);
    }
    text
}

/// The broker, ended with us.
struct Node {
    bootstrap: String,
    own: Option<tempfile::TempDir>,
}

impl Node {
    fn start() -> Self {
        if let Ok(bootstrap) = std::env::var("KAFKA_BOOTSTRAP") {
            return Self { bootstrap, own: None };
        }
        let (dir, port) = (tempfile::tempdir().unwrap(), 39_092);
        let started = Command::new(SCRIPT).arg("start").arg(dir.path()).arg(port.to_string()).status().unwrap();
        assert!(started.success(), "no broker: Java 17 and Maven are needed, or KAFKA_BOOTSTRAP");
        Self { bootstrap: format!("127.0.0.1:{port}"), own: Some(dir) }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(dir) = &self.own {
            drop(Command::new(SCRIPT).arg("kill").arg(dir.path()).status());
        }
    }
}

struct Topic {
    name: String,
    share: u64,
    events: u64,
    messages: u64,
    bytes: u64,
}

/// Makes a topic of this name.
fn make(bootstrap: &str, name: &str) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap();
    let topic = NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1)).set("retention.ms", "-1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let made = runtime.block_on(admin.create_topics(&[topic], &AdminOptions::new())).unwrap();
    made.into_iter().for_each(|made| drop(made.unwrap()));
}

/// Makes a topic and fills it with distinct events.
fn fill(bootstrap: &str, share: u64, events: u64) -> Topic {
    let name = format!("bench-{share}");
    make(bootstrap, &name);
    let corpus = lab::corpus::flagged(&lab::bank(), share, events, share);
    let connection = Connection { brokers: vec![bootstrap.to_owned()], ..Connection::default() };
    let producer = Producer::connect(&connection, Haste::Gather).unwrap();
    let (mut messages, mut bytes, mut round) = (0, 0, Round::default());
    for message in corpus.messages() {
        let key = (messages % 997).to_string();
        let key = Some(key.as_bytes());
        producer.offer(&Outgoing { topic: &name, key, payload: message, headers: &[], timestamp: None }, &round, 0);
        messages += 1;
        bytes += message.len() as u64;
        if messages % 10_000 == 0 {
            std::mem::take(&mut round).wait(PATIENCE).unwrap();
        }
    }
    round.wait(PATIENCE).unwrap();
    println!("{name}: {} events in {messages} messages", corpus.events);
    Topic { name, share, events: corpus.events, messages, bytes }
}

/// The settings that the program's source gives to the client.
fn settings(bootstrap: &str) -> ClientConfig {
    let mut settings = ClientConfig::new();
    let pairs = [
        ("bootstrap.servers", bootstrap),
        ("group.id", "bare"),
        ("enable.auto.commit", "false"),
        ("check.crcs", "true"),
        ("isolation.level", "read_committed"),
        ("queued.max.messages.kbytes", "32768"),
        ("queued.min.messages", "10000"),
        ("fetch.queue.backoff.ms", "5"),
        ("fetch.max.bytes", "4194304"),
        ("max.partition.fetch.bytes", "131072"),
    ];
    for (key, value) in pairs {
        settings.set(key, value);
    }
    settings
}

fn bare(bootstrap: &str, topic: &Topic, read: fn(&BaseConsumer, &Topic) -> (Instant, f64)) -> Took {
    let consumer: BaseConsumer = settings(bootstrap).create().unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset(&topic.name, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (begun, processor) = read(&consumer, topic);
    Took { wall: begun.elapsed().as_secs_f64(), processor: processor_time("self") - processor }
}

/// Sums bytes so that nothing of a message is left out.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

/// Messages a call: more gains nothing, and a call waits until its array is full or its time is over.
const ARRAY: usize = 1_000;

/// The fastest way that the client has: what is there is taken at once, many a call; only where nothing is there the first
/// message is waited for, alone, so that no call waits for an array to fill.
fn by_batch(consumer: &BaseConsumer, topic: &Topic) -> (Instant, f64) {
    let (mut begun, mut came, mut total, mut room) = (None, 0, 0, 1);
    let mut taken = [std::ptr::null_mut(); ARRAY];
    // SAFETY: the consumer lives until the end of the function; the queue is given back below.
    let queue = unsafe { sys::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
    while came < topic.messages {
        let wait = if room == 1 { 100 } else { 0 };
        // SAFETY: the array has room for as many as is said; each message is ours and destroyed once, after its last use.
        unsafe {
            let count = sys::rd_kafka_consume_batch_queue(queue, wait, taken.as_mut_ptr(), room);
            let count = usize::try_from(count).unwrap_or_default();
            for message in &taken[..count] {
                begun.get_or_insert_with(|| (Instant::now(), processor_time("self")));
                let one = &**message;
                if one.err == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                    total += sum(std::slice::from_raw_parts(one.payload.cast::<u8>(), one.len));
                    came += 1;
                }
                sys::rd_kafka_message_destroy(*message);
            }
            room = if count == 0 { 1 } else { ARRAY };
        }
    }
    // SAFETY: not used any more.
    unsafe { sys::rd_kafka_queue_destroy(queue) };
    lab::ruler::keep(total);
    begun.unwrap()
}

fn by_poll(consumer: &BaseConsumer, topic: &Topic) -> (Instant, f64) {
    let (mut begun, mut came, mut total) = (None, 0, 0);
    while came < topic.messages {
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            begun.get_or_insert_with(|| (Instant::now(), processor_time("self")));
            total += sum(message.payload().unwrap_or_default());
            came += 1;
        }
    }
    lab::ruler::keep(total);
    begun.unwrap()
}

/// User and system time of a process so far, in seconds.
fn processor_time(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // in hundredths of a second, whatever the kernel's own clock
    fields.iter().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap_or_default()).sum::<f64>() / 100.0
}

/// The program itself, in a folder and a group of its own.
fn harbourwatch(bootstrap: &str, topic: &Topic, round: usize, verdicts: Option<&str>) -> Took {
    let room = tempfile::tempdir().unwrap();
    let mut configuration: toml::Table = harbourwatch::settings::EXAMPLE_BANK.parse().unwrap();
    configuration.remove("channels");
    let group = format!("{}-{}-{round}", topic.name, verdicts.unwrap_or("untold"));
    let verdicts = verdicts.map_or_else(String::new, |topic| format!("verdicts = {topic:?}\n"));
    let sections = format!(
        "[source]\nkind = \"kafka\"\n[source.kafka]\ntopics = [{:?}]\ngroup = {group:?}\ncommit_interval_ms = 50\n{verdicts}[kafka]\nbrokers = \
         [{bootstrap:?}]\n[admin]\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n",
        topic.name
    );
    configuration.extend(sections.parse::<toml::Table>().unwrap());
    fs::write(room.path().join("harbourwatch.toml"), configuration.to_string()).unwrap();
    let log = fs::File::create(room.path().join("log")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_harbourwatch"))
        .args(["run", "--config", "harbourwatch.toml", "--data", "data"])
        .current_dir(room.path())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let took = watch(&mut child, room.path(), (bootstrap, &group, topic));
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let ended = child.wait().unwrap();
    assert!(ended.success(), "{}", fs::read_to_string(room.path().join("log")).unwrap());
    took
}

/// From the first event that is recorded to the last, when the group has committed everything.
fn watch(child: &mut Child, room: &Path, (bootstrap, group, topic): (&str, &str, &Topic)) -> Took {
    let (until, mut begun, process) = (Instant::now() + PATIENCE, None, child.id().to_string());
    let group: BaseConsumer = settings(bootstrap).set("group.id", group).create().unwrap();
    while !is_done(&group, topic) {
        let said = || fs::read_to_string(room.join("log")).unwrap();
        assert!(Instant::now() < until && child.try_wait().unwrap().is_none(), "{}", said());
        // asked for until it begins and not after: an answer takes the program's time
        if begun.is_none() {
            let received = metrics(room).get("harbourwatch_events_received_total").copied().unwrap_or_default();
            begun = (received > 0.0).then(|| (Instant::now(), processor_time(&process), received));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let (begun, processor, before) = begun.unwrap();
    let (wall, used) = (begun.elapsed().as_secs_f64(), processor_time(&process) - processor);
    // what was received before the first look took no part in it
    let share = topic.events as f64 / (topic.events as f64 - before).max(1.0);
    Took { wall: wall * share, processor: used * share }
}

/// Whether the group has committed the whole topic.
fn is_done(group: &BaseConsumer, topic: &Topic) -> bool {
    let mut list = TopicPartitionList::new();
    (0..PARTITIONS).for_each(|partition| _ = list.add_partition(&topic.name, partition));
    let Ok(list) = group.committed_offsets(list, Duration::from_secs(5)) else { return false };
    let next = |offset| if let Offset::Offset(next) = offset { u64::try_from(next).unwrap_or_default() } else { 0 };
    list.elements().iter().map(|one| next(one.offset())).sum::<u64>() == topic.messages
}

fn metrics(room: &Path) -> HashMap<String, f64> {
    let log = fs::read_to_string(room.join("log")).unwrap_or_default();
    let Some(line) = log.lines().find(|line| line.contains("serving /live")) else { return HashMap::new() };
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let Ok(mut stream) = std::net::TcpStream::connect(line["address"].as_str().unwrap()) else { return HashMap::new() };
    let mut answer = String::new();
    if stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_string(&mut answer)).is_err() {
        return HashMap::new();
    }
    let pair =
        |line: &str| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap_or_default()));
    answer.lines().filter_map(pair).collect()
}
