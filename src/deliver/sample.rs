//! An invented finding, by which an operator tries a channel for machines. People get a letter that has none.

use compact_str::CompactString;
use sha2::{Digest as _, Sha256};

use crate::domain::event::Personal;
use crate::domain::hex::hex;
use crate::domain::verdict::{Severity, Verdict};
use crate::outbox::Finding;
use crate::pipeline::report::Facts;

/// A finding that nobody made, of the moment `now` (ms since the epoch); its id is another at every moment, so that no
/// receiver takes it for a repetition.
pub fn finding(now: i64) -> Finding {
    let id = |what: &str| hex(Sha256::digest(format!("harbourwatch test {what} {now}")).get(..12).unwrap_or_default());
    Finding {
        id: id("finding"),
        series: id("series"),
        window: now,
        destination: "SG".to_owned(),
        severity: Severity::Low,
        base: Severity::Low,
        bulk: false,
        count: 1,
        bytes: 0,
        first: now,
        last: now,
        revision: 1,
        made: now,
        changed: now,
        facts: facts(id("record").into()),
    }
}

fn facts(record: CompactString) -> Facts {
    let personal = |text: &str| Personal::new(text.into());
    Facts {
        tenant: "test".into(),
        actor_id: personal("test-user"),
        actor_name: personal("Test User"),
        address: personal("192.0.2.1"),
        resource: personal("harbourwatch-test.txt"),
        kind: "upload".into(),
        preview: false,
        origin: "HK".into(),
        origin_method: "ip".into(),
        origin_confidence: "low".into(),
        origin_source: "test".into(),
        destination: "SG".into(),
        destination_method: "host".into(),
        destination_confidence: "low".into(),
        destination_source: "test".into(),
        recipient: personal("harbourwatch test"),
        recipient_role: "unknown".into(),
        verdict: Verdict::Undetermined.name().into(),
        rule: "R9".into(),
        possible: Vec::new(),
        safeguard: None,
        failed_condition: None,
        policy_rule: None,
        tags: Vec::new(),
        categories: Vec::new(),
        item: CompactString::default(),
        subjects: None,
        binding: false,
        gap: None,
        record,
    }
}
