//! What databases write about places, in canonical words. Databases differ in codes, eras and spelling; Hong Kong, Macao
//! and Taiwan written as parts of China come out as the places they are (ISO 3166-2:CN lists them as CN-HK, CN-MO, CN-TW,
//! formerly CN-91, CN-92, CN-71).

use crate::domain::place::{Country, District, GbaCity, Place};

/// What a record says below the country.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Below<'a> {
    /// Code of the first subdivision, with or without `CN-`.
    pub(super) code: Option<&'a str>,
    /// Name of the first subdivision.
    pub(super) province: Option<&'a str>,
    /// Name of the city.
    pub(super) city: Option<&'a str>,
}

/// The place that a record names; `None` where it names no territory (`ZZ`, `EU`, an empty text).
pub(super) fn place(country: &str, below: Below<'_>) -> Option<Place> {
    let (country, below) = match country.split_once('-') {
        Some((country, code)) => (country, Below { code: Some(code), ..below }),
        None => (country, below),
    };
    match Country::parse(country)? {
        Country::CN => Some(in_china(below)),
        other => Some(Place::country(other)),
    }
}

fn in_china(below: Below<'_>) -> Place {
    let code = below.code.map(bare_code);
    let territory = code
        .and_then(territory_by_code)
        .or_else(|| [below.province, below.city].into_iter().flatten().find_map(territory_by_name));
    match territory {
        Some(territory) => Place::country(territory),
        None => Place::In(Country::CN, mainland(code, below)),
    }
}

fn bare_code(code: &str) -> &str {
    code.rsplit_once('-').map_or(code, |(_, code)| code)
}

fn territory_by_code(code: &str) -> Option<Country> {
    match code {
        "HK" | "91" => Some(Country::HK),
        "MO" | "92" => Some(Country::MO),
        "TW" | "71" => Some(Country::TW),
        _ => None,
    }
}

/// Names of the territories as databases write them, in lower case.
const TERRITORIES: [(&str, Country); 12] = [
    ("hong kong", Country::HK),
    ("hongkong", Country::HK),
    ("hong kong sar", Country::HK),
    ("香港", Country::HK),
    ("macao", Country::MO),
    ("macau", Country::MO),
    ("macao sar", Country::MO),
    ("澳门", Country::MO),
    ("澳門", Country::MO),
    ("taiwan", Country::TW),
    ("taiwan province", Country::TW),
    ("台湾", Country::TW),
];

fn territory_by_name(name: &str) -> Option<Country> {
    TERRITORIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())).map(|(_, country)| *country)
}

/// Whether the province is Guangdong; `None`: not stated, or in words that are not understood.
fn is_guangdong(code: Option<&str>, name: Option<&str>) -> Option<bool> {
    let by_code =
        code.filter(|code| PROVINCES.iter().any(|known| known.contains(code))).map(|code| matches!(code, "GD" | "44"));
    by_code.or_else(|| name.filter(|name| is_name(name)).map(|name| names_guangdong(name.trim())))
}

fn names_guangdong(name: &str) -> bool {
    name.get(..9).is_some_and(|head| head.eq_ignore_ascii_case("guangdong")) || name.starts_with("广东")
}

/// A name has a letter; databases also write `-`, `0` or nothing.
fn is_name(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

/// Mainland provinces in the letters of ISO 3166-2:CN and in the figures of GB/T 2260.
const PROVINCES: [[&str; 2]; 31] = [
    ["BJ", "11"],
    ["TJ", "12"],
    ["HE", "13"],
    ["SX", "14"],
    ["NM", "15"],
    ["LN", "21"],
    ["JL", "22"],
    ["HL", "23"],
    ["SH", "31"],
    ["JS", "32"],
    ["ZJ", "33"],
    ["AH", "34"],
    ["FJ", "35"],
    ["JX", "36"],
    ["SD", "37"],
    ["HA", "41"],
    ["HB", "42"],
    ["HN", "43"],
    ["GD", "44"],
    ["GX", "45"],
    ["HI", "46"],
    ["CQ", "50"],
    ["SC", "51"],
    ["GZ", "52"],
    ["YN", "53"],
    ["XZ", "54"],
    ["SN", "61"],
    ["GS", "62"],
    ["QH", "63"],
    ["NX", "64"],
    ["XJ", "65"],
];

fn mainland(code: Option<&str>, below: Below<'_>) -> District {
    let city = below.city.map(str::trim).filter(|city| is_name(city));
    match (is_guangdong(code, below.province), city) {
        (Some(true), Some(city)) => GbaCity::parse(city).map_or(District::GuangdongOutsideGba, District::Gba),
        (Some(true), None) => District::Guangdong,
        (Some(false), _) => District::OtherProvince,
        // A city without province: only a name of the nine says something that a rule asks for.
        (None, city) => city.and_then(GbaCity::parse).map_or(District::Unstated, District::Gba),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(country: &str, code: &str, province: &str, city: &str) -> Option<String> {
        let below = Below {
            code: Some(code).filter(|text| !text.is_empty()),
            province: Some(province).filter(|text| !text.is_empty()),
            city: Some(city).filter(|text| !text.is_empty()),
        };
        place(country, below).map(|place| place.to_string())
    }

    #[test]
    fn spellings_of_all_eras_come_to_one_place() {
        let cases = [
            ("HK", "", "", "", "HK"),
            ("hk", "", "", "Central", "HK"),
            ("CN", "HK", "", "", "HK"),
            ("CN", "91", "", "", "HK"),
            ("CN", "CN-91", "", "", "HK"),
            ("CN-HK", "", "", "", "HK"),
            ("CN", "", "Hong Kong", "", "HK"),
            ("CN", "", "", "Hong Kong", "HK"),
            ("CN", "MO", "", "", "MO"),
            ("CN-92", "", "", "", "MO"),
            ("CN", "71", "", "", "TW"),
            ("CN", "", "Taiwan", "Taipei", "TW"),
            ("CN", "", "", "", "CN"),
            ("CN", "-", "-", "-", "CN"),
            ("CN", "GD", "Guangdong", "Shenzhen", "CN (Shenzhen, Guangdong)"),
            ("CN", "44", "", "Heyuan", "CN (Guangdong, outside the nine GBA cities)"),
            ("CN", "", "Guangdong Sheng", "Shenzhen (Nanshan Qu)", "CN (Shenzhen, Guangdong)"),
            ("CN", "", "Guangdong", "", "CN (Guangdong)"),
            ("CN", "ZJ", "", "", "CN (outside Guangdong)"),
            ("CN", "22", "", "", "CN (outside Guangdong)"),
            ("CN", "", "Zhejiang", "Hangzhou", "CN (outside Guangdong)"),
            ("CN", "??", "", "", "CN"),
            ("CN", "", "", "Dongguan", "CN (Dongguan, Guangdong)"),
            ("CN", "", "", "Beijing", "CN"),
            ("JP", "13", "Tokyo", "Tokyo", "JP"),
            ("US", "HK", "Hong Kong", "", "US"),
        ];
        for (country, code, province, city, expected) in cases {
            assert_eq!(
                read(country, code, province, city).as_deref(),
                Some(expected),
                "{country} {code} {province} {city}"
            );
        }
    }

    #[test]
    fn what_is_no_territory_is_no_place() {
        for country in ["", "-", "ZZ", "EU", "AP", "C", "CHN", "China", "ZZ-HK"] {
            assert_eq!(read(country, "", "", ""), None, "{country}");
        }
    }
}
