//! Sections about Kafka: the connection, the source, dead letters.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::secret::SecretRef;

/// `[kafka]`: brokers and credentials, for everything that reads from or writes to Kafka.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// Some brokers as `host:port`; the others are learnt from them: `["kafka-1:9093", "kafka-2:9093"]`.
    pub brokers: Vec<String>,
    /// Encryption; left out: none. The broker's certificate and name are always verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<KafkaTls>,
    /// Credentials; left out: none, or those of the client certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sasl: Option<KafkaSasl>,
    /// Properties of librdkafka, passed through as they are: `"client.rack" = "hk-1"`. Those that would break a guarantee,
    /// and those that have a key of their own here, are refused.
    pub properties: BTreeMap<String, String>,
}

/// `[kafka.tls]`: encryption. Changed files are taken up while running.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaTls {
    /// Authorities that are trusted, PEM. Default: those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The client's certificate, PEM, where the brokers ask for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// Its key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Password of the key: `"file:/path"`, `"env:NAME"` or `"cred:name"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_password: Option<SecretRef>,
}

/// `[kafka.sasl]`: credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaSasl {
    /// `"PLAIN"`, `"SCRAM-SHA-256"`, `"SCRAM-SHA-512"` or `"OAUTHBEARER"`.
    pub mechanism: String,
    /// User; for `OAUTHBEARER` the principal, or left out if the token names it.
    pub username: String,
    /// Password: `"file:/path"`, `"env:NAME"` or `"cred:name"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// For `OAUTHBEARER`: program and arguments that print a JWT, or `{"token", "expires_at_ms", "principal"}`.
    pub token_command: Vec<String>,
}

/// `[source.kafka]`: which topics are read, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaSource {
    /// Consumer group. Default `"harbourwatch"`.
    pub group: String,
    /// Topics; one that begins with `^` is a pattern: `["dingtalk-audit", "^dingtalk\\.push\\..+"]`.
    pub topics: Vec<String>,
    /// Name of this instance in the group (static membership): a restart within the session time-out moves no partition.
    /// Each instance needs its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// How the group shares its partitions: `"cooperative-sticky"` (default), `"range"`, or `"consumer"` (KIP-848, brokers
    /// from 4.0 on). All members use the same.
    pub protocol: String,
    /// Where a partition begins that nobody has read: `"earliest"` (default) or `"latest"`. What is recorded decides first.
    pub start: String,
    /// How messages are taken from the client: `"batch"` (default) or `"poll"`, which is slower and free of unsafe code of
    /// ours.
    pub fetch: String,
    /// Between two commits, in ms, 10 to 60000. Default 500.
    pub commit_interval_ms: u64,
    /// Without a sign of life for this long, the group gives the partitions to others; in ms, 6000 to 1800000. Default
    /// 45000. Not used with `protocol = "consumer"`, where the broker sets it.
    pub session_timeout_ms: u64,
    /// Most KiB that the client holds ready, 1024 to 2097151. Default 32768.
    pub prefetch_kib: u32,
    /// A partition that has lag and gives nothing for this long is fetched anew; in seconds, 10 to 3600. Default 120.
    pub stall_s: u64,
    /// Between two looks at the certificates on disk, in seconds, 1 to 86400. Default 30.
    pub renew_s: u64,
    /// Topic where stream users are told of every judged event, in one transaction with the group's offsets: who reads committed
    /// records has each line once. Left out: they are not. See docs/kafka.md.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<String>,
    /// A word that is set, and changed, when a topic was deleted and made anew under its old name: its offsets then mean
    /// other records. Default none.
    pub epoch: String,
}

impl Default for KafkaSource {
    fn default() -> Self {
        Self {
            group: "harbourwatch".into(),
            topics: Vec::new(),
            instance_id: None,
            protocol: "cooperative-sticky".into(),
            start: "earliest".into(),
            fetch: "batch".into(),
            commit_interval_ms: 500,
            session_timeout_ms: 45_000,
            prefetch_kib: 32_768,
            stall_s: 120,
            renew_s: 30,
            verdicts: None,
            epoch: String::new(),
        }
    }
}

/// `[dead_letters]`: where input goes that is no audit event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadLetters {
    /// Topic of `[kafka]`, with the original bytes, key and headers. Left out: `dead-letters.ndjson` in the outbox directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}
