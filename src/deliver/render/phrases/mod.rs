//! What is said to the officer, each phrase in English and in Traditional Chinese side by side, so that neither can be
//! forgotten.
//!
//! The wording is modest: a finding says what recorded facts and the organisation's own register show, never that a law
//! was broken. PDPO s.33 is not in operation, and no phrase says otherwise.

mod countries;
mod facts;
mod law;
pub(super) mod letter;
mod verdict;

pub(super) use countries::country;
pub(super) use facts::{category, confidence, kind, method, place, role};
pub(super) use law::{SECTION_33, TERMS, binding, condition, hook};
pub(super) use verdict::{action, deadline, headline, safeguard_state, tag};

use super::plain::plain;

/// One language of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Chinese,
}

/// A phrase in both languages; `{}` is where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
}

/// Shorthand for tables of phrases.
pub(super) const fn say(en: &'static str, zh: &'static str) -> Phrase {
    Phrase { en, zh }
}

impl Phrase {
    /// The phrase in one language.
    pub(super) fn text(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Chinese => self.zh,
        }
    }

    /// The phrase with its values, made plain, in the places of `{}`.
    pub(super) fn fill(self, language: Language, values: &[&str]) -> String {
        let mut values = values.iter();
        let mut parts = self.text(language).split("{}");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            filled.push_str(&values.next().map(|value| plain(value)).unwrap_or_default());
            filled.push_str(part);
        }
        filled
    }
}
