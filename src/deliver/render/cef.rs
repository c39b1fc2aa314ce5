//! ArcSight Common Event Format, version 0. Everything from outside is escaped and bounded: a value can neither end its field
//! nor begin another, and no control or direction character gets through.
//!
//! In the header `\` and `|` are escaped, in extension values `\` and `=`; line ends in values become `\n` and `\r`.

use super::plain;
use super::{Context, terms};
use crate::deliver::view::cut;
use crate::deliver::{Field, Notice, View};
use crate::domain::verdict::Severity;

/// Longest name in the header, in bytes.
const NAME: usize = 512;

/// Longest message and custom string, in bytes.
const STRING: usize = 1_023;

/// Longest value of any other field, in bytes.
const OTHER: usize = 255;

/// Longest line, in bytes: receivers of syslog should take 8,192 (RFC 5425 §4.3.1), header included.
const LONGEST: usize = 7_600;

/// A line, and how many of its values were cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line without line end.
    pub text: String,
    /// Values that were longer than their field.
    pub cut: u32,
}

/// One notice as CEF.
pub fn line(notice: &Notice, context: &Context) -> Line {
    let view = &notice.view;
    let mut line = Line { text: String::with_capacity(1_024), cut: view.cut() };
    let (name, severity) = (terms::headline(notice), severity(terms::severity(view)).to_string());
    line.text.push_str("CEF:0|");
    for part in ["harbourwatch", "harbourwatch", env!("CARGO_PKG_VERSION"), view.text(Field::Rule), &name, &severity] {
        line.push_escaped(part, NAME, '|');
        line.text.push('|');
    }
    for (key, value, most) in fields(notice, context) {
        line.push_pair(key, &value, most);
    }
    line.text.truncate(line.text.trim_end_matches(' ').len());
    line
}

fn fields(notice: &Notice, context: &Context) -> Vec<(&'static str, String, usize)> {
    let view = &notice.view;
    let text = |field| view.text(field).to_owned();
    let number = |field| view.number(field).map(|number| number.to_string()).unwrap_or_default();
    let address = |method| if terms::is_by_address(view, method) { text(Field::Address) } else { String::new() };
    let mut fields = vec![
        ("externalId", notice.id.clone(), OTHER),
        ("rt", number(Field::Changed), OTHER),
        ("start", number(Field::First), OTHER),
        ("end", number(Field::Last), OTHER),
        ("cnt", number(Field::Count), OTHER),
        ("act", text(Field::Kind), OTHER),
        ("cat", text(Field::Verdict), OTHER),
        ("app", "DingTalk".to_owned(), OTHER),
        ("src", address(Field::OriginMethod), OTHER),
        ("dst", address(Field::DestinationMethod), OTHER),
        ("suid", text(Field::ActorId), OTHER),
        ("suser", text(Field::ActorName), OTHER),
        ("duid", text(Field::Recipient), OTHER),
        ("fname", text(Field::Resource), OTHER),
        ("msg", terms::headline(notice), STRING),
        ("deviceExternalId", context.host.clone(), OTHER),
    ];
    fields.extend(custom(view, context));
    fields.retain(|(_, value, _)| !value.is_empty());
    fields
}

/// Custom fields: each value with its label.
fn custom(view: &View, context: &Context) -> Vec<(&'static str, String, usize)> {
    let place = |field| {
        let shown = view.text(field);
        terms::country(shown).unwrap_or(shown).to_owned()
    };
    let record = view.text(Field::Record);
    let evidence = if record.is_empty() { String::new() } else { context.evidence(record) };
    let law = [terms::in_force(view).join(","), terms::recommended(view).join(",")].join(";");
    let strings = [
        ("cs1", "cs1Label", "originCountry", place(Field::Origin)),
        ("cs2", "cs2Label", "destinationCountry", place(Field::Destination)),
        ("cs3", "cs3Label", "verdict", view.text(Field::Verdict).to_owned()),
        ("cs4", "cs4Label", "policyRule", view.text(Field::PolicyRule).to_owned()),
        ("cs5", "cs5Label", "evidence", evidence),
        ("cs6", "cs6Label", "inForceThenRecommended", law),
        ("flexString1", "flexString1Label", "findingId", view.text(Field::Id).to_owned()),
        ("cn1", "cn1Label", "confidence", terms::confidence(view).to_string()),
        ("cn2", "cn2Label", "bytes", view.number(Field::Bytes).map(|bytes| bytes.to_string()).unwrap_or_default()),
    ];
    let filled = strings.into_iter().filter(|(_, _, _, value)| !value.is_empty() && value != ";");
    let pair = |(key, label_key, label, value): (&'static str, &'static str, &str, String)| {
        [(key, value, STRING), (label_key, label.to_owned(), STRING)]
    };
    filled.flat_map(pair).collect()
}

impl Line {
    /// A pair with a space after it, unless it would make the line longer than receivers take.
    fn push_pair(&mut self, key: &str, value: &str, most: usize) {
        let before = self.text.len();
        self.text.push_str(key);
        self.text.push('=');
        self.push_escaped(value, most, '=');
        self.text.push(' ');
        if self.text.len() > LONGEST {
            self.text.truncate(before);
            self.cut += 1;
        }
    }

    /// A value that ends neither the line nor its field, which `mark` would.
    fn push_escaped(&mut self, value: &str, most: usize, mark: char) {
        let fitted = cut(value, most);
        self.cut += u32::from(fitted.len() < value.len());
        let mut shown = String::with_capacity(fitted.len());
        for char in fitted.chars() {
            match char {
                '\n' | '\r' if mark == '|' => shown.push(' '),
                '\n' | '\r' => shown.push(char),
                other => plain::push(&mut shown, other),
            }
        }
        for char in shown.chars() {
            match char {
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\\' => self.text.push_str("\\\\"),
                char if char == mark => self.text.extend(['\\', char]),
                char => self.text.push(char),
            }
        }
    }
}

/// 0 to 10.
fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 3,
        Severity::Medium => 5,
        Severity::High => 8,
        Severity::Critical => 10,
    }
}
