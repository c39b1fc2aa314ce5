//! Prometheus Alertmanager, API v2: a finding as an alert. Labels tell one alert from another, so they hold what does not
//! change about a finding, and its severity; everything else is an annotation.
//!
//! A finding is an event and an alert is a state: the alert fires while its sender repeats it and ends by itself
//! afterwards, or at once when somebody takes the finding in hand.

use serde::Serialize;

use super::{Context, json, terms, utc};
use crate::deliver::{Field, Notice, Step};

/// How long an alert stays without being repeated, in multiples of the interval of repetition.
const PATIENCE: i64 = 4;

#[derive(Serialize)]
#[allow(non_snake_case)]
struct Alert<'a> {
    labels: Labels<'a>,
    annotations: Annotations<'a>,
    startsAt: String,
    endsAt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    generatorURL: Option<String>,
}

#[derive(Serialize)]
struct Labels<'a> {
    alertname: &'static str,
    severity: String,
    finding: &'a str,
    rule: &'a str,
    verdict: &'a str,
    kind: &'a str,
    origin: &'a str,
    destination: &'a str,
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<&'static str>,
}

#[derive(Serialize)]
struct Annotations<'a> {
    summary: String,
    notice: &'a str,
    records: String,
    bytes: String,
    first: String,
    last: String,
    evidence: String,
}

/// One alert as JSON. `now` is ms since the epoch, `repeat_ms` how often it is sent while it fires.
pub fn alert(notice: &Notice, context: &Context, now: i64, repeat_ms: i64) -> String {
    let view = &notice.view;
    let text = |field| view.text(field);
    let number = |field| view.number(field).unwrap_or(0);
    let country = |field| terms::country(text(field)).unwrap_or("ZZ");
    let ends = match notice.step {
        Step::Created | Step::Updated | Step::Repeated => now.saturating_add(repeat_ms.saturating_mul(PATIENCE)),
        Step::Acknowledged => now,
    };
    json::line(&Alert {
        labels: Labels {
            alertname: "CrossBorderDataFlow",
            severity: terms::severity(view).name().to_ascii_lowercase(),
            finding: text(Field::Id),
            rule: text(Field::Rule),
            verdict: text(Field::Verdict),
            kind: text(Field::Kind),
            origin: country(Field::Origin),
            destination: country(Field::Destination),
            tenant: text(Field::Tenant),
            test: notice.test.then_some("true"),
        },
        annotations: Annotations {
            summary: terms::headline(notice),
            notice: &notice.id,
            records: number(Field::Count).to_string(),
            bytes: number(Field::Bytes).to_string(),
            first: utc(number(Field::First)),
            last: utc(number(Field::Last)),
            evidence: context.evidence(text(Field::Record)),
        },
        // Alertmanager refuses an alert that ends before it starts, as a wrong clock could make one.
        startsAt: utc(number(Field::Made).min(ends)),
        endsAt: utc(ends),
        generatorURL: context.link_to(text(Field::Id)),
    })
}

/// The body of a request with several alerts.
pub fn alerts(each: &[String]) -> String {
    format!("[{}]", each.join(","))
}
