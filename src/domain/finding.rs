//! Findings: what people are told. Records are grouped so that a busy hour is one line with a count.

use compact_str::{CompactString, ToCompactString};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use super::hex;

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
    pub tenant: CompactString,
    /// Actor's id; for a standing finding, the space.
    pub subject: CompactString,
    /// Destination code.
    pub destination: CompactString,
    /// Flow kind.
    pub kind: &'static str,
    /// Recipient party's id, `stranger` or `public`.
    pub recipient: CompactString,
    /// Rule and verdict.
    pub rule: &'static str,
    /// Verdict.
    pub verdict: &'static str,
    /// Start of the window in ms since the epoch.
    pub window: i64,
}

impl FindingKey {
    /// The key without its window: the standing identity over time.
    pub fn series(&self) -> CompactString {
        id(self.hash())
    }

    /// Stable id of the finding: 24 hex digits.
    pub fn id(&self) -> CompactString {
        self.ids().0
    }

    /// [`FindingKey::id`] and [`FindingKey::series`], hashed together as far as they are the same.
    pub fn ids(&self) -> (CompactString, CompactString) {
        let hash = self.hash();
        let mut window = Parts::new();
        add(&mut window, &self.window.to_compact_string());
        (id(hash.clone().chain_update(window)), id(hash))
    }

    /// Of everything but the window.
    fn hash(&self) -> Sha256 {
        let Self { tenant, subject, destination, kind, recipient, rule, verdict, window: _ } = self;
        // at once, since many short parts cost more to hash than to gather
        let mut parts = Parts::new();
        for part in [tenant, subject, destination, *kind, recipient, *rule, *verdict] {
            add(&mut parts, part);
        }
        Sha256::new_with_prefix(parts)
    }
}

/// What is hashed of a key. Most keys need no memory for it.
type Parts = SmallVec<[u8; 256]>;

/// Start of the window that an event belongs to.
pub fn window_start(at: i64, standing: bool) -> i64 {
    if standing {
        (at + HKT_OFFSET_MS).div_euclid(DAY_MS) * DAY_MS - HKT_OFFSET_MS
    } else {
        at.div_euclid(WINDOW_MS) * WINDOW_MS
    }
}

fn add(parts: &mut Parts, part: &str) {
    parts.extend_from_slice(&(part.len() as u64).to_be_bytes());
    parts.extend_from_slice(part.as_bytes());
}

fn id(hash: Sha256) -> CompactString {
    hex::id(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Findings outlive the program: of which bytes their ids are made must stay.
    #[test]
    fn ids_are_digests_of_these_bytes() {
        let key = FindingKey {
            tenant: "harbour-bank".into(),
            subject: "manager 4521 香港".repeat(20).into(),
            destination: "CN".into(),
            kind: "send",
            recipient: CompactString::default(),
            rule: "R6",
            verdict: "UNCOVERED",
            window: -900_000,
        };
        let parts = ["harbour-bank", &key.subject, "CN", "send", "", "R6", "UNCOVERED", "-900000"];
        let digest = |parts: &[&str]| {
            let bytes = parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes(), part.as_bytes()].concat());
            CompactString::from(hex::hex(&Sha256::digest(bytes.collect::<Vec<u8>>())[..12]))
        };
        assert_eq!(key.ids(), (digest(&parts), digest(&parts[..7])));
        assert_eq!((key.id(), key.series()), key.ids());
    }
}
