//! The laws of the design that hold for any input: conservation, indifference to batch cut and worker count, no
//! allocation for a clean event.

use std::collections::BTreeMap;

use harbourwatch::dingtalk::{Decoder, Scratch};
use harbourwatch::domain::position::{Lane, LaneId};
use harbourwatch::pipeline::batch::Batch;
use harbourwatch::pipeline::report::{BatchReport, FindingDelta};
use harbourwatch::pipeline::work::{Fate, Slice, Task, work};
use proptest::prelude::*;

use crate::support::{KEY, bank, day, run};

/// Findings of a whole run: increments of all batches merged.
fn merged(reports: &[BatchReport]) -> BTreeMap<String, (u64, u64, i64, i64, String, String)> {
    let mut merged: BTreeMap<String, FindingDelta> = BTreeMap::new();
    for delta in reports.iter().flat_map(|report| &report.findings) {
        match merged.get_mut(delta.id.as_str()) {
            Some(known) => {
                known.count += delta.count;
                known.bytes += delta.bytes;
                known.first = known.first.min(delta.first);
                known.last = known.last.max(delta.last);
                known.severity = known.severity.max(delta.severity);
            }
            None => drop(merged.insert(delta.id.to_string(), delta.clone())),
        }
    }
    let line = |one: FindingDelta| {
        (one.count, one.bytes, one.first, one.last, format!("{:?}", one.severity), one.facts.record.to_string())
    };
    merged.into_iter().map(|(id, one)| (id, line(one))).collect()
}

/// Records, fingerprints and rejections of a whole run.
type Whole = (Vec<Vec<u8>>, Vec<u128>, Vec<(u64, &'static str)>);

fn whole(reports: &[BatchReport]) -> Whole {
    let records = reports.iter().flat_map(|report| report.records.iter().map(|record| record.json.clone())).collect();
    let fingerprints = reports.iter().flat_map(|report| report.fingerprints.clone()).collect();
    let rejected = reports.iter().flat_map(|report| &report.rejected).map(|one| (one.position.offset, one.reason));
    (records, fingerprints, rejected.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_counted_twice(
        seed in any::<u64>(), garbage in 0u32..300_000, lanes in 1u32..4, batch in 1usize..700, workers in 1usize..4,
    ) {
        let messages = day(seed, 1500, garbage);
        let count = messages.len();
        let (reports, lines, committed) = run(messages, lanes, batch, workers);
        let mut next: BTreeMap<Lane, u64> = BTreeMap::new();
        let mut received = 0;
        for share in reports.iter().flat_map(|report| &report.coverage) {
            prop_assert_eq!(share.received, share.judged + share.rejected + share.duplicate);
            prop_assert_eq!(share.from, next.insert(share.lane.clone(), share.next).unwrap_or(0), "a hole or an overlap");
            received += share.received;
        }
        prop_assert_eq!(next.values().sum::<u64>(), count as u64);
        prop_assert_eq!(committed.iter().sum::<u64>(), count as u64, "all is committed in the end");
        prop_assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count() as u64, received, "one line an event");
    }

    #[test]
    fn batch_cut_and_worker_count_change_nothing(seed in any::<u64>(), batch in 1usize..900, workers in 2usize..5) {
        let messages = day(seed, 1500, 20_000);
        let (whole_run, lines, _) = run(messages.clone(), 1, usize::MAX, 1);
        let (cut_run, cut_lines, _) = run(messages, 1, batch, workers);
        prop_assert_eq!(whole(&whole_run), whole(&cut_run));
        prop_assert_eq!(merged(&whole_run), merged(&cut_run));
        prop_assert!(lines == cut_lines, "verdict lines differ");
    }
}

#[test]
fn a_clean_event_costs_no_allocation() {
    let (world, lanes) = (bank(), [Lane { topic: "t".to_owned(), partition: 0 }]);
    let mut batch = Batch::default();
    for (offset, message) in (0..).zip(day(11, 4000, 0)) {
        batch.push(LaneId(0), offset, &message, 0);
    }
    let task = Task { key: KEY, lines: false };
    let mut slice = Slice::default();
    // the first pass warms the buffers and tells which messages are clean
    work(&world, &batch, 0..batch.messages().len(), task, &lanes, &mut slice);
    let mut clean = vec![true; batch.messages().len()];
    for outcome in &slice.outcomes {
        clean[outcome.message as usize] &= matches!(outcome.fate, Fate::Judged { written: None, .. });
    }
    let mut only = Batch::default();
    for (message, _) in batch.messages().iter().zip(clean).filter(|(_, clean)| *clean) {
        let payload = batch.payload(message);
        // an escape in the source text is the one thing that may cost an allocation
        if !payload.contains(&b'\\') {
            only.push(LaneId(0), message.offset, payload, 0);
        }
    }
    let messages = only.messages().len();
    assert!(messages > 1000, "the day has clean events: {messages}");
    let counted = allocation_counter::measure(|| {
        work(&world, &only, 0..messages, task, &lanes, &mut slice);
    });
    assert!(slice.outcomes.len() >= messages);
    assert_eq!(counted.count_total, 0, "allocations over {messages} clean messages");
}

/// Whatever it had to own, and whoever holds it meanwhile.
#[test]
fn what_an_event_takes_is_given_back() {
    let numbered = |count: u32, one: &dyn Fn(u32) -> String| (0..count).map(one).collect::<Vec<_>>().join(",");
    let receivers = numbered(6, &|number| format!(r#"{{"receiverName":"Chan {number}","receiverType":0}}"#));
    let hosts = numbered(4, &|number| format!(r#""https://a{number}.example/x""#));
    let lists = format!(r#","docReceiverList":[{receivers}]"#);
    let storage = format!(r#","_enrichment":{{"storage":{{"headerSignatureInfo":{{"resourceUrls":[{hosts}]}}}}}}"#);
    let own = [lists, storage, r#","unionId":"un10n""#.to_owned(), r#","resource":"a\"b""#.to_owned()];
    let (decoder, mut scratch) = (Decoder::default(), Scratch::default());
    let mut show = |message: &str, taken: bool| {
        let mut sound = 0;
        let given = if taken {
            decoder.decode_with(&mut scratch, message.as_bytes(), &mut |_, given| sound += u32::from(given.is_ok()))
        } else {
            decoder.show(&mut scratch, message.as_bytes(), &mut |_, given| sound += u32::from(given.is_ok()))
        };
        assert!(given == 1 && sound == 1 && scratch.was_fast(), "{message}");
    };
    for mask in 0..1 << own.len() {
        let more: String = (0..own.len()).filter(|at| mask >> at & 1 == 1).map(|at| own[at].as_str()).collect();
        let row = r#"{"action":13,"bizId":"1","gmtCreate":1795392001456,"userId":"u","ipAddress":"203.0.113.9""#;
        let message = format!("{row}{more}}}");
        (0..100).for_each(|_| show(&message, false));
        for taken in [false, true] {
            let counted = allocation_counter::measure(|| (0..10).for_each(|_| show(&message, taken)));
            assert_eq!(counted.count_current, 0, "{message}");
            assert!(counted.count_total > 0 || mask == 0, "nothing was owned: {message}");
        }
    }
}
