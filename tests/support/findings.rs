//! Invented findings: one of each verdict, one whose every value is hostile, one whose personal values are marked.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use compact_str::CompactString;
use harbourwatch::domain::event::Personal;
use harbourwatch::domain::finding::FindingKey;
use harbourwatch::domain::verdict::{Severity, Verdict};
use harbourwatch::outbox::Finding;
use harbourwatch::pipeline::report::{Facts, FindingDelta};

/// 23 November 2026, 09:30 in Hong Kong: the start of a window.
pub(crate) const MORNING: i64 = 1_795_397_400_000;

pub(crate) fn sealed(value: &str) -> Personal<CompactString> {
    Personal::new(value.into())
}

pub(crate) fn facts(verdict: Verdict) -> Facts {
    Facts {
        tenant: "harbour-trading".into(),
        actor_id: sealed("0123"),
        actor_name: sealed("Chan Siu Ming"),
        address: sealed("203.0.113.7"),
        resource: sealed("payroll-2026.xlsx"),
        kind: "upload".into(),
        preview: false,
        origin: "HK".into(),
        origin_method: "ip".into(),
        origin_confidence: "medium".into(),
        origin_source: "example-city 2026-11-01".into(),
        destination: "SG".into(),
        destination_method: "region_enum".into(),
        destination_confidence: "high".into(),
        destination_source: "ap-southeast-1".into(),
        recipient: sealed("Alpha Cloud Pte Ltd"),
        recipient_role: "processor".into(),
        verdict: verdict.name().into(),
        rule: "R8".into(),
        possible: Vec::new(),
        safeguard: None,
        failed_condition: None,
        policy_rule: None,
        tags: vec!["outbound".into()],
        categories: vec!["financial".into(), "employment".into()],
        item: "payroll".into(),
        subjects: Some(1_200),
        binding: true,
        gap: Some("dpp2_processor".into()),
        record: "5f1c0e9a77d2430bb6a8e012".into(),
    }
}

pub(crate) fn delta_of(actor: &str, kind: &'static str, verdict: Verdict, window: i64, n: u64) -> FindingDelta {
    let key = FindingKey {
        tenant: "harbour-trading".into(),
        subject: actor.into(),
        destination: "SG".into(),
        kind,
        recipient: "alpha-cloud".into(),
        rule: "R8",
        verdict: verdict.name(),
        window,
    };
    FindingDelta {
        id: key.id(),
        series: key.series(),
        key,
        severity: Severity::Medium,
        count: n,
        bytes: 10 * n,
        first: window,
        last: window,
        facts: Arc::new(facts(verdict)),
    }
}

pub(crate) fn finding(verdict: Verdict) -> Finding {
    let delta = delta_of("0123", "upload", verdict, MORNING, 12);
    Finding {
        id: "3f2a9c0d11e84b7a96c5d204".into(),
        series: delta.series.into(),
        window: MORNING,
        destination: "SG".into(),
        severity: severity(verdict),
        base: severity(verdict),
        bulk: false,
        count: 12,
        bytes: 4_194_304,
        first: MORNING,
        last: MORNING + 61_000,
        revision: 2,
        made: MORNING + 90_000,
        changed: MORNING + 95_000,
        facts: facts(verdict),
    }
}

pub(crate) fn severity(verdict: Verdict) -> Severity {
    match verdict {
        Verdict::Prohibited => Severity::Critical,
        Verdict::Uncovered => Severity::High,
        Verdict::Defect => Severity::Medium,
        Verdict::Undetermined => Severity::Low,
        Verdict::Covered | Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => {
            Severity::Info
        }
    }
}

/// A typical finding of each verdict.
pub(crate) fn sample(verdict: Verdict) -> Finding {
    let mut sample = finding(verdict);
    let facts = &mut sample.facts;
    facts.binding = matches!(verdict, Verdict::Uncovered);
    facts.tags.clear();
    match verdict {
        Verdict::Prohibited => {
            (facts.policy_rule, facts.rule) = (Some("no-onward-from-gba".into()), "R5".into());
            facts.tags.push("outbound".into());
            sample.bulk = true;
        }
        Verdict::Uncovered => {
            (facts.failed_condition, facts.rule) = (Some("dpp2_processor".into()), "R8".into());
        }
        Verdict::Defect => {
            (facts.origin, facts.origin_source) = ("JP".into(), "example-city 2026-11-01".into());
            facts.destination = "CN (outside Guangdong)".into();
            facts.destination_source = "example-city 2026-11-01".into();
            (facts.destination_method, facts.destination_confidence) = ("ip".into(), "low".into());
            (facts.safeguard, facts.failed_condition) = (Some("gba-2026-01".into()), Some("place".into()));
            (facts.recipient, facts.recipient_role) = (sealed("Harbour Trading (Shenzhen) Ltd"), "data user".into());
            facts.tags.push("foreign_hk_controlled".into());
        }
        Verdict::Undetermined => {
            (facts.destination, facts.destination_method) = ("unknown (opaque)".into(), "site".into());
            facts.destination_confidence = "none".into();
            facts.possible = vec!["UNCOVERED".into(), "DOMESTIC".into()];
            facts.rule = "R9".into();
            facts.failed_condition = Some("dpp2_processor".into());
            (facts.binding, facts.tags) = (true, vec!["outbound".into()]);
        }
        Verdict::Covered => {
            (facts.safeguard, facts.rule) = (Some("alpha-cloud-rmc".into()), "R7".into());
            facts.tags.push("expiring".into());
        }
        Verdict::Inbound => {
            (facts.origin, facts.destination, facts.rule) =
                ("CN (Shenzhen, Guangdong)".into(), "HK".into(), "R4".into());
            facts.tags.push("cn_export".into());
        }
        Verdict::Domestic => (facts.destination, facts.rule) = ("HK".into(), "R3".into()),
        Verdict::NoHkNexus => (facts.origin, facts.rule) = ("JP".into(), "R2".into()),
        Verdict::OutOfScope => (facts.categories, facts.rule) = (Vec::new(), "R1".into()),
    }
    sample
}

pub(crate) const HOSTILE: &str =
    "a\u{1b}[2J\u{1b}]0;x\u{7}\r\n[CRITICAL] fake\u{202e}gpj\u{2066}\u{9b}31m\u{2028}\0\u{7f}{}b";

pub(crate) fn hostile() -> Finding {
    let mut hostile = finding(Verdict::Uncovered);
    let facts = &mut hostile.facts;
    let values = [
        &mut facts.tenant,
        &mut facts.origin,
        &mut facts.origin_source,
        &mut facts.destination,
        &mut facts.destination_source,
        &mut facts.item,
        &mut facts.record,
    ];
    values.into_iter().for_each(|value| *value = HOSTILE.into());
    let names = [
        &mut facts.kind,
        &mut facts.origin_method,
        &mut facts.origin_confidence,
        &mut facts.destination_method,
        &mut facts.recipient_role,
        &mut facts.rule,
    ];
    names.into_iter().for_each(|name| *name = HOSTILE.into());
    let personal =
        [&mut facts.actor_id, &mut facts.actor_name, &mut facts.address, &mut facts.resource, &mut facts.recipient];
    personal.into_iter().for_each(|value| *value = sealed(HOSTILE));
    facts.safeguard = Some(HOSTILE.into());
    facts.failed_condition = Some(HOSTILE.into());
    facts.policy_rule = Some(HOSTILE.into());
    facts.possible = vec![HOSTILE.into()];
    facts.categories = vec![HOSTILE.into()];
    hostile
}

pub(crate) fn acts(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
