//! A letter as plain text, for the text part of a mail and for terminals. Lines are not wrapped: readers do that better.

use super::{Part, Sheet};

/// All languages, one below the other; every line ends with a line feed.
pub fn text(sheets: &[Sheet]) -> String {
    let texts: Vec<String> = sheets.iter().map(sheet).collect();
    texts.join(&format!("\n{}\n\n", "=".repeat(72)))
}

fn sheet(sheet: &Sheet) -> String {
    let severity = sheet.severity.map(|(_, words)| format!("[{words}] ")).unwrap_or_default();
    let mut out = format!("{severity}{}\n", sheet.title);
    for ask in &sheet.asks {
        out.push_str(&format!("> {ask}\n"));
    }
    for part in &sheet.parts {
        out.push('\n');
        push(&mut out, part);
    }
    out.push('\n');
    for line in &sheet.foot {
        out.push_str(&format!("-- {line}\n"));
    }
    out
}

fn push(out: &mut String, part: &Part) {
    match part {
        Part::Rows { heading, severity, rows } => {
            let severity = severity.map(|(_, words)| format!("[{words}] ")).unwrap_or_default();
            if !heading.is_empty() {
                out.push_str(&format!("{severity}{heading}\n"));
            }
            rows.iter().for_each(|line| out.push_str(&format!("{}: {}\n", line.label, line.value)));
        }
        Part::Table { heading, head, rows } => {
            out.push_str(&format!("{heading}\n"));
            for row in std::iter::once(head).chain(rows) {
                out.push_str(&format!("  {}\n", row.join(" | ")));
            }
        }
        Part::Lines { heading, lines } => {
            out.push_str(&format!("{heading}\n"));
            lines.iter().for_each(|item| out.push_str(&format!("  - {}\n", item.with_link())));
        }
        Part::Verbatim { heading, text } => out.push_str(&format!("{heading}\n{}\n", text.trim_end())),
    }
}
