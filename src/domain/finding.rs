//! Findings: what people are told. Records are grouped so that a busy hour is one line with a count.

use sha2::{Digest, Sha256};

use super::hex::hex;

/// Length of a grouping window in event time, in ms (15 minutes, compliance reference §3.2).
pub const WINDOW_MS: i64 = 15 * 60 * 1000;

/// Length of a standing finding's window in event time, in ms: a day in Hong Kong.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Hong Kong is eight hours ahead of UTC and keeps no summer time.
pub const HKT_OFFSET_MS: i64 = 8 * 60 * 60 * 1000;

/// What makes two records one finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FindingKey {
    /// Tenant id.
    pub tenant: String,
    /// Actor's id; for a standing finding, the space.
    pub subject: String,
    /// Destination code.
    pub destination: String,
    /// Flow kind.
    pub kind: &'static str,
    /// Recipient party's id, `stranger` or `public`.
    pub recipient: String,
    /// Rule and verdict.
    pub rule: &'static str,
    /// Verdict.
    pub verdict: &'static str,
    /// Start of the window in ms since the epoch.
    pub window: i64,
}

impl FindingKey {
    /// The key without its window: the standing identity over time.
    pub fn series(&self) -> String {
        id(self.hash())
    }

    /// Stable id of the finding: 24 hex digits.
    pub fn id(&self) -> String {
        let mut hash = self.hash();
        add(&mut hash, &self.window.to_string());
        id(hash)
    }

    /// Of everything but the window.
    fn hash(&self) -> Sha256 {
        let mut hash = Sha256::new();
        let Self { tenant, subject, destination, kind, recipient, rule, verdict, window: _ } = self;
        [tenant, subject, destination, *kind, recipient, *rule, *verdict]
            .into_iter()
            .for_each(|part| add(&mut hash, part));
        hash
    }
}

/// Start of the window that an event belongs to.
pub fn window_start(at: i64, standing: bool) -> i64 {
    if standing {
        (at + HKT_OFFSET_MS).div_euclid(DAY_MS) * DAY_MS - HKT_OFFSET_MS
    } else {
        at.div_euclid(WINDOW_MS) * WINDOW_MS
    }
}

fn add(hash: &mut Sha256, part: &str) {
    hash.update((part.len() as u64).to_be_bytes());
    hash.update(part.as_bytes());
}

fn id(hash: Sha256) -> String {
    hex(&hash.finalize()[..12])
}
