//! Garbage of many sorts, some at the end of each partition: all of it in the dead-letter topic with headers that lead back,
//! none of it in the way.

use std::collections::{BTreeMap, BTreeSet};

use harbourwatch::kafka::{Connection, Haste, Outgoing, Producer, Reader, Round};

use super::instance::{Configuration, Instance, PATIENCE, harbourwatch, wait_until};
use super::join::log;
use super::node::{edition, shared};

const TOPIC: &str = "poison";
const DEAD: &str = "poison-dead";
const PARTITIONS: i32 = 3;

/// A time of the message's own; the topic keeps it however old it is.
const STAMP: i64 = 1_795_392_000_000;

/// Twenty sorts of what is no audit event.
fn garbage(number: u32) -> Vec<u8> {
    let row = br#"{"action":2,"bizId":"7","gmtCreate":1795392000000,"userId":"u","ipAddress":"1.2.3.4"}"#;
    let text: &[u8] = match number % 20 {
        0 => b"",
        1 => b"\xff\xfe\x00",
        2 => b"not json",
        3 => b"{\"action\":2",
        4 => b"null",
        5 => b"42",
        6 => b"\"a text\"",
        7 => b"[]x",
        8 => b"{}",
        9 => b"{\"hello\":\"world\"}",
        10 => b"{\"action\":{}}",
        11 => b"{\"action\":2,\"action\":3,\"bizId\":\"1\",\"gmtCreate\":1795392000000,\"userId\":\"u\"}",
        12 => b"{\"action\":2,\"bizId\":\"1\",\"gmtCreate\":1795392000000,\"userId\":\"\xed\xa0\x80\"}",
        13 => b"<xml/>",
        14 => b"{\"action\":2,\"bizId\":\"1\",\"gmtCreate\":1795392000000,\"userId\":\"\\ud800\"}",
        15 => b"\x00\x00\x00\x00",
        16 => b"{\"action\":02}",
        17 => return [row.as_slice(), b" trailing"].concat(),
        18 => return "[".repeat(500).into_bytes(),
        _ => return [b"{\"list\":".as_slice(), &row[..40], b"]}"].concat(),
    };
    text.to_vec()
}

/// What was sent as garbage: key and bytes, by sort and number.
fn fill(connection: &Connection) -> BTreeMap<String, Vec<u8>> {
    let producer = Producer::connect(connection, Haste::Gather).unwrap();
    let round = Round::default();
    let mut sent = BTreeMap::new();
    let good = |number: u32| {
        format!(
            "{{\"action\":2,\"bizId\":\"{number}\",\"gmtCreate\":{},\"userId\":\"u{}\",\"ipAddress\":\"119.74.8.{}\"}}",
            1_795_392_000_000 + u64::from(number) * 1000,
            number % 50,
            number % 250
        )
    };
    // the last hundred are all garbage, so that every partition ends in it
    for number in 0..20_000_u32 {
        let (key, payload) = if number % 20 == 7 || number >= 19_900 {
            let key = format!("poison {number}");
            sent.insert(key.clone(), garbage(number / 20 + number));
            (key.clone(), sent[&key].clone())
        } else {
            (format!("u{}", number % 50), good(number).into_bytes())
        };
        let headers = [("trace", Some(key.as_bytes()))];
        let outgoing = Outgoing {
            topic: TOPIC,
            key: Some(key.as_bytes()),
            payload: &payload,
            headers: &headers,
            timestamp: Some(STAMP),
        };
        producer.offer(&outgoing, &round, 0);
    }
    round.wait(PATIENCE).unwrap();
    sent
}

#[test]
fn poison_goes_to_the_dead_letters_with_its_provenance_and_stops_nobody() {
    let Some(_) = edition("poison") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic_with(TOPIC, PARTITIONS, &[("retention.ms", "-1")]);
    broker.topic(DEAD, 2);
    let connection = Connection { brokers: vec![broker.0.clone()], ..Connection::default() };
    let sent = fill(&connection);
    let mut configuration = Configuration::new(&broker.0, TOPIC, "poison");
    configuration.set("dead_letters", "topic", DEAD);
    let mut instance = Instance::new(place.path(), &configuration);
    instance.start();
    wait_until("the commit reaches the end", PATIENCE, || broker.is_done("poison", TOPIC));
    let kept = instance.metric("harbourwatch_dead_letters_total{to=\"topic\"}");
    instance.stop();
    let log = log(place.path());
    assert_eq!(log.rejected, sent.len() as u64, "every garbage message is rejected, and nothing else");
    assert_eq!(kept, Some(sent.len() as f64));
    read_back(&connection, &sent);
    let listed = harbourwatch(place.path(), &["dead-letters", "list", "--config", "harbourwatch.toml"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(&format!("{} dead letters", thousands(sent.len()))), "{listed}");
    eprintln!(
        "poison: 20000 messages, {} of them garbage of 20 sorts, all read back from the dead-letter topic",
        sent.len()
    );
}

fn thousands(n: usize) -> String {
    if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) }
}

fn read_back(connection: &Connection, sent: &BTreeMap<String, Vec<u8>>) {
    let mut reader = Reader::open(connection, DEAD, "reads-back").unwrap();
    let (mut seen, mut places, mut reasons) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    while let Some(letter) = reader.take().unwrap() {
        let key = String::from_utf8(letter.key.clone().unwrap()).unwrap();
        assert_eq!(letter.payload, sent[&key], "{key}: the original bytes");
        assert_eq!(letter.header("trace"), Some(key.as_str()), "the original headers");
        assert_eq!(letter.header("hw.topic"), Some(TOPIC));
        assert_eq!(letter.header("hw.timestamp"), Some(STAMP.to_string().as_str()));
        assert!(letter.header("hw.detail").is_some_and(|detail| !detail.is_empty()), "{key}");
        let number = |name| letter.header(name).unwrap().parse::<u64>().unwrap();
        assert!(number("hw.partition") < 3);
        assert!(places.insert((number("hw.partition"), number("hw.offset"))), "{key}: two letters from one place");
        reasons.insert(letter.header("hw.reason").unwrap().to_owned());
        assert!(seen.insert(key));
    }
    assert_eq!(seen.len(), sent.len(), "dead letters are missing");
    assert!(reasons.len() >= 5, "{reasons:?}");
}

#[test]
fn dead_letters_are_sent_back_after_a_fix_and_those_that_stay_stay() {
    let Some(_) = edition("dead letters sent back") else { return };
    let (broker, place) = (shared(), tempfile::tempdir().unwrap());
    broker.topic("back", 1);
    broker.topic("back-dead", 1);
    let connection = Connection { brokers: vec![broker.0.clone()], ..Connection::default() };
    let producer = Producer::connect(&connection, Haste::AtOnce).unwrap();
    let odd = br#"{"weird":{"row":{"action":2,"bizId":"1","gmtCreate":1795392000000,"userId":"u1","ipAddress":"119.74.8.1"}}}"#;
    let outgoing = |payload| Outgoing {
        topic: "back",
        key: Some(b"k"),
        payload,
        headers: &[("trace", Some(b"t"))],
        timestamp: None,
    };
    producer.send_all(&[outgoing(odd), outgoing(b"garbage")]).unwrap();
    let mut configuration = Configuration::new(&broker.0, "back", "back");
    configuration.set("dead_letters", "topic", "back-dead");
    let mut instance = Instance::new(place.path(), &configuration);
    instance.start();
    wait_until("both are rejected", PATIENCE, || broker.is_done("back", "back") && broker.ends("back-dead") == [2]);
    instance.stop();
    configuration.set("decode", "payload", "weird.row");
    instance.configure(&configuration);
    let replay = || {
        let output = harbourwatch(place.path(), &["dead-letters", "replay", "--config", "harbourwatch.toml"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(replay().starts_with("1 tried again, 1 still"), "the first time");
    assert!(replay().starts_with("0 tried again, 1 still"), "the second time");
    instance.start();
    wait_until("the letter that came back is read", PATIENCE, || broker.is_done("back", "back"));
    instance.stop();
    let log = log(place.path());
    assert_eq!((log.received, log.rejected), (3, 2));
    // its own headers, and none of ours
    let mut reader = Reader::open(&connection, "back", "looks").unwrap();
    let all: Vec<_> = std::iter::from_fn(|| reader.take().unwrap()).collect();
    let last = all.last().unwrap();
    assert_eq!(
        (last.payload.as_slice(), last.header("trace"), last.header("hw.topic")),
        (odd.as_slice(), Some("t"), None)
    );
}
