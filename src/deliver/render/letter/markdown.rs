//! A letter as the Markdown that DingTalk's custom robots show. What could be read as markup is escaped, and `@` is written
//! in its wide form so that nobody is called by a value.

use super::{Item, Part, Sheet};

/// A message: the title for the list of conversations, and its text of at most `most` bytes.
pub fn message(sheets: &[Sheet], most: usize) -> (String, String) {
    let title = sheets.first().map(title).unwrap_or_default();
    let lines: Vec<String> = sheets.iter().flat_map(lines).collect();
    (title, fitted(&lines, most))
}

fn title(sheet: &Sheet) -> String {
    let severity = sheet.severity.map(|(_, words)| format!("[{words}] ")).unwrap_or_default();
    format!("{severity}{}", sheet.title)
}

/// The lines that fit, and how many do not.
fn fitted(lines: &[String], most: usize) -> String {
    let room = most.saturating_sub("\n\n… (+100000)".len());
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        if text.len() + line.len() + 2 > room {
            text.push_str(&format!("\n\n… (+{})", lines.len() - at));
            break;
        }
        if at > 0 {
            text.push_str("\n\n");
        }
        text.push_str(line);
    }
    text
}

/// Paragraphs: DingTalk joins lines that no empty line parts.
fn lines(sheet: &Sheet) -> Vec<String> {
    let severity = sheet.severity.map(|(_, words)| format!("【{words}】")).unwrap_or_default();
    let mut lines = vec![format!("### {severity}{}", escape(&sheet.title))];
    let ask = |(at, ask): (usize, &String)| {
        let ask = escape(ask);
        if at == 0 { format!("> **{ask}**") } else { format!("> {ask}") }
    };
    lines.extend(sheet.asks.iter().enumerate().map(ask));
    sheet.parts.iter().for_each(|part| push(&mut lines, part));
    lines.extend(sheet.foot.iter().map(|line| format!("<font color=#8a94a6>{}</font>", escape(line))));
    lines
}

fn push(lines: &mut Vec<String>, part: &Part) {
    match part {
        Part::Rows { heading, rows, .. } => {
            push_heading(lines, heading);
            lines.extend(rows.iter().map(|line| format!("**{}** {}", escape(&line.label), escape(&line.value))));
        }
        Part::Table { heading, head, rows } => {
            push_heading(lines, heading);
            let cell = |(name, value): (&String, &String)| format!("{} **{}**", escape(name), escape(value));
            let row = |row: &Vec<String>| {
                let what = row.iter().take(2).map(|value| escape(value)).collect::<Vec<_>>().join(" ");
                let figures = head.iter().zip(row).skip(2).map(cell).collect::<Vec<_>>().join(" · ");
                format!("**{what}** {figures}")
            };
            lines.push(rows.iter().map(|one| format!("- {}", row(one))).collect::<Vec<_>>().join("\n"));
        }
        Part::Lines { heading, lines: each } => {
            push_heading(lines, heading);
            lines.push(each.iter().map(item).collect::<Vec<_>>().join("\n"));
        }
        Part::Verbatim { heading, text } => {
            push_heading(lines, heading);
            lines.extend(text.lines().filter(|line| !line.is_empty()).map(escape));
        }
    }
}

fn item(item: &Item) -> String {
    let text = escape(&item.text);
    item.link.as_ref().map_or_else(|| format!("- {text}"), |link| format!("- [{text}]({link})"))
}

fn push_heading(lines: &mut Vec<String>, heading: &str) {
    if !heading.is_empty() {
        lines.push(format!("#### {}", escape(heading)));
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '@' => out.push('＠'),
            '<' => out.push('＜'),
            '>' => out.push('＞'),
            // DingTalk shows it as it is
            '`' => {}
            '\\' | '*' | '_' | '[' | ']' | '#' | '~' | '|' => out.extend(['\\', char]),
            other => out.push(other),
        }
    }
    out
}
