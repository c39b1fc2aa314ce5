//! What the pipeline hands to the recorder for one batch: coverage, records, rejected records, findings, fingerprints.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use compact_str::CompactString;

use super::told::{self, Told};
use crate::domain::event::Personal;
use crate::domain::finding::FindingKey;
use crate::domain::position::{Lane, Position};
use crate::domain::verdict::{Severity, Verdict};

/// Everything about one batch that must be durable before the source is committed.
#[derive(Debug, Default)]
pub struct BatchReport {
    /// Per lane: which offsets the batch covers and what became of their events.
    pub coverage: Vec<Coverage>,
    /// Evidence of judged events, in input order.
    pub records: Vec<Record>,
    /// Input that is no audit event, in input order.
    pub rejected: Vec<Rejected>,
    /// Increments of findings, in order of first mention.
    pub findings: Vec<FindingDelta>,
    /// Fingerprints of the batch's events that were new, in input order.
    pub fingerprints: Vec<u128>,
    /// Offsets before the batch that this log will never have, in order of lanes.
    pub gaps: Vec<Gap>,
    /// What stream users are told, by lane; empty where nobody asked for it.
    pub told: Vec<Told>,
    /// What judged the batch.
    pub in_force: InForce,
}

impl BatchReport {
    /// Events in it.
    pub fn events(&self) -> u64 {
        self.coverage.iter().map(|share| share.received).sum()
    }

    /// Bytes of its records, of its rejected input and of what stream users are told.
    pub fn byte_len(&self) -> usize {
        let records = self.records.iter().map(|record| record.json.len());
        let rejected = self.rejected.iter().map(|rejected| rejected.raw.len());
        records.chain(rejected).chain(self.told.iter().map(|told| told.lines.len())).sum()
    }

    /// Whether `later` can be recorded together with this one: the same policy and databases judged it, and no lane goes on
    /// behind a gap.
    pub fn goes_with(&self, later: &Self) -> bool {
        later.gaps.is_empty() && self.in_force == later.in_force
    }

    /// Takes the batch that follows this one along; see [`BatchReport::goes_with`].
    pub fn join(&mut self, later: Self) {
        let places: Vec<usize> = later.coverage.into_iter().map(|share| self.cover(share)).collect();
        later.told.into_iter().for_each(|told| told::join(&mut self.told, Told { lane: places[told.lane], ..told }));
        self.records.extend(later.records);
        self.rejected.extend(later.rejected);
        self.fingerprints.extend(later.fingerprints);
        let mut places: Places = self.findings.iter().enumerate().map(|(at, known)| (known.id.clone(), at)).collect();
        later.findings.into_iter().for_each(|delta| delta.join_into(&mut self.findings, &mut places));
    }

    /// Takes along what follows in a lane; gives the lane's place.
    fn cover(&mut self, share: Coverage) -> usize {
        match self.coverage.iter().position(|known| known.lane == share.lane) {
            Some(at) => {
                self.coverage[at].join(share);
                at
            }
            None => {
                self.coverage.push(share);
                self.coverage.len() - 1
            }
        }
    }
}

/// Digests of what verdicts depend on, in lower-case hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// SHA-256 of policy, register and maps.
    pub policy: String,
    /// SHA-256 over databases and overrides.
    pub geo: String,
}

/// Offsets of a lane that are passed over, and why. It begins where the lane's record ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Which lane.
    pub lane: Lane,
    /// First offset that is missing.
    pub from: u64,
    /// First offset after the gap.
    pub to: u64,
    /// Why.
    pub why: GapReason,
}

/// Why a log lacks offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GapReason {
    /// Another instance of the group committed them; its log has them.
    Elsewhere,
    /// The broker deleted them before they were read. They are lost.
    Retention,
    /// The operator had the source begin further on.
    Skipped,
}

impl GapReason {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::Elsewhere, Self::Retention, Self::Skipped];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Retention => "retention",
            Self::Skipped => "skipped",
        }
    }
}

/// One lane's share of a batch. `received = judged + rejected + duplicate` always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Which lane.
    pub lane: Lane,
    /// First offset of the batch.
    pub from: u64,
    /// First offset after the batch.
    pub next: u64,
    /// Events (a page counts each of its rows; a message without readable event counts as one).
    pub received: u64,
    /// Events with a verdict, or found to move nothing.
    pub judged: u64,
    /// Rejected with a reason.
    pub rejected: u64,
    /// Seen before.
    pub duplicate: u64,
    /// SHA-256 (first 16 hex digits) of the last message's bytes.
    pub last_digest: String,
}

impl Coverage {
    /// Takes along what follows in the same lane.
    fn join(&mut self, later: Self) {
        self.next = later.next;
        self.received += later.received;
        self.judged += later.judged;
        self.rejected += later.rejected;
        self.duplicate += later.duplicate;
        self.last_digest = later.last_digest;
    }
}

/// Evidence of one judged event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Stable id: digest of topic, partition, offset and index.
    pub id: CompactString,
    /// Event time in ms since the epoch, 0 if the event had none.
    pub at: i64,
    /// The record itself, one line of JSON without line end.
    pub json: Vec<u8>,
    /// For the index: actor's id, as the record has it.
    pub subject: CompactString,
    /// For the index: destination code.
    pub destination: CompactString,
    /// For the index: flow kind.
    pub kind: &'static str,
    /// For the index: verdict.
    pub verdict: &'static str,
}

/// Input that is no audit event, with all that is needed to try it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where it was.
    pub position: Position,
    /// Which lane that is.
    pub lane: Lane,
    /// Stable lower-case reason.
    pub reason: &'static str,
    /// Where in the message and what is wrong; carries no value of the input.
    pub detail: String,
    /// The message's bytes; the rejected rows of one page share them.
    pub raw: Arc<[u8]>,
    /// Bytes that the source had to cut off.
    pub cut: u64,
    /// What came along with the message, where the source has such.
    pub origin: Option<Origin>,
}

/// What a message of a broker carries beside its bytes. May be personal: `Debug` shows none of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its headers in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Its time in ms since the epoch.
    pub timestamp: Option<i64>,
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Origin").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

/// What one batch adds to a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingDelta {
    /// [`FindingKey::id`].
    pub id: CompactString,
    /// [`FindingKey::series`]: the same subject, destination, kind, recipient and rule over time.
    pub series: CompactString,
    /// What makes it one finding.
    pub key: FindingKey,
    /// Gravest severity in the batch.
    pub severity: Severity,
    /// Records added.
    pub count: u64,
    /// Bytes added, as far as events state them.
    pub bytes: u64,
    /// Earliest event time, ms since the epoch.
    pub first: i64,
    /// Latest event time, ms since the epoch.
    pub last: i64,
    /// The facts of the gravest record, of several the first. They are large, and go from hand to hand.
    pub facts: Arc<Facts>,
}

/// Where findings stand, by id. Ids are digests, so that a fast hash will do.
pub(super) type Places = HashMap<CompactString, usize, foldhash::fast::RandomState>;

impl FindingDelta {
    /// Adds itself to those known, whose places by id are `places`. The facts stay those of the gravest record.
    pub(super) fn join_into(self, known: &mut Vec<Self>, places: &mut Places) {
        match places.entry(self.id.clone()) {
            Entry::Occupied(place) => known[*place.get()].add(self),
            Entry::Vacant(place) => {
                place.insert(known.len());
                known.push(self);
            }
        }
    }

    fn add(&mut self, later: Self) {
        if later.severity > self.severity {
            (self.severity, self.facts) = (later.severity, later.facts);
        }
        self.count += later.count;
        self.bytes = self.bytes.saturating_add(later.bytes);
        self.first = self.first.min(later.first);
        self.last = self.last.max(later.last);
    }
}

/// A word from a closed list, which costs no memory where it is at hand; one that was read back is its own.
pub type Name = Cow<'static, str>;

/// What a renderer may say about a finding, from its gravest record. Values about people are sealed, `Debug` shows none of
/// the others either, and the type cannot be serialised: it leaves the process through the view of an audience alone.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Facts {
    pub tenant: CompactString,
    pub actor_id: Personal<CompactString>,
    pub actor_name: Personal<CompactString>,
    pub address: Personal<CompactString>,
    /// File name.
    pub resource: Personal<CompactString>,
    pub kind: Name,
    pub preview: bool,
    /// Place for people, as `CN (Shenzhen, Guangdong)`, or `unknown (opaque)`.
    pub origin: CompactString,
    pub origin_method: Name,
    pub origin_confidence: Name,
    /// Which database and build, site or setting said it.
    pub origin_source: CompactString,
    pub destination: CompactString,
    pub destination_method: Name,
    pub destination_confidence: Name,
    pub destination_source: CompactString,
    /// Recipient's name for people; it may name one of them.
    pub recipient: Personal<CompactString>,
    /// `processor`, `data user`, `same entity`, `unknown`, `public`.
    pub recipient_role: Name,
    pub verdict: Name,
    pub rule: Name,
    /// Verdicts that are possible, when undetermined.
    pub possible: Vec<Name>,
    pub safeguard: Option<CompactString>,
    pub failed_condition: Option<Name>,
    /// Id of the deny or residency rule.
    pub policy_rule: Option<CompactString>,
    pub tags: Vec<Name>,
    pub categories: Vec<Name>,
    pub item: CompactString,
    pub subjects: Option<u64>,
    /// Whether a provision that binds today fails.
    pub binding: bool,
    /// The gravest gap on record in a data protection principle, if the data leave Hong Kong.
    pub gap: Option<Name>,
    /// Id of that record.
    pub record: CompactString,
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts").field("verdict", &self.verdict).field("record", &self.record).finish_non_exhaustive()
    }
}

/// Verdicts that are recorded as evidence by default: everything that leaves Hong Kong or may do so.
pub const RECORDED: [Verdict; 5] =
    [Verdict::Prohibited, Verdict::Uncovered, Verdict::Defect, Verdict::Undetermined, Verdict::Covered];
