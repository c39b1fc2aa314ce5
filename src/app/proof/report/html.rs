//! The page for people: complete in itself, no script, nothing fetched. Every text that comes from data is escaped.

use super::bundle::{Cover, Purpose};
use super::health::{Event, Health};
use super::list::{List, Listed};
use super::sankey::{colour, svg};
use super::totals::{Line, Totals, rank};
use crate::app::proof::when;
use crate::app::summary::grouped;
use crate::deliver::render::{country_in_chinese, place_name};

const STYLE: &str = include_str!("report.css");

/// Lines of a table on the page; the whole table is in `report.json`.
const MOST_LINES: usize = 25;

/// The whole page.
pub fn page(cover: &Cover, totals: &Totals, health: &[Health], list: &List) -> String {
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
    check(&mut out, health);
    annex(&mut out, list);
    out.push_str("</main></body></html>\n");
    out
}

fn head(out: &mut String, cover: &Cover, health: &[Health]) {
    let sound = health.iter().all(|health| health.wrong.is_empty());
    let state = if sound {
        ("ok", "Evidence verified 證據已核實")
    } else {
        ("bad", "Evidence did NOT verify 證據未能核實")
    };
    put!(
        out,
        "<header><p class=\"org\">{}</p><h1>{}<small lang=\"zh-HK\">{}</small></h1>",
        escape(&cover.organisation),
        escape(cover.title()),
        cover.title_in_chinese()
    );
    put!(out, "<p class=\"badge {}\">{}</p><dl>", state.0, state.1);
    let mut line = |name: &str, chinese: &str, value: &str| {
        put!(out, "<div><dt>{}", escape(name));
        put!(out, "<small lang=\"zh-HK\">{chinese}</small></dt><dd>{}</dd></div>", escape(value));
    };
    if cover.purpose == Purpose::Report {
        let from = cover.from.map_or("the beginning of the log".into(), when::hkt);
        let to = cover.to.map_or("its end".into(), when::hkt);
        line("Period (time of event)", "期間（事件時間）", &format!("{from} up to {to}"));
    }
    let words = cover.filter.iter().filter(|(name, _)| !matches!(*name, "from" | "to"));
    words.for_each(|(name, value)| line(&format!("Only {name}"), "只限", value));
    let (why, chinese) = if cover.purpose == Purpose::Erasure { ("Ground", "理據") } else { ("Made for", "用途") };
    line(why, chinese, &cover.why);
    line("Made by", "製作人", &cover.by);
    line("Made", "製作時間", &format!("{} ({})", when::hkt(cover.made), when::utc(cover.made)));
    line("Personal fields", "個人資料欄位", if cover.personal { "opened where their keys exist" } else { "sealed" });
    out.push_str("</dl></header>");
    if cover.purpose == Purpose::Erasure {
        out.push_str("<p class=\"note\">The keys that sealed the personal fields of the records listed below are destroyed. Each record is still proven to have been in the log, unchanged; what it said of the person can no longer be read from the evidence.</p>");
    }
    out.push_str("<p class=\"note\"><b>How to read this.</b> A possible transfer is a movement of data that the rules in force at that time took for one from Hong Kong to a place outside. Places are inferred from addresses, hosts, settings and directories; they are no proof of physical presence. A verdict is the outcome of recorded rules, no finding of law. Section 33 of the PDPO is not in operation; flows are held against it as recommended practice.<br><span lang=\"zh-HK\"><b>閱讀說明。</b>「可能轉移」指按當時生效的規則視為由香港移至境外的資料流動。地點由 IP 地址、主機、設定及通訊錄推斷，並不證明實際所在。判定是已記錄規則的結果，並非法律裁定。《個人資料（私隱）條例》第33條尚未實施；本報告以該條作為建議做法衡量資料流動。</span></p>");
}

fn figures(out: &mut String, totals: &Totals) {
    out.push_str("<section class=\"figures\">");
    let mut figure = |number: u64, [words, chinese]: [&str; 2], tint: &str| {
        put!(out, "<div style=\"border-color:{tint}\"><b>{}</b><span>{}", grouped(number), escape(words));
        put!(out, "<small lang=\"zh-HK\">{chinese}</small></span></div>");
    };
    figure(totals.records, ["records", "記錄"], "#263238");
    for (verdict, count) in &totals.verdicts {
        let [words, chinese] = in_words(verdict);
        figure(*count, [&format!("{verdict}{words}"), chinese], colour(verdict));
    }
    out.push_str("</section>");
}

/// A verdict for people who have not read the rules.
fn in_words(verdict: &str) -> [&'static str; 2] {
    match verdict {
        "PROHIBITED" => [": against the organisation's own rule", "機構本身的規則不容許"],
        "UNCOVERED" => [": possible transfer, no safeguard on record", "可能轉移，沒有登記保障措施"],
        "DEFECT" => [": safeguard on record, a condition fails", "已登記保障措施，但有條件不符"],
        "UNDETERMINED" => [": place not known well enough", "地點未能充分確定"],
        "COVERED" => [": possible transfer under a safeguard", "可能轉移，有保障措施"],
        "INBOUND" => [": into Hong Kong", "進入香港"],
        "DOMESTIC" => [": stays in Hong Kong", "留在香港"],
        "OUT_OF_SCOPE" => [": outside what the rules watch", "不屬規則監察範圍"],
        "NO_HK_NEXUS" => [": neither from nor to Hong Kong", "與香港無關"],
        _ => ["", ""],
    }
}

fn picture(out: &mut String, totals: &Totals) {
    out.push_str("<section><h2>Where data went <span lang=\"zh-HK\">資料去向</span></h2>");
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
        put!(out, "<span><i style=\"background:{}\"></i>{}", colour(verdict), escape(verdict));
        put!(out, "<small lang=\"zh-HK\">{}</small></span>", in_words(verdict)[1]);
    }
    out.push_str("</p><p class=\"small\">Width: number of movements (a record has one or more). Thin bands are drawn wider than they are, so that they can be seen; the tables have the figures. <span lang=\"zh-HK\">線條寬度代表流動次數（一項記錄可有多次）；過窄者加粗顯示，數字以表格為準。</span></p></section>");
}

fn tables(out: &mut String, totals: &Totals) {
    table(out, "By destination", &["destination"], &totals.destinations, |column, word| {
        if column == 0 { in_both(word) } else { word.into() }
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

/// A place with its Chinese name behind it.
fn in_both(code: &str) -> String {
    let chinese = if matches!(code, "" | "ZZ") { Some("不明") } else { country_in_chinese(code) };
    [Some(place(code).as_str()), chinese].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Words of the tables.
fn in_chinese(word: &str) -> &'static str {
    match word {
        "By destination" => "按目的地",
        "By flow" => "按資料流動",
        "By safeguard" => "按保障措施",
        "By recipient" => "按接收者",
        "destination" => "目的地",
        "kind" => "類別",
        "from" => "來自",
        "to" => "去往",
        "safeguard" => "保障措施",
        "recipient" => "接收者",
        _ => "",
    }
}

fn place(code: &str) -> String {
    if matches!(code, "" | "ZZ") { "not known".into() } else { place_name(code) }
}

fn table(out: &mut String, title: &str, columns: &[&str], lines: &[Line], show: impl Fn(usize, &str) -> String) {
    if lines.is_empty() {
        return;
    }
    put!(out, "<section><h2>{title} <span lang=\"zh-HK\">{}</span></h2><table><thead><tr>", in_chinese(title));
    for column in columns {
        put!(out, "<th>{column}<small lang=\"zh-HK\">{}</small></th>", in_chinese(column));
    }
    out.push_str("<th class=\"r\">movements<small lang=\"zh-HK\">次數</small></th><th>verdicts<small lang=\"zh-HK\">判定</small></th></tr></thead><tbody>");
    for line in lines.iter().take(MOST_LINES) {
        out.push_str("<tr>");
        line.key
            .iter()
            .enumerate()
            .for_each(|(at, word)| put!(out, "<td class=\"k\">{}</td>", escape(&show(at, word))));
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
        "<section><h2>Gaps and health of the monitor <span lang=\"zh-HK\">監察系統的缺口與狀況</span></h2><p class=\"small\">In the period, by time of recording. <span lang=\"zh-HK\">期間內，按記錄時間。</span></p>",
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

fn annex(out: &mut String, list: &List) {
    out.push_str("<section class=\"annex\"><h2>Annex: records <span lang=\"zh-HK\">附件：記錄</span></h2>");
    let listed = list.in_order();
    let (some, all) = (grouped(listed.len() as u64), grouped(list.records as u64));
    if list.records > listed.len() {
        put!(
            out,
            "<p>The {some} gravest of {all} records; all are in records.csv, each with its proof in records.ndjson of its log. <span lang=\"zh-HK\">所列為 {all} 項記錄中最嚴重的 {some} 項；全部記錄見 records.csv，各項證明見所屬日誌的 records.ndjson。</span></p>"
        );
    }
    out.push_str("<p class=\"small\">The gravest first, of equal severity the earliest. Places by their ISO 3166 codes; the tables before have the names. <span lang=\"zh-HK\">按嚴重程度由高至低排列，程度相同者以時間較早者為先。地點以 ISO 3166 代碼表示，名稱見前列各表。</span></p><table class=\"records\"><thead><tr><th>time (Hong Kong)<small lang=\"zh-HK\">時間（香港）</small></th><th>verdict, severity<small lang=\"zh-HK\">判定、嚴重程度</small></th><th>what<small lang=\"zh-HK\">內容</small></th><th>movement<small lang=\"zh-HK\">流動</small></th><th>recipient<small lang=\"zh-HK\">接收者</small></th><th>safeguard<small lang=\"zh-HK\">保障措施</small></th><th>record<small lang=\"zh-HK\">記錄編號</small></th></tr></thead>");
    listed.iter().for_each(|record| row(out, record));
    out.push_str("</table></section>");
}

/// A record with a line for each of its movements, which a page does not part.
fn row(out: &mut String, record: &Listed) {
    let span = record.legs.len().max(1);
    put!(out, "<tbody><tr><td rowspan=\"{span}\">{}</td>", when::hkt(record.at).trim_end_matches(" HKT"));
    put!(
        out,
        "<td rowspan=\"{span}\"><span class=\"v\" style=\"--c:{}\">{}</span> <small>{}</small></td><td class=\"w\" rowspan=\"{span}\">{}</td>",
        colour(&record.verdict),
        escape(&record.verdict),
        record.severity.name(),
        escape(&record.what)
    );
    let id = format!("<td rowspan=\"{span}\"><code>{}</code></td>", escape(&record.id));
    if record.legs.is_empty() {
        put!(out, "<td></td><td></td><td></td>{id}");
    }
    for (at, [kind, from, to, recipient, safeguard]) in record.legs.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { "</tr><tr>" });
        put!(
            out,
            "<td class=\"m\">{}: {} → {}</td>",
            escape(&kind.replace('_', " ")),
            escape(code(from)),
            escape(code(to))
        );
        put!(out, "<td>{}</td><td>{}</td>", escape(recipient), escape(safeguard));
        out.push_str(if at == 0 { &id } else { "" });
    }
    out.push_str("</tr></tbody>");
}

/// A place in a list that has little room.
fn code(code: &str) -> &str {
    if matches!(code, "" | "ZZ") { "not known" } else { code }
}

fn check(out: &mut String, health: &[Health]) {
    out.push_str("<section><h2>How to check this <span lang=\"zh-HK\">如何核實</span></h2><p>Run <code>python3 verify.py --vkey KEY</code> in this folder with the verifier key that you obtained by another way; README.txt has the steps, also with OpenSSL alone. Each record is proven against a signed checkpoint:</p>");
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
