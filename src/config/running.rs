//! Sections about running: decoding, databases, source, batch, evidence, outbox, admin server, log.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::KafkaSource;
use crate::pipeline::batch::Limits;
use crate::pipeline::report::RECORDED;
use crate::secret::SecretRef;

/// `[decode]`: how a collector wraps DingTalk's events. Paths are keys with dots between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decode {
    /// Where the event is inside the collector's envelope: `"payload"`; left out: the message is the event.
    pub payload: Option<String>,
    /// Where the envelope names the tenant: `"corpId"`; left out: the event does, else `default_tenant` is assumed.
    pub tenant: Option<String>,
    /// Corp id of the tenant that events belong to which name none. Left out: the only tenant, if one is watched; if there
    /// are several, the settings of none are relied on, and so many verdicts are UNDETERMINED.
    pub default_tenant: Option<String>,
    /// Where the envelope keeps what the collector learnt about storage: `"storage"`.
    pub enrichment: Option<String>,
    /// Deepest nesting of JSON that is read, 8 to 128 levels. Default 64.
    pub depth: usize,
    /// Longest message that is read, in bytes, at most `batch.message_bytes`. Default 4194304.
    pub bytes: usize,
}

impl Default for Decode {
    fn default() -> Self {
        let bytes = Limits::default().message_bytes;
        Self { payload: None, tenant: None, default_tenant: None, enrichment: None, depth: 64, bytes }
    }
}

/// `[geo]`: geolocation databases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Geo {
    /// Database files in MaxMind's format, asked in order. Default: the bundled database.
    pub databases: Vec<PathBuf>,
    /// Age of a database in days from which its answers are called stale, 1 to 3650. Default 45.
    pub max_age_days: u32,
}

impl Default for Geo {
    fn default() -> Self {
        Self { databases: Vec::new(), max_age_days: 45 }
    }
}

/// Kinds of source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// Files of one JSON message per line, plain or compressed, or standard input.
    #[default]
    Replay,
    /// Topics of Kafka.
    Kafka,
}

/// `[source]`: where events come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// `"replay"`, the default, or `"kafka"`.
    pub kind: SourceKind,
    /// For `replay`: files in order; `"-"` is standard input. Files named on the command line replace these.
    pub files: Vec<PathBuf>,
    /// For `kafka`: topics and group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<KafkaSource>,
}

/// `[batch]`: bounds on a batch, the unit of work, durability and commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Batch {
    /// Messages, 1 to 1000000. Default 16384.
    pub messages: usize,
    /// Bytes, 4096 to 1073741824. Default 16777216.
    pub bytes: usize,
    /// Bytes of one message, 1024 to `bytes`; a longer one is cut and rejected as too large. Default 4194304.
    pub message_bytes: usize,
    /// How long a source may wait to fill a batch, in ms, 1 to 60000. Default 500.
    pub wait_ms: u64,
}

impl Default for Batch {
    fn default() -> Self {
        let Limits { messages, bytes, message_bytes, wait_ms } = Limits::default();
        Self { messages, bytes, message_bytes, wait_ms }
    }
}

/// `[workers]`: threads that judge. Their number changes no verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workers {
    /// Threads, 0 to 256. Default 0: as many as the machine has processors.
    pub count: usize,
}

/// `[evidence]`: the log that a third party can verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evidence {
    /// Directory, with nothing else in it. Default `"data/evidence"`.
    pub dir: PathBuf,
    /// Name of the log in its checkpoints (C2SP tlog-checkpoint), without spaces and `+`: `"vhb.example/harbourwatch"`.
    /// Default `"harbourwatch"`.
    pub origin: String,
    /// Public keys (`age1…`) of those who may read the personal fields.
    pub recipients: Vec<String>,
    /// Hours between two verifications of the evidence by the running service itself, 0 to 8760; the first is at start.
    /// 0: never. Default 24.
    pub verify_hours: u32,
    /// Whether the personal fields of each record are sealed under a key of their subject, so that one person can be erased
    /// and every proof still stands. The keys lie beside the signing key and must be in its backup. Default true.
    pub subject_keys: bool,
    /// Verdicts that are kept as evidence. Default: PROHIBITED, UNCOVERED, DEFECT, UNDETERMINED, COVERED.
    pub record: Vec<String>,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            dir: "data/evidence".into(),
            origin: "harbourwatch".into(),
            recipients: Vec::new(),
            verify_hours: 24,
            subject_keys: true,
            record: RECORDED.iter().map(|verdict| verdict.name().into()).collect(),
        }
    }
}

/// `[outbox]`: what is still to be told, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outbox {
    /// Directory, not that of the evidence. Default `"data/outbox"`.
    pub dir: PathBuf,
    /// Where a finding can be looked up, with `{id}` in the place of its id: `"https://dpo.example.com/findings/{id}"`. It
    /// stands in messages to people and machines. Left out: messages name the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Secret from which the keys of pseudonyms are derived, where several instances must give the same pseudonyms.
    /// Left out: each instance draws its own, a new one each quarter, and keeps them beside its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudonym_secret: Option<SecretRef>,
    /// Days for which findings are kept that all channels are past, and with them the keys that turn their pseudonyms back,
    /// 31 to 3650. Default 400. The evidence has its own retention.
    pub keep_days: u32,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { dir: "data/outbox".into(), link: None, pseudonym_secret: None, keep_days: 400 }
    }
}

/// `[admin]`: probes and metrics over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Address and port. Default `"127.0.0.1:9464"`; there is no password, so keep it on the machine or behind a proxy.
    pub listen: String,
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: "127.0.0.1:9464".into() }
    }
}

/// How much the process says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// How it says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// `[log]`: the process's own log on standard error. It carries no personal data at any level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `"error"`, `"warn"`, `"info"` (default), `"debug"`, `"trace"`.
    pub level: Level,
    /// `"auto"` (default: text on a terminal, JSON otherwise), `"text"` or `"json"`.
    pub format: LogFormat,
}
