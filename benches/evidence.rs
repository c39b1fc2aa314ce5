//! How fast evidence is written and verified, sealed to one recipient, by size of batch: `cargo bench --bench evidence`.
//!
//! Prints figures and asserts nothing but that what was written is sound. It writes to the temporary folder, so the disk
//! below that is what is measured.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::Path;
use std::time::Instant;

use age::secrecy::ExposeSecret as _;
use harbourwatch::domain::position::Lane;
use harbourwatch::evidence::{Batch, Log, Options, VerifyOptions, verify};
use harbourwatch::pipeline::report::{Coverage, Record};

/// 2026-11-23T00:00:00Z.
const NOW: i64 = 1_795_392_000_000;

fn main() {
    for (size, batches) in [(1, 300), (100, 200), (10_000, 20)] {
        measure(size, batches);
    }
}

fn measure(size: u64, batches: u64) {
    let (room, identity) = (tempfile::tempdir().unwrap(), age::x25519::Identity::generate());
    let archive = room.path().join("archive");
    let mut options = Options::new("harbourwatch/bench", room.path().join("keys/signing.key"));
    options.recipients = vec![identity.to_public().to_string()];
    let mut log = Log::open(&archive, &options).unwrap();
    let work: Vec<Vec<Record>> = (0..batches).map(|n| (n * size..(n + 1) * size).map(record).collect()).collect();
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
    let (rate, each, bytes) = (total / took, took * 1e3 / batches as f64, bytes(&archive) as f64 / total);
    println!("batches of {size}: {rate:.0} records/s, {each:.2} ms a batch, {bytes:.0} B a record");
    let secret = identity.to_string();
    for identity in [None, Some(secret.expose_secret())] {
        let report = verify(&archive, &VerifyOptions { identity, ..VerifyOptions::default() }).unwrap();
        assert!(report.is_sound(), "{:?}", report.breaches);
        println!("  verify, identity {}: {:.0} records/s", identity.is_some(), report.records_per_second());
    }
}

fn coverage(from: u64, next: u64) -> Coverage {
    let lane = Lane { topic: "bench".into(), partition: 0 };
    let count = next - from;
    let last_digest = format!("{next:016x}");
    Coverage { lane, from, next, received: count, judged: count, rejected: 0, duplicate: 0, last_digest }
}

/// A record of about 900 bytes.
fn record(offset: u64) -> Record {
    let id = format!("{:024x}", offset.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let legs = format!(r#"{{"kind":"access","origin":"HK","destination":"SG","method":"ip","at":{offset}}}"#);
    let json = format!(
        r#"{{"id":"{id}","tenant":"ding{:08x}","actor":"u{}","legs":[{legs},{legs},{legs},{legs},{legs},{legs}],"address":"203.0.113.{}","digest":"{:064x}","resource":"budget-{offset}.xlsx","rules":["R1","R2","R5"],"policy":"{:064x}"}}"#,
        offset % 3,
        offset % 5000,
        offset % 256,
        offset * 7919,
        12345
    );
    Record {
        id: id.into(),
        at: NOW - 1000 + offset as i64,
        json: json.into_bytes(),
        subject: format!("u{}", offset % 5000).into(),
        destination: "SG".into(),
        kind: "access",
        verdict: "UNCOVERED",
    }
}

/// Bytes of all files below a folder.
fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| if entry.path().is_dir() { bytes(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}
