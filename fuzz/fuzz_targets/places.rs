//! No bytes of a database and no text of an event panic the look-up of places, and a text that is no host of Alibaba Cloud's
//! or DingTalk's own is never given a place.
//!
//! `cargo +nightly fuzz run places`: input that begins with a zero byte is a database, anything else a text.

#![no_main]

use std::sync::LazyLock;

use harbourwatch::domain::place::Location;
use harbourwatch::geo::{Database, Geo};
use libfuzzer_sys::fuzz_target;

/// Special ranges and the tables of hosts alone.
static EMPTY: LazyLock<Geo> = LazyLock::new(|| Geo::build(Vec::new(), &[], &[]).expect("nothing to refuse"));

fn is_place(location: &Location) -> bool {
    location.doubt.is_none() && location.candidates.iter().next().is_some()
}

fn read_database(bytes: &[u8]) {
    let Ok(database) = Database::from_bytes("fuzzed", bytes.to_vec()) else { return };
    let Ok(geo) = Geo::build(vec![database], &[], &[]) else { return };
    for field in ["0.0.0.0", "1.64.0.1", "255.255.255.255", "::", "2a00::1", "ffff::", "::ffff:1.64.0.1"] {
        geo.address(Some(field));
    }
}

fn read_text(text: &str) {
    assert!(!is_place(&EMPTY.address(Some(text))), "a place without a database");
    EMPTY.region(text);
    EMPTY.bucket(text);
    let placed = EMPTY.host(text).filter(is_place);
    let ours = ["aliyuncs.com", "dingtalk.com"].iter().any(|domain| text.to_ascii_lowercase().contains(domain));
    assert!(placed.is_none() || ours, "a place for a host that no table has");
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0, database)) => read_database(database),
        Some(_) | None => std::str::from_utf8(bytes).map_or((), read_text),
    }
});
