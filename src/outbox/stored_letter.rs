//! How a letter's content is kept in the state database. As with facts, the types that hold it cannot be serialised by
//! anybody else.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::finding::Finding;
use super::letter::{Arrangement, Body, Digest, FlowSum, Held, Intake, Remark, Snapshot, Sum, Trouble};
use super::stored::{StoredFacts, sealed};
use crate::domain::event::Personal;
use crate::domain::verdict::{Severity, Verdict};
use crate::pipeline::report::Facts;

#[derive(Serialize, Deserialize)]
struct StoredBody {
    thread: String,
    at: i64,
    shown: Vec<StoredSnapshot>,
    sums: Vec<StoredSum>,
    held: Vec<Held>,
    troubles: Vec<Trouble>,
    digest: Option<StoredDigest>,
    moved_from: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredSnapshot {
    #[serde(with = "StoredFinding")]
    finding: Finding,
    new: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredSum {
    #[serde(with = "severity_name")]
    severity: Severity,
    #[serde(with = "verdict_name")]
    verdict: Verdict,
    findings: u64,
    records: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredDigest {
    from: i64,
    to: i64,
    flows: Vec<FlowSum>,
    arrangements: Vec<StoredArrangement>,
    expiring: Vec<(String, i32)>,
    open: u64,
    intake: Intake,
    health: Vec<Remark>,
    checkpoint: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredArrangement {
    kind: String,
    destination: String,
    #[serde(with = "sealed")]
    recipient: Personal<String>,
    verdict: String,
}

/// The shape of a [`Finding`] on disk.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Finding")]
struct StoredFinding {
    id: String,
    series: String,
    window: i64,
    destination: String,
    #[serde(with = "severity_name")]
    severity: Severity,
    #[serde(with = "severity_name")]
    base: Severity,
    bulk: bool,
    count: u64,
    bytes: u64,
    first: i64,
    last: i64,
    revision: u64,
    made: i64,
    changed: i64,
    #[serde(with = "StoredFacts")]
    facts: Facts,
}

mod severity_name {
    use super::{Deserialize, Deserializer, Serializer, Severity, de};

    pub(super) fn serialize<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(severity.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
        let name = String::deserialize(deserializer)?;
        Severity::parse(&name).ok_or_else(|| de::Error::custom("no severity"))
    }
}

mod verdict_name {
    use super::{Deserialize, Deserializer, Serializer, Verdict, de};

    pub(super) fn serialize<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(verdict.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
        let name = String::deserialize(deserializer)?;
        Verdict::parse(&name).ok_or_else(|| de::Error::custom("no verdict"))
    }
}

/// The content as JSON; `None` never happens for values of this shape.
pub(super) fn to_json(body: &Body) -> Option<String> {
    serde_json::to_string(&StoredBody::of(body)).ok()
}

/// Reads [`to_json`]. The parser's own words are dropped: they may quote values.
pub(super) fn from_json(json: &str) -> Option<Body> {
    serde_json::from_str::<StoredBody>(json).ok().map(StoredBody::into_body)
}

impl StoredBody {
    fn of(body: &Body) -> Self {
        let snapshot = |one: &Snapshot| StoredSnapshot { finding: one.finding.clone(), new: one.new };
        let sum = |sum: &Sum| {
            let Sum { severity, verdict, findings, records } = *sum;
            StoredSum { severity, verdict, findings, records }
        };
        Self {
            thread: body.thread.clone(),
            at: body.at,
            shown: body.shown.iter().map(snapshot).collect(),
            sums: body.sums.iter().map(sum).collect(),
            held: body.held.clone(),
            troubles: body.troubles.clone(),
            digest: body.digest.clone().map(StoredDigest::of),
            moved_from: body.moved_from.clone(),
        }
    }

    fn into_body(self) -> Body {
        let snapshot = |one: StoredSnapshot| Snapshot { finding: one.finding, new: one.new };
        let sum = |sum: StoredSum| {
            let StoredSum { severity, verdict, findings, records } = sum;
            Sum { severity, verdict, findings, records }
        };
        Body {
            thread: self.thread,
            at: self.at,
            shown: self.shown.into_iter().map(snapshot).collect(),
            sums: self.sums.into_iter().map(sum).collect(),
            held: self.held,
            troubles: self.troubles,
            digest: self.digest.map(StoredDigest::into_digest),
            moved_from: self.moved_from,
        }
    }
}

impl StoredDigest {
    fn of(digest: Digest) -> Self {
        let arrangement = |one: Arrangement| {
            let Arrangement { kind, destination, recipient, verdict } = one;
            StoredArrangement { kind, destination, recipient, verdict }
        };
        let Digest { from, to, flows, arrangements, expiring, open, intake, health, checkpoint } = digest;
        let arrangements = arrangements.into_iter().map(arrangement).collect();
        Self { from, to, flows, arrangements, expiring, open, intake, health, checkpoint }
    }

    fn into_digest(self) -> Digest {
        let arrangement = |one: StoredArrangement| {
            let StoredArrangement { kind, destination, recipient, verdict } = one;
            Arrangement { kind, destination, recipient, verdict }
        };
        let Self { from, to, flows, arrangements, expiring, open, intake, health, checkpoint } = self;
        let arrangements = arrangements.into_iter().map(arrangement).collect();
        Digest { from, to, flows, arrangements, expiring, open, intake, health, checkpoint }
    }
}
