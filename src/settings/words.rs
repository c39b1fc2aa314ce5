//! The words of the file: places, areas, days, closed lists. Pure text → domain.

use jiff::civil::{Date, date};

use crate::domain::party::{Role, Tie, Tri};
use crate::domain::place::{Country, District, GbaCity, Place};
use crate::domain::safeguard::Area;

/// ISO 3166-2:CN without Guangdong, Hong Kong, Macao and Taiwan.
const PROVINCES: &str = "AH BJ CQ FJ GS GX GZ HA HB HE HI HL HN JL JS JX LN NM NX QH SC SD SH SN SX TJ XJ XZ YN ZJ";

/// Cities of Guangdong outside the nine of the Greater Bay Area.
const GUANGDONG_OUTSIDE: [&str; 12] = [
    "Chaozhou",
    "Heyuan",
    "Jieyang",
    "Maoming",
    "Meizhou",
    "Qingyuan",
    "Shantou",
    "Shanwei",
    "Shaoguan",
    "Yangjiang",
    "Yunfu",
    "Zhanjiang",
];

pub(super) const PLACE_REMEDY: &str = "write a place: \"HK\", \"SG\" (ISO 3166-1, capitals), \"CN\", \"CN-ZJ\", \"CN-GD\" or \
    \"CN-GD-Shenzhen\"; Macao is \"MO\", Taiwan \"TW\"";
pub(super) const AREA_REMEDY: &str = "write an area: \"*\", a country such as \"SG\", \"CN\", \"CN-GD\", \"CN-GBA\" or one of the \
    nine cities such as \"CN-GD-Shenzhen\"";
pub(super) const DAY_REMEDY: &str = "write a day that exists as \"2026-11-23\", in quotes";

/// A place. Codes that name Hong Kong, Macao or Taiwan as parts of `CN` are refused rather than guessed.
pub(super) fn place(text: &str) -> Option<Place> {
    match text.strip_prefix("CN-") {
        None => Country::assigned(text).map(Place::country),
        Some("GD") => Some(Place::In(Country::CN, District::Guangdong)),
        Some(rest) => match rest.strip_prefix("GD-") {
            Some(city) => guangdong(city),
            None => listed(PROVINCES, rest).then_some(Place::In(Country::CN, District::OtherProvince)),
        },
    }
}

fn guangdong(city: &str) -> Option<Place> {
    let district = match GbaCity::ALL.iter().find(|(_, name, ..)| *name == city) {
        Some((city, ..)) => District::Gba(*city),
        None if GUANGDONG_OUTSIDE.contains(&city) => District::GuangdongOutsideGba,
        None => return None,
    };
    Some(Place::In(Country::CN, district))
}

/// An area that a rule can ask for.
pub(super) fn area(text: &str) -> Option<Area> {
    match text.strip_prefix("CN-GD-") {
        Some(city) => GbaCity::ALL.iter().find(|(_, name, ..)| *name == city).map(|(city, ..)| Area::City(*city)),
        None => match Area::parse(text)? {
            Area::Country(_) => Country::assigned(text).map(Area::Country),
            area @ (Area::Everywhere | Area::Guangdong | Area::GbaNine | Area::City(_)) => Some(area),
        },
    }
}

fn listed(codes: &str, code: &str) -> bool {
    codes.split_ascii_whitespace().any(|listed| listed == code)
}

/// Days since the epoch of `2026-11-23`.
pub(super) fn day(text: &str) -> Option<i32> {
    // The round trip refuses other spellings that the parser would take.
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text)?;
    day.since(date(1970, 1, 1)).ok().map(|span| span.get_days())
}

pub(super) const TRI: [&str; 3] = ["yes", "no", "unknown"];

pub(super) fn tri(text: &str) -> Option<Tri> {
    match text {
        "yes" => Some(Tri::Yes),
        "no" => Some(Tri::No),
        "unknown" => Some(Tri::Unknown),
        _ => None,
    }
}

pub(super) const ROLES: [&str; 3] = ["data_user", "processor", "unknown"];

pub(super) fn role(text: &str) -> Option<Role> {
    match text {
        "data_user" => Some(Role::DataUser),
        "processor" => Some(Role::Processor),
        "unknown" => Some(Role::Unknown),
        _ => None,
    }
}

pub(super) const TIES: [&str; 2] = ["own", "group"];

pub(super) fn tie(text: &str) -> Option<Tie> {
    match text {
        "own" => Some(Tie::Own),
        "group" => Some(Tie::Group),
        _ => None,
    }
}

/// A host or domain name in lower case: letters, digits and hyphens in labels of 1 to 63 (RFC 1035, RFC 1123).
pub(super) fn domain(text: &str) -> Option<String> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(letter);
    (text.len() <= 253 && text.split('.').all(label)).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_in_their_canonical_spelling_only() {
        assert_eq!(place("HK"), Some(Place::HK));
        assert_eq!(place("CN-GD-Shenzhen"), Some(Place::In(Country::CN, District::Gba(GbaCity::Shenzhen))));
        assert_eq!(place("CN-GD-Heyuan"), Some(Place::In(Country::CN, District::GuangdongOutsideGba)));
        assert_eq!(place("CN-ZJ"), Some(Place::In(Country::CN, District::OtherProvince)));
        for wrong in
            ["", "hk", "UK", "EU", "CN-HK", "CN-91", "CN-MO", "CN-TW", "CN-", "CN-GD-", "CN-GD-Hangzhou", "HK-KLN", "*"]
        {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn areas_do_not_take_places_that_no_rule_asks_for() {
        assert_eq!(area("*"), Some(Area::Everywhere));
        assert_eq!(area("CN-GBA"), Some(Area::GbaNine));
        assert_eq!(area("CN-GD-Zhuhai"), Some(Area::City(GbaCity::Zhuhai)));
        for wrong in ["", "CN-ZJ", "CN-GD-Heyuan", "CN-GD-Shenzhen Shi", "QQ", "sg", "CN-HK"] {
            assert_eq!(area(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_count_from_the_epoch_and_exist() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2026-11-23"), Some(20_780));
        assert_eq!(day("1969-12-31"), Some(-1));
        for wrong in ["", "2026-02-29", "23/11/2026", "20261123", "2026-11-23T00:00", "2026-1-1"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn domains_are_labels() {
        assert_eq!(domain("VHB.example").as_deref(), Some("vhb.example"));
        for wrong in ["", ".a", "a.", "*.a", "https://a", "a/b", "维港.example", "a b"] {
            assert_eq!(domain(wrong), None, "{wrong}");
        }
    }
}
