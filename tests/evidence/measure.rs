//! Figures, on demand: `cargo test --release --test tests evidence::measure -- --ignored --nocapture`.

use super::*;
use harbourwatch::evidence::disk::{Fate, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Syncs that one small batch costs once the log runs: segment, journal, checkpoint, directory.
const SYNCS: usize = 4;

#[test]
fn a_batch_costs_four_syncs() {
    let room = Room::new();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let faults = Faults::new(move |step, _| {
        counter.fetch_add(usize::from(matches!(step, Step::Sync | Step::SyncDir)), Ordering::SeqCst);
        Fate::Done
    });
    let options = Options { faults: Some(faults), segment_bytes: 1 << 20, ..room.options() };
    let mut log = Log::open(&room.archive(), &options).unwrap();
    put(&mut log, 0, 1).unwrap();
    for (from, next) in [(1, 2), (2, 300), (300, 1000)] {
        count.store(0, Ordering::SeqCst);
        put(&mut log, from, next).unwrap();
        assert_eq!(count.load(Ordering::SeqCst), SYNCS);
    }
}

#[test]
#[ignore = "measures, takes long"]
fn speed() {
    let identity = age::x25519::Identity::generate();
    for (size, batches) in [(1, 300), (100, 200), (10_000, 20)] {
        let room = Room::new();
        let mut options = Options::new("harbourwatch/evidence/test", room.dir.path().join("keys/signing.key"));
        options.recipients = vec![identity.to_public().to_string()];
        let mut log = Log::open(&room.archive(), &options).unwrap();
        let work: Vec<Vec<Record>> =
            (0..batches).map(|n| (n * size..(n + 1) * size).map(realistic).collect()).collect();
        let begun = Instant::now();
        for (n, records) in (0..).zip(&work) {
            let coverage = [coverage(n * size, (n + 1) * size)];
            let batch = Batch { now_ms: NOW, records, coverage: &coverage, ..Batch::default() };
            let staged = log.stage(&batch).unwrap();
            log.publish(staged).unwrap();
        }
        let took = begun.elapsed().as_secs_f64();
        log.close().unwrap();
        let total = (size * batches) as f64;
        let bytes: u64 = files(&room.archive()).iter().map(|path| path.metadata().unwrap().len()).sum();
        println!(
            "batches of {size}: {:.0} records/s, {:.2} ms a batch, {:.0} B a record",
            total / took,
            took * 1e3 / batches as f64,
            bytes as f64 / total
        );
        use age::secrecy::ExposeSecret;
        let text = identity.to_string();
        for identity in [None, Some(text.expose_secret())] {
            let how = VerifyOptions { identity, ..VerifyOptions::default() };
            let report = verify(&room.archive(), &how).unwrap();
            assert!(report.is_sound());
            println!("  verify, identity {}: {:.0} records/s", identity.is_some(), report.records_per_second());
        }
    }
}

/// A record of about 900 bytes.
fn realistic(offset: u64) -> Record {
    let mut record = record(offset);
    let legs = format!(r#"{{"kind":"access","origin":"HK","destination":"SG","method":"ip","at":{offset}}}"#);
    let text = format!(
        r#"{{"id":"{}","tenant":"ding{:08x}","actor":"u{}","legs":[{legs},{legs},{legs},{legs},{legs},{legs}],"address":"203.0.113.{}","digest":"{:064x}","resource":"budget-{offset}.xlsx","rules":["R1","R2","R5"],"policy":"{:064x}"}}"#,
        record.id,
        offset % 3,
        offset % 5000,
        offset % 256,
        offset * 7919,
        12345
    );
    record.json = text.into_bytes();
    record
}
