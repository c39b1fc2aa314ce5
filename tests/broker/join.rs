//! Reads what instances left, with nothing of the program but its formats: entries for the ranges of offsets, frames for the
//! records; and joins several logs by record id.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::instance::harbourwatch;

/// A record, as far as the tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) verdict: String,
    /// Findings of its legs, in order.
    pub(super) findings: Vec<String>,
}

/// What one log says.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Record id → record.
    pub(super) records: BTreeMap<String, Record>,
    /// Findings of standing arrangements. Each instance tells them once a tenant and day, by an event of its own, under the
    /// same finding id.
    pub(super) standing: BTreeSet<String>,
    /// Partition → ranges of offsets that it covers.
    pub(super) ranges: BTreeMap<i32, Vec<(u64, u64)>>,
    /// Reasons of its gaps.
    pub(super) gaps: Vec<String>,
    pub(super) received: u64,
    pub(super) rejected: u64,
    pub(super) duplicate: u64,
}

/// Reads and verifies the log of an instance.
pub(super) fn log(dir: &Path) -> Log {
    let verified = harbourwatch(dir, &["verify", "data/evidence", "--json"]);
    assert!(verified.status.success(), "{}: {}", dir.display(), String::from_utf8_lossy(&verified.stdout));
    let mut log = Log::default();
    let evidence = dir.join("data/evidence");
    for line in entries(&evidence) {
        log.entry(&line);
    }
    records(&evidence, |record| {
        let id = record["id"].as_str().unwrap().to_owned();
        let legs = record["legs"].as_array().unwrap();
        let findings: Vec<_> = legs.iter().filter_map(|leg| Some(leg["finding"].as_str()?.to_owned())).collect();
        if record["shape"] == "standing" {
            log.standing.extend(findings);
            return;
        }
        let verdict = record["verdict"].as_str().unwrap_or_default().to_owned();
        let before = log.records.insert(id.clone(), Record { verdict, findings });
        assert!(before.is_none(), "{}: record {id} stands twice", dir.display());
    });
    log
}

impl Log {
    fn entry(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[1] {
            "B" => {
                let partition = words[4].parse().unwrap();
                self.ranges.entry(partition).or_default().push((number(5), number(6)));
                let [received, judged, rejected, duplicate] = [7, 8, 9, 10].map(number);
                assert_eq!(received, judged + rejected + duplicate, "conservation: {line}");
                self.received += received;
                self.rejected += rejected;
                self.duplicate += duplicate;
            }
            "G" => self.gaps.push(words[7].to_owned()),
            _ => {}
        }
    }
}

/// The entries of a log at rest, in order.
fn entries(evidence: &Path) -> Vec<String> {
    let size: u64 = fs::read_to_string(evidence.join("checkpoint")).unwrap().lines().nth(1).unwrap().parse().unwrap();
    let mut found = Vec::new();
    for number in 0..size.div_ceil(256) {
        let groups = format!("{:09}", number);
        let [a, b, c] = [&groups[0..3], &groups[3..6], &groups[6..9]];
        let name = match number {
            0..1_000 => c.to_owned(),
            1_000..1_000_000 => format!("x{b}/{c}"),
            _ => format!("x{a}/x{b}/{c}"),
        };
        let left = size - number * 256;
        let name = if left < 256 { format!("{name}.p/{left}") } else { name };
        let bytes = fs::read(evidence.join("tile/entries").join(name)).unwrap();
        let mut rest = bytes.as_slice();
        while let [high, low, after @ ..] = rest {
            let (line, after) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            found.push(String::from_utf8(line.to_vec()).unwrap());
            rest = after;
        }
    }
    assert_eq!(found.len() as u64, size);
    found
}

/// Shows the records in all segments, in order, one at a time: two million of them at once take more memory than a machine has.
fn records(evidence: &Path, mut show: impl FnMut(&Value)) {
    let mut segments = Vec::new();
    for month in fs::read_dir(evidence.join("segments")).into_iter().flatten() {
        segments.extend(fs::read_dir(month.unwrap().path()).unwrap().map(|segment| segment.unwrap().path()));
    }
    segments.sort();
    for segment in segments {
        let bytes = fs::read(segment).unwrap();
        let mut rest = bytes.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (frame, after) = after.split_at(u32::from_be_bytes(*length) as usize);
            let lines = zstd::decode_all(frame).unwrap();
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line: Value = serde_json::from_slice(line).unwrap();
                // beside records there are details of deeds
                line.get("r").into_iter().for_each(&mut show);
            }
            rest = after;
        }
    }
}

/// Several logs as one.
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) records: BTreeMap<String, Record>,
    /// Records that stand in more than one log.
    pub(super) twice: u64,
    /// Findings of standing arrangements.
    pub(super) standing: BTreeSet<String>,
    ranges: BTreeMap<i32, BTreeSet<(u64, u64)>>,
    /// Partition → logs that have some of it.
    holders: BTreeMap<i32, u32>,
    pub(super) gaps: BTreeMap<String, u64>,
}

impl Joined {
    pub(super) fn of(logs: impl IntoIterator<Item = Log>) -> Self {
        let mut joined = Self::default();
        for log in logs {
            for (id, record) in log.records {
                match joined.records.get(&id) {
                    Some(known) => {
                        assert_eq!(*known, record, "two logs differ about record {id}");
                        joined.twice += 1;
                    }
                    None => drop(joined.records.insert(id, record)),
                }
            }
            joined.standing.extend(log.standing);
            for (partition, ranges) in log.ranges {
                joined.ranges.entry(partition).or_default().extend(ranges);
                *joined.holders.entry(partition).or_default() += 1;
            }
            log.gaps.into_iter().for_each(|why| *joined.gaps.entry(why).or_default() += 1);
        }
        joined
    }

    /// Partitions of which more than one log has some.
    pub(super) fn moved(&self) -> usize {
        self.holders.values().filter(|logs| **logs > 1).count()
    }

    /// Every offset below the ends is covered by some log.
    pub(super) fn assert_covers(&self, ends: &[u64]) {
        for (partition, end) in (0..).zip(ends) {
            let mut next = 0;
            for (from, to) in self.ranges.get(&partition).into_iter().flatten() {
                assert!(*from <= next, "partition {partition}: no log has offsets {next} to {from}");
                next = next.max(*to);
            }
            assert_eq!(next, *end, "partition {partition} is not covered to its end");
        }
    }

    /// Finding → how many legs of records belong to it.
    pub(super) fn findings(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for finding in self.records.values().flat_map(|record| &record.findings) {
            *counts.entry(finding.as_str()).or_default() += 1;
        }
        counts
    }
}
