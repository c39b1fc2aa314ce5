//! The part of a letter that is about findings: all in figures, the gravest in full, the next on a line each.

use super::super::officer::{Account, Row};
use super::super::phrases::letter as phrases;
use super::super::plain::plain;
use super::super::{phrases as words, terms};
use super::{Item, Line, Part, Writer, grouped};
use crate::deliver::letter::Shown;
use crate::deliver::{Audience, Field};
use crate::domain::verdict::Severity;

/// Findings told in full.
const IN_FULL: usize = 5;

/// Findings told on a line each after those.
const IN_BRIEF: usize = 30;

/// Findings told to a chat, each on a line.
const IN_CHAT: usize = 10;

impl Writer<'_> {
    pub(super) fn findings_title(&self) -> String {
        let (findings, records) = self.letter.totals();
        match self.letter.shown.as_slice() {
            [] if findings == 0 => self.say(phrases::ONLY_HELD),
            [one] if findings == 1 => Account::new(&one.view, self.language).headline(),
            _ => self.fill(phrases::SEVERAL, &[&grouped(findings), &grouped(records)]),
        }
    }

    pub(super) fn findings_asks(&self) -> Vec<String> {
        let Some(worst) = self.letter.shown.first() else { return Vec::new() };
        let id = worst.view.text(Field::Id);
        let how = self.fill(phrases::HOW_TO_ACKNOWLEDGE, &[id]);
        let severity = self.letter.severity().unwrap_or(Severity::Critical);
        let asks_for_word = severity >= Severity::Medium;
        let mut asks = match self.letter.shown.as_slice() {
            [one] if self.letter.totals().0 == 1 => vec![sentence(&Account::new(&one.view, self.language).request())],
            _ => vec![self.say(phrases::GRAVEST_FIRST) + self.space() + words::deadline(severity).text(self.language)],
        };
        asks.extend(asks_for_word.then_some(how));
        asks
    }

    fn space(&self) -> &'static str {
        match self.language {
            words::Language::English => " ",
            words::Language::Chinese => "",
        }
    }

    pub(super) fn findings(&self) -> Vec<Part> {
        let (findings, _) = self.letter.totals();
        let mut parts = Vec::new();
        if findings > 1 {
            parts.push(self.summary());
        }
        let (in_full, in_brief) =
            if self.letter.audience == Audience::Chat { (0, IN_CHAT) } else { (IN_FULL, IN_BRIEF) };
        let (full, brief) = self.letter.shown.split_at(self.letter.shown.len().min(in_full));
        parts.extend(full.iter().map(|one| self.account(one, findings == 1)));
        let brief = brief.get(..in_brief).unwrap_or(brief);
        let told = (full.len() + brief.len()) as u64;
        parts.extend(self.others(brief, findings.saturating_sub(told)));
        parts
    }

    fn summary(&self) -> Part {
        let head = [phrases::SEVERITY, phrases::VERDICT, phrases::FINDINGS, phrases::RECORDS];
        let row = |sum: &crate::deliver::letter::Sum| {
            let severity = self.severity(sum.severity).1.to_owned();
            vec![severity, sum.verdict.name().to_owned(), grouped(sum.findings), grouped(sum.records)]
        };
        let mut sums: Vec<_> = self.letter.sums.iter().collect();
        sums.sort_by_key(|sum| (std::cmp::Reverse(sum.severity), sum.verdict));
        Part::Table {
            heading: self.say(phrases::SUMMARY),
            head: head.map(|name| self.say(name)).into(),
            rows: sums.into_iter().map(row).collect(),
        }
    }

    /// The account of one finding; alone in the letter, its title and request stand at the top already.
    fn account(&self, shown: &Shown, alone: bool) -> Part {
        let account = Account::new(&shown.view, self.language);
        let keep = |row: Row| !(alone && row == Row::Please);
        let rows = account.rows().into_iter().filter(|(row, _)| keep(*row));
        let line = |label, value, link| Line { label, value, link };
        let mut rows: Vec<_> = rows.map(|(row, text)| line(self.say(row.label()), text, false)).collect();
        if let Some(link) = self.context.link_to(shown.view.text(Field::Id)) {
            rows.push(line(self.say(words::say("Look up", "查閱")), link, true));
        }
        Part::Rows {
            heading: if alone { String::new() } else { account.headline() },
            severity: (!alone).then(|| self.severity(terms::severity(&shown.view))),
            rows,
        }
    }

    fn others(&self, brief: &[Shown], left: u64) -> Option<Part> {
        let mut lines: Vec<Item> = brief.iter().map(|one| self.line(one)).collect();
        if left > 0 {
            lines.push(self.fill(phrases::MORE, &[&grouped(left)]).into());
        }
        let heading = if self.letter.audience == Audience::Chat { phrases::FINDINGS } else { phrases::OTHERS };
        (!lines.is_empty()).then(|| Part::Lines { heading: self.say(heading), lines })
    }

    fn line(&self, shown: &Shown) -> Item {
        let view = &shown.view;
        let place = |field| view.get(field).map(|_| terms::country(view.text(field)).unwrap_or("ZZ"));
        let flow = place(Field::Origin).zip(place(Field::Destination)).map(|(from, to)| format!("{from} → {to}"));
        let kind = view.get(Field::Kind).and_then(|_| words::kind(view.text(Field::Kind), view.is(Field::Preview)));
        let parts = [
            Some(self.severity(terms::severity(view)).1.to_owned()),
            Some(terms::verdict(view).name().to_owned()),
            kind.map(|kind| self.say(kind)),
            flow,
            Some(self.fill(
                words::say("{} new of {} records", "新增 {} 項，共 {} 項記錄"),
                &[
                    &grouped(shown.new),
                    &grouped(view.number(Field::Count).and_then(|count| u64::try_from(count).ok()).unwrap_or(0)),
                ],
            )),
            Some(plain(view.text(Field::Id))),
        ];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        Item { text, link: self.context.link_to(view.text(Field::Id)) }
    }
}

/// The text with a capital at its start.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
