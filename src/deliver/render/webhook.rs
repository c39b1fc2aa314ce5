//! Standard Webhooks 1.0.0: `{type, timestamp, data}`, signed by HMAC-SHA256 over `id.timestamp.body`. Several secrets give
//! several signatures, so a secret can be replaced without a gap.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::Sha256;

use super::{Context, checkpoint, finding, json, ocsf, utc};
use crate::deliver::{Field, Notice, Statement, Step};

/// Bytes that a secret has, at least and at most (Standard Webhooks 1.0.0, "Signature scheme").
const SECRET: std::ops::RangeInclusive<usize> = 24..=64;

/// A signing secret. Never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Secret {
    /// Reads `whsec_<base64>` of 24 to 64 bytes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?;
        SECRET.contains(&bytes.len()).then_some(Self(bytes))
    }

    fn sign(&self, content: &str) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(content.as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// The value of `webhook-signature`; `seconds` is that of `webhook-timestamp`.
pub fn signatures(secrets: &[Secret], id: &str, seconds: i64, body: &str) -> String {
    let content = format!("{id}.{seconds}.{body}");
    let signed: Vec<_> = secrets.iter().filter_map(|secret| secret.sign(&content)).collect();
    signed.join(" ")
}

/// What stands in `data`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Data {
    /// The finding in harbourwatch's own form.
    #[default]
    Finding,
    /// An OCSF event.
    Ocsf,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Option<&'a RawValue>,
}

/// The body of a notice.
pub fn body(notice: &Notice, context: &Context, data: Data) -> String {
    let kind = match (notice.test, notice.step) {
        (true, _) => "harbourwatch.test",
        (false, Step::Created) => "harbourwatch.finding.created",
        (false, Step::Updated | Step::Repeated) => "harbourwatch.finding.updated",
        (false, Step::Acknowledged) => "harbourwatch.finding.acknowledged",
    };
    let data = match data {
        Data::Finding => finding::json_line(&notice.id, &notice.view),
        Data::Ocsf => ocsf::event(notice, context),
    };
    let data = RawValue::from_string(data).ok();
    let timestamp = utc(notice.view.number(Field::Changed).or(notice.view.number(Field::Made)).unwrap_or(0));
    json::line(&Body { r#type: kind, timestamp, data: data.as_deref() })
}

/// The body of a signed checkpoint.
pub fn statement_body(statement: &Statement, context: &Context, data: Data) -> String {
    let data = match data {
        Data::Finding => checkpoint::own(statement, context),
        Data::Ocsf => checkpoint::event(statement, context),
    };
    let data = RawValue::from_string(data).ok();
    json::line(&Body { r#type: "harbourwatch.checkpoint", timestamp: utc(statement.at), data: data.as_deref() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the specification's own example of a secret; the signature is what the reference library for Python gives.
    #[test]
    fn signatures_are_those_of_the_reference() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        let signed = signatures(&[secret.clone(), secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        let one = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed, format!("{one} {one}"));
    }

    #[test]
    fn a_secret_has_its_size_and_prints_nothing() {
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!"] {
            assert_eq!(Secret::parse(text), None, "{text}");
        }
        assert_eq!(format!("{:?}", Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()), "[secret]");
    }
}
