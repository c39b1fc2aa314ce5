//! One node of Apache Kafka, by the project's script; ended by its process id when the test is over.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, TopicPartitionList};
use tempfile::TempDir;

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    Small,
    Full,
}

/// `None`, said on standard error, where the tests against a broker are not asked for.
pub(super) fn edition(test: &str) -> Option<Edition> {
    match std::env::var("HARBOURWATCH_BROKER").as_deref() {
        Ok("full") => Some(Edition::Full),
        Ok("1") => Some(Edition::Small),
        Ok(other) => panic!("HARBOURWATCH_BROKER is `{other}`; it knows `1` and `full`"),
        Err(_) => {
            eprintln!("{test}: not run, it needs a broker: set HARBOURWATCH_BROKER=1");
            None
        }
    }
}

/// A node of our own.
pub(super) struct Node {
    dir: TempDir,
    port: u16,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broker/kafka")
}

fn run(arguments: &[&str]) {
    let output = Command::new(script()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A port of which the next four are free as well.
fn free_ports() -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let all_free = |first: u16| (first..first + 5).all(is_free);
    let start = 20_000 + (std::process::id() % 2_000) as u16 * 10;
    (start..60_000).step_by(10).find(|port| all_free(*port)).unwrap()
}

impl Node {
    /// A node that listens in clear.
    pub(super) fn plain() -> Self {
        let node = Self { dir: tempfile::tempdir().unwrap(), port: free_ports() };
        node.start();
        node
    }

    /// A node that also listens with TLS and SASL.
    pub(super) fn guarded() -> Self {
        let node = Self { dir: tempfile::tempdir().unwrap(), port: free_ports() };
        run(&["tls", node.dir.path().to_str().unwrap()]);
        node.start();
        node
    }

    pub(super) fn start(&self) {
        run(&["start", self.dir.path().to_str().unwrap(), &self.port.to_string()]);
    }

    pub(super) fn stop(&self) {
        run(&["stop", self.dir.path().to_str().unwrap()]);
    }

    pub(super) fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Host and port of another listener: 2 SASL over TLS, 3 mutual TLS, 4 SASL in clear.
    pub(super) fn listener(&self, number: u16) -> String {
        format!("localhost:{}", self.port + number)
    }

    pub(super) fn tls(&self, file: &str) -> PathBuf {
        self.dir.path().join("tls").join(file)
    }

    pub(super) fn broker(&self) -> Broker {
        Broker(self.bootstrap())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(Command::new(script()).args(["kill", self.dir.path().to_str().unwrap()]).output());
    }
}

/// A broker to talk to, ours or named by `KAFKA_BOOTSTRAP`.
#[derive(Clone)]
pub(super) struct Broker(pub(super) String);

/// The broker that tests share: each has topics and groups of its own.
pub(super) fn shared() -> Broker {
    static NODE: OnceLock<Option<Node>> = OnceLock::new();
    match std::env::var("KAFKA_BOOTSTRAP") {
        Ok(bootstrap) => Broker(bootstrap),
        Err(_) => {
            // a static is never dropped: the node is ended when the test process is gone
            let node = NODE.get_or_init(|| {
                let node = Node::plain();
                end_with_us(&node);
                Some(node)
            });
            node.as_ref().map(Node::broker).unwrap()
        }
    }
}

/// Has the node end when this process does, however that happens.
fn end_with_us(node: &Node) {
    let pid = std::fs::read_to_string(node.dir.path().join("pid")).unwrap();
    let (ours, dir) = (std::process::id(), node.dir.path().display());
    let watch = format!("while kill -0 {ours} 2>/dev/null; do sleep 1; done; kill -9 {} ; rm -rf '{dir}'", pid.trim());
    #[expect(clippy::zombie_processes, reason = "it outlives us: that is what it is for")]
    Command::new("sh").args(["-c", &watch]).spawn().unwrap();
}

impl Broker {
    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.0).create().unwrap()
    }

    pub(super) fn topic(&self, name: &str, partitions: i32) {
        self.topic_with(name, partitions, &[]);
    }

    pub(super) fn topic_with(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let made = block_on(self.admin().create_topics(&[topic], &AdminOptions::new()));
        made.unwrap().into_iter().for_each(|made| drop(made.unwrap()));
    }

    pub(super) fn delete_topic(&self, name: &str) {
        block_on(self.admin().delete_topics(&[name], &AdminOptions::new())).unwrap();
    }

    pub(super) fn delete_records(&self, topic: &str, partition: i32, before: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, rdkafka::Offset::Offset(before)).unwrap();
        block_on(self.admin().delete_records(&list, &AdminOptions::new())).unwrap();
    }

    fn reader(&self, group: &str) -> BaseConsumer {
        ClientConfig::new().set("bootstrap.servers", &self.0).set("group.id", group).create().unwrap()
    }

    /// First offset that does not exist yet, by partition.
    pub(super) fn ends(&self, topic: &str) -> Vec<u64> {
        let reader = self.reader("ends");
        let metadata = reader.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
        let mut partitions: Vec<_> = metadata.topics()[0].partitions().iter().map(|one| one.id()).collect();
        partitions.sort_unstable();
        let end = |partition| reader.fetch_watermarks(topic, partition, Duration::from_secs(10)).unwrap().1 as u64;
        partitions.into_iter().map(end).collect()
    }

    /// What the group has committed, by partition; `None` where it has not.
    pub(super) fn committed(&self, group: &str, topic: &str, partitions: i32) -> Vec<Option<u64>> {
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition(topic, partition);
        }
        let list = self.reader(group).committed_offsets(list, Duration::from_secs(20)).unwrap();
        let offset = |one: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
            if let rdkafka::Offset::Offset(next) = one.offset() { Some(next as u64) } else { None }
        };
        list.elements().iter().map(offset).collect()
    }

    /// Whether the group has committed everything.
    pub(super) fn is_done(&self, group: &str, topic: &str) -> bool {
        let ends = self.ends(topic);
        let committed = self.committed(group, topic, ends.len() as i32);
        ends.iter().zip(committed).all(|(end, committed)| *end == 0 || committed == Some(*end))
    }
}

/// Runs one future of the admin client to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
