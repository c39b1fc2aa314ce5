//! What the whole way costs as the work grows: time an event and memory, one thread.

use std::sync::Arc;

use harbourwatch::app::wire;
use harbourwatch::domain::event::Id;
use harbourwatch::domain::party::{Contact, PartyId};
use harbourwatch::domain::place::Place;
use harbourwatch::geo::Site;
use harbourwatch::pipeline::dedupe::Dedupe;
use harbourwatch::pipeline::work::Slice;
use harbourwatch::pipeline::world::World;
use harbourwatch::settings::{EXAMPLE_BANK, Settings};

use super::judge::with_safeguards;
use crate::lab::corpus::{self, Corpus};
use crate::lab::own;
use crate::lab::ruler::{Table, Variant, medians};

const EVENTS: u64 = 50_000;

pub fn tables() -> Vec<Table> {
    vec![sites(), safeguards(), users(), sizes(), shares()]
}

fn settings() -> Settings {
    EXAMPLE_BANK.parse().unwrap()
}

/// Memory that the process has in use, in bytes.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0) * 4096.0
}

/// Makes something, and says what it added to the memory in use.
fn weighed<T>(make: impl FnOnce() -> T) -> (T, f64) {
    let before = resident();
    let made = make();
    (made, (resident() - before).max(0.0) / 1e6)
}

/// A case: its name, its world and its events.
type Case = (String, Arc<World>, Corpus);

fn table(title: &str, cases: &[Case]) -> Table {
    let window = Dedupe::new(1 << 20, own::earlier());
    let mut variants: Vec<Variant<'_>> = Vec::new();
    for (name, world, corpus) in cases {
        let mut slice = Slice::default();
        let window = &window;
        let count = corpus.events as f64;
        // per event, so that cases of different sizes stand in one table
        let pass = move || {
            let took = own::classify(world, corpus, window, &mut slice).0;
            took.div_f64(count / 1000.0)
        };
        variants.push((name.clone(), Box::new(pass)));
    }
    let rows = medians(&mut variants, 5);
    Table { title: format!("growth: {title}"), unit: "event", count: 1000.0, bytes: 0.0, against: vec![0], rows }
}

fn sites() -> Table {
    let cases = [1_u32, 1_000, 100_000, 1_000_000].map(|count| {
        let mut settings = settings();
        let place = |number: u32| ["HK", "SG", "GB", "CN"].map(country)[number as usize % 4];
        // /28 networks of a /8, under two hundred names
        settings.sites.extend((0..count).map(|number| Site {
            id: format!("office-{}", number % 200),
            net: format!("{}/28", std::net::Ipv4Addr::from_bits(20 << 24 | number << 4)).parse().unwrap(),
            place: Some(place(number / 7)),
        }));
        let (world, megabytes) = weighed(|| Arc::new(wire::world(&settings).unwrap()));
        let table = world.geo.memory() as f64 / 1e6;
        let name = format!("{count} sites; address table {table:.1} MB, world {megabytes:.0} MB");
        let corpus = corpus::flagged(&world, 7, EVENTS, 1);
        (name, world, corpus)
    });
    table("sites (CIDR ranges of the operator)", &cases)
}

fn country(code: &str) -> Place {
    Place::country(harbourwatch::domain::place::Country::parse(code).unwrap())
}

fn safeguards() -> Table {
    let cases = [10, 100, 1_000, 10_000].map(|count| {
        let make = || {
            let mut world = wire::world(&settings()).unwrap();
            world.policy = with_safeguards(&world.policy, count);
            Arc::new(world)
        };
        let (world, megabytes) = weighed(make);
        let corpus = corpus::flagged(&world, 7, EVENTS, 1);
        (format!("{count} safeguards; world {megabytes:.0} MB"), world, corpus)
    });
    table("safeguards of the register", &cases)
}

/// Every user is in the directory, and acts.
fn users() -> Table {
    let cases = [10_u64, 1_000, 100_000, 1_000_000].map(|count| {
        let make = || {
            let mut world = wire::world(&settings()).unwrap();
            let contact = || Contact { party: PartyId(0), place: None };
            world.estate.people.extend((0..count).map(|number| (Id::Number(user(number)), contact())));
            Arc::new(world)
        };
        let (world, megabytes) = weighed(make);
        let corpus = corpus::changed(&corpus::flagged(&world, 7, EVENTS, 1), |at, message| {
            Some(with_user(message, user(at.wrapping_mul(0x9e37_79b9) % count)))
        });
        (format!("{count} users; world {megabytes:.0} MB"), world, corpus)
    });
    table("distinct users, all in the directory", &cases)
}

fn user(number: u64) -> u64 {
    1_600_000_000 + number
}

/// The message with another `userId`.
fn with_user(message: &[u8], user: u64) -> Vec<u8> {
    // what is no text is no event either, and stays as it is
    let parts = std::str::from_utf8(message).ok().and_then(|text| text.split_once("\"userId\":\""));
    let Some((before, rest)) = parts else { return message.to_vec() };
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}\"userId\":\"{user}\"{after}").into_bytes()
}

/// Rows made longer by a field that nobody asks for, as collectors add them.
fn sizes() -> Table {
    let world = crate::lab::bank();
    let all = corpus::flagged(&world, 7, 200_000, 1);
    let cases = [300_usize, 500, 1_000, 2_000, 4_000, 8_000].map(|bytes| {
        let mut taken = 0;
        let corpus = corpus::changed(&all, |_, message| {
            let row = message.first() == Some(&b'{') && message.ends_with(b"}");
            let missing = bytes.checked_sub(message.len()).filter(|missing| row && *missing >= 10 && taken < EVENTS);
            taken += u64::from(missing.is_some());
            missing.map(|missing| padded(message, missing))
        });
        (format!("{bytes} bytes, {} events", corpus.events), Arc::clone(&world), corpus)
    });
    table("bytes of an event", &cases)
}

fn padded(message: &[u8], bytes: usize) -> Vec<u8> {
    let mut padded = br#"{"extra":""#.to_vec();
    let filling = "審計附註 audit remark; ";
    padded.extend(filling.bytes().cycle().take((bytes.saturating_sub(11)) / filling.len() * filling.len()));
    while padded.len() < bytes {
        padded.push(b'.');
    }
    padded.extend_from_slice(b"\",");
    padded.extend_from_slice(&message[1..]);
    padded
}

fn shares() -> Table {
    let world = crate::lab::bank();
    let cases = [1, 10, 30, 100].map(|percent| {
        let corpus = corpus::flagged(&world, 7, EVENTS, percent);
        (format!("{percent} % recorded"), Arc::clone(&world), corpus)
    });
    table("share of events that become evidence", &cases)
}
