//! A letter for a Microsoft Teams workflow ("When a Teams webhook request is received"): a message with an Adaptive Card.
//! Text stands in runs of rich text blocks, which know no markup.

use serde_json::{Value, json};

use super::{Part, Sheet};
use crate::domain::verdict::Severity;

/// Largest message, in bytes; Teams refuses more than 28 KB.
const MOST: usize = 26_000;

/// The body of the request.
pub fn message(sheets: &[Sheet]) -> Value {
    let body: Vec<Value> = sheets.iter().flat_map(blocks).collect();
    let whole = wrap(&body);
    if whole.to_string().len() <= MOST { whole } else { wrap(&fitted(&body)) }
}

fn wrap(body: &[Value]) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": body,
            },
        }],
    })
}

/// The blocks that fit, and how many do not.
fn fitted(body: &[Value]) -> Vec<Value> {
    let mut size = 1_000;
    let mut kept: Vec<Value> = Vec::new();
    for block in body {
        size += block.to_string().len() + 1;
        if size > MOST {
            break;
        }
        kept.push(block.clone());
    }
    let left = body.len() - kept.len();
    kept.push(rich([run(&format!("… (+{left})"), false)]));
    kept
}

fn blocks(sheet: &Sheet) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some((severity, words)) = sheet.severity {
        blocks.push(json!({
            "type": "RichTextBlock",
            "inlines": [{
                "type": "TextRun", "text": words, "weight": "Bolder", "color": colour(severity), "size": "Medium",
            }],
        }));
    }
    blocks.push(json!({
        "type": "RichTextBlock",
        "inlines": [{ "type": "TextRun", "text": sheet.title, "weight": "Bolder", "size": "Large" }],
    }));
    blocks.extend(sheet.asks.iter().map(|ask| rich([run(ask, true)])));
    blocks.extend(sheet.parts.iter().flat_map(part));
    blocks.extend(sheet.foot.iter().map(|line| {
        json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": line, "isSubtle": true, "size": "Small" }] })
    }));
    blocks
}

fn part(part: &Part) -> Vec<Value> {
    let head = |heading: &str| (!heading.is_empty()).then(|| rich([run(heading, true)]));
    match part {
        Part::Rows { heading, rows, .. } => {
            let row = |line: &super::Line| rich([run(&format!("{}: ", line.label), true), run(&line.value, false)]);
            head(heading).into_iter().chain(rows.iter().map(row)).collect()
        }
        Part::Table { heading, head: names, rows } => {
            let cell =
                |(name, value): (&String, &String)| [run(&format!("{name} "), false), run(&format!("{value}  "), true)];
            let row = |row: &Vec<String>| rich(names.iter().zip(row).flat_map(cell));
            head(heading).into_iter().chain(rows.iter().map(row)).collect()
        }
        Part::Lines { heading, lines } => {
            let line = |item: &super::Item| rich([run(&format!("• {}", item.with_link()), false)]);
            head(heading).into_iter().chain(lines.iter().map(line)).collect()
        }
        Part::Verbatim { heading, text } => {
            let line = |line| rich([run(line, false)]);
            let lines = text.lines().filter(|line| !line.is_empty()).map(line);
            head(heading).into_iter().chain(lines).collect()
        }
    }
}

fn rich(runs: impl IntoIterator<Item = Value>) -> Value {
    json!({ "type": "RichTextBlock", "inlines": runs.into_iter().collect::<Vec<_>>() })
}

fn run(text: &str, bold: bool) -> Value {
    json!({ "type": "TextRun", "text": text, "weight": if bold { "Bolder" } else { "Default" } })
}

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "Attention",
        Severity::Medium => "Warning",
        Severity::Low => "Accent",
        Severity::Info => "Default",
    }
}
