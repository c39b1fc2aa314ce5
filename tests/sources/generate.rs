//! Tests of synthetic traffic: reproducible, sound, and as odd as the plan says.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::time::Instant;

use harbourwatch::pipeline::batch::Limits;
use harbourwatch::pipeline::ports::Source;
use harbourwatch::source::generate::{GenerateSource, Generator, Organisation, Plan, Quirks, Sort, Written, write_all};
use serde_json::Value;

use super::{drain, reached, small};

const NONE: Quirks = Quirks {
    garbage: 0,
    duplicates: 0,
    pages: 0,
    pushes: 0,
    legacy: 0,
    envelopes: 0,
    enriched: 0,
    quoted: 0,
    escaped: 0,
    clocks: 0,
    addresses: 0,
    unknown_acts: 0,
    late: 0,
};

fn corpus(plan: &Plan) -> Vec<u8> {
    let mut out = Vec::new();
    write_all(plan, Organisation::bank(), None, &mut out).unwrap();
    out
}

fn messages(plan: Plan) -> Vec<(Sort, Vec<u8>)> {
    let mut generator = Generator::new(plan, Organisation::bank());
    let next = || {
        let mut message = Vec::new();
        generator.next(&mut message).map(|sort| (sort, message))
    };
    std::iter::from_fn(next).collect()
}

fn parsed(message: &[u8]) -> Value {
    let read = serde_json::from_slice(message);
    read.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(message)))
}

fn unwrapped(message: &Value) -> &Value {
    message.get("payload").unwrap_or(message)
}

/// The rows of a sound message, out of page and envelope.
fn rows(message: &Value) -> Vec<&Value> {
    let message = unwrapped(message);
    match message.pointer("/list").or_else(|| message.pointer("/result/list")) {
        Some(page) => page.as_array().unwrap().iter().collect(),
        None => vec![message],
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).expect("a number")
}

#[test]
fn a_seed_stands_for_its_bytes() {
    let plan = Plan::new(42, 3000);
    let first = corpus(&plan);
    assert_eq!(first, corpus(&plan));
    assert_ne!(first, corpus(&Plan::new(43, 3000)));
    assert!(!first.windows(2).any(|pair| pair == b"\n\n"), "a blank line");
}

#[test]
fn every_event_is_counted_once() {
    for events in [0, 1, 2, 3000] {
        let quirks = Quirks { pages: 100_000, duplicates: 100_000, garbage: 10_000, ..Quirks::default() };
        let made = messages(Plan { quirks, ..Plan::new(3, events) });
        let count = |(sort, message): &(Sort, Vec<u8>)| match sort {
            Sort::Garbage => 1,
            Sort::Row | Sort::Page | Sort::Push | Sort::Duplicate => rows(&parsed(message)).len() as u64,
        };
        assert_eq!(made.iter().map(count).sum::<u64>(), events);
    }
}

#[test]
fn every_act_and_every_shape_of_push_occurs() {
    let (mut acts, mut shapes) = (BTreeMap::new(), BTreeMap::new());
    for (sort, message) in messages(Plan::new(1, 50_000)) {
        if sort == Sort::Garbage {
            continue;
        }
        let message = parsed(&message);
        if sort != Sort::Push {
            let codes = rows(&message).into_iter().filter_map(|row| row.get("action")).map(number);
            codes.for_each(|code| *acts.entry(code).or_insert(0) += 1);
            continue;
        }
        let message = unwrapped(&message);
        let shape = ["specVersion", "eventType", "EventType", "biz_data"];
        let shape = shape.iter().find(|key| message.get(key).is_some()).expect("a known shape");
        *shapes.entry(*shape).or_insert(0) += 1;
        if let Some(data) = message.get("data").and_then(Value::as_str) {
            assert!(parsed(data.as_bytes()).is_object());
        }
    }
    assert_eq!(shapes.len(), 4, "{shapes:?}");
    let missing: Vec<_> = (0..34).filter(|code| !acts.contains_key(code)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
    let looking: u64 = [2, 3, 13, 31, 32].iter().map(|code| acts[code]).sum();
    assert!(looking * 10 > acts.values().sum::<u64>() * 7, "{acts:?}");
}

#[test]
fn quirks_come_as_often_as_the_plan_says() {
    let quirks = Quirks {
        garbage: 20_000,
        duplicates: 20_000,
        pages: 20_000,
        pushes: 20_000,
        legacy: 50_000,
        quoted: 50_000,
        escaped: 50_000,
        clocks: 50_000,
        addresses: 50_000,
        unknown_acts: 50_000,
        ..Quirks::default()
    };
    let plan = Plan { quirks, ..Plan::new(8, 40_000) };
    let made = messages(plan);
    let share = |what: &str, per_million: u32, count: usize, of: usize| {
        let expected = of as f64 * f64::from(per_million) / 1e6;
        let (low, high) = (expected * 0.8, expected * 1.2);
        assert!((low..=high).contains(&(count as f64)), "{what}: {count}, expected about {expected}");
    };
    for sort in [Sort::Garbage, Sort::Duplicate, Sort::Page, Sort::Push] {
        share(&format!("{sort:?}"), 20_000, made.iter().filter(|made| made.0 == sort).count(), made.len());
    }
    let single: Vec<_> = made.iter().filter(|made| made.0 == Sort::Row).map(|made| &made.1).collect();
    let parsed: Vec<_> = single.iter().map(|message| parsed(message)).collect();
    let rows: Vec<_> = parsed.iter().map(|message| rows(message)[0]).collect();
    let count = |is: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| is(row)).count();
    let of = |row: &Value, key: &str, snake: &str| row.get(key).or_else(|| row.get(snake)).cloned();
    share("legacy", 50_000, count(&|row| row.get("gmt_create").is_some()), rows.len());
    share("quoted", 50_000, count(&|row| row["action"].is_string()), rows.len());
    share("unknown acts", 50_000, count(&|row| number(&row["action"]) > 33), rows.len());
    let odd_clock = |row: &Value| {
        let time = of(row, "gmtCreate", "gmt_create").unwrap();
        let text = time.as_str().map_or_else(|| time.to_string(), str::to_owned);
        text.contains('T') || text.len() < 13
    };
    share("clocks", 50_000, count(&odd_clock), rows.len());
    let plain =
        |row: &Value| of(row, "ipAddress", "ip_address").and_then(|ip| ip.as_str()?.parse::<std::net::IpAddr>().ok());
    // of nine ways to spoil an address, three still read as one
    share("addresses", 50_000 * 6 / 9, count(&|row| plain(row).is_none()), rows.len());
    share("escaped", 50_000, single.iter().filter(|message| message.is_ascii()).count(), rows.len());
    let garbage: Vec<_> = made.iter().filter(|made| made.0 == Sort::Garbage).map(|made| &made.1).collect();
    assert!(garbage.iter().all(|message| !message.contains(&b'\n')));
    let beginnings: BTreeMap<_, usize> = garbage.iter().map(|message| (&message[..message.len().min(12)], 1)).collect();
    assert!(beginnings.len() >= 18, "{} sorts of garbage", beginnings.len());
}

#[test]
fn what_comes_again_was_there_before() {
    let made = messages(Plan { quirks: Quirks { duplicates: 50_000, ..NONE }, ..Plan::new(5, 5000) });
    let mut seen: HashMap<&[u8], usize> = HashMap::new();
    for (sort, message) in &made {
        let count = seen.entry(message).or_insert(0);
        assert_eq!(*sort == Sort::Duplicate, *count > 0, "{sort:?}");
        *count += 1;
    }
    assert!(seen.len() < made.len());
}

#[test]
fn a_clean_plan_has_plain_rows_in_the_order_of_time() {
    let plan = Plan { quirks: NONE, ..Plan::new(5, 5000) };
    let parsed: Vec<_> = messages(plan.clone()).iter().map(|(_, message)| parsed(message)).collect();
    let rows: Vec<_> = parsed.iter().flat_map(rows).collect();
    let times: Vec<_> = rows.iter().map(|row| row["gmtCreate"].as_i64().expect("ms")).collect();
    assert!(times.is_sorted());
    assert!(times.iter().all(|time| (plan.start_ms..plan.start_ms + plan.span_ms).contains(time)));
    for row in rows {
        assert!(row["ipAddress"].as_str().unwrap().parse::<std::net::IpAddr>().is_ok());
        assert!(row["action"].as_i64().unwrap() < 34);
        assert!(row["bizId"].is_string() || row["bizId"] == 0);
        assert!(row.get("targetSpaceId").is_some() != row.get("workSpaceId").is_some());
    }
}

#[test]
fn a_plan_can_be_gone_on_from_at_any_message() {
    let plan = Plan { quirks: Quirks { garbage: 50_000, ..Quirks::default() }, ..Plan::new(11, 60) };
    let source = |resume: &[_]| GenerateSource::new(plan.clone(), Organisation::bank(), 3, resume);
    let limits = Limits { message_bytes: 1 << 20, ..small() };
    let (whole, error) = drain(&mut source(&[]), &limits);
    assert_eq!(error, None);
    let of = |partition, taken: &[super::Taken]| -> Vec<super::Taken> {
        taken.iter().filter(|taken| taken.lane.partition == partition).cloned().collect()
    };
    assert!(
        (0..3).all(|partition| of(partition, &whole).iter().enumerate().all(|(at, taken)| taken.offset == at as u64))
    );
    for at in 0..=whole.len() {
        let done: Vec<_> =
            (0..3).map(|partition| of(partition, &whole[..at])).filter(|done| !done.is_empty()).collect();
        let resume: Vec<_> = done.iter().map(|done| reached(done)).collect();
        assert_eq!(drain(&mut source(&resume), &limits), (whole[at..].to_vec(), None));
    }
    let mut other = plan.clone();
    other.events = 59;
    let mut changed = GenerateSource::new(other, Organisation::bank(), 3, &[reached(&of(0, &whole))]);
    let error = drain(&mut changed, &limits).1.expect("an error");
    assert!(error.contains("generate#11") && error.contains("another seed"), "{error}");
}

#[test]
fn a_source_gives_what_a_corpus_holds() {
    let plan = Plan::new(6, 2000);
    let mut source = GenerateSource::new(plan.clone(), Organisation::bank(), 1, &[]);
    let limits = Limits::default();
    let (taken, _) = drain(&mut source, &limits);
    let lines: Vec<u8> = taken.iter().flat_map(|taken| [taken.bytes.as_slice(), b"\n"].concat()).collect();
    assert!(lines == corpus(&plan));
    assert_eq!(source.progress(), Some((2000, 2000)));
    assert_eq!(source.lanes()[0].topic, "generate#6");
}

#[test]
fn a_rate_is_kept() {
    let begun = Instant::now();
    let mut out = Vec::new();
    let written = write_all(&Plan::new(1, 200), Organisation::bank(), NonZeroU32::new(1000), &mut out).unwrap();
    let took = begun.elapsed().as_millis();
    assert!((150..5000).contains(&took), "{took} ms");
    let lines = out.iter().filter(|byte| **byte == b'\n').count() as u64;
    assert_eq!(written, Written { messages: lines, events: 200, bytes: out.len() as u64 });
}
