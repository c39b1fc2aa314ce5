//! What an audience sees of a finding: the only way from a finding to a channel.

use std::fmt;

use serde_json::{Value, json};

use super::audience::{Audience, Field, Form};
use super::pseudonym::{Domain, Key, file_name, network};
use crate::outbox::Finding;

use Field as F;

/// Longest text of one value, in bytes. A file name may have 64 KB; no reader needs them, and receivers refuse them.
pub const LONGEST: usize = 2_048;

/// A finding cut to an audience.
#[derive(Clone, PartialEq)]
pub struct View {
    audience: Audience,
    values: Vec<(Field, Value)>,
    cut: u32,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl View {
    /// Cuts a finding to the audience. Without a key there are no pseudonyms: fields that need one are left out.
    pub fn of(finding: &Finding, audience: Audience) -> Self {
        Self::with_key(finding, audience, None)
    }

    /// The same with the key of the pseudonyms.
    pub fn with_key(finding: &Finding, audience: Audience, key: Option<&Key>) -> Self {
        let mut view = Self { audience, values: Vec::with_capacity(Field::ALL.len()), cut: 0 };
        for (field, form) in audience.fields() {
            if let Some(value) = shown(finding, field, form, key) {
                let value = view.bounded(value);
                view.values.push((field, value));
            }
        }
        view
    }

    fn bounded(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) if text.len() > LONGEST => {
                self.cut += 1;
                Value::String(format!("{}…", cut(&text, LONGEST)))
            }
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.bounded(item)).collect()),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value,
        }
    }

    /// For whom it was cut.
    pub fn audience(&self) -> Audience {
        self.audience
    }

    /// How many values were longer than [`LONGEST`].
    pub fn cut(&self) -> u32 {
        self.cut
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

/// The text up to `most` bytes, ending at a character's end.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

fn shown(finding: &Finding, field: Field, form: Form, key: Option<&Key>) -> Option<Value> {
    let whole = value(field, finding);
    let pseudonym = |text: &str, domain| key.map(|key| key.pseudonym(domain, &finding.facts.tenant, text));
    match (form, whole.as_str()) {
        (Form::Plain, _) | (_, Some("")) => Some(whole),
        (Form::Person, Some(text)) => pseudonym(text, Domain::Person).map(Value::from),
        (Form::Recipient, Some(text)) => pseudonym(text, Domain::Recipient).map(Value::from),
        (Form::File, Some(text)) => key.map(|key| file_name(key, &finding.facts.tenant, text)).map(Value::from),
        (Form::Network, Some(text)) => network(text).map(Value::from),
        (Form::Person | Form::Recipient | Form::File | Form::Network, None) => None,
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
        F::Made => json!(finding.made),
        F::Changed => json!(finding.changed),
        F::Count => json!(finding.count),
        F::Bytes => json!(finding.bytes),
        F::Kind => json!(facts.kind),
        F::Preview => json!(facts.preview),
        F::Tenant => json!(facts.tenant),
        F::ActorId => json!(facts.actor_id.reveal()),
        F::ActorName => json!(facts.actor_name.reveal()),
        F::Address => json!(facts.address.reveal()),
        F::Resource => json!(facts.resource.reveal()),
        F::Origin => json!(facts.origin),
        F::OriginMethod => json!(facts.origin_method),
        F::OriginConfidence => json!(facts.origin_confidence),
        F::OriginSource => json!(facts.origin_source),
        F::Destination => json!(facts.destination),
        F::DestinationMethod => json!(facts.destination_method),
        F::DestinationConfidence => json!(facts.destination_confidence),
        F::DestinationSource => json!(facts.destination_source),
        F::Recipient => json!(facts.recipient.reveal()),
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
