//! Which records a page lists: so many of the gravest. All stand in the tables beside it. Opens nothing itself.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::app::proof::source::Found;
use crate::domain::verdict::Severity;
use crate::evidence::archive::Opened;
use crate::evidence::index::Row;

/// Records that a page lists.
const MOST: usize = 500;

/// The list.
#[derive(Debug)]
pub struct List {
    /// Records there are, listed or not.
    pub records: usize,
    /// Source and entry of each that is listed.
    chosen: HashSet<(usize, u64)>,
    listed: Vec<Listed>,
}

/// A record in the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Event time, ms since the epoch.
    pub at: i64,
    /// Record id.
    pub id: String,
    /// Of its gravest leg.
    pub severity: Severity,
    /// Of its gravest leg.
    pub verdict: String,
    /// What it shows of the data.
    pub what: String,
    /// Of each leg: kind, from, to, recipient, safeguard.
    pub legs: Vec<[String; 5]>,
}

impl List {
    /// Chooses the gravest of what was found, and of equal severity the earliest.
    pub fn of(found: &[Found]) -> Self {
        let mut order: Vec<&Found> = found.iter().collect();
        // stable: what was found comes by time
        order.sort_by_cached_key(|found| (Reverse(severity(&found.row)), found.row.at));
        let chosen = order.into_iter().take(MOST).map(|found| (found.source, found.row.i)).collect();
        Self { records: found.len(), chosen, listed: Vec::new() }
    }

    /// Takes a record of a source in if it was chosen.
    pub fn take(&mut self, source: usize, record: &Opened) {
        if self.chosen.contains(&(source, record.row.i)) {
            self.listed.push(Listed::of(record));
        }
    }

    /// What was taken in, gravest first.
    pub fn in_order(&self) -> Vec<&Listed> {
        let mut listed: Vec<&Listed> = self.listed.iter().collect();
        listed.sort_by_key(|one| (Reverse(one.severity), one.at, &one.id));
        listed
    }
}

impl Listed {
    /// What the list says of a record: what it shows of the data depends on whether personal fields are open.
    fn of(record: &Opened) -> Self {
        let word = |path: &[&str]| {
            let found = path.iter().try_fold(&record.record, |value, name| value.get(name));
            found.and_then(|value| value.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let what = word(&["data", "resource"]).or_else(|| word(&["data", "item"])).unwrap_or_default();
        let legs = record.row.flow.legs.iter().map(|leg| {
            [
                leg.kind.clone(),
                leg.origin.clone(),
                leg.destination.clone(),
                leg.recipient.clone(),
                leg.safeguard.clone(),
            ]
        });
        let (at, id, verdict) = (record.row.at, record.row.id.clone(), record.row.flow.verdict.clone());
        Self { at, id, severity: severity(&record.row), verdict, what, legs: legs.collect() }
    }
}

/// That of the gravest leg. A name that this version does not know is taken for grave: it must not fall off the list.
fn severity(row: &Row) -> Severity {
    let known = row.flow.legs.iter().map(|leg| Severity::parse(&leg.severity).unwrap_or(Severity::Critical));
    known.max().unwrap_or(Severity::Info)
}
