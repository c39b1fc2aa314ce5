//! Kafka: connection, source, dead letters.

use std::time::Duration;

use crate::config::{KafkaSasl, KafkaSource, KafkaTls, Path};
use crate::kafka::{Connection, Mechanism, Sasl, Tls, refused};
use crate::source::kafka::{Begin, Fetch, Options, Protocol};

use super::check::Check;

/// Most characters of a topic's name (Kafka's `Topic.MAX_NAME_LENGTH`).
const TOPIC: usize = 249;

/// The connection, if the configuration has any use for one.
pub(super) fn connection(check: &mut Check<'_>, is_needed: bool) -> Connection {
    let section = Path::section("kafka");
    let kafka = &check.config.kafka;
    if kafka.brokers.is_empty() && is_needed {
        check.fault(section.key("brokers"), "", "missing; name some brokers: [\"kafka-1:9092\"]");
    }
    for (index, broker) in kafka.brokers.iter().enumerate() {
        let port = broker.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then_some(port));
        if port.and_then(|port| port.parse::<u16>().ok()).is_none() {
            check.fault(section.key("brokers").index(index), broker, "write host and port: \"kafka-1:9092\"");
        }
    }
    for (key, value) in &kafka.properties {
        if let Some(refusal) = refused(key) {
            // the value may be a secret and is not shown
            let remedy = format!("not to be set here: {}; remove it", refusal.why);
            check.fault(section.key("properties").key(key), "", remedy);
        } else if value.is_empty() {
            check.fault(section.key("properties").key(key), "", "empty; give it a value or remove it");
        }
    }
    let tls = kafka.tls.as_ref().map(|tls| encryption(check, &section.key("tls"), tls));
    let sasl = kafka.sasl.as_ref().and_then(|sasl| credentials(check, &section.key("sasl"), sasl));
    if sasl.is_some() && tls.is_none() {
        check.warn(
            &section.key("sasl"),
            "without [kafka.tls] the events, and with PLAIN the password, go over the network in clear",
        );
    }
    Connection { brokers: kafka.brokers.clone(), tls, sasl, properties: kafka.properties.clone() }
}

fn encryption(check: &mut Check<'_>, path: &Path, tls: &KafkaTls) -> Tls {
    if tls.cert.is_some() != tls.key.is_some() {
        let missing = if tls.cert.is_some() { "key" } else { "cert" };
        check.fault(path.key(missing), "", "missing; a client certificate and its key go together");
    }
    let KafkaTls { ca, cert, key, key_password } = tls.clone();
    Tls { ca, cert, key, key_password }
}

fn credentials(check: &mut Check<'_>, path: &Path, sasl: &KafkaSasl) -> Option<Sasl> {
    let names = Mechanism::ALL.map(Mechanism::name);
    let mechanism = check.one_of(path.key("mechanism"), &sasl.mechanism, Mechanism::parse, &names)?;
    let is_token = mechanism == Mechanism::OauthBearer;
    if is_token && sasl.token_command.is_empty() {
        check.fault(path.key("token_command"), "", "missing; OAUTHBEARER needs a program that prints a token");
    }
    if !is_token && sasl.username.is_empty() {
        check.fault(path.key("username"), "", "missing; name the user");
    }
    if !is_token && sasl.password.is_none() {
        check.fault(path.key("password"), "", "missing; write \"file:/path\", \"env:NAME\" or \"cred:name\"");
    }
    let KafkaSasl { username, password, token_command, .. } = sasl.clone();
    Some(Sasl { mechanism, username, password, token_command })
}

/// The source.
pub(super) fn source(check: &mut Check<'_>, connection: Connection, instance: &str) -> Option<Options> {
    let path = Path::section("source").key("kafka");
    let source = check.config.source.kafka.clone().unwrap_or_default();
    topics(check, &path.key("topics"), &source);
    if source.group.is_empty() {
        check.fault(path.key("group"), "", "missing; name the consumer group");
    }
    check.range(path.key("commit_interval_ms"), source.commit_interval_ms, 10, 60_000);
    check.range(path.key("session_timeout_ms"), source.session_timeout_ms, 6_000, 1_800_000);
    check.range(path.key("prefetch_kib"), u64::from(source.prefetch_kib), 1024, 2_097_151);
    check.range(path.key("stall_s"), source.stall_s, 10, 3600);
    check.range(path.key("renew_s"), source.renew_s, 1, 86_400);
    if source.epoch.chars().any(|c| c.is_whitespace() || c.is_control()) {
        check.fault(path.key("epoch"), &source.epoch, "write one word: \"2\" or \"2026-11\"");
    }
    verdicts(check, &path.key("verdicts"), &source);
    let protocols = Protocol::ALL.map(Protocol::name);
    let protocol = check.one_of(path.key("protocol"), &source.protocol, Protocol::parse, &protocols);
    let begin = |text: &str| {
        [("earliest", Begin::Earliest), ("latest", Begin::Latest)].into_iter().find(|(name, _)| *name == text)
    };
    let begin = check.one_of(path.key("start"), &source.start, begin, &["earliest", "latest"]);
    let fetch =
        |text: &str| [("batch", Fetch::Batch), ("poll", Fetch::Poll)].into_iter().find(|(name, _)| *name == text);
    let fetch = check.one_of(path.key("fetch"), &source.fetch, fetch, &["batch", "poll"]);
    Some(Options {
        connection,
        group: source.group,
        topics: source.topics,
        instance_id: source.instance_id.filter(|id| !id.is_empty()),
        protocol: protocol?,
        begin: begin?.1,
        fetch: fetch?.1,
        commit_every: Duration::from_millis(source.commit_interval_ms),
        session_timeout: Duration::from_millis(source.session_timeout_ms),
        prefetch_kib: source.prefetch_kib,
        stall: Duration::from_secs(source.stall_s),
        renew_every: Duration::from_secs(source.renew_s),
        epoch: source.epoch,
        instance: instance.to_owned(),
        verdicts: source.verdicts,
        // known when the folders are
        state: std::path::PathBuf::new(),
    })
}

fn topics(check: &mut Check<'_>, path: &Path, source: &KafkaSource) {
    if source.topics.is_empty() {
        check.fault(path.clone(), "", "missing; name the topics: [\"dingtalk-audit\"]");
    }
    for (index, name) in source.topics.iter().enumerate() {
        if !name.starts_with('^') {
            topic(check, path.index(index), name);
        }
    }
}

/// Checks the topic for stream users: what is written there must not come back as events.
fn verdicts(check: &mut Check<'_>, path: &Path, source: &KafkaSource) {
    let Some(name) = &source.verdicts else { return };
    topic(check, path.clone(), name);
    if source.topics.contains(name) {
        check.fault(path.clone(), name, "the source reads this topic; name another");
    }
}

/// Checks the name of one topic.
pub(super) fn topic(check: &mut Check<'_>, path: Path, name: &str) {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if name.is_empty() || name.len() > TOPIC || !is_plain || name == "." || name == ".." {
        check.fault(path, name, "not a topic's name: letters, digits, \".\", \"_\" and \"-\", at most 249");
    }
}
