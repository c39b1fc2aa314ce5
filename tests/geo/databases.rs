//! Databases in every layout, in disagreement, and damaged.

use std::net::IpAddr;

use harbourwatch::domain::place::{Country, Location};
use harbourwatch::geo::{Database, Geo, GeoError, Layout};
use sha2::{Digest, Sha256};

use super::mmdb_file::{File, Value, map, text};
use super::{BUNDLED, Random, WORLD, shown};

fn nested(country: &str, subdivision: &str, city: &str) -> Value {
    let mut pairs = vec![
        ("registered_country", map([("iso_code", text("US"))])),
        ("country", map([("geoname_id", Value::U32(1)), ("iso_code", text(country))])),
    ];
    if !subdivision.is_empty() {
        pairs.push(("subdivisions", Value::List(vec![map([("iso_code", text(subdivision))])])));
    }
    if !city.is_empty() {
        pairs.push(("city", map([("names", map([("en", text(city))]))])));
    }
    Value::Map(pairs)
}

fn flat(country: &str) -> Value {
    map([("country_code", text(country))])
}

fn flat_city(country: &str, state: &str, city: &str) -> Value {
    map([("city", text(city)), ("country_code", text(country)), ("state1", text(state)), ("state2", text(""))])
}

fn read(file: &File) -> Result<Database, GeoError> {
    Database::from_bytes("test", file.bytes())
}

fn look(geo: &Geo, address: &str) -> Location {
    geo.ip(address.parse().unwrap())
}

fn assert_places(file: &File, layout: Layout, cases: &[(&str, &str)]) {
    let database = read(file).unwrap();
    assert_eq!(database.layout(), layout);
    let geo = Geo::build(vec![database], &[], &[]).unwrap();
    for (address, expected) in cases {
        assert_eq!(shown(&look(&geo, address)), *expected, "{address} in {layout:?}");
    }
}

#[test]
fn maxmind_layout_with_aliases_and_without_registered_country() {
    for bits in [24, 28, 32] {
        let file = File::new(true, bits)
            .insert("9.9.0.0/16", &map([("registered_country", map([("iso_code", text("HK"))]))]))
            .insert("20.0.0.0/8", &nested("CN", "", ""))
            .insert("20.1.0.0/16", &nested("CN", "44", "Shenzhen"))
            .insert("20.2.0.0/16", &nested("CN", "GD", "Heyuan"))
            .insert("20.3.0.0/16", &nested("CN", "ZJ", "Hangzhou"))
            .insert("20.4.0.0/16", &nested("CN", "HK", ""))
            .insert("20.5.5.5/32", &nested("CN", "92", ""))
            .insert("2a00::/12", &nested("JP", "13", "Tokyo"))
            .alias("2002::/16")
            .alias("::ffff:0:0/96");
        let cases = [
            ("9.9.1.1", "anywhere; none none unlisted"),
            ("20.0.0.0", "CN; ip medium"),
            ("20.1.255.255", "CN (Shenzhen, Guangdong); ip low"),
            ("20.2.1.1", "CN (Guangdong, outside the nine GBA cities); ip low"),
            ("20.3.1.1", "CN (outside Guangdong); ip low"),
            ("20.4.1.1", "HK; ip medium"),
            ("20.5.5.4", "CN; ip medium"),
            ("20.5.5.5", "MO; ip medium"),
            ("20.5.5.6", "CN; ip medium"),
            ("21.0.0.0", "anywhere; none none unlisted"),
            ("2a00::1", "JP; ip medium"),
            ("2b00::1", "anywhere; none none unlisted"),
            ("::ffff:20.4.1.1", "HK; ip medium"),
            ("2002:1404:101::1", "HK; ip medium"),
        ];
        assert_places(&file, Layout::Nested, &cases);
    }
}

#[test]
fn flat_layouts_with_codes_and_names() {
    let file = File::new(true, 28)
        .insert("20.0.0.0/16", &flat_city("CN", "Guangdong", "Guangzhou (Tianhe Qu)"))
        .insert("20.1.0.0/16", &flat_city("CN", "Guangdong", ""))
        .insert("20.2.0.0/16", &flat_city("CN", "Hong Kong", "Central"))
        .insert("20.3.0.0/16", &flat_city("CN", "Hebei", "Zhangjiakou"))
        .insert("20.4.0.0/16", &flat_city("ZZ", "", ""))
        .insert("2a00::/16", &flat_city("HK", "", "Hong Kong"));
    let cases = [
        ("20.0.0.1", "CN (Guangzhou, Guangdong); ip low"),
        ("20.1.0.1", "CN (Guangdong); ip low"),
        ("20.2.0.1", "HK; ip medium"),
        ("20.3.0.1", "CN (outside Guangdong); ip low"),
        ("20.4.0.1", "anywhere; none none unlisted"),
        ("2a00::1", "HK; ip medium"),
    ];
    assert_places(&file, Layout::Flat, &cases);
}

#[test]
fn a_country_name_beside_a_code_is_not_taken_for_a_code() {
    let ipinfo = map([("country", text("Hong Kong")), ("country_code", text("HK"))]);
    assert_places(&File::new(false, 24).insert("20.0.0.0/8", &ipinfo), Layout::Flat, &[("20.1.1.1", "HK; ip medium")]);
    let older = map([("asn", text("AS1")), ("country", text("HK"))]);
    assert_places(
        &File::new(false, 24).insert("20.0.0.0/8", &older),
        Layout::Letters,
        &[("20.1.1.1", "HK; ip medium")],
    );
}

#[test]
fn a_database_for_ipv4_knows_no_ipv6_but_mapped_addresses() {
    let file = File::new(false, 32).insert("20.0.0.0/8", &flat("HK")).insert("255.0.0.0/8", &flat("US"));
    let cases = [
        ("20.1.1.1", "HK; ip medium"),
        ("::ffff:20.1.1.1", "HK; ip medium"),
        ("2a00::1", "anywhere; none none unlisted"),
        ("255.1.1.1", "anywhere; none none private"),
    ];
    assert_places(&file, Layout::Flat, &cases);
}

#[test]
fn files_without_countries_are_refused() {
    let asn = map([("autonomous_system_number", Value::U32(4760))]);
    let error = read(&File::new(true, 24).insert("20.0.0.0/8", &asn)).unwrap_err();
    assert_eq!(error, GeoError::Layout("test".into()));
    let names = map([("country", text("Hong Kong"))]);
    assert!(matches!(read(&File::new(true, 24).insert("20.0.0.0/8", &names)), Err(GeoError::Layout(_))));
    let mixed = File::new(true, 24)
        .insert("20.0.0.0/8", &flat("HK"))
        .insert("21.0.0.0/8", &map([("country_code", Value::U16(7))]));
    assert!(matches!(read(&mixed), Err(GeoError::Unreadable { .. })));
}

#[test]
fn a_wrong_known_answer_refuses_a_database() {
    let error = read(&File::new(true, 24).insert("147.8.0.0/16", &flat("CN"))).unwrap_err();
    let address: IpAddr = "147.8.2.58".parse().unwrap();
    let (expected, found) = (Country::HK, Country::CN);
    assert_eq!(error, GeoError::Canary { name: "test".into(), address, expected, found });
    read(&File::new(true, 24).insert("147.8.0.0/16", &flat("HK"))).unwrap();
}

#[test]
fn databases_in_disagreement_keep_all_their_places() {
    let one = File::new(true, 24).insert("20.0.0.0/8", &flat("HK")).insert("30.0.0.0/8", &flat("CN"));
    let two = File::new(true, 24)
        .insert("20.0.0.0/9", &flat("HK"))
        .insert("20.128.0.0/9", &flat("CN"))
        .insert("30.0.0.0/9", &flat_city("CN", "Guangdong", "Zhuhai"))
        .insert("40.0.0.0/8", &flat("JP"));
    let open = |name: &str, file: &File| Database::from_bytes(name, file.bytes()).unwrap();
    let geo = Geo::build(vec![open("one", &one), open("two", &two)], &[], &[]).unwrap();
    let cases = [
        ("20.127.255.255", "HK; ip medium", "one + two"),
        ("20.128.0.0", "HK | CN; ip low conflict", "one + two"),
        ("30.1.1.1", "CN (Zhuhai, Guangdong); ip low", "one + two"),
        ("30.128.0.0", "CN; ip medium", "one"),
        ("40.1.1.1", "JP; ip medium", "two"),
        ("50.1.1.1", "anywhere; none none unlisted", ""),
    ];
    for (address, expected, speakers) in cases {
        let location = look(&geo, address);
        assert_eq!(shown(&location), expected, "{address}");
        let statement = geo.source(location.source).to_string();
        let named: Vec<_> = statement
            .split(" + ")
            .filter_map(|part| part.split_once(", build 2026-05-28"))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(named.join(" + "), speakers, "{address}: {statement}");
    }
    let many = (0..5).map(|_| open("one", &one)).collect();
    assert_eq!(Geo::build(many, &[], &[]).unwrap_err(), GeoError::TooManyDatabases(5));
}

#[test]
fn damaged_bytes_give_an_error_or_a_table_but_never_a_panic() {
    let file = File::new(true, 28)
        .insert("20.0.0.0/8", &nested("CN", "44", "Shenzhen"))
        .insert("147.8.0.0/16", &nested("HK", "", ""))
        .insert("2a00::/16", &nested("JP", "", ""))
        .alias("2002::/16");
    let good = file.bytes();
    for len in 0..good.len() {
        try_bytes(good[..len].to_vec());
    }
    let (mut random, mut refused) = (Random(4), 0);
    for _ in 0..30_000 {
        let mut bytes = good.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = random.next() as u8;
        }
        refused += u32::from(!try_bytes(bytes));
    }
    assert!(refused > 3_000, "only {refused} damaged files were refused");
}

/// Whether the bytes were accepted; if so, every address must still have some answer.
fn try_bytes(bytes: Vec<u8>) -> bool {
    let Ok(database) = Database::from_bytes("damaged", bytes) else { return false };
    // Compiling is slow beside reading, so only some of the files that were accepted go all the way.
    if database.statement().digest.starts_with("00") {
        let geo = Geo::build(vec![database], &[], &[]).unwrap();
        for address in ["0.0.0.0", "20.1.1.1", "255.255.255.255", "::", "2a00::1", "ffff::"] {
            assert!(!shown(&look(&geo, address)).is_empty());
        }
    }
    true
}

#[test]
fn damage_to_the_bundled_database_is_no_panic_either() {
    let mut random = Random(5);
    for _ in 0..6 {
        let mut bytes = BUNDLED.to_vec();
        for _ in 0..2000 {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = random.next() as u8;
        }
        assert!(Database::from_bytes("damaged", bytes).is_err());
    }
    let half = BUNDLED[..BUNDLED.len() / 2].to_vec();
    assert!(matches!(Database::from_bytes("torn", half), Err(GeoError::Unreadable { .. })));
    assert!(matches!(Database::from_bytes("empty", Vec::new()), Err(GeoError::Unreadable { .. })));
}

#[test]
fn a_tree_that_runs_in_circles_is_refused() {
    let mut bytes = File::new(false, 32).insert("0.0.0.0/1", &flat("US")).bytes();
    bytes[4..8].copy_from_slice(&0u32.to_be_bytes());
    assert!(matches!(Database::from_bytes("circle", bytes), Err(GeoError::Unreadable { .. })));
}

/// Every node leads to the next one by both ways: few bytes, 2^32 or 2^128 networks.
#[test]
fn a_tree_that_folds_onto_itself_is_refused() {
    for (v6, net) in [(false, "0.0.0.0/32"), (true, "::/128")] {
        let mut bytes = File::new(v6, 32).insert(net, &flat("US")).bytes();
        for node in 0..if v6 { 128 } else { 32 } {
            bytes.copy_within(8 * node..8 * node + 4, 8 * node + 4);
        }
        let error = Database::from_bytes("folded", bytes).unwrap_err();
        assert!(error.to_string().contains("does not end"), "{error}");
    }
}

#[test]
fn the_bundled_database_says_which_it_is() {
    let location = look(&WORLD, "147.8.2.58");
    let statement = WORLD.source(location.source).to_string();
    assert_eq!(statement, "DB-IP country lite, build 2026-06-01, sha256 4e7f53dd9c6e");
    assert_eq!(WORLD.built(), Some(1_780_345_978_000));
}

#[test]
fn the_data_folder_holds_what_its_checksums_say() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("geoip");
    let sums = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    for (sum, name) in sums.lines().map(|line| line.split_once("  ").unwrap()) {
        let digest = Sha256::digest(std::fs::read(folder.join(name)).unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, sum, "geoip/{name}");
    }
    assert_eq!(sums.lines().count(), 4);
}

#[test]
fn the_digest_follows_everything_in_force() {
    let place = Some(harbourwatch::domain::place::Place::HK);
    let rule = |place| harbourwatch::geo::HostRule { suffix: "files.example.hk".into(), place };
    let digests = [
        Geo::build(Vec::new(), &[], &[]).unwrap(),
        Geo::build(Vec::new(), &[super::site("a", "10.0.0.0/8", place)], &[]).unwrap(),
        Geo::build(Vec::new(), &[super::site("a", "10.0.0.0/8", None)], &[]).unwrap(),
        Geo::build(Vec::new(), &[super::site("b", "10.0.0.0/8", None)], &[]).unwrap(),
        Geo::build(Vec::new(), &[], &[rule(place)]).unwrap(),
        Geo::build(Vec::new(), &[], &[rule(None)]).unwrap(),
    ]
    .map(|geo| geo.digest().to_owned());
    for (index, digest) in digests.iter().enumerate() {
        assert_eq!(digest.len(), 64);
        assert!(!digests[..index].contains(digest), "{index}");
    }
    assert_eq!(digests[0], Geo::build(Vec::new(), &[], &[]).unwrap().digest());
}
