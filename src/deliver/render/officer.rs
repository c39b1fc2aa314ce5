//! A finding in words for the person who must act on it: English first, then Traditional Chinese. Letters of every markup
//! are laid out from the same `Account`.
//!
//! Says who, what, when, from where to where and how that is known, what the register says, what the law says and with
//! what weight, what is asked and by when, and how to check all of it. Every value from outside goes through
//! [`super::plain::plain`].

use super::phrases::{self, Language, Phrase, SECTION_33, TERMS, say};
use super::plain::plain;
use super::terms;
use crate::deliver::{Field, View};
use crate::domain::finding::HKT_OFFSET_MS;
use crate::domain::flow::FlowKind;
use crate::domain::party::{Categories, Category};
use crate::domain::place::Method;
use crate::domain::verdict::{Severity, Tag, Verdict};

/// Which languages a notice is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Languages {
    /// English, then Traditional Chinese.
    #[default]
    Both,
    /// English alone.
    English,
    /// Traditional Chinese alone.
    Chinese,
}

/// What one line of an account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Who,
    What,
    When,
    From,
    To,
    Recipient,
    Data,
    Safeguard,
    Law,
    Severity,
    Please,
    Evidence,
    Caveat,
}

impl Row {
    pub(super) fn label(self) -> Phrase {
        match self {
            Self::Who => say("Who", "人物"),
            Self::What => say("What", "事項"),
            Self::When => say("When", "時間"),
            Self::From => say("From", "來源地"),
            Self::To => say("To", "目的地"),
            Self::Recipient => say("Recipient", "接收者"),
            Self::Data => say("Data", "資料"),
            Self::Safeguard => say("Safeguard", "保障措施"),
            Self::Law => say("Law", "法律依據"),
            Self::Severity => say("Severity", "嚴重程度"),
            Self::Please => say("Please", "跟進"),
            Self::Evidence => say("Evidence", "證據"),
            Self::Caveat => say("Caveat", "注意"),
        }
    }
}

/// The notice. The first line is the headline; every line ends with a line feed.
pub fn words(view: &View, languages: Languages) -> String {
    match languages {
        Languages::Both => {
            format!(
                "{}\n{}",
                Account::new(view, Language::English).text(),
                Account::new(view, Language::Chinese).text()
            )
        }
        Languages::English => Account::new(view, Language::English).text(),
        Languages::Chinese => Account::new(view, Language::Chinese).text(),
    }
}

pub(super) struct Account<'a> {
    view: &'a View,
    language: Language,
    verdict: Verdict,
    severity: Severity,
}

impl<'a> Account<'a> {
    pub(super) fn new(view: &'a View, language: Language) -> Self {
        // Names are our own; one that a later version wrote is treated with the greater care.
        let verdict = Verdict::parse(view.text(Field::Verdict)).unwrap_or(Verdict::Undetermined);
        let severity = Severity::parse(view.text(Field::Severity)).unwrap_or(Severity::Critical);
        Self { view, language, verdict, severity }
    }

    /// What is said, in the order of a plain notice; what the readers may not see is left out.
    pub(super) fn rows(&self) -> Vec<(Row, String)> {
        let rows = [
            (Row::Who, self.who()),
            (Row::What, self.what()),
            (Row::When, self.when()),
            (Row::From, self.origin()),
            (Row::To, self.destination()),
            (Row::Recipient, self.recipient()),
            (Row::Data, self.data()),
            (Row::Safeguard, self.safeguard()),
            (Row::Law, self.law()),
            (Row::Severity, self.grounds()),
            (Row::Please, self.request()),
            (Row::Evidence, self.evidence()),
            (Row::Caveat, self.caveat()),
        ];
        rows.into_iter().filter(|(_, text)| !text.is_empty()).collect()
    }

    fn text(&self) -> String {
        let mut text = format!("[{}] {}\n", self.severity.name(), self.headline());
        for (row, line) in self.rows() {
            text.push_str(row.label().text(self.language));
            text.push_str(self.colon());
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// What it is about, without its severity.
    pub(super) fn headline(&self) -> String {
        let foreign = self.tags().contains(&Tag::ForeignHkControlled);
        let [movement, state] = phrases::headline(self.verdict, foreign, self.stays());
        format!("{}{}", movement.text(self.language), state.text(self.language))
    }

    fn stays(&self) -> bool {
        terms::stays(self.view)
    }

    fn who(&self) -> String {
        let (name, id) = (self.view.text(Field::ActorName), self.view.text(Field::ActorId));
        let (tenant, address) = (self.view.text(Field::Tenant), self.view.text(Field::Address));
        let unnamed = name.is_empty() && id.is_empty();
        // a standing arrangement is one finding for all who use it
        let several = !unnamed && self.is_standing() && self.view.number(Field::Count).is_some_and(|count| count > 1);
        self.joined([
            if several { self.say(ONE_OF_SEVERAL) } else { String::new() },
            self.present(name, say("{}", "{}")),
            self.present(id, say("id {}", "編號 {}")),
            if unnamed && self.view.get(Field::ActorId).is_some() { self.say(UNNAMED) } else { String::new() },
            self.present(tenant, say("tenant {}", "租戶 {}")),
            self.present(address, say("address {}", "IP 地址 {}")),
        ])
    }

    fn is_standing(&self) -> bool {
        FlowKind::parse(self.view.text(Field::Kind)).is_some_and(FlowKind::is_standing)
    }

    fn what(&self) -> String {
        let kind = self.view.text(Field::Kind);
        let count = self.number(Field::Count);
        let bytes = self.number(Field::Bytes);
        self.joined([
            self.named(kind, phrases::kind(kind, self.view.is(Field::Preview))),
            self.present(self.view.text(Field::Resource), say("one of the files: {}", "其中一個檔案：{}")),
            say("records: {}", "記錄數目：{}").fill(self.language, &[&count]),
            if bytes == "0" {
                String::new()
            } else {
                self.present(&bytes, say("{} bytes stated", "所述大小 {} 位元組"))
            },
        ])
    }

    fn when(&self) -> String {
        let (first, last) = (self.view.number(Field::First), self.view.number(Field::Last));
        match (first, last) {
            (Some(0) | None, Some(0) | None) => self.say(say("not stated by the event", "事件未有說明")),
            // to the second, as they are shown
            (Some(first), Some(last)) if first / 1000 != last / 1000 => {
                say("{} to {}", "{} 至 {}").fill(self.language, &[&self.time(first), &self.time(last)])
            }
            (first, last) => self.time(first.or(last).unwrap_or_default()),
        }
    }

    fn time(&self, at: i64) -> String {
        time(at, self.language)
    }

    fn origin(&self) -> String {
        self.place(Field::Origin, Field::OriginMethod, Field::OriginConfidence, Field::OriginSource)
    }

    fn destination(&self) -> String {
        self.place(Field::Destination, Field::DestinationMethod, Field::DestinationConfidence, Field::DestinationSource)
    }

    fn place(&self, place: Field, method: Field, confidence: Field, source: Field) -> String {
        let place = self.view.text(place);
        if place.is_empty() {
            return String::new();
        }
        let (method, confidence) = (self.view.text(method), self.view.text(confidence));
        let (by, weight) = if method == Method::None.name() {
            // why it is not known says it all
            (String::new(), String::new())
        } else {
            let by = self.say(say("by ", "依據：")) + &self.named(method, phrases::method(method));
            (by, self.named(confidence, phrases::confidence(confidence)))
        };
        let source = self.present(self.view.text(source), say("source {}", "資料來源 {}"));
        self.joined([plain(&phrases::place(place, self.language)), by, weight, source])
    }

    fn recipient(&self) -> String {
        let role = self.view.text(Field::RecipientRole);
        let name = self.view.text(Field::Recipient);
        self.joined([self.present(name, say("{}", "{}")), self.named(role, phrases::role(role))])
    }

    fn data(&self) -> String {
        let mut parts: Vec<String> = self.categories();
        parts.push(self.present(self.view.text(Field::Item), say("inventory item {}", "資料清單項目 {}")));
        if let Some(subjects) = self.view.number(Field::Subjects) {
            parts.push(say("about {} people", "約 {} 人").fill(self.language, &[&grouped(subjects)]));
        }
        self.joined(parts)
    }

    fn categories(&self) -> Vec<String> {
        let names = self.view.list(Field::Categories);
        names.into_iter().map(|name| self.named(name, phrases::category(name))).collect()
    }

    fn safeguard(&self) -> String {
        let name = self.view.text(Field::Safeguard);
        let failed = self.view.text(Field::FailedCondition);
        let condition = match phrases::condition(failed) {
            Some(why) => self.say(say("condition not met: ", "未符合的條件：")) + why.text(self.language),
            None => self.present(failed, say("condition not met: {}", "未符合的條件：{}")),
        };
        // The condition says more than the state of an entry that is there but does not cover.
        let is_said = self.verdict == Verdict::Defect && !condition.is_empty();
        let state = if is_said { String::new() } else { self.say(phrases::safeguard_state(self.verdict)) };
        let rule = self.view.text(Field::PolicyRule);
        let name = self.present(name, say("entry {}", "記項 {}"));
        let rule = self.present(rule, say("rule of the organisation: {}", "機構規則：{}"));
        if !self.is_open() {
            return self.joined([name, state, condition, rule]);
        }
        // what is reported of something undetermined is that of its gravest possibility
        let gravest = self.joined([name, condition, rule]);
        let gravest = if gravest.is_empty() { gravest } else { self.say(IN_THE_GRAVEST_CASE) + &gravest };
        self.joined([state, self.possible(), gravest])
    }

    fn is_open(&self) -> bool {
        self.verdict == Verdict::Undetermined
    }

    fn possible(&self) -> String {
        let possible = self.view.list(Field::Possible).join(" / ");
        self.present(&possible, say("possible: {}", "可能的結果：{}"))
    }

    fn law(&self) -> String {
        let processor = self.view.text(Field::RecipientRole) == "processor";
        let mut parts = vec![self.say(SECTION_33), self.say(phrases::hook(self.verdict, processor))];
        if self.verdict == Verdict::Defect {
            parts.push(self.say(TERMS));
        }
        if self.view.is(Field::Binding) {
            let gap = self.view.text(Field::Gap);
            let gap = phrases::condition(gap).map_or(gap, |phrase| phrase.text(self.language));
            parts.push(phrases::binding(self.is_open()).fill(self.language, &[gap]));
        }
        self.sentences(&parts)
    }

    /// What bears on the severity, as far as the finding shows it.
    fn grounds(&self) -> String {
        let role = self.view.text(Field::RecipientRole);
        let grounds = [
            (self.view.is(Field::Binding), say("a provision in force is in point", "涉及現行條文")),
            (self.is_sensitive(), say("sensitive categories", "涉及敏感類別")),
            (
                self.view.is(Field::Bulk),
                say("many objects within an hour (raised by one step)", "一小時內涉及大量物件（已調高一級）"),
            ),
            (role == "public", say("open to everyone", "向所有人公開")),
            (role == "same entity", say("own staff", "機構本身的職員")),
            (self.view.is(Field::Preview), say("viewed only", "僅供預覽")),
        ];
        let verdict = say("{} for the verdict {}", "{}；判斷為 {}");
        let mut parts = vec![
            verdict.fill(self.language, &[self.severity.name(), self.verdict.name()]),
            self.present(self.view.text(Field::Rule), say("rule {}", "依據規則 {}")),
        ];
        // where nothing that is possible leaves Hong Kong, none of them counted
        parts.extend(
            grounds.into_iter().filter(|(holds, _)| *holds && !self.stays()).map(|(_, ground)| self.say(ground)),
        );
        let tags = self.joined(self.tags().into_iter().map(|tag| self.say(phrases::tag(tag))));
        let possibly =
            if self.is_open() && !tags.is_empty() { self.say(say("possibly: ", "可能：")) } else { String::new() };
        parts.push(possibly + &tags);
        self.joined(parts)
    }

    fn is_sensitive(&self) -> bool {
        let names = self.view.list(Field::Categories);
        let sensitive = |category: Category| Categories::NONE.with(category).within(Categories::SENSITIVE);
        names.into_iter().filter_map(Category::parse).any(sensitive)
    }

    fn tags(&self) -> Vec<Tag> {
        let names = self.view.list(Field::Tags);
        Tag::ALL.into_iter().filter(|tag| names.contains(&tag.name())).collect()
    }

    pub(super) fn request(&self) -> String {
        self.sentences(&[
            self.say(phrases::action(self.verdict, self.stays())),
            self.say(phrases::deadline(self.severity)),
        ])
    }

    fn evidence(&self) -> String {
        let (id, record) = (self.view.text(Field::Id), self.view.text(Field::Record));
        let revision = self.view.number(Field::Revision).unwrap_or(0).to_string();
        let finding = say("finding {}, revision {}", "事項 {}，版本 {}").fill(self.language, &[id, &revision]);
        if record.is_empty() {
            return finding;
        }
        let check = say(
            "gravest record {}, which holds how it was judged; `harbourwatch verify` checks the evidence",
            "最嚴重的記錄 {}，內載判斷過程；`harbourwatch verify` 可核實證據",
        );
        self.joined([finding, check.fill(self.language, &[record])])
    }

    fn caveat(&self) -> String {
        if self.view.get(Field::Origin).is_none() {
            return String::new();
        }
        let ends = [(Field::OriginMethod, Field::OriginSource), (Field::DestinationMethod, Field::DestinationSource)];
        let by_address = ends.into_iter().filter(|(method, _)| self.view.text(*method) == Method::Ip.name());
        let mut sources: Vec<&str> = by_address.map(|(_, source)| self.view.text(source)).collect();
        sources.dedup();
        if sources.is_empty() {
            return self.say(say(
                "Locations rest on the settings and names given above, not on proof of physical presence.",
                "地點以上述設定及名稱為依據，並非身處該地的證明。",
            ));
        }
        let inferred = say(
            "Location inferred from IP address ({}), not proof of physical presence.",
            "地點由 IP 地址推斷（{}），並非身處該地的證明。",
        );
        inferred.fill(self.language, &[&sources.join(", ")])
    }

    fn say(&self, phrase: Phrase) -> String {
        phrase.text(self.language).to_owned()
    }

    /// The phrase for a value that is not empty; else nothing.
    fn present(&self, value: &str, phrase: Phrase) -> String {
        if value.is_empty() { String::new() } else { phrase.fill(self.language, &[value]) }
    }

    /// A name's phrase, or the name itself.
    fn named(&self, name: &str, phrase: Option<Phrase>) -> String {
        phrase.map_or_else(|| plain(name), |phrase| self.say(phrase))
    }

    fn number(&self, field: Field) -> String {
        self.view.number(field).map(grouped).unwrap_or_default()
    }

    fn joined(&self, parts: impl IntoIterator<Item = String>) -> String {
        let separator = match self.language {
            Language::English => "; ",
            Language::Chinese => "；",
        };
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(separator)
    }

    fn sentences(&self, parts: &[String]) -> String {
        match self.language {
            Language::English => parts.join(" "),
            Language::Chinese => parts.concat(),
        }
    }

    fn colon(&self) -> &'static str {
        match self.language {
            Language::English => ": ",
            Language::Chinese => "：",
        }
    }
}

/// A number with a comma before each three digits.
pub(super) fn grouped(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A standing finding names one of those whose acts it counts.
const ONE_OF_SEVERAL: Phrase = say("one of the people counted here", "所計算人士之一");

const IN_THE_GRAVEST_CASE: Phrase = say("in the gravest case: ", "最嚴重的情況：");

const UNNAMED: Phrase = say("not named by the event", "事件未有指明");

/// Hong Kong time, which keeps no summer time, with UTC beside it.
pub(super) fn time(at: i64, language: Language) -> String {
    match (clock(at.saturating_add(HKT_OFFSET_MS)), clock(at)) {
        (Some(hong_kong), Some(utc)) => {
            say("{} HKT ({} UTC)", "香港時間 {}（{} UTC）").fill(language, &[&hong_kong, &utc])
        }
        (None, _) | (_, None) => say("{} ms since 1970", "1970 年起計 {} 毫秒").fill(language, &[&at.to_string()]),
    }
}

/// Date and time of day; `None` outside the calendar.
fn clock(ms: i64) -> Option<String> {
    let stamp = jiff::Timestamp::from_millisecond(ms).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(stamp).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn counts_are_read_at_a_glance() {
        for (count, shown) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (100_000, "100,000"), (i64::MAX, "9,223,372,036,854,775,807")]
        {
            assert_eq!(grouped(count), shown);
        }
    }
}
