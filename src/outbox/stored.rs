//! How a finding's facts are kept in the state database, whose file is for its owner alone. The only place where sealed
//! values are written down; nothing here is ever sent.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::event::Personal;
use crate::pipeline::report::{Facts, Name};

/// The shape of [`Facts`] on disk.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Facts")]
pub(super) struct StoredFacts {
    tenant: String,
    #[serde(with = "sealed")]
    actor_id: Personal<String>,
    #[serde(with = "sealed")]
    actor_name: Personal<String>,
    #[serde(with = "sealed")]
    address: Personal<String>,
    #[serde(with = "sealed")]
    resource: Personal<String>,
    kind: Name,
    preview: bool,
    origin: String,
    origin_method: Name,
    origin_confidence: Name,
    origin_source: String,
    destination: String,
    destination_method: Name,
    destination_confidence: Name,
    destination_source: String,
    #[serde(with = "sealed")]
    recipient: Personal<String>,
    recipient_role: Name,
    verdict: Name,
    rule: Name,
    possible: Vec<Name>,
    safeguard: Option<String>,
    failed_condition: Option<Name>,
    policy_rule: Option<String>,
    tags: Vec<Name>,
    categories: Vec<Name>,
    item: String,
    subjects: Option<u64>,
    binding: bool,
    #[serde(default)]
    gap: Option<Name>,
    record: String,
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

    pub(in super::super) fn serialize<S: Serializer>(
        value: &Personal<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.reveal())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Personal<String>, D::Error> {
        String::deserialize(deserializer).map(Personal::new)
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
