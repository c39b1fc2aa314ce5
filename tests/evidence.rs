//! Tests of evidence: what is written can be verified, what is tampered with is caught, what is killed recovers.

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

mod crash;
mod deeds;
mod measure;
mod mutation;
mod personal;
mod power;
mod retainer;
mod retention;
mod rotation;
mod round_trip;

use std::fs;
use std::path::{Path, PathBuf};

use harbourwatch::domain::position::Lane;
use harbourwatch::evidence::disk::Faults;
use harbourwatch::evidence::{Batch, EvidenceError, Log, Options, VerifyOptions, VerifyReport, search, verify};
use harbourwatch::pipeline::report::{Coverage, Record};
use serde_json::json;
use tempfile::TempDir;

/// 2026-11-23T00:00:00Z.
const NOW: i64 = 1_795_392_000_000;

/// A directory with room for an archive and, beside it, its keys.
struct Room {
    dir: TempDir,
}

impl Room {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn archive(&self) -> PathBuf {
        self.dir.path().join("archive")
    }

    /// Options without waiting for the medium; segments so small that tests finish some.
    fn options(&self) -> Options {
        let mut options = Options::new("harbourwatch/evidence/test", self.dir.path().join("keys/evidence.key"));
        (options.sync, options.segment_bytes) = (false, 1500);
        options
    }

    fn open(&self) -> Log {
        Log::open(&self.archive(), &self.options()).unwrap()
    }

    fn open_with(&self, faults: Faults) -> Result<Log, EvidenceError> {
        Log::open(&self.archive(), &Options { faults: Some(faults), ..self.options() })
    }

    fn verify(&self) -> VerifyReport {
        verify(&self.archive(), &VerifyOptions::default()).unwrap()
    }

    /// Verifies that nothing is wrong and that exactly the offsets `0..events` are recorded, once each.
    fn assert_sound(&self, events: u64) {
        let report = self.verify();
        assert!(report.is_sound(), "{:#?}", report.breaches);
        assert_eq!((report.records, report.opened), (events, events));
        let lanes: Vec<_> = report.lanes.iter().map(|lane| (lane.from, lane.next, lane.received)).collect();
        assert_eq!(lanes, if events == 0 { vec![] } else { vec![(0, events, events)] });
        let rows = search::rows(&self.archive()).unwrap();
        let ids: Vec<String> = rows.into_iter().map(|row| row.id).collect();
        assert_eq!(ids, (0..events).map(|offset| record(offset).id).collect::<Vec<_>>());
    }
}

fn lane() -> Lane {
    Lane { topic: "dingtalk audit".into(), partition: 3 }
}

fn record(offset: u64) -> Record {
    let id = format!("{:024x}", offset.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (subject, at) = (format!("chan.siu.ming.{}", offset % 7), NOW - 1000 + offset as i64);
    let json = json!({
        "id": id, "position": {"topic": "dingtalk audit", "partition": 3, "offset": offset, "index": 0}, "time": at,
        "message_sha256": format!("{offset:064x}"),
        "actor": {"id": subject, "name": "陳小明", "address": "203.0.113.77", "party": "vhb"},
        "data": {"resource": format!("薪金 {offset}.xlsx"), "item": "payroll"},
        "legs": [{
            "kind": "access", "origin": {"code": "HK"}, "destination": {"code": "SG"}, "recipient": {"party": "merlion"},
            "verdict": "UNCOVERED", "severity": "HIGH", "finding": format!("{:024x}", offset % 5),
        }],
        "verdict": "UNCOVERED",
    });
    let json = json.to_string().into_bytes();
    Record {
        id: id.into(),
        at,
        json,
        subject: subject.into(),
        destination: "SG".into(),
        kind: "access",
        verdict: "UNCOVERED",
    }
}

fn coverage(from: u64, next: u64) -> Coverage {
    let count = next - from;
    let last_digest = format!("{next:016x}");
    Coverage { lane: lane(), from, next, received: count, judged: count, rejected: 0, duplicate: 0, last_digest }
}

/// Records the offsets `from..next` as one batch.
fn put(log: &mut Log, from: u64, next: u64) -> Result<u64, EvidenceError> {
    let records: Vec<Record> = (from..next).map(record).collect();
    let coverage = [coverage(from, next)];
    let batch = Batch { now_ms: NOW, records: &records, coverage: &coverage, ..Batch::default() };
    let staged = log.stage(&batch)?;
    Ok(log.publish(staged)?.size)
}

/// How far the one lane is recorded.
fn reached(log: &Log) -> u64 {
    log.coverage_since(0).unwrap().first().map_or(0, |reached| reached.next)
}

/// Every file below `dir`, in order.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A small generator (SplitMix64), so that runs can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }
}
