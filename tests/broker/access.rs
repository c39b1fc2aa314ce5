//! TLS, SASL, certificates: let in with what is right, kept out with the cause in words, certificates swapped while running.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::instance::{Configuration, Instance, PATIENCE, generate, harbourwatch, wait_until};
use super::join::log;
use super::node::{Node, edition};

const TOPIC: &str = "guarded";

fn secret(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    format!("file:{}", path.display())
}

/// Credentials over TLS with this password.
fn scram(node: &Node, dir: &Path, group: &str, mechanism: &str, password: &str) -> Configuration {
    let mut configuration = Configuration::new(&node.listener(2), TOPIC, group);
    configuration.kafka("tls", "ca", node.tls("ca.pem").to_str().unwrap());
    configuration.kafka("sasl", "mechanism", mechanism);
    configuration.kafka("sasl", "username", "hw");
    configuration.kafka("sasl", "password", secret(dir, "password", password));
    configuration
}

/// What the doctor says of a configuration, and whether nothing is wrong with it.
fn doctor(dir: &Path) -> (bool, String) {
    let ran = harbourwatch(dir, &["doctor", "--config", "harbourwatch.toml", "--data", "data"]);
    (ran.status.success(), String::from_utf8(ran.stdout).unwrap())
}

/// The doctor finds before the start what ends it.
fn assert_refused(place: &Path, name: &str, configuration: &Configuration, cause: &str) {
    let mut instance = Instance::new(&place.join(name), configuration);
    let (good, found) = doctor(&place.join(name));
    let wrong: Vec<_> = found.lines().filter(|line| line.starts_with("WRONG")).collect();
    assert!(!good && wrong.iter().any(|line| line.contains(cause)), "{name}: {cause:?} is not in {found}");
    assert!(!found.contains("hw-password") && !found.contains("not-the-password"), "{name}: {found}");
    instance.start();
    let status = instance.wait(PATIENCE);
    assert_eq!(status.code(), Some(1), "{name}");
    let said = instance.said();
    assert!(said.contains(cause), "{name}: {cause:?} is not in {said}");
    assert!(!said.contains("hw-password") && !said.contains("not-the-password"), "{name}: {said}");
}

/// The group is new, and the doctor finds nothing wrong: neither with a group that there is not yet, nor with the rights.
fn assert_reads(node: &Node, place: &Path, name: &str, configuration: &Configuration) {
    let mut instance = Instance::new(&place.join(name), configuration);
    let (good, found) = doctor(&place.join(name));
    assert!(good, "{name}: {found}");
    let topic = found.lines().find(|line| line.starts_with(&format!("good   topic {TOPIC}: 2 partitions, "))).unwrap();
    assert!(topic.ends_with(" records not taken yet") && !topic.contains(" 0 records"), "{name}: {topic}");
    instance.start();
    wait_until(&format!("{name} reads"), PATIENCE, || {
        assert!(instance.is_up(), "{name}: {}", instance.said());
        node.broker().is_done(name, TOPIC)
    });
    instance.stop();
    assert_eq!(log(&place.join(name)).received, 300, "{name}");
}

#[test]
fn who_is_let_in_reads_and_who_is_not_is_told_why() {
    let Some(_) = edition("access") else { return };
    let (node, place) = (Node::guarded(), tempfile::tempdir().unwrap());
    let place = place.path();
    node.broker().topic(TOPIC, 2);
    generate(&node.bootstrap(), TOPIC, &["--events", "300", "--duplicates", "0"]);

    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let group = mechanism.to_lowercase();
        assert_reads(&node, place, &group, &scram(&node, place, &group, mechanism, "hw-password"));
    }
    let wrong = scram(&node, place, "wrong", "SCRAM-SHA-256", "not-the-password");
    assert_refused(place, "wrong-password", &wrong, "wrong user, password or token");
    let other = scram(&node, place, "other", "PLAIN", "hw-password");
    assert_refused(place, "wrong-mechanism", &other, "kafka.sasl.mechanism");
    let mut untrusted = scram(&node, place, "untrusted", "SCRAM-SHA-256", "hw-password");
    untrusted.kafka("tls", "ca", node.tls("other.pem").to_str().unwrap());
    assert_refused(place, "untrusted", &untrusted, "certificate is not trusted");
    let mut missing = scram(&node, place, "missing", "SCRAM-SHA-256", "hw-password");
    missing.source("topics", vec!["nowhere"]);
    assert_refused(place, "missing-topic", &missing, "the topic does not exist");

    let mut plain = Configuration::new(&node.listener(4), TOPIC, "plain");
    plain.kafka("sasl", "mechanism", "PLAIN");
    plain.kafka("sasl", "username", "hw");
    plain.kafka("sasl", "password", secret(place, "password", "hw-password"));
    assert_reads(&node, place, "plain", &plain);

    let mut token = Configuration::new(&node.listener(4), TOPIC, "token");
    token.kafka("sasl", "mechanism", "OAUTHBEARER");
    let printer = token_printer(place);
    token.kafka("sasl", "token_command", vec!["python3".to_owned(), printer]);
    assert_reads(&node, place, "token", &token);

    let mutual = mutual(&node, "mutual", "client");
    assert_reads(&node, place, "mutual", &mutual);
    let mut uncertified = Configuration::new(&node.listener(3), TOPIC, "uncertified");
    uncertified.kafka("tls", "ca", node.tls("ca.pem").to_str().unwrap());
    assert_refused(place, "uncertified", &uncertified, "refuses our certificate or wants one");
    swap(&node, place);
}

/// An unsigned JWT (RFC 7519 §6), as the test broker takes it.
fn token_printer(place: &Path) -> String {
    let path = place.join("token.py");
    let script = "import base64, json, time\n\
        part = lambda claims: base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()\n\
        now = int(time.time())\n\
        print(part({'alg': 'none'}) + '.' + part({'sub': 'hw', 'iat': now, 'exp': now + 3600}) + '.')\n";
    fs::write(&path, script).unwrap();
    path.to_str().unwrap().to_owned()
}

fn mutual(node: &Node, group: &str, client: &str) -> Configuration {
    let mut configuration = Configuration::new(&node.listener(3), TOPIC, group);
    configuration.kafka("tls", "ca", node.tls("ca.pem").to_str().unwrap());
    configuration.kafka("tls", "cert", node.tls(&format!("{client}.crt")).to_str().unwrap());
    configuration.kafka("tls", "key", node.tls(&format!("{client}.key")).to_str().unwrap());
    configuration
}

/// The certificate is replaced on disk while the instance runs: it connects anew with the new one and goes on.
fn swap(node: &Node, place: &Path) {
    fs::copy(node.tls("client.crt"), node.tls("live.crt")).unwrap();
    fs::copy(node.tls("client.key"), node.tls("live.key")).unwrap();
    let mut configuration = mutual(node, "swap", "live");
    configuration.source("renew_s", 1);
    let mut instance = Instance::new(&place.join("swap"), &configuration);
    instance.start();
    wait_until("the first part is read", PATIENCE, || node.broker().is_done("swap", TOPIC));
    fs::copy(node.tls("client2.crt"), node.tls("live.crt")).unwrap();
    fs::copy(node.tls("client2.key"), node.tls("live.key")).unwrap();
    instance.wait_said("certificates changed on disk");
    generate(&node.bootstrap(), TOPIC, &["--events", "300", "--duplicates", "0", "--seed", "3"]);
    wait_until("the second part is read", PATIENCE, || {
        assert!(instance.is_up(), "{}", instance.said());
        node.broker().is_done("swap", TOPIC)
    });
    let made = instance.metric("harbourwatch_kafka_clients_total").unwrap_or_default();
    assert!(made >= 2.0, "{made} clients");
    let took = instance.stop();
    assert!(took < Duration::from_secs(30));
    assert_eq!(log(&place.join("swap")).received, 600);
}
