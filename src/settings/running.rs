//! Decoding, batches, evidence, outbox, admin server.

use std::net::SocketAddr;
use std::path::{Component, Path as FilePath, PathBuf};
use std::time::Duration;

use age::x25519::Recipient;

use crate::config::{self, ChannelKind, Path, SourceKind};
use crate::domain::verdict::Verdict;
use crate::kafka::Connection;
use crate::pipeline::batch::Limits;
use crate::pipeline::report::RECORDED;
use crate::source::kafka;

use super::channels::{self, Channel};
use super::check::Check;

/// How a collector wraps events. Paths are keys with dots between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeSettings {
    /// Where the event is; `None`: the message is the event.
    pub payload: Option<String>,
    /// Where the tenant is.
    pub tenant: Option<String>,
    /// Corp id of the tenant of events that name none.
    pub default_tenant: Option<String>,
    /// Where the collector's knowledge of storage is.
    pub enrichment: Option<String>,
    /// Deepest nesting, in levels.
    pub depth: usize,
    /// Longest message, in bytes.
    pub bytes: usize,
}

/// The evidence log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceSettings {
    /// Its directory.
    pub dir: PathBuf,
    /// Its name in checkpoints.
    pub origin: String,
    /// Public keys (age) of those who may read personal fields.
    pub recipients: Vec<String>,
    /// Time between two verifications by the service itself; `None`: never.
    pub verify_every: Option<Duration>,
    /// Whether personal fields are sealed under keys of their subjects.
    pub subject_keys: bool,
    /// Verdicts that are kept.
    pub record: Vec<Verdict>,
}

/// Where events come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSettings {
    /// Files in order; `-` is standard input. May be empty where the command line names some.
    Replay(Vec<PathBuf>),
    /// Topics of Kafka.
    Kafka(Box<kafka::Options>),
}

impl SourceSettings {
    /// For what is judged beside the source: it has no offsets of the group, and stream users are not told of it.
    pub fn tell_nobody(&mut self) {
        match self {
            Self::Kafka(options) => options.verdicts = None,
            Self::Replay(_) => {}
        }
    }
}

pub(super) struct Running {
    pub(super) kafka: Connection,
    pub(super) source: SourceSettings,
    pub(super) decode: DecodeSettings,
    pub(super) batch: Limits,
    pub(super) evidence: EvidenceSettings,
    pub(super) channels: Vec<Channel>,
    pub(super) admin: SocketAddr,
}

/// `None` only where a fault was noted.
pub(super) fn running(check: &mut Check<'_>) -> Option<Running> {
    let batch = batch(check);
    let decode = decode(check);
    files(check);
    check.range(Path::section("workers").key("count"), check.config.workers.count as u64, 0, 256);
    let evidence = evidence(check);
    retention(check);
    outbox(check);
    let channels = channels::channels(check);
    let admin = admin(check);
    let kafka = connection(check);
    let source = source(check, kafka.clone(), &evidence.origin);
    Some(Running { kafka, source: source?, decode, batch, evidence, channels, admin: admin? })
}

fn connection(check: &mut Check<'_>) -> Connection {
    let dead_letters = check.config.dead_letters.topic.as_deref();
    if let Some(topic) = dead_letters {
        super::kafka::topic(check, Path::section("dead_letters").key("topic"), topic);
    }
    let is_source = check.config.source.kind == SourceKind::Kafka;
    let is_channel = check.config.channels.iter().any(|channel| channel.kind == ChannelKind::Kafka);
    super::kafka::connection(check, is_source || is_channel || dead_letters.is_some())
}

fn source(check: &mut Check<'_>, connection: Connection, instance: &str) -> Option<SourceSettings> {
    let source = &check.config.source;
    let path = Path::section("source");
    match source.kind {
        SourceKind::Replay => {
            if source.kafka.is_some() {
                check.fault(
                    path.key("kafka"),
                    "",
                    "of no use with kind = \"replay\"; write kind = \"kafka\" or remove it",
                );
            }
            Some(SourceSettings::Replay(source.files.clone()))
        }
        SourceKind::Kafka => {
            if !source.files.is_empty() {
                check.fault(path.key("files"), "", "of no use with kind = \"kafka\"; remove it");
            }
            super::kafka::source(check, connection, instance).map(Box::new).map(SourceSettings::Kafka)
        }
    }
}

fn batch(check: &mut Check<'_>) -> Limits {
    let path = Path::section("batch");
    let config::Batch { messages, bytes, message_bytes, wait_ms } = check.config.batch.clone();
    check.range(path.key("messages"), messages as u64, 1, 1_000_000);
    check.range(path.key("bytes"), bytes as u64, 4096, 1 << 30);
    check.range(path.key("message_bytes"), message_bytes as u64, 1024, bytes.max(1024) as u64);
    check.range(path.key("wait_ms"), wait_ms, 1, 60_000);
    Limits { messages, bytes, message_bytes, wait_ms }
}

fn decode(check: &mut Check<'_>) -> DecodeSettings {
    let section = Path::section("decode");
    let config::Decode { payload, tenant, default_tenant, enrichment, depth, bytes } = check.config.decode.clone();
    match &default_tenant {
        Some(id) => drop(check.tenant(section.key("default_tenant"), id)),
        None if tenant.is_none() && check.config.tenants.len() > 1 => check.warn(
            &section.key("default_tenant"),
            "left out, and so is decode.tenant: of an event that names no tenant nothing is known but its register",
        ),
        None => {}
    }
    for (key, path) in [("payload", &payload), ("tenant", &tenant), ("enrichment", &enrichment)] {
        if let Some(text) = path.as_ref().filter(|text| text.split('.').any(str::is_empty)) {
            check.fault(section.key(key), text, "write keys with single dots between them: \"message.payload\"");
        }
    }
    check.range(section.key("depth"), depth as u64, 8, 128);
    check.range(section.key("bytes"), bytes as u64, 1024, check.config.batch.message_bytes.max(1024) as u64);
    DecodeSettings { payload, tenant, default_tenant, enrichment, depth, bytes }
}

fn files(check: &mut Check<'_>) {
    let config = check.config;
    let geo = Path::section("geo");
    check.range(geo.key("max_age_days"), u64::from(config.geo.max_age_days), 1, 3650);
    let databases = config.geo.databases.iter().enumerate().map(|(i, file)| (geo.key("databases").index(i), file));
    let sources = config.source.files.iter().enumerate();
    let sources = sources.map(|(i, file)| (Path::section("source").key("files").index(i), file));
    for (path, file) in databases.chain(sources) {
        if file.as_os_str().is_empty() {
            check.fault(path, "", "an empty path; name the file or remove it");
        }
    }
}

fn evidence(check: &mut Check<'_>) -> EvidenceSettings {
    let path = Path::section("evidence");
    let config = &check.config.evidence;
    directories(check);
    if config.origin.is_empty() || config.origin.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
        check.fault(
            path.key("origin"),
            &config.origin,
            "write a name without spaces and \"+\": \"vhb.example/harbourwatch\"",
        );
    } else if config.origin == config::Evidence::default().origin {
        check.warn(&path.key("origin"), "the default name; checkpoints of two organisations would look alike");
    }
    if config.recipients.is_empty() {
        check.warn(
            &path.key("recipients"),
            "empty; name the age public key of the officer who may read personal fields",
        );
    }
    if !config.subject_keys {
        let text = "switched off; a person's records can then be erased only together with the segments that hold them";
        check.warn(&path.key("subject_keys"), text);
    }
    for (index, key) in config.recipients.iter().enumerate() {
        // A private key pasted here by mistake must not come back in an error text.
        if key.parse::<Recipient>().is_err() {
            let remedy =
                "not an age public key; write what age-keygen prints after \"public key:\", it begins with age1";
            check.fault(path.key("recipients").index(index), "", remedy);
        }
    }
    EvidenceSettings {
        dir: config.dir.clone(),
        origin: config.origin.clone(),
        recipients: config.recipients.clone(),
        verify_every: verify_every(check, &path.key("verify_hours")),
        subject_keys: config.subject_keys,
        record: record(check, &path.key("record")),
    }
}

fn retention(check: &mut Check<'_>) {
    let config = &check.config.retention;
    let months = [
        ("transfer_months", config.transfer_months),
        ("covered_months", config.covered_months),
        ("inside_months", config.inside_months),
        ("conduct_months", config.conduct_months),
    ];
    for (key, months) in months {
        check.range(Path::section("retention").key(key), u64::from(months), 1, 600);
    }
}

fn verify_every(check: &mut Check<'_>, path: &Path) -> Option<Duration> {
    let hours = u64::from(check.config.evidence.verify_hours);
    check.range(path.clone(), hours, 0, 8_760);
    if hours == 0 {
        check.warn(path, "0: the service does not verify its own evidence; let something else run harbourwatch verify");
    }
    (hours > 0).then(|| Duration::from_secs(hours * 3_600))
}

fn record(check: &mut Check<'_>, path: &Path) -> Vec<Verdict> {
    let names = Verdict::ALL.map(Verdict::name);
    let mut found = Vec::new();
    for (index, name) in check.config.evidence.record.iter().enumerate() {
        let verdict = check.one_of(path.index(index), name, Verdict::parse, &names);
        found.extend(verdict.filter(|verdict| !found.contains(verdict)));
    }
    for verdict in RECORDED.into_iter().filter(|verdict| !found.contains(verdict)) {
        check.warn(
            path,
            format!("{} is left out: such flows are counted, but neither recorded nor told to anybody", verdict.name()),
        );
    }
    if check.config.evidence.record.is_empty() {
        check.fault(path.clone(), "", "no verdict would leave evidence; name at least one, or leave the key out");
    }
    found
}

/// Evidence and outbox are separate: one is kept for years, the other is emptied.
fn directories(check: &mut Check<'_>) {
    let [evidence, outbox] = [&check.config.evidence.dir, &check.config.outbox.dir];
    for (section, dir) in [("evidence", evidence), ("outbox", outbox)] {
        if dir.as_os_str().is_empty() {
            check.fault(Path::section(section).key("dir"), "", "missing; name a directory");
        }
    }
    let [kept, emptied] = [plain(evidence), plain(outbox)];
    if kept.starts_with(&emptied) || emptied.starts_with(&kept) {
        let remedy = "evidence.dir and outbox.dir must be apart, neither inside the other; name another directory";
        check.fault(Path::section("outbox").key("dir"), &outbox.to_string_lossy(), remedy);
    }
}

/// The path without `.` and with `..` taken back, as far as the text alone tells.
pub(super) fn plain(path: &FilePath) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::ParentDir | Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                plain.push(component);
            }
        }
    }
    plain
}

fn outbox(check: &mut Check<'_>) {
    let (path, outbox) = (Path::section("outbox"), &check.config.outbox);
    check.range(path.key("keep_days"), u64::from(outbox.keep_days), 31, 3_650);
    if let Some(link) = &outbox.link
        && (!link.starts_with("https://") || !link.contains("{id}") || link.chars().any(char::is_whitespace))
    {
        let remedy = "write an https address with {id} in it: \"https://dpo.example.com/findings/{id}\"";
        check.fault(path.key("link"), link, remedy);
    }
}

fn admin(check: &mut Check<'_>) -> Option<SocketAddr> {
    let path = Path::section("admin").key("listen");
    let text = &check.config.admin.listen;
    let read = |text: &str| text.parse::<SocketAddr>().ok();
    let listen =
        check.word(path.clone(), text, read, "write address and port: \"127.0.0.1:9464\" or \"[::1]:9464\"")?;
    if !listen.ip().is_loopback() {
        check.warn(&path, format!("{listen} can be reached from other machines and asks for no password"));
    }
    Some(listen)
}
