//! A letter for a Slack incoming webhook (Block Kit). All text is `plain_text`, which Slack shows as it is: no mention, no
//! link and no markup can come of a value.

use serde_json::{Value, json};

use super::{Part, Sheet};
use crate::deliver::view::cut;

/// Longest text of a section, in bytes; Slack counts 3,000 characters ("Reference: Layout blocks").
const SECTION: usize = 2_900;

/// Longest text of a header, in bytes; Slack counts 150 characters.
const HEADER: usize = 140;

/// Most blocks of a message.
const BLOCKS: usize = 50;

/// The body of the request.
pub fn message(sheets: &[Sheet]) -> Value {
    let fallback = sheets.first().map(|sheet| sheet.title.clone()).unwrap_or_default();
    let mut blocks: Vec<Value> = sheets.iter().flat_map(blocks).collect();
    if blocks.len() > BLOCKS {
        let left = blocks.len() - (BLOCKS - 1);
        blocks.truncate(BLOCKS - 1);
        blocks.push(section(&format!("… (+{left})")));
    }
    json!({ "text": escape(&fallback), "blocks": blocks })
}

fn blocks(sheet: &Sheet) -> Vec<Value> {
    let severity = sheet.severity.map(|(_, words)| format!("[{words}] ")).unwrap_or_default();
    let title = format!("{severity}{}", sheet.title);
    let mut blocks = vec![json!({ "type": "header", "text": text(cut(&title, HEADER)) })];
    if title.len() > HEADER {
        blocks.push(section(&title));
    }
    blocks.push(section(&sheet.asks.join("\n")));
    blocks.extend(sheet.parts.iter().flat_map(part));
    let foot = sheet.foot.join("\n");
    blocks.push(json!({ "type": "context", "elements": [text(cut(&foot, SECTION))] }));
    blocks.push(json!({ "type": "divider" }));
    blocks
}

fn part(part: &Part) -> Vec<Value> {
    let (heading, lines) = match part {
        Part::Rows { heading, rows, .. } => {
            (heading, rows.iter().map(|line| format!("{}: {}", line.label, line.value)).collect())
        }
        Part::Table { heading, head, rows } => {
            let cell = |(name, value): (&String, &String)| format!("{name} {value}");
            let row = |row: &Vec<String>| head.iter().zip(row).map(cell).collect::<Vec<_>>().join(" · ");
            (heading, rows.iter().map(row).collect())
        }
        Part::Lines { heading, lines } => {
            (heading, lines.iter().map(|item| format!("• {}", item.with_link())).collect())
        }
        Part::Verbatim { heading, text } => (heading, vec![text.trim_end().to_owned()]),
    };
    sections(heading, lines)
}

/// As many sections as the lines need.
fn sections(heading: &str, lines: Vec<String>) -> Vec<Value> {
    let mut texts = vec![heading.to_owned()];
    for line in lines {
        match texts.last_mut() {
            Some(last) if last.len() + line.len() < SECTION => {
                if !last.is_empty() {
                    last.push('\n');
                }
                last.push_str(&line);
            }
            Some(_) | None => texts.push(line),
        }
    }
    texts.iter().filter(|text| !text.is_empty()).map(|text| section(text)).collect()
}

fn section(content: &str) -> Value {
    json!({ "type": "section", "text": text(cut(content, SECTION)) })
}

fn text(content: &str) -> Value {
    // an empty text is refused
    let content = if content.is_empty() { "-" } else { content };
    json!({ "type": "plain_text", "text": content, "emoji": false })
}

/// The fallback for notifications is read as markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
