//! The geolocation against independent answers: the database's own reader, naive scans, and tables written by hand.

#![allow(clippy::unwrap_used)] // Helpers of tests; a test that cannot go on should stop.

mod databases;
mod fields;
mod hosts;
mod mmdb_file;
mod table;

use std::sync::LazyLock;

use harbourwatch::domain::place::{Location, Place};
use harbourwatch::geo::{Database, Geo, Site};

static BUNDLED: &[u8] = include_bytes!("../geoip/dbip-country.mmdb");

/// The bundled database alone.
static WORLD: LazyLock<Geo> = LazyLock::new(|| Geo::build(vec![Database::bundled().unwrap()], &[], &[]).unwrap());

/// The whole answer in one line: places, method, confidence, doubt.
fn shown(location: &Location) -> String {
    let places: Vec<_> = location.candidates.iter().map(|place| place.to_string()).collect();
    let doubt = location.doubt.map_or("", |doubt| doubt.name());
    let places = if places.is_empty() { "anywhere".to_owned() } else { places.join(" | ") };
    format!("{places}; {} {} {doubt}", location.method.name(), location.confidence.name()).trim_end().to_owned()
}

fn site(id: &str, net: &str, place: Option<Place>) -> Site {
    Site { id: id.to_owned(), net: net.parse().unwrap(), place }
}

/// A small generator, so that a failure can be repeated (Steele, Lea, Flood: SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
