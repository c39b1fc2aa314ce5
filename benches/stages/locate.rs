//! Addresses and hosts → places.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use harbourwatch::domain::place::{Confidence, Doubt};
use maxminddb::PathElement;

use crate::lab::place::{Asker, DATABASE};
use crate::lab::ruler::{Table, keep, rounds, variant};

/// Look-ups in a pass.
const LOOKUPS: usize = 1_000_000;
/// Distinct addresses of a Zipf stream.
const DISTINCT: usize = 100_000;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Zipf with exponent 1 over `0..count`, by the inverse of its integral.
    fn zipf(&mut self, count: usize) -> usize {
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        (((count as f64).ln() * unit).exp() as usize).clamp(1, count) - 1
    }
}

/// Addresses inside the database's ranges, each range as likely as another.
struct Ranges {
    v4: Vec<(u32, u8)>,
    v6: Vec<(u128, u8)>,
}

impl Ranges {
    fn of_database() -> Self {
        let reader = maxminddb::Reader::from_source(DATABASE).unwrap();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in reader.networks(maxminddb::WithinOptions::default()).unwrap() {
            let network = network.unwrap().network().unwrap();
            match network.network() {
                IpAddr::V4(start) => v4.push((start.to_bits(), network.prefix())),
                IpAddr::V6(start) if start.to_bits() >> 96 == 0 => {
                    v4.push((start.to_bits() as u32, network.prefix().saturating_sub(96)));
                }
                IpAddr::V6(start) => v6.push((start.to_bits(), network.prefix())),
            }
        }
        Self { v4, v6 }
    }

    fn v4(&self, random: &mut Random) -> IpAddr {
        let (start, len) = self.v4[random.next() as usize % self.v4.len()];
        let host = random.next() as u32 & u32::MAX.checked_shr(len.into()).unwrap_or(0);
        IpAddr::V4(Ipv4Addr::from_bits(start | host))
    }

    fn v6(&self, random: &mut Random) -> IpAddr {
        let (start, len) = self.v6[random.next() as usize % self.v6.len()];
        let host = (u128::from(random.next()) << 64 | u128::from(random.next()))
            & u128::MAX.checked_shr(len.into()).unwrap_or(0);
        IpAddr::V6(Ipv6Addr::from_bits(start | host))
    }
}

fn zipf(random: &mut Random, mut draw: impl FnMut(&mut Random) -> IpAddr) -> Vec<IpAddr> {
    let distinct: Vec<IpAddr> = (0..DISTINCT).map(|_| draw(random)).collect();
    (0..LOOKUPS).map(|_| distinct[random.zipf(DISTINCT)]).collect()
}

pub fn tables() -> Vec<Table> {
    let world = crate::lab::bank();
    let (geo, asker, ranges) = (&world.geo, Asker::new(&world.geo), Ranges::of_database());
    let mut random = Random(7);
    let anywhere = |random: &mut Random| IpAddr::V4(Ipv4Addr::from_bits(random.next() as u32));
    let streams = [
        ("IPv4, uniform", (0..LOOKUPS).map(|_| anywhere(&mut random)).collect::<Vec<_>>()),
        ("IPv4, Zipf over 100,000 in the database's ranges", zipf(&mut random, |random| ranges.v4(random))),
        ("IPv6, uniform over the database's ranges", (0..LOOKUPS).map(|_| ranges.v6(&mut random)).collect()),
        ("IPv6, Zipf over 100,000 in the database's ranges", zipf(&mut random, |random| ranges.v6(random))),
    ];
    let mut tables: Vec<Table> = streams.iter().map(|(name, stream)| addresses(name, stream, geo, &asker)).collect();
    tables.push(texts(&streams[1].1, &streams[3].1, geo, &asker));
    tables.push(hosts(geo));
    tables.push(compile());
    tables
}

fn addresses(name: &str, stream: &[IpAddr], geo: &harbourwatch::geo::Geo, asker: &Asker<'_>) -> Table {
    for address in stream.iter().take(100_000) {
        let (own, other) = (geo.ip(*address), asker.address(*address));
        // special ranges are asked before the database; the other way knows the commonest only
        let special = own.doubt == Some(Doubt::Private) || own.confidence == Confidence::Low;
        assert!(special || own.candidates == other.candidates, "{address}");
    }
    let path = [PathElement::Key("country_code")];
    let mut variants = vec![
        variant("maxminddb decode_path", || {
            for address in stream {
                let found = asker.reader.lookup(*address).unwrap();
                black_box(found.decode_path::<&str>(&path).unwrap());
            }
        }),
        variant("own", || stream.iter().for_each(|address| keep(geo.ip(*address)))),
    ];
    table(format!("locate: {name}"), "look-up", stream.len(), &mut variants)
}

fn texts(v4: &[IpAddr], v6: &[IpAddr], geo: &harbourwatch::geo::Geo, asker: &Asker<'_>) -> Table {
    let texts: Vec<String> =
        v4.iter().zip(v6).enumerate().map(|(at, (v4, v6))| if at % 5 == 0 { v6 } else { v4 }.to_string()).collect();
    let mut variants = vec![
        variant("std parse + maxminddb + sites", || {
            texts.iter().for_each(|text| keep(asker.field(Some(text))));
        }),
        variant("own", || texts.iter().for_each(|text| keep(geo.address(Some(text))))),
    ];
    table("locate: address fields, one in five IPv6, Zipf".to_owned(), "field", texts.len(), &mut variants)
}

fn hosts(geo: &harbourwatch::geo::Geo) -> Table {
    const REGIONS: [&str; 4] = ["cn-hongkong", "cn-shenzhen", "ap-southeast-1", "cn-zhangjiakou"];
    let of = |at: usize| match at % 5 {
        0 => format!("https://vhb-files.oss-{}.aliyuncs.com/yundisk0/{at:024x}.file", REGIONS[at % 4]),
        1 => format!("http://lippi-space-sh.{}.oss.aliyuncs.com/yundisk0/{at:024x}.file?Expires={at}", REGIONS[at % 4]),
        2 => format!("https://zjk-dualstack.trans.dingtalk.com/yundisk0/{at:024x}.file"),
        3 => format!("https://vhb-hk-files.oss-accelerate.aliyuncs.com/yundisk0/{at:024x}.file"),
        _ => format!("https://alidocs.dingtalk.com/i/nodes/{at:016x}"),
    };
    let hosts: Vec<String> = (0..100_000).map(of).collect();
    let mut memo = harbourwatch::geo::HostMemo::default();
    memo.enter(1);
    let mut variants = vec![
        variant("own, by the tables", || hosts.iter().for_each(|host| keep(geo.host(host)))),
        variant("own, by the memo", || hosts.iter().for_each(|host| keep(geo.host_with(&mut memo, host)))),
    ];
    table("locate: URLs of storage".to_owned(), "URL", hosts.len(), &mut variants)
}

fn compile() -> Table {
    use harbourwatch::geo::{Database, Geo};
    let mut memory = 0;
    let mut variants = vec![
        variant("maxminddb, open", || {
            black_box(maxminddb::Reader::from_source(DATABASE).unwrap());
        }),
        variant("own, load and compile", || {
            memory = Geo::build(vec![Database::bundled().unwrap()], &[], &[]).unwrap().memory();
        }),
    ];
    let rows = rounds(&mut variants, 3);
    drop(variants);
    Table {
        title: format!(
            "locate: load and compile DB-IP country; {} bytes of file, {memory} bytes of table",
            DATABASE.len()
        ),
        unit: "load",
        count: 1.0,
        bytes: 0.0,
        against: vec![],
        rows,
    }
}

fn table(title: String, unit: &'static str, count: usize, variants: &mut [crate::lab::ruler::Variant<'_>]) -> Table {
    let rows = rounds(variants, 7);
    let against = if rows.len() > 1 { vec![0] } else { vec![] };
    Table { title, unit, count: count as f64, bytes: 0.0, against, rows }
}
