//! What the source is told, and the client's settings that follow from it, each with its reason.

use std::hash::{Hash as _, Hasher as _};
use std::path::PathBuf;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::kafka::{ConnectError, Connection};

/// How the group shares its partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The classic protocol, partitions moved one by one.
    #[default]
    CooperativeSticky,
    /// The classic protocol, all partitions given up and shared out anew.
    Range,
    /// The protocol of KIP-848, where the broker assigns; brokers from 4.0 on.
    Consumer,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CooperativeSticky, Self::Range, Self::Consumer];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::CooperativeSticky => "cooperative-sticky",
            Self::Range => "range",
            Self::Consumer => "consumer",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }
}

/// Where a partition begins that nobody has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// At the first record that the broker has.
    #[default]
    Earliest,
    /// At what comes from now on.
    Latest,
}

/// How messages are taken from the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fetch {
    /// Many a call.
    #[default]
    Batch,
    /// One by one; slower, and without unsafe code of ours.
    Poll,
}

/// What the source is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Brokers and credentials.
    pub connection: Connection,
    /// Consumer group.
    pub group: String,
    /// Topics; one that begins with `^` is a pattern.
    pub topics: Vec<String>,
    /// Name of this instance in the group (static membership): a restart within the session time-out moves no partition.
    pub instance_id: Option<String>,
    /// How the group shares its partitions.
    pub protocol: Protocol,
    /// Where a partition begins that nobody has read.
    pub begin: Begin,
    /// How messages are taken from the client.
    pub fetch: Fetch,
    /// Between two commits.
    pub commit_every: Duration,
    /// Without a sign of life for this long, the group gives the partitions to others.
    pub session_timeout: Duration,
    /// Most KiB that the client holds ready.
    pub prefetch_kib: u32,
    /// A partition that has lag and gives nothing for this long is looked after.
    pub stall: Duration,
    /// Between two looks at the certificates on disk.
    pub renew_every: Duration,
    /// Marks a topic that was made anew under its old name.
    pub epoch: String,
    /// Name of the evidence log that stands behind our commits.
    pub instance: String,
    /// Topic where stream users are told of every judged event, if they are.
    pub verdicts: Option<String>,
    /// State database, which has the lines for it.
    pub state: PathBuf,
}

impl Options {
    /// The defaults for a group and its topics.
    pub fn new(connection: Connection, group: &str, topics: &[&str]) -> Self {
        Self {
            connection,
            group: group.to_owned(),
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            instance_id: None,
            protocol: Protocol::default(),
            begin: Begin::default(),
            fetch: Fetch::default(),
            commit_every: Duration::from_millis(500),
            session_timeout: Duration::from_secs(45),
            prefetch_kib: 32_768,
            stall: Duration::from_secs(120),
            renew_every: Duration::from_secs(30),
            epoch: String::new(),
            instance: "harbourwatch".to_owned(),
            verdicts: None,
            state: PathBuf::new(),
        }
    }

    /// How long a partition that is taken away waits for what is on its way to the disk.
    pub(super) fn patience(&self) -> Duration {
        self.session_timeout / 2
    }

    /// How long partitions may be without owner before the group is made to share them out. Other for each instance, so that
    /// one of them does it.
    pub(super) fn ownerless_patience(&self) -> Duration {
        let mut hasher = std::hash::DefaultHasher::new();
        self.instance.hash(&mut hasher);
        self.session_timeout + self.session_timeout.mul_f64(f64::from(hasher.finish() as u8) / 255.0)
    }

    /// The group, where it can have partitions without owner, and how often that is looked at.
    pub(super) fn watched_group(&self) -> Option<(String, Duration)> {
        let can_be = self.protocol == Protocol::CooperativeSticky;
        can_be.then(|| (self.group.clone(), self.session_timeout / 3))
    }

    /// The client's settings.
    pub(super) fn client(&self) -> Result<ClientConfig, ConnectError> {
        let mut client = self.connection.client()?;
        // who asks for the client's debug contexts wants to see what they say
        let level = client.get("debug").map_or(RDKafkaLogLevel::Info, |_| RDKafkaLogLevel::Debug);
        client.set_log_level(level);
        client.set("group.id", &self.group);
        // offsets are committed by hand, when the evidence is on disk
        client.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
        // an offset that the broker has no more is a loss or another topic: it is told, never skipped in silence
        client.set("auto.offset.reset", "error");
        // records of aborted transactions are no events
        client.set("isolation.level", "read_committed");
        // a record that was damaged on the way is not judged; 44 ns for each 800 bytes
        client.set("check.crcs", "true");
        // ends of partitions are no events, and reporting them has left partitions stuck elsewhere
        client.set("enable.partition.eof", "false");
        // bounds memory however deep the lag is, together with what one response may hold (below)
        client.set("queued.max.messages.kbytes", self.prefetch_kib.to_string());
        // the client's figures, for metrics
        client.set("statistics.interval.ms", "15000");
        let defaults = [
            // with the default of a second, a full queue stalls the fetcher; measured: 0.5 against 1.9 M messages/s
            ("fetch.queue.backoff.ms", "5"),
            // a response is unpacked whole: rows that compress fifty times made a gigabyte of the client's default of 1 MiB
            // for each partition; measured: no slower
            ("max.partition.fetch.bytes", "131072"),
            ("fetch.max.bytes", "4194304"),
            // the client keeps fetching below this many messages whatever their size, by default 100,000 of each partition
            ("queued.min.messages", "10000"),
        ];
        for (key, value) in defaults {
            if client.get(key).is_none() {
                client.set(key, value);
            }
        }
        self.membership(&mut client);
        Ok(client)
    }

    fn membership(&self, client: &mut ClientConfig) {
        if let Some(id) = &self.instance_id {
            client.set("group.instance.id", id);
        }
        match self.protocol {
            Protocol::CooperativeSticky | Protocol::Range => {
                client.set("partition.assignment.strategy", self.protocol.name());
                client.set("session.timeout.ms", self.session_timeout.as_millis().to_string());
                // three signs of life may be lost
                client.set("heartbeat.interval.ms", (self.session_timeout.as_millis() / 4).min(3000).to_string());
            }
            // the broker sets session and heartbeat (group.consumer.session.timeout.ms)
            Protocol::Consumer => {
                client.set("group.protocol", "consumer");
            }
        }
    }
}
