//! Words that several renderers share.

use super::phrases::{self, Language};
use crate::deliver::{Field, Notice, View};
use crate::domain::verdict::{Severity, Tag, Verdict};

/// ISO 3166-1 alpha-2 code of a place as of [`crate::deliver::Field::Origin`]; `None` if it is unknown or not one place.
pub fn country(place: &str) -> Option<&str> {
    let (code, rest) = place.split_at_checked(2)?;
    let sole = rest.is_empty() || (rest.starts_with(" (") && rest.ends_with(')') && !rest.contains(") or "));
    (sole && code.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(code)
}

/// A place's code in English words; the code itself where there are none.
pub fn place_name(code: &str) -> String {
    phrases::place(code, Language::English)
}

/// A country's name in Chinese by its code, without the code; `None` if the code is not assigned.
pub fn country_in_chinese(code: &str) -> Option<&'static str> {
    phrases::country(code).map(|name| name.text(Language::Chinese))
}

/// RFC 3339 in UTC with ms; empty outside the calendar.
pub fn utc(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// Names are our own; one that a later version wrote is treated with the greater care.
pub(super) fn severity(view: &View) -> Severity {
    Severity::parse(view.text(Field::Severity)).unwrap_or(Severity::Critical)
}

/// As [`severity`].
pub(super) fn verdict(view: &View) -> Verdict {
    Verdict::parse(view.text(Field::Verdict)).unwrap_or(Verdict::Undetermined)
}

/// The headline in English, marked if it is a test.
pub(super) fn headline(notice: &Notice) -> String {
    let foreign = notice.view.list(Field::Tags).contains(&Tag::ForeignHkControlled.name());
    let [movement, state] = phrases::headline(verdict(&notice.view), foreign, stays(&notice.view));
    let mark = if notice.test { "TEST, no finding: " } else { "" };
    format!("{mark}{}{}", movement.text(Language::English), state.text(Language::English))
}

/// Undetermined, and yet nothing that is possible leaves Hong Kong.
pub(super) fn stays(view: &View) -> bool {
    let possible = view.list(Field::Possible);
    let leaves = |name: &&str| Verdict::parse(name).is_none_or(Verdict::leaves);
    verdict(view) == Verdict::Undetermined && !possible.is_empty() && !possible.iter().any(leaves)
}

/// The weaker confidence of the two ends: 1 low or none, 2 medium, 3 high.
pub(super) fn confidence(view: &View) -> u8 {
    let of = |field| match view.text(field) {
        "high" => 3,
        "medium" => 2,
        _ => 1,
    };
    of(Field::OriginConfidence).min(of(Field::DestinationConfidence))
}

/// Whether an end was found by the actor's address.
pub(super) fn is_by_address(view: &View, method: Field) -> bool {
    matches!(view.text(method), "ip" | "site")
}

/// Provisions in force that are in point.
pub(super) fn in_force(view: &View) -> &'static [&'static str] {
    let processor = view.text(Field::RecipientRole) == "processor";
    match verdict(view) {
        Verdict::Uncovered | Verdict::Defect if processor => &["HK-PDPO-DPP2(3)", "HK-PDPO-DPP4(2)", "HK-PDPO-s65(2)"],
        Verdict::Uncovered | Verdict::Defect => &["HK-PDPO-DPP1(3)", "HK-PDPO-DPP3", "HK-PDPO-DPP4(1)"],
        Verdict::Undetermined => &["HK-PDPO-DPP4(1)"],
        Verdict::Covered => &["HK-PDPO-s66"],
        Verdict::Prohibited | Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => &[],
    }
}

/// What is followed as recommended practice; s.33 is not in operation.
pub(super) fn recommended(view: &View) -> &'static [&'static str] {
    match verdict(view) {
        Verdict::Uncovered | Verdict::Defect | Verdict::Covered => &["HK-PDPO-s33(2)", "PCPD-RMC-2022"],
        Verdict::Undetermined => &["PCPD-cloud-leaflet"],
        Verdict::Prohibited | Verdict::Inbound | Verdict::Domestic | Verdict::NoHkNexus | Verdict::OutOfScope => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_known_place_has_a_code() {
        assert_eq!(country("HK"), Some("HK"));
        assert_eq!(country("CN (Shenzhen, Guangdong)"), Some("CN"));
        for other in
            ["HK or CN", "CN (outside Guangdong) or CN (Shenzhen, Guangdong)", "unknown (opaque)", "", "WORLD", "字"]
        {
            assert_eq!(country(other), None, "{other}");
        }
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(utc(1_795_397_400_000), "2026-11-23T01:30:00.000Z");
        assert_eq!(utc(i64::MAX), "");
    }
}
