//! What may be said of a finding, as the record says it. Nothing is looked up here that the record does not show.

use compact_str::CompactString;

use super::report::{Facts, Name};
use super::shape::RecordView;
use super::view::LegView;
use crate::domain::event::Personal;

/// Of an event and a leg as shown, without the gap in a principle.
pub(super) fn of(record: &RecordView<'_>, leg: &LegView<'_>) -> Facts {
    let RecordView { actor, data, .. } = record;
    let (origin, destination, recipient, decision) = (&leg.origin, &leg.destination, &leg.recipient, &leg.decision);
    let text = |text: &str| CompactString::from(text);
    let personal = |text: &str| Personal::new(text.into());
    let categories = data.categories.union(data.suggested);
    Facts {
        tenant: text(record.tenant),
        actor_id: Personal::new(actor.id.0.text()),
        actor_name: personal(actor.name),
        address: personal(actor.address),
        resource: personal(data.resource),
        kind: leg.kind.into(),
        preview: leg.preview,
        origin: origin.words(),
        origin_method: origin.method.into(),
        origin_confidence: origin.confidence.into(),
        origin_source: text(&origin.source),
        destination: destination.words(),
        destination_method: destination.method.into(),
        destination_confidence: destination.confidence.into(),
        destination_source: text(&destination.source),
        recipient: personal(recipient.name),
        recipient_role: if recipient.tie == "same entity" { recipient.tie } else { recipient.role }.into(),
        verdict: decision.verdict.into(),
        rule: decision.rule.into(),
        possible: decision.possible.iter().map(|one| one.name().into()).collect(),
        safeguard: decision.safeguard.map(text),
        failed_condition: decision.failed.map(Name::from),
        policy_rule: decision.policy_rule.map(text),
        tags: decision.tags.iter().map(|tag| tag.name().into()).collect(),
        categories: categories.iter().map(|category| category.name().into()).collect(),
        item: text(data.item),
        subjects: data.subjects,
        binding: decision.binding,
        gap: None,
        record: text(record.id),
    }
}
