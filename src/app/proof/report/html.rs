//! The page for people: complete in itself, no script, nothing fetched. Every text that comes from data is escaped.

use super::bundle::{Cover, Purpose};
use super::health::{Event, Health};
use super::sankey::{colour, svg};
use super::totals::{Line, Totals, rank};
use crate::app::proof::when;
use crate::app::summary::grouped;
use crate::deliver::render::place_name;
use crate::evidence::archive::Opened;

const STYLE: &str = include_str!("report.css");

/// Lines of a table on the page; the whole table is in `report.json`.
const MOST_LINES: usize = 25;

/// A record in the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Event time, ms since the epoch.
    pub at: i64,
    /// Record id.
    pub id: String,
    verdict: String,
    what: String,
    legs: Vec<[String; 5]>,
}

impl Listed {
    /// What the list says of a record: what it shows of the data depends on whether personal fields are open.
    pub fn of(record: &Opened) -> Self {
        let word = |path: &[&str]| {
            let found = path.iter().try_fold(&record.record, |value, name| value.get(name));
            found.and_then(|value| value.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let what = word(&["data", "resource"]).or_else(|| word(&["data", "item"])).unwrap_or_default();
        let legs = record.row.flow.legs.iter().map(|leg| {
            [
                leg.kind.clone(),
                leg.origin.clone(),
                leg.destination.clone(),
                leg.recipient.clone(),
                leg.safeguard.clone(),
            ]
        });
        let (at, id, verdict) = (record.row.at, record.row.id.clone(), record.row.flow.verdict.clone());
        Self { at, id, verdict, what, legs: legs.collect() }
    }
}

/// The whole page.
pub fn page(cover: &Cover, totals: &Totals, health: &[Health], listed: &[Listed], records: usize) -> String {
    let title = escape(cover.title());
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><main>"
    );
    head(&mut out, cover, health);
    if cover.purpose != Purpose::Erasure {
        figures(&mut out, totals);
        picture(&mut out, totals);
        tables(&mut out, totals);
    }
    monitor(&mut out, health);
    list(&mut out, listed, records);
    check(&mut out, health);
    out.push_str("</main></body></html>\n");
    out
}

fn head(out: &mut String, cover: &Cover, health: &[Health]) {
    let sound = health.iter().all(|health| health.wrong.is_empty());
    let state = if sound { ("ok", "Evidence verified") } else { ("bad", "Evidence did NOT verify") };
    put!(out, "<header><p class=\"org\">{}</p><h1>{}</h1>", escape(&cover.organisation), escape(cover.title()));
    put!(out, "<p class=\"badge {}\">{}</p><dl>", state.0, state.1);
    let mut line = |name: &str, value: &str| {
        put!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    };
    if cover.purpose == Purpose::Report {
        let from = cover.from.map_or("the beginning of the log".into(), when::hkt);
        let to = cover.to.map_or("its end".into(), when::hkt);
        line("Period (time of event)", &format!("{from} up to {to}"));
    }
    let words = cover.filter.iter().filter(|(name, _)| !matches!(*name, "from" | "to"));
    words.for_each(|(name, value)| line(&format!("Only {name}"), value));
    line(if cover.purpose == Purpose::Erasure { "Ground" } else { "Made for" }, &cover.why);
    line("Made by", &cover.by);
    line("Made", &format!("{} ({})", when::hkt(cover.made), when::utc(cover.made)));
    line("Personal fields", if cover.personal { "opened where their keys exist" } else { "sealed" });
    out.push_str("</dl></header>");
    if cover.purpose == Purpose::Erasure {
        out.push_str("<p class=\"note\">The keys that sealed the personal fields of the records listed below are destroyed. Each record is still proven to have been in the log, unchanged; what it said of the person can no longer be read from the evidence.</p>");
    }
    out.push_str("<p class=\"note\"><b>How to read this.</b> A possible transfer is a movement of data that the rules in force at that time took for one from Hong Kong to a place outside. Places are inferred from addresses, hosts, settings and directories; they are no proof of physical presence. A verdict is the outcome of recorded rules, no finding of law. Section 33 of the PDPO is not in operation; flows are held against it as recommended practice.</p>");
}

fn figures(out: &mut String, totals: &Totals) {
    out.push_str("<section class=\"figures\">");
    let mut figure = |number: u64, words: &str, tint: &str| {
        put!(out, "<div style=\"border-color:{tint}\"><b>{}</b><span>{}</span></div>", grouped(number), escape(words));
    };
    figure(totals.records, "records", "#263238");
    totals.verdicts.iter().for_each(|(verdict, count)| figure(*count, &in_words(verdict), colour(verdict)));
    out.push_str("</section>");
}

/// A verdict for people who have not read the rules.
fn in_words(verdict: &str) -> String {
    let words = match verdict {
        "PROHIBITED" => "against the organisation's own rule",
        "UNCOVERED" => "possible transfer, no safeguard on record",
        "DEFECT" => "safeguard on record, a condition fails",
        "UNDETERMINED" => "place not known well enough",
        "COVERED" => "possible transfer under a safeguard",
        "INBOUND" => "into Hong Kong",
        "DOMESTIC" => "stays in Hong Kong",
        _ => return verdict.to_owned(),
    };
    format!("{verdict}: {words}")
}

fn picture(out: &mut String, totals: &Totals) {
    out.push_str("<section><h2>Where data went</h2>");
    if totals.streams.is_empty() {
        out.push_str("<p>Nothing was recorded in this period under these conditions.</p></section>");
        return;
    }
    out.push_str(&svg(&totals.streams));
    out.push_str("<p class=\"legend\">");
    let mut verdicts: Vec<&str> = totals.streams.iter().map(|stream| stream.2.as_str()).collect();
    verdicts.sort_by_key(|verdict| rank(verdict));
    verdicts.dedup();
    for verdict in verdicts {
        put!(out, "<span><i style=\"background:{}\"></i>{}</span>", colour(verdict), escape(verdict));
    }
    out.push_str("</p><p class=\"small\">Width: number of movements (a record has one or more). Thin bands are drawn wider than they are, so that they can be seen; the tables have the figures.</p></section>");
}

fn tables(out: &mut String, totals: &Totals) {
    table(out, "By destination", &["destination"], &totals.destinations, |column, word| {
        if column == 0 { place(word) } else { word.into() }
    });
    table(out, "By flow", &["kind", "from", "to"], &totals.flows, |column, word| {
        if column > 0 { place(word) } else { word.replace('_', " ") }
    });
    table(out, "By safeguard", &["safeguard"], &totals.safeguards, |_, word| {
        if word.is_empty() { "none on record".into() } else { word.into() }
    });
    table(out, "By recipient", &["recipient"], &totals.recipients, |_, word| {
        if word.is_empty() { "not known".into() } else { word.into() }
    });
}

fn place(code: &str) -> String {
    if matches!(code, "" | "ZZ") { "not known".into() } else { place_name(code) }
}

fn table(out: &mut String, title: &str, columns: &[&str], lines: &[Line], show: impl Fn(usize, &str) -> String) {
    if lines.is_empty() {
        return;
    }
    put!(out, "<section><h2>{title}</h2><table><thead><tr>");
    columns.iter().for_each(|column| put!(out, "<th>{column}</th>"));
    out.push_str("<th class=\"r\">movements</th><th>verdicts</th></tr></thead><tbody>");
    for line in lines.iter().take(MOST_LINES) {
        out.push_str("<tr>");
        line.key.iter().enumerate().for_each(|(at, word)| put!(out, "<td>{}</td>", escape(&show(at, word))));
        put!(out, "<td class=\"r\">{}</td><td>", grouped(line.legs));
        for (verdict, count) in &line.verdicts {
            put!(
                out,
                "<span class=\"v\" style=\"--c:{}\">{} {}</span> ",
                colour(verdict),
                escape(verdict),
                grouped(*count)
            );
        }
        out.push_str("</td></tr>");
    }
    out.push_str("</tbody></table>");
    if lines.len() > MOST_LINES {
        put!(out, "<p class=\"small\">{} more lines in report.json</p>", lines.len() - MOST_LINES);
    }
    out.push_str("</section>");
}

fn monitor(out: &mut String, health: &[Health]) {
    out.push_str(
        "<section><h2>Gaps and health of the monitor</h2><p class=\"small\">In the period, by time of recording.</p>",
    );
    for log in health {
        put!(out, "<h3>{}</h3>", escape(&log.origin));
        let sum = format!(
            "{} received = {} judged + {} rejected + {} duplicate; {} never received",
            grouped(log.received),
            grouped(log.judged),
            grouped(log.rejected),
            grouped(log.duplicate),
            grouped(log.missing)
        );
        put!(out, "<p>{sum}.</p>");
        events(out, "Gaps", &log.gaps, "No gap was noted.");
        events(
            out,
            "Starts, stops and what was in force",
            &log.life,
            "The monitor neither started nor stopped, and nothing in force changed.",
        );
        if !log.deeds.is_empty() {
            let deeds: Vec<String> =
                log.deeds.iter().map(|(deed, count)| format!("{deed}: {}", grouped(*count))).collect();
            put!(out, "<p>What people did with the evidence: {}.</p>", escape(&deeds.join(", ")));
        }
        log.wrong.iter().for_each(|wrong| put!(out, "<p class=\"wrong\">{}</p>", escape(wrong)));
        log.notes.iter().for_each(|note| put!(out, "<p class=\"small\">Note: {}</p>", escape(note)));
    }
    out.push_str("</section>");
}

fn events(out: &mut String, title: &str, events: &[Event], none: &str) {
    if events.is_empty() {
        put!(out, "<p>{none}</p>");
        return;
    }
    put!(out, "<h4>{title}</h4><ul>");
    for event in events.iter().take(MOST_LINES) {
        put!(out, "<li>{} {}</li>", when::hkt(event.at), escape(&event.what));
    }
    if events.len() > MOST_LINES {
        put!(out, "<li>{} more in report.json</li>", events.len() - MOST_LINES);
    }
    out.push_str("</ul>");
}

fn list(out: &mut String, listed: &[Listed], records: usize) {
    out.push_str("<section><h2>Records</h2><table class=\"records\"><thead><tr><th>time (Hong Kong)</th><th>verdict</th><th>what</th><th>movement</th><th>recipient</th><th>safeguard</th><th>record</th></tr></thead><tbody>");
    for record in listed {
        put!(
            out,
            "<tr><td>{}</td><td><span class=\"v\" style=\"--c:{}\">{}</span></td><td>{}</td>",
            when::hkt(record.at).trim_end_matches(" HKT"),
            colour(&record.verdict),
            escape(&record.verdict),
            escape(&record.what)
        );
        let column =
            |show: &dyn Fn(&[String; 5]) -> String| record.legs.iter().map(show).collect::<Vec<_>>().join("<br>");
        let moved = column(&|[kind, from, to, ..]| {
            escape(&format!("{}: {} → {}", kind.replace('_', " "), place(from), place(to)))
        });
        let (recipient, safeguard) = (column(&|leg| escape(&leg[3])), column(&|leg| escape(&leg[4])));
        put!(
            out,
            "<td>{moved}</td><td>{recipient}</td><td>{safeguard}</td><td><code>{}</code></td></tr>",
            escape(&record.id)
        );
    }
    out.push_str("</tbody></table>");
    if records > listed.len() {
        put!(
            out,
            "<p class=\"small\">{} of {} records; all are in records.csv, each with its proof in records.ndjson of its log.</p>",
            grouped(listed.len() as u64),
            grouped(records as u64)
        );
    }
    out.push_str("</section>");
}

fn check(out: &mut String, health: &[Health]) {
    out.push_str("<section><h2>How to check this</h2><p>Run <code>python3 verify.py --vkey KEY</code> in this folder with the verifier key that you obtained by another way; README.txt has the steps, also with OpenSSL alone. Each record is proven against a signed checkpoint:</p>");
    for log in health {
        put!(out, "<pre>{}</pre>", escape(&log.checkpoint));
    }
    out.push_str("</section>");
}

/// Text as it stands in HTML and SVG.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // control characters, and those that turn the direction of text
            c if (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_become_markup() {
        assert_eq!(escape("<script>\"'&\u{202e}\u{7}"), "&lt;script&gt;&quot;&#39;&amp;\u{fffd}\u{fffd}");
    }
}
