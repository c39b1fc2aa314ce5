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
use crate::lab::ruler::{Table, Variant, rounds};

const EVENTS: u64 = 50_000;

pub fn tables() -> Vec<Table> {
    vec![sites(), safeguards(), users(), sizes(), shares()]
}

fn settings() -> Settings {
    EXAMPLE_BANK.parse().unwrap()
}

/// What grows, and how far; the world of a case is made alike wherever it is asked for.
#[derive(Clone, Copy)]
pub enum Grown {
    Sites(u32),
    Safeguards(usize),
    Users(u64),
}

impl Grown {
    /// As an argument of a process gives it.
    pub fn parse(kind: &str, count: &str) -> Option<Self> {
        let count: u32 = count.parse().ok()?;
        match kind {
            "sites" => Some(Self::Sites(count)),
            "safeguards" => Some(Self::Safeguards(count as usize)),
            "users" => Some(Self::Users(count.into())),
            _ => None,
        }
    }

    fn world(self) -> World {
        match self {
            Self::Sites(count) => with_sites(count),
            Self::Safeguards(count) => {
                let mut world = wire::world(&settings()).unwrap();
                world.policy = with_safeguards(&world.policy, count);
                world
            }
            Self::Users(count) => {
                let mut world = wire::world(&settings()).unwrap();
                let contact = || Contact { party: PartyId(0), place: None };
                world.estate.people.extend((0..count).map(|number| (Id::Number(user(number)), contact())));
                world
            }
        }
    }

    /// The world, and the MB that a process has in use that has made nothing else: what was freed here before would
    /// hide what is taken.
    fn weighed(self) -> (Arc<World>, String) {
        let (kind, count) = match self {
            Self::Sites(count) => ("sites", u64::from(count)),
            Self::Safeguards(count) => ("safeguards", count as u64),
            Self::Users(count) => ("users", count),
        };
        let program = std::env::current_exe().unwrap();
        let said = std::process::Command::new(program).args(["--weigh", kind, &count.to_string()]).output().unwrap();
        (Arc::new(self.world()), String::from_utf8(said.stdout).unwrap().trim().to_owned())
    }

    /// Makes the world and tells the memory in use, in MB.
    pub fn weigh(self) -> f64 {
        let world = self.world();
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0);
        std::hint::black_box(&world);
        pages * 4096.0 / 1e6
    }
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
    let rows = rounds(&mut variants, 5);
    Table { title: format!("growth: {title}"), unit: "event", count: 1000.0, bytes: 0.0, against: vec![0], rows }
}

fn sites() -> Table {
    let cases = [1, 1_000, 100_000, 1_000_000].map(|count| {
        let (world, megabytes) = Grown::Sites(count).weighed();
        let table = world.geo.memory() as f64 / 1e6;
        let name = format!("{count} sites; address table {table:.1} MB, process {megabytes} MB");
        let corpus = corpus::flagged(&world, 7, EVENTS, 1);
        (name, world, corpus)
    });
    table("sites (CIDR ranges of the operator)", &cases)
}

/// /28 networks of a /8, under two hundred names.
fn with_sites(count: u32) -> World {
    let mut settings = settings();
    let place = |number: u32| ["HK", "SG", "GB", "CN"].map(country)[number as usize % 4];
    settings.sites.extend((0..count).map(|number| Site {
        id: format!("office-{}", number % 200),
        net: format!("{}/28", std::net::Ipv4Addr::from_bits(20 << 24 | number << 4)).parse().unwrap(),
        place: Some(place(number / 7)),
    }));
    wire::world(&settings).unwrap()
}

fn country(code: &str) -> Place {
    Place::country(harbourwatch::domain::place::Country::parse(code).unwrap())
}

fn safeguards() -> Table {
    let cases = [10, 100, 1_000, 10_000].map(|count| {
        let (world, megabytes) = Grown::Safeguards(count).weighed();
        let corpus = corpus::flagged(&world, 7, EVENTS, 1);
        (format!("{count} safeguards; process {megabytes} MB"), world, corpus)
    });
    table("safeguards of the register", &cases)
}

/// Every user is in the directory, and acts.
fn users() -> Table {
    let cases = [10, 1_000, 100_000, 1_000_000].map(|count| {
        let (world, megabytes) = Grown::Users(count).weighed();
        let corpus = corpus::changed(&corpus::flagged(&world, 7, EVENTS, 1), |at, message| {
            Some(with_user(message, user(at.wrapping_mul(0x9e37_79b9) % count)))
        });
        (format!("{count} users; process {megabytes} MB"), world, corpus)
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
        let mut longer = |message: &[u8]| {
            let row = message.first() == Some(&b'{') && message.ends_with(b"}");
            let missing = bytes.checked_sub(message.len()).filter(|missing| row && *missing >= 10 && taken < EVENTS);
            taken += u64::from(missing.is_some());
            missing.map(|missing| padded(message, missing))
        };
        let corpus = match bytes {
            // rows that short are few
            300 => corpus::gathered(100..120, EVENTS, longer),
            _ => corpus::changed(&all, |_, message| longer(message)),
        };
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
