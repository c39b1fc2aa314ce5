//! A letter as an HTML mail: tables and inline styles, as mail programs want them; no picture, no script, nothing from
//! elsewhere. Readable on a narrow screen and on a dark one.

use super::{Item, Line, Part, Sheet};
use crate::domain::verdict::Severity;

const STYLE: &str = "\
body{margin:0;padding:0;background:#eef0f3;color:#1c2430}\
.card{background:#ffffff}\
.asks{background:#f3f6fb}\
.line{border-top:1px solid #e3e7ec}\
.quiet{color:#5b6675}\
a{color:#175cd3}\
@media (prefers-color-scheme:dark){\
body,.page{background:#12161c!important;color:#e6e9ee!important}\
.card{background:#1b212a!important}\
.asks{background:#232b37!important}\
.line{border-color:#323b48!important}\
.quiet{color:#a3adba!important}\
h1,h2,td,th,p,li,pre{color:#e6e9ee!important}\
.quiet,.quiet td,.quiet p,th.quiet{color:#a3adba!important}\
.pill{color:#ffffff!important}\
a{color:#8ab4f8!important}}\
@media (max-width:520px){\
.row th,.row td{display:block!important;width:auto!important;padding-right:0!important}\
.row th{padding-bottom:0!important}\
.row td{border-top:0!important;padding-top:2px!important}\
.pad{padding-left:16px!important;padding-right:16px!important}}";

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'PingFang HK','Microsoft JhengHei','Noto Sans CJK TC','Noto Sans TC',sans-serif";

/// The whole document, all languages one below the other.
pub fn document(sheets: &[Sheet]) -> String {
    let first = sheets.first();
    let title = first.map(|sheet| escape(&sheet.title)).unwrap_or_default();
    let preview = first.and_then(|sheet| sheet.asks.first()).map(|ask| escape(ask)).unwrap_or_default();
    let tag = first.map_or("en", |sheet| sheet.tag);
    let cards: Vec<String> = sheets.iter().map(card).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"supported-color-schemes\" content=\"light dark\">\
<title>{title}</title><style>{STYLE}</style></head>\n\
<body style=\"margin:0;padding:0;background:#eef0f3;{FONT}\">\
<div style=\"display:none;max-height:0;overflow:hidden\">{preview}</div>\n\
<table role=\"presentation\" class=\"page\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" style=\"background:#eef0f3\">\
<tr><td align=\"center\" style=\"padding:16px 8px\">\n{}</td></tr></table>\n</body></html>\n",
        cards.concat()
    )
}

fn card(sheet: &Sheet) -> String {
    let colour = sheet.severity.map_or("#475467", |(severity, _)| colour(severity));
    let pill = sheet.severity.map(|(severity, words)| pill(severity, words)).unwrap_or_default();
    let asks: Vec<String> = sheet.asks.iter().map(|ask| ask_line(ask)).collect();
    let parts: Vec<String> = sheet.parts.iter().map(part).collect();
    let foot: Vec<String> =
        sheet.foot.iter().map(|line| format!("<p style=\"margin:4px 0\">{}</p>", escape(line))).collect();
    format!(
        "<table role=\"presentation\" class=\"card\" lang=\"{}\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" \
style=\"max-width:680px;background:#ffffff;border-radius:8px;border-top:6px solid {colour};margin:0 0 16px;\
text-align:left;{FONT}\">\n\
<tr><td class=\"pad\" style=\"padding:20px 28px 8px\">{pill}\
<h1 style=\"margin:10px 0 12px;font-size:20px;line-height:1.35;font-weight:650\">{}</h1></td></tr>\n\
<tr><td class=\"pad\" style=\"padding:0 28px 8px\"><table role=\"presentation\" class=\"asks\" width=\"100%\" \
cellpadding=\"0\" cellspacing=\"0\" style=\"background:#f3f6fb;border-left:4px solid {colour};border-radius:4px\">\
<tr><td style=\"padding:12px 16px\">{}</td></tr></table></td></tr>\n\
{}<tr><td class=\"pad quiet line\" style=\"padding:14px 28px 20px;font-size:12px;line-height:1.5;color:#5b6675;\
border-top:1px solid #e3e7ec\">{}</td></tr></table>\n",
        sheet.tag,
        escape(&sheet.title),
        asks.concat(),
        parts.concat(),
        foot.concat()
    )
}

fn ask_line(ask: &str) -> String {
    format!("<p style=\"margin:4px 0;font-size:15px;line-height:1.5;font-weight:500\">{}</p>", escape(ask))
}

fn pill(severity: Severity, words: &str) -> String {
    format!(
        "<span class=\"pill\" style=\"display:inline-block;background:{};color:#ffffff;font-size:12px;font-weight:700;\
letter-spacing:.04em;padding:3px 10px;border-radius:10px\">{}</span>",
        colour(severity),
        escape(words)
    )
}

fn part(part: &Part) -> String {
    let inner = match part {
        Part::Rows { heading, severity, rows } => {
            let pill = severity.map(|(severity, words)| pill(severity, words)).unwrap_or_default();
            let rows: Vec<String> = rows.iter().map(row).collect();
            format!("{pill}{}{}", title(heading), table(&rows.concat()))
        }
        Part::Table { heading, head, rows } => format!("{}{}", title(heading), figures(head, rows)),
        Part::Lines { heading, lines } => {
            let line = |item: &Item| format!("<li style=\"margin:3px 0\">{}</li>", linked(item));
            let lines: Vec<String> = lines.iter().map(line).collect();
            let list = "<ul style=\"margin:4px 0 0;padding-left:20px;font-size:14px;line-height:1.5;\
overflow-wrap:anywhere\">";
            format!("{}{list}{}</ul>", title(heading), lines.concat())
        }
        Part::Verbatim { heading, text } => format!(
            "{}<pre style=\"margin:4px 0 0;font-size:12px;line-height:1.4;white-space:pre-wrap;overflow-wrap:anywhere;\
font-family:Consolas,Menlo,monospace\">{}</pre>",
            title(heading),
            escape(text)
        ),
    };
    format!("<tr><td class=\"pad\" style=\"padding:10px 28px\">{inner}</td></tr>\n")
}

fn title(heading: &str) -> String {
    if heading.is_empty() {
        return String::new();
    }
    format!("<h2 style=\"margin:8px 0 6px;font-size:15px;line-height:1.4;font-weight:650\">{}</h2>", escape(heading))
}

fn table(rows: &str) -> String {
    format!(
        "<table width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" style=\"border-collapse:collapse;font-size:14px;\
line-height:1.5;table-layout:fixed\">{rows}</table>"
    )
}

fn row(line: &Line) -> String {
    let value = escape(&line.value);
    let value = if line.link { format!("<a href=\"{value}\">{value}</a>") } else { harmless(&value) };
    format!(
        "<tr class=\"row\"><th class=\"quiet line\" scope=\"row\" align=\"left\" valign=\"top\" style=\"width:112px;\
padding:7px 12px 7px 0;font-weight:600;color:#5b6675;border-top:1px solid #e3e7ec\">{}</th>\
<td class=\"line\" valign=\"top\" style=\"padding:7px 0;border-top:1px solid #e3e7ec;overflow-wrap:anywhere\">{value}</td></tr>",
        escape(&line.label)
    )
}

/// The remark as the text of its link, if it has one.
fn linked(item: &Item) -> String {
    let text = harmless(&escape(&item.text));
    item.link.as_ref().map_or_else(|| text.clone(), |link| format!("<a href=\"{}\">{text}</a>", escape(link)))
}

fn figures(head: &[String], rows: &[Vec<String>]) -> String {
    let align = |at: usize| if at < 2 { "left" } else { "right" };
    let cell = |tag: &str, at: usize, text: &String| {
        let weight = if tag == "th" { "600" } else { "400" };
        format!(
            "<{tag} class=\"line\" align=\"{}\" style=\"padding:6px 8px 6px 0;font-weight:{weight};\
border-top:1px solid #e3e7ec\">{}</{tag}>",
            align(at),
            escape(text)
        )
    };
    let line = |tag: &'static str, row: &[String]| {
        let cells: Vec<String> = row.iter().enumerate().map(|(at, text)| cell(tag, at, text)).collect();
        format!("<tr>{}</tr>", cells.concat())
    };
    let rows: Vec<String> = std::iter::once(line("th", head)).chain(rows.iter().map(|row| line("td", row))).collect();
    format!(
        "<table width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" style=\"border-collapse:collapse;font-size:14px;\
line-height:1.5\">{}</table>",
        rows.concat()
    )
}

/// White on each is read easily: contrast above 4.5 to 1.
fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "#a3120a",
        Severity::High => "#c2410c",
        Severity::Medium => "#93610a",
        Severity::Low => "#175cd3",
        Severity::Info => "#475467",
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // marks a command in plain text
            '`' => {}
            other => out.push(other),
        }
    }
    out
}

/// Keeps mail programs from making a link of an address in a file name.
fn harmless(escaped: &str) -> String {
    escaped.replace("://", "<span>:</span>//")
}
