//! RFC 5424 messages, framed by octet counting (RFC 6587 §3.4.1, RFC 5425 §4.3.1): `LEN SP MSG`, so that no value can end a
//! frame. No byte order mark stands before the message: parsers that look for `CEF:` would miss it.

use super::{Context, utc};
use crate::domain::verdict::Severity;

/// Facility of the messages: log audit (RFC 5424 §6.2.1).
const FACILITY: u8 = 13;

/// Longest host name in the header (RFC 5424 §6).
const HOST: usize = 255;

/// A framed message. `at` is ms since the epoch; `id` becomes the message's id in the structured data.
pub fn frame(severity: Severity, at: i64, id: &str, text: &str, context: &Context) -> Vec<u8> {
    let priority = FACILITY * 8 + level(severity);
    let time = utc(at);
    let time = if time.is_empty() { "-" } else { &time };
    let host = printable(&context.host, HOST);
    // MSGID is cut at 32 characters, so the whole id stands in the structured data (enterprise number for documentation).
    let line = format!("<{priority}>1 {time} {host} harbourwatch - finding [notice@32473 id=\"{}\"] {text}", value(id));
    let mut frame = format!("{} ", line.len()).into_bytes();
    frame.extend_from_slice(line.as_bytes());
    frame
}

/// Printable US-ASCII without space, `-` for nothing.
fn printable(text: &str, most: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

/// A parameter's value: `"`, `\` and `]` escaped (RFC 5424 §6.3.3).
fn value(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '"' | '\\' | ']') {
            value.push('\\');
        }
        super::plain::push(&mut value, char);
    }
    value
}

fn level(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 2,
        Severity::High => 3,
        Severity::Medium => 4,
        Severity::Low => 5,
        Severity::Info => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_counts_its_octets_and_keeps_its_header_clean() {
        let context = Context { host: "a host\nof 字".into(), ..Context::default() };
        let frame = frame(Severity::High, 1_795_397_400_000, "a\"]\\.1\n", "CEF:0|字\u{0}", &context);
        let text = String::from_utf8(frame).unwrap();
        let (length, line) = text.split_once(' ').unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), line.len());
        assert_eq!(
            line,
            "<107>1 2026-11-23T01:30:00.000Z ahostof harbourwatch - finding [notice@32473 id=\"a\\\"\\]\\\\.1␊\"] CEF:0|字\0"
        );
        let nameless = super::frame(Severity::Info, i64::MAX, "x", "y", &Context::default());
        assert!(String::from_utf8(nameless).unwrap().contains("<110>1 - - harbourwatch - finding "));
    }
}
