//! How a finding's facts are kept in the state database, whose file is for its owner alone. The only place where sealed
//! values are written down; nothing here is ever sent.

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::event::Personal;
use crate::pipeline::report::{Facts, Name};

/// The shape of [`Facts`] on disk.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Facts")]
pub(super) struct StoredFacts {
    tenant: CompactString,
    #[serde(with = "sealed")]
    actor_id: Personal<CompactString>,
    #[serde(with = "sealed")]
    actor_name: Personal<CompactString>,
    #[serde(with = "sealed")]
    address: Personal<CompactString>,
    #[serde(with = "sealed")]
    resource: Personal<CompactString>,
    kind: Name,
    preview: bool,
    origin: CompactString,
    origin_method: Name,
    origin_confidence: Name,
    origin_source: CompactString,
    destination: CompactString,
    destination_method: Name,
    destination_confidence: Name,
    destination_source: CompactString,
    #[serde(with = "sealed")]
    recipient: Personal<CompactString>,
    recipient_role: Name,
    verdict: Name,
    rule: Name,
    possible: Vec<Name>,
    safeguard: Option<CompactString>,
    failed_condition: Option<Name>,
    policy_rule: Option<CompactString>,
    tags: Vec<Name>,
    categories: Vec<Name>,
    item: CompactString,
    subjects: Option<u64>,
    binding: bool,
    #[serde(default)]
    gap: Option<Name>,
    record: CompactString,
}

/// Facts that several hold.
pub(super) mod shared {
    use std::sync::Arc;

    use super::{Deserializer, Facts, Serializer, StoredFacts};

    pub(in super::super) fn serialize<S: Serializer>(facts: &Arc<Facts>, serializer: S) -> Result<S::Ok, S::Error> {
        StoredFacts::serialize(facts, serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Facts>, D::Error> {
        StoredFacts::deserialize(deserializer).map(Arc::new)
    }
}

/// A sealed text as text, for the state database alone.
pub(super) mod sealed {
    use super::{Deserialize, Deserializer, Personal, Serializer};

    pub(in super::super) fn serialize<T: AsRef<str>, S: Serializer>(
        value: &Personal<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.reveal().as_ref())
    }

    pub(in super::super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Personal<T>, D::Error> {
        T::deserialize(deserializer).map(Personal::new)
    }
}

/// The facts as JSON; `None` never happens for values of this shape.
pub(super) fn to_json(facts: &Facts) -> Option<String> {
    let mut json = Vec::with_capacity(1_024);
    StoredFacts::serialize(facts, &mut serde_json::Serializer::new(&mut json)).ok()?;
    String::from_utf8(json).ok()
}

/// Reads [`to_json`]. The parser's own words are dropped: they may quote values.
pub(super) fn from_json(json: &str) -> Option<Facts> {
    StoredFacts::deserialize(&mut serde_json::Deserializer::from_str(json)).ok()
}
