//! CloudEvents 1.0 in Kafka's binary content mode: attributes are headers, the OCSF event is the value, the finding's id is
//! the key, so that all notices of a finding keep their order.

use super::{Context, checkpoint, ocsf, utc};
use crate::deliver::{Field, Notice, Statement, Step};

/// A message for a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The finding's id.
    pub key: String,
    /// Names and values, ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// The OCSF event, JSON.
    pub value: String,
}

/// One notice. `ce_id` is the notice's id, by which a consumer drops repetitions.
pub fn event(notice: &Notice, context: &Context) -> Event {
    let view = &notice.view;
    let kind = match notice.step {
        Step::Created => "harbourwatch.finding.created.v1",
        Step::Updated | Step::Repeated => "harbourwatch.finding.updated.v1",
        Step::Acknowledged => "harbourwatch.finding.acknowledged.v1",
    };
    let key = view.text(Field::Id).to_owned();
    let headers = vec![
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", notice.id.clone()),
        ("ce_source", format!("urn:harbourwatch:{}", uri_part(view.text(Field::Tenant)))),
        ("ce_type", kind.to_owned()),
        ("ce_time", utc(view.number(Field::Changed).unwrap_or(0))),
        ("ce_subject", key.clone()),
        ("ce_dataschema", format!("https://schema.ocsf.io/{}/classes/data_security_finding", ocsf::VERSION)),
        ("content-type", "application/json".to_owned()),
    ];
    Event { key, headers, value: ocsf::event(notice, context) }
}

/// A signed checkpoint; the log's name is the key, so that they keep their order.
pub fn statement(statement: &Statement, context: &Context) -> Event {
    let headers = vec![
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", statement.id.clone()),
        ("ce_source", format!("urn:harbourwatch:log:{}", uri_part(&context.log))),
        ("ce_type", "harbourwatch.checkpoint.v1".to_owned()),
        ("ce_time", utc(statement.at)),
        ("ce_subject", "checkpoint".to_owned()),
        ("ce_dataschema", format!("https://schema.ocsf.io/{}/classes/base_event", ocsf::VERSION)),
        ("content-type", "application/json".to_owned()),
    ];
    Event { key: context.log.clone(), headers, value: checkpoint::event(statement, context) }
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
fn uri_part(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => part.push(char::from(byte)),
            other => part.push_str(&format!("%{other:02X}")),
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_cannot_leave_its_part_of_the_source() {
        assert_eq!(uri_part("ding:a/b\r\n字"), "ding%3Aa%2Fb%0D%0A%E5%AD%97");
    }
}
