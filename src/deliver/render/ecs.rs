//! Elastic Common Schema, one JSON object. Fields that ECS does not have are under `harbourwatch.`; the pseudonym of a person
//! is `user.hash`, never `user.name`.

use serde_json::{Value, json};

use super::{Context, json, terms, utc};
use crate::deliver::{Audience, Field, Notice, Step, View};
use crate::domain::verdict::Severity;

/// Version of ECS that fields are taken from.
pub const VERSION: &str = "8.17.0";

/// One document, one line, without line end.
pub fn document(notice: &Notice, context: &Context) -> String {
    let mut pairs = pairs(notice, context);
    pairs.retain(|(_, value)| !is_void(value));
    pairs.sort_by_key(|(path, _)| *path);
    let mut out = String::with_capacity(1_536);
    nest(&pairs, 0, &mut out);
    json::escape(&out)
}

fn pairs(notice: &Notice, context: &Context) -> Vec<(&'static str, Value)> {
    let view = &notice.view;
    let mut pairs = event(notice, context);
    pairs.extend(ends(view));
    pairs.extend(subject(view));
    let own = [
        ("harbourwatch.finding.id", Field::Id),
        ("harbourwatch.finding.series", Field::Series),
        ("harbourwatch.finding.revision", Field::Revision),
        ("harbourwatch.finding.count", Field::Count),
        ("harbourwatch.finding.bytes", Field::Bytes),
        ("harbourwatch.finding.bulk", Field::Bulk),
        ("harbourwatch.verdict", Field::Verdict),
        ("harbourwatch.possible", Field::Possible),
        ("harbourwatch.binding", Field::Binding),
        ("harbourwatch.flow.kind", Field::Kind),
        ("harbourwatch.flow.preview", Field::Preview),
        ("harbourwatch.flow.origin", Field::Origin),
        ("harbourwatch.flow.destination", Field::Destination),
        ("harbourwatch.flow.remarks", Field::Tags),
        ("harbourwatch.recipient.role", Field::RecipientRole),
        ("harbourwatch.safeguard.id", Field::Safeguard),
        ("harbourwatch.safeguard.failed_condition", Field::FailedCondition),
        ("harbourwatch.policy_rule", Field::PolicyRule),
        ("harbourwatch.data.categories", Field::Categories),
        ("harbourwatch.data.item", Field::Item),
        ("harbourwatch.data.subjects", Field::Subjects),
    ];
    pairs.extend(own.into_iter().filter_map(|(path, field)| Some((path, view.get(field)?.clone()))));
    pairs
}

fn event(notice: &Notice, context: &Context) -> Vec<(&'static str, Value)> {
    let view = &notice.view;
    let time = |field| view.number(field).map(utc);
    let record = view.text(Field::Record);
    let evidence = if record.is_empty() { String::new() } else { context.evidence(record) };
    let action = match notice.step {
        Step::Created => "finding-created",
        Step::Updated => "finding-updated",
        Step::Repeated => "finding-repeated",
        Step::Acknowledged => "finding-acknowledged",
    };
    vec![
        ("@timestamp", json!(time(Field::Changed))),
        ("ecs.version", json!(VERSION)),
        ("message", json!(terms::headline(notice))),
        ("tags", if notice.test { json!(["test"]) } else { Value::Null }),
        ("event.kind", json!("alert")),
        ("event.category", json!(["file"])),
        ("event.type", json!(["info"])),
        ("event.module", json!("harbourwatch")),
        ("event.dataset", json!("harbourwatch.finding")),
        ("event.provider", json!("DingTalk audit")),
        ("event.action", json!(action)),
        ("event.id", json!(notice.id)),
        ("event.severity", json!(severity(terms::severity(view)))),
        ("event.risk_score", json!(severity(terms::severity(view)))),
        ("event.created", json!(time(Field::Made))),
        ("event.start", json!(time(Field::First))),
        ("event.end", json!(time(Field::Last))),
        ("event.reference", json!(context.link_to(view.text(Field::Id)))),
        ("rule.id", json!(view.text(Field::Rule))),
        ("rule.name", json!(terms::headline(notice))),
        ("rule.ruleset", json!("harbourwatch")),
        ("rule.version", json!(env!("CARGO_PKG_VERSION"))),
        ("observer.hostname", json!(context.host)),
        ("observer.product", json!("harbourwatch")),
        ("organization.id", json!(view.text(Field::Tenant))),
        ("harbourwatch.evidence", json!(evidence)),
    ]
}

fn ends(view: &View) -> Vec<(&'static str, Value)> {
    let address = |method| if terms::is_by_address(view, method) { valid_ip(view.text(Field::Address)) } else { None };
    let (source, destination) = (address(Field::OriginMethod), address(Field::DestinationMethod));
    vec![
        ("source.ip", json!(source)),
        ("destination.ip", json!(destination)),
        ("source.geo.country_iso_code", json!(terms::country(view.text(Field::Origin)))),
        ("destination.geo.country_iso_code", json!(terms::country(view.text(Field::Destination)))),
        ("related.ip", json!(source.or(destination).map(|ip| [ip]))),
    ]
}

fn subject(view: &View) -> Vec<(&'static str, Value)> {
    let (id, file) = (view.text(Field::ActorId), view.text(Field::Resource));
    let mut pairs = vec![
        ("file.name", json!(file)),
        ("file.extension", json!(crate::deliver::pseudonym::extension(file))),
        ("harbourwatch.recipient.name", json!(view.text(Field::Recipient))),
    ];
    match view.audience() {
        Audience::Officer => {
            pairs.extend([("user.id", json!(id)), ("user.full_name", json!(view.text(Field::ActorName)))]);
        }
        Audience::Soc => pairs.push(("user.hash", json!(id))),
        Audience::Chat => {}
    }
    if !id.is_empty() {
        pairs.push(("related.user", json!([id])));
    }
    pairs
}

fn valid_ip(text: &str) -> Option<&str> {
    text.parse::<std::net::IpAddr>().is_ok().then_some(text)
}

fn is_void(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty)
}

/// 0 to 100, as Elastic's own detection rules have it.
fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 21,
        Severity::Medium => 47,
        Severity::High => 73,
        Severity::Critical => 99,
    }
}

/// Writes sorted dotted paths as nested objects; `depth` parts of each path are written already. Built by hand because the
/// order of keys in a map of serde_json hangs on features that other crates choose.
fn nest(pairs: &[(&'static str, Value)], depth: usize, out: &mut String) {
    out.push('{');
    let mut rest = pairs;
    while let Some((path, value)) = rest.first() {
        if rest.len() < pairs.len() {
            out.push(',');
        }
        let key = path.split('.').nth(depth).unwrap_or_default();
        let same = rest.iter().take_while(|(path, _)| path.split('.').nth(depth) == Some(key)).count();
        let (group, left) = rest.split_at(same.max(1));
        // keys are our own and need no escape
        out.push_str(&format!("\"{key}\":"));
        if path.split('.').count() == depth + 1 {
            out.push_str(&value.to_string());
        } else {
            nest(group, depth + 1, out);
        }
        rest = left;
    }
    out.push('}');
}
