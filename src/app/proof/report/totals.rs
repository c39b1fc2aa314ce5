//! Counts by flow, destination, safeguard, verdict and recipient. A record with several legs counts once for each leg.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::app::proof::source::Found;
use crate::domain::verdict::Verdict;
use crate::evidence::index::Leg;

/// Names of verdicts, gravest first.
pub fn rank(verdict: &str) -> usize {
    Verdict::ALL.iter().position(|known| known.name() == verdict).unwrap_or(Verdict::ALL.len())
}

/// A line of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What is counted, a word for each column.
    pub key: Vec<String>,
    /// Legs by verdict, gravest first.
    pub verdicts: Vec<(String, u64)>,
    /// All of them.
    pub legs: u64,
}

/// All tables.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// Records.
    pub records: u64,
    /// Legs.
    pub legs: u64,
    /// By the record's own verdict: records.
    pub verdicts: Vec<(String, u64)>,
    /// By kind, origin and destination.
    pub flows: Vec<Line>,
    /// By destination.
    pub destinations: Vec<Line>,
    /// By safeguard.
    pub safeguards: Vec<Line>,
    /// By recipient.
    pub recipients: Vec<Line>,
    /// By origin, destination and verdict, for the picture.
    pub streams: Vec<(String, String, String, u64)>,
}

impl Totals {
    /// Counts what was found.
    pub fn of(found: &[Found]) -> Self {
        let legs = || found.iter().flat_map(|found| &found.row.flow.legs);
        let mut verdicts: BTreeMap<&str, u64> = BTreeMap::new();
        found.iter().for_each(|found| *verdicts.entry(&found.row.flow.verdict).or_default() += 1);
        let mut streams: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
        legs().for_each(|leg| {
            *streams.entry((leg.origin.as_str(), leg.destination.as_str(), leg.verdict.as_str())).or_default() += 1;
        });
        Self {
            records: found.len() as u64,
            legs: legs().count() as u64,
            verdicts: graded(verdicts),
            flows: lines(legs(), |leg| vec![&leg.kind, &leg.origin, &leg.destination]),
            destinations: lines(legs(), |leg| vec![&leg.destination]),
            safeguards: lines(legs(), |leg| vec![&leg.safeguard]),
            recipients: lines(legs(), |leg| vec![&leg.recipient]),
            streams: streams.into_iter().map(|((a, b, c), n)| (a.into(), b.into(), c.into(), n)).collect(),
        }
    }
}

fn graded(verdicts: BTreeMap<&str, u64>) -> Vec<(String, u64)> {
    let mut graded: Vec<_> = verdicts.into_iter().map(|(verdict, count)| (verdict.to_owned(), count)).collect();
    graded.sort_by_key(|(verdict, _)| rank(verdict));
    graded
}

/// Gravest first, then most.
fn lines<'a>(legs: impl Iterator<Item = &'a Leg>, key: impl Fn(&'a Leg) -> Vec<&'a String>) -> Vec<Line> {
    let mut counts: BTreeMap<Vec<&String>, BTreeMap<&str, u64>> = BTreeMap::new();
    legs.for_each(|leg| *counts.entry(key(leg)).or_default().entry(&leg.verdict).or_default() += 1);
    let line = |(key, verdicts): (Vec<&String>, BTreeMap<&str, u64>)| Line {
        key: key.into_iter().cloned().collect(),
        legs: verdicts.values().sum(),
        verdicts: graded(verdicts),
    };
    let mut lines: Vec<Line> = counts.into_iter().map(line).collect();
    let worst = |line: &Line| line.verdicts.first().map_or(usize::MAX, |(verdict, _)| rank(verdict));
    lines.sort_by_key(|line| (worst(line), std::cmp::Reverse(line.legs)));
    lines
}
