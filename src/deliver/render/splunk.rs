//! Splunk HTTP Event Collector: the OCSF event in an envelope. Several envelopes follow each other in one request.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Context, checkpoint, json, ocsf};
use crate::deliver::{Field, Notice, Statement};

/// How events are filed at the receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filing {
    /// Index; `None` for the token's default.
    pub index: Option<String>,
    /// Source type.
    pub sourcetype: String,
}

#[derive(Serialize)]
struct Envelope<'a> {
    time: f64,
    host: &'a str,
    source: &'static str,
    sourcetype: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a str>,
    event: Option<&'a RawValue>,
}

/// One envelope, one line, without line end.
pub fn envelope(notice: &Notice, context: &Context, filing: &Filing) -> String {
    wrapped(ocsf::event(notice, context), notice.view.number(Field::Changed).unwrap_or(0), context, filing)
}

/// The envelope of a signed checkpoint.
pub fn statement(statement: &Statement, context: &Context, filing: &Filing) -> String {
    wrapped(checkpoint::event(statement, context), statement.at, context, filing)
}

fn wrapped(event: String, at: i64, context: &Context, filing: &Filing) -> String {
    // Our own JSON is always JSON.
    let event = RawValue::from_string(event).ok();
    json::line(&Envelope {
        time: at as f64 / 1_000.0,
        host: &context.host,
        source: "harbourwatch",
        sourcetype: &filing.sourcetype,
        index: filing.index.as_deref(),
        event: event.as_deref(),
    })
}
