//! Who sees which field. An allow-list: a field that is not listed for an audience does not exist for it, and a new fact
//! is invisible to everybody until it is made a [`Field`] and listed.

use serde_json::{Value, json};

use crate::outbox::Finding;

/// Who reads a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Audience {
    /// The privacy officer: everything.
    Officer,
    /// Security operations: places, rules and counts; nobody's name, id, address or file.
    Soc,
    /// A chat group, which may itself be outside Hong Kong: counts and the id to look it up by.
    Chat,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What can be said about a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum Field { $($(#[$doc])* $variant),+ }

        impl Field {
            /// All fields in the order of output.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Stable lower-case name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

fields! {
    Id = "id",
    Revision = "revision",
    Series = "series",
    Severity = "severity",
    Bulk = "bulk",
    Verdict = "verdict",
    Rule = "rule",
    Binding = "binding",
    /// Name of the gap in a principle.
    Gap = "gap",
    Window = "window",
    First = "first",
    Last = "last",
    Count = "count",
    Bytes = "bytes",
    Kind = "kind",
    Preview = "preview",
    Tenant = "tenant",
    /// Personal.
    ActorId = "actor_id",
    /// Personal.
    ActorName = "actor_name",
    /// Personal.
    Address = "address",
    /// Personal: file name.
    Resource = "resource",
    Origin = "origin",
    OriginMethod = "origin_method",
    OriginConfidence = "origin_confidence",
    OriginSource = "origin_source",
    Destination = "destination",
    DestinationMethod = "destination_method",
    DestinationConfidence = "destination_confidence",
    DestinationSource = "destination_source",
    /// May name a person.
    Recipient = "recipient",
    RecipientRole = "recipient_role",
    Possible = "possible",
    Safeguard = "safeguard",
    FailedCondition = "failed_condition",
    PolicyRule = "policy_rule",
    Tags = "tags",
    Categories = "categories",
    Item = "item",
    Subjects = "subjects",
    Record = "record",
}

use Field as F;

const SOC: &[Field] = &[
    F::Id,
    F::Revision,
    F::Series,
    F::Severity,
    F::Bulk,
    F::Verdict,
    F::Rule,
    F::Binding,
    F::Gap,
    F::Window,
    F::First,
    F::Last,
    F::Count,
    F::Bytes,
    F::Kind,
    F::Preview,
    F::Tenant,
    F::Origin,
    F::OriginMethod,
    F::OriginConfidence,
    F::OriginSource,
    F::Destination,
    F::DestinationMethod,
    F::DestinationConfidence,
    F::DestinationSource,
    F::RecipientRole,
    F::Possible,
    F::Safeguard,
    F::FailedCondition,
    F::PolicyRule,
    F::Tags,
    F::Categories,
    F::Item,
    F::Subjects,
    F::Record,
];

const CHAT: &[Field] = &[F::Id, F::Revision, F::Severity, F::Bulk, F::Verdict, F::First, F::Last, F::Count];

impl Audience {
    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Soc => "soc",
            Self::Chat => "chat",
        }
    }

    /// The fields that this audience may see, in the order of output.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Officer => Field::ALL,
            Self::Soc => SOC,
            Self::Chat => CHAT,
        }
    }
}

/// What an audience sees of a finding. The only way from a finding to a channel.
#[derive(Clone, PartialEq)]
pub struct View {
    audience: Audience,
    values: Vec<(Field, Value)>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl View {
    /// Cuts a finding to the audience.
    pub fn of(finding: &Finding, audience: Audience) -> Self {
        let values = audience.fields().iter().map(|field| (*field, value(*field, finding))).collect();
        Self { audience, values }
    }

    /// For whom it was cut.
    pub fn audience(&self) -> Audience {
        self.audience
    }

    /// The fields and their values in the order of output.
    pub fn values(&self) -> &[(Field, Value)] {
        &self.values
    }

    /// A field's value; `None` if the audience does not see it.
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.values.iter().find(|(own, _)| *own == field).map(|(_, value)| value)
    }

    /// A field's text; empty if it is not seen or is no text.
    pub fn text(&self, field: Field) -> &str {
        self.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// A field's number; `None` if it is not seen or is no number.
    pub fn number(&self, field: Field) -> Option<i64> {
        self.get(field).and_then(Value::as_i64)
    }

    /// Whether the field is seen and true.
    pub fn is(&self, field: Field) -> bool {
        self.get(field).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A field's texts; empty if it is not seen or is no list.
    pub fn list(&self, field: Field) -> Vec<&str> {
        let items = self.get(field).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

fn value(field: Field, finding: &Finding) -> Value {
    let facts = &finding.facts;
    match field {
        F::Id => json!(finding.id),
        F::Revision => json!(finding.revision),
        F::Series => json!(finding.series),
        F::Severity => json!(finding.severity.name()),
        F::Bulk => json!(finding.bulk),
        F::Verdict => json!(facts.verdict),
        F::Rule => json!(facts.rule),
        F::Binding => json!(facts.binding),
        F::Gap => json!(facts.gap),
        F::Window => json!(finding.window),
        F::First => json!(finding.first),
        F::Last => json!(finding.last),
        F::Count => json!(finding.count),
        F::Bytes => json!(finding.bytes),
        F::Kind => json!(facts.kind),
        F::Preview => json!(facts.preview),
        F::Tenant => json!(facts.tenant),
        F::ActorId => json!(facts.actor_id),
        F::ActorName => json!(facts.actor_name),
        F::Address => json!(facts.address),
        F::Resource => json!(facts.resource),
        F::Origin => json!(facts.origin),
        F::OriginMethod => json!(facts.origin_method),
        F::OriginConfidence => json!(facts.origin_confidence),
        F::OriginSource => json!(facts.origin_source),
        F::Destination => json!(facts.destination),
        F::DestinationMethod => json!(facts.destination_method),
        F::DestinationConfidence => json!(facts.destination_confidence),
        F::DestinationSource => json!(facts.destination_source),
        F::Recipient => json!(facts.recipient),
        F::RecipientRole => json!(facts.recipient_role),
        F::Possible => json!(facts.possible),
        F::Safeguard => json!(facts.safeguard),
        F::FailedCondition => json!(facts.failed_condition),
        F::PolicyRule => json!(facts.policy_rule),
        F::Tags => json!(facts.tags),
        F::Categories => json!(facts.categories),
        F::Item => json!(facts.item),
        F::Subjects => json!(facts.subjects),
        F::Record => json!(facts.record),
    }
}
