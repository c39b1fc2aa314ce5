//! The address field of events, and the sets of places that come of it.

use std::sync::LazyLock;

use harbourwatch::domain::place::{Candidates, Country, Place};
use harbourwatch::geo::{Database, Geo};
use proptest::prelude::*;

use super::{shown, site};

/// The bundled database, an office in Hong Kong on private addresses, and a VPN egress.
static OFFICE: LazyLock<Geo> = LazyLock::new(|| {
    let sites = [site("hk-office", "10.8.0.0/16", Some(Place::HK)), site("vpn", "219.76.9.0/24", None)];
    Geo::build(vec![Database::bundled().unwrap()], &sites, &[]).unwrap()
});

/// 147.8.2.58 and 137.189.6.1 are in Hong Kong, 166.111.4.100 in Mainland China, 133.11.0.1 in Japan.
const FIELDS: [(&str, &str); 38] = [
    ("147.8.2.58", "HK; ip medium"),
    (" 147.8.2.58\t", "HK; ip medium"),
    ("147.8.2.58:50123", "HK; ip medium"),
    ("[::ffff:147.8.2.58]:443", "HK; ip medium"),
    ("::ffff:9308:23a", "HK; ip medium"),
    ("\"147.8.2.58\"", "HK; ip medium"),
    ("[\"147.8.2.58\"]", "HK; ip medium"),
    ("147.8.2.58, 137.189.6.1", "HK; ip medium"),
    ("[\"147.8.2.58\",\"137.189.6.1\"]", "HK; ip medium"),
    ("147.8.2.58;166.111.4.100", "HK | CN; ip low conflict"),
    ("166.111.4.100 147.8.2.58", "CN | HK; ip low conflict"),
    ("147.8.2.58,166.111.4.100,147.8.2.58", "HK | CN; ip low conflict"),
    ("147.8.2.58,166.111.4.100,133.11.0.1,128.32.1.1,141.89.1.1", "anywhere; ip none conflict"),
    ("10.9.0.1", "anywhere; none none private"),
    ("10.9.0.1, 147.8.2.58", "anywhere; none none private"),
    ("147.8.2.58, 10.9.0.1", "anywhere; none none private"),
    ("100.64.3.2", "anywhere; none none private"),
    ("fe80::1%eth0", "anywhere; none none private"),
    ("10.8.4.4", "HK; site high"),
    ("10.8.4.4, 147.8.2.58", "HK; ip medium"),
    ("10.8.4.4, 166.111.4.100", "HK | CN; site low conflict"),
    ("219.76.9.1", "anywhere; site none opaque"),
    ("147.8.2.58, 219.76.9.1", "anywhere; site none opaque"),
    ("147.8.2.58, 8.8.8.8", "anywhere; ip none opaque"),
    ("", "anywhere; none none missing"),
    (" \u{3000}\n", "anywhere; none none missing"),
    ("[]", "anywhere; none none missing"),
    (",;", "anywhere; none none missing"),
    ("Internal", "anywhere; none none unreadable"),
    ("unknown", "anywhere; none none unreadable"),
    ("unknown, 147.8.2.58", "anywhere; none none unreadable"),
    ("147.8.2.58, -", "anywhere; none none unreadable"),
    ("147.008.2.58", "anywhere; none none unreadable"),
    ("147.8.2.58 (Hong Kong)", "anywhere; none none unreadable"),
    ("http://147.8.2.58/", "anywhere; none none unreadable"),
    ("147.8.2.58\0", "anywhere; none none unreadable"),
    ("null", "anywhere; none none unreadable"),
    ("hk.example.hk", "anywhere; none none unreadable"),
];

#[test]
fn every_quirk_of_the_field_has_its_answer() {
    for (field, expected) in FIELDS {
        assert_eq!(shown(&OFFICE.address(Some(field))), expected, "{field:?}");
    }
    assert_eq!(shown(&OFFICE.address(None)), "anywhere; none none missing");
}

#[test]
fn a_list_without_end_is_no_address_field() {
    let many = |count| vec!["147.8.2.58"; count].join(",");
    assert_eq!(shown(&OFFICE.address(Some(&many(16)))), "HK; ip medium");
    assert_eq!(shown(&OFFICE.address(Some(&many(17)))), "anywhere; none none unreadable");
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::HK),
        Just(Place::World),
        prop::sample::select(vec!["CN", "SG", "JP", "MO", "TW", "US"])
            .prop_map(|code| Place::country(Country::parse(code).unwrap())),
    ]
}

/// Text that looks like what the field holds, and text that does not.
fn field() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string()),
        "[\\[\\]\",; :%.0-9a-f]{0,12}",
        any::<String>(),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.join(","))
}

proptest! {
    #[test]
    fn candidates_are_a_small_set_in_order_of_mention(places in prop::collection::vec(place(), 1..8)) {
        let set = places[1..].iter().fold(Candidates::one(places[0]), |set, place| set.with(*place));
        let mut distinct: Vec<Place> = Vec::new();
        places.iter().for_each(|place| if !distinct.contains(place) { distinct.push(*place) });
        if distinct.len() > Candidates::MOST {
            prop_assert_eq!(set, Candidates::Anywhere);
        } else {
            prop_assert_eq!(&set.iter().collect::<Vec<_>>(), &distinct);
        }
        prop_assert_eq!(set.sole(), (distinct.len() == 1).then_some(places[0]));
        prop_assert!(places.iter().all(|place| set == Candidates::Anywhere || set.with(*place) == set));
    }

    #[test]
    fn no_field_panics_and_a_place_is_never_made_of_words(field in field()) {
        let location = OFFICE.address(Some(&field));
        let has_figures = field.contains(|c: char| c.is_ascii_hexdigit());
        prop_assert!(has_figures || location.candidates == Candidates::Anywhere, "{:?}", field);
        prop_assert_eq!(location.candidates == Candidates::Anywhere, location.confidence == harbourwatch::domain::place::Confidence::None);
    }

    #[test]
    fn the_order_of_a_list_changes_no_set(one in any::<std::net::Ipv4Addr>(), other in any::<std::net::Ipv4Addr>()) {
        let sorted = |field: &str| {
            let mut places: Vec<_> = OFFICE.address(Some(field)).candidates.iter().collect();
            places.sort();
            places
        };
        prop_assert_eq!(sorted(&format!("{one},{other}")), sorted(&format!("{other},{one}")));
    }
}
