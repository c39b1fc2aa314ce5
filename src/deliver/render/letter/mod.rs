//! Letters to people. What a letter says is laid out once for each language as a [`Sheet`] of plain strings; text, HTML and the
//! markups of chat systems are written from that and escape it for themselves. Severity and the requested action come first.

mod digest;
mod findings;
pub mod html;
pub mod markdown;
pub mod slack;
pub mod teams;
pub mod text;

use super::Context;
use super::officer::{Languages, grouped, time};
use super::phrases::letter as phrases;
use super::phrases::{Language, Phrase, say};
use super::plain::plain;
use crate::deliver::Audience;
use crate::deliver::letter::{Held, Kind, Letter, Reason, Trouble};
use crate::domain::verdict::Severity;

/// A letter in one language, as plain strings without control characters. Not yet escaped for any markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The language's tag for markup (RFC 5646).
    pub tag: &'static str,
    /// Severity in words, if the letter is about findings.
    pub severity: Option<(Severity, &'static str)>,
    /// What it is about.
    pub title: String,
    /// What is asked, by when, how.
    pub asks: Vec<String>,
    /// Everything else.
    pub parts: Vec<Part>,
    /// The last lines.
    pub foot: Vec<String>,
}

/// A label and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is; one of our own words.
    pub label: String,
    /// Its value.
    pub value: String,
    /// Whether the value is an address of the operator's own, to be followed. No value from outside ever is.
    pub link: bool,
}

/// A remark, and where more about it can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is said.
    pub text: String,
    /// An address of the operator's own.
    pub link: Option<String>,
}

impl Item {
    /// The text with the address after it.
    fn with_link(&self) -> String {
        self.link.as_ref().map_or_else(|| self.text.clone(), |link| format!("{} · {link}", self.text))
    }
}

impl From<String> for Item {
    fn from(text: String) -> Self {
        Self { text, link: None }
    }
}

/// A part of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Labels and values.
    Rows {
        /// What they are about; empty if the title says it.
        heading: String,
        /// Its severity in words.
        severity: Option<(Severity, &'static str)>,
        /// What is said.
        rows: Vec<Line>,
    },
    /// Figures.
    Table {
        /// What they are about.
        heading: String,
        /// Names of the columns.
        head: Vec<String>,
        /// Rows as long as the head.
        rows: Vec<Vec<String>>,
    },
    /// Remarks.
    Lines {
        /// What they are about.
        heading: String,
        /// One remark each.
        lines: Vec<Item>,
    },
    /// Text for machines, to be kept as it is.
    Verbatim {
        /// What it is.
        heading: String,
        /// Lines with line feeds.
        text: String,
    },
}

/// The letter in the wanted languages, in order.
pub fn sheets(letter: &Letter, languages: Languages, context: &Context) -> Vec<Sheet> {
    let languages: &[Language] = match languages {
        Languages::Both => &[Language::English, Language::Chinese],
        Languages::English => &[Language::English],
        Languages::Chinese => &[Language::Chinese],
    };
    languages.iter().map(|language| Writer { letter, language: *language, context }.sheet()).collect()
}

/// The letter's title in one line with its severity, as for a subject: in English unless only Chinese is wanted.
pub fn subject(letter: &Letter, languages: Languages, context: &Context) -> String {
    let language = match languages {
        Languages::Both | Languages::English => Language::English,
        Languages::Chinese => Language::Chinese,
    };
    let sheet = Writer { letter, language, context }.sheet();
    let severity = sheet.severity.map(|(_, words)| format!("[{words}] ")).unwrap_or_default();
    format!("{severity}{}", sheet.title)
}

struct Writer<'a> {
    letter: &'a Letter,
    language: Language,
    context: &'a Context,
}

impl Writer<'_> {
    fn sheet(&self) -> Sheet {
        let mut parts = match self.letter.kind {
            Kind::Findings | Kind::Reminder | Kind::Escalation => self.findings(),
            Kind::Digest => self.letter.digest.as_ref().map(|digest| self.digest(digest)).unwrap_or_default(),
            Kind::Trouble | Kind::Test => Vec::new(),
        };
        parts.extend(self.troubles());
        parts.extend(self.held());
        Sheet {
            tag: match self.language {
                Language::English => "en-HK",
                Language::Chinese => "zh-Hant-HK",
            },
            severity: self.letter.severity().map(|severity| self.severity(severity)),
            title: self.title(),
            asks: self.asks(),
            parts,
            foot: self.foot(),
        }
    }

    fn severity(&self, severity: Severity) -> (Severity, &'static str) {
        (severity, phrases::severity(severity).text(self.language))
    }

    fn title(&self) -> String {
        let title = match (self.letter.kind, &self.letter.digest) {
            (Kind::Digest, Some(digest)) => self.fill(phrases::DIGEST, &[&self.day(digest.from), &self.day(digest.to)]),
            (Kind::Trouble, _) | (Kind::Digest, None) => {
                let channels: Vec<&str> = self.letter.troubles.iter().map(|trouble| trouble.channel.as_str()).collect();
                self.fill(phrases::TROUBLE, &[&channels.join(", ")])
            }
            (Kind::Test, _) => self.say(phrases::TEST),
            (Kind::Findings | Kind::Reminder | Kind::Escalation, _) => self.findings_title(),
        };
        self.say(phrases::mark(self.letter.kind)) + &title
    }

    fn asks(&self) -> Vec<String> {
        match self.letter.kind {
            Kind::Findings | Kind::Reminder | Kind::Escalation => self.findings_asks(),
            Kind::Digest => vec![self.say(phrases::KEEP_CHECKPOINT)],
            Kind::Trouble => vec![self.say(phrases::MEND_CHANNEL)],
            Kind::Test => vec![self.say(phrases::TEST_ASKS)],
        }
    }

    fn troubles(&self) -> Option<Part> {
        let line = |trouble: &Trouble| {
            let (messages, since) = (trouble.messages.to_string(), time(trouble.since, self.language));
            let what = self.fill(phrases::mishap(trouble.mishap), &[&messages, &since]);
            format!("{}{}{what} ({})", plain(&trouble.channel), self.colon(), plain(&trouble.why))
        };
        self.remarks(phrases::TROUBLES, self.letter.troubles.iter().map(line))
    }

    fn held(&self) -> Option<Part> {
        let line = |held: &Held| {
            let number = match held.reason {
                Reason::Silence(number) => number.to_string(),
                Reason::Inhibited | Reason::Digest => String::new(),
            };
            let why = self.fill(phrases::reason(&held.reason), &[&number]);
            format!("{}{}{why}", self.how_many(held.findings, held.records), self.colon())
        };
        self.remarks(phrases::HELD, self.letter.held.iter().map(line))
    }

    /// Lines under a heading, unless there are none.
    fn remarks(&self, heading: Phrase, lines: impl Iterator<Item = String>) -> Option<Part> {
        let lines: Vec<Item> = lines.map(Item::from).collect();
        (!lines.is_empty()).then(|| Part::Lines { heading: self.say(heading), lines })
    }

    fn colon(&self) -> &'static str {
        match self.language {
            Language::English => ": ",
            Language::Chinese => "：",
        }
    }

    fn foot(&self) -> Vec<String> {
        let moved = self.letter.moved_from.as_ref().map(|channel| self.fill(phrases::MOVED_FROM, &[channel]));
        let about_findings = self.letter.kind != Kind::Test && self.letter.kind != Kind::Trouble;
        let modest = about_findings.then(|| self.say(phrases::MODEST));
        let stamp = say("{}; message {}", "{}；訊息編號 {}");
        let stamp = self.fill(stamp, &[&time(self.letter.at, self.language), &self.letter.id]);
        let counts = about_findings && self.letter.audience == Audience::Chat;
        let counts = counts.then(|| self.say(phrases::COUNTS_ONLY));
        moved.into_iter().chain(counts).chain(modest).chain([stamp]).collect()
    }

    fn how_many(&self, findings: u64, records: u64) -> String {
        self.fill(phrases::HOW_MANY, &[&grouped(findings), &grouped(records)])
    }

    /// Date and time of day in Hong Kong, to the minute.
    fn day(&self, at: i64) -> String {
        let shown = time(at, Language::English);
        shown.get(..16).unwrap_or(&shown).to_owned() + self.say(say(" HKT", "")).as_str()
    }

    fn say(&self, phrase: Phrase) -> String {
        phrase.text(self.language).to_owned()
    }

    fn fill(&self, phrase: Phrase, values: &[&str]) -> String {
        phrase.fill(self.language, values)
    }
}
