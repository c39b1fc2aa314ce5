//! The compiled table says what its sources say, for every address tried.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use harbourwatch::domain::place::{Country, Doubt, Method, Place};
use harbourwatch::geo::{Database, Geo, GeoError, Site};
use ipnet::IpNet;
use maxminddb::{Reader, WithinOptions, path};

use super::{BUNDLED, Random, WORLD, shown, site};

/// The same ranges as the program's, written down again from the IANA registries.
const SPECIAL: [&str; 29] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/8",
    "100::/64",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "64:ff9b::/96",
];

/// Resolvers that answer from many places at once.
const ANYCAST: [&str; 22] = [
    "1.0.0.0/24",
    "1.1.1.0/24",
    "1.2.4.8/32",
    "8.8.4.0/24",
    "8.8.8.0/24",
    "9.9.9.0/24",
    "114.114.114.0/24",
    "114.114.115.0/24",
    "119.28.28.28/32",
    "119.29.29.29/32",
    "149.112.112.0/24",
    "180.76.76.76/32",
    "208.67.220.0/24",
    "208.67.222.0/24",
    "223.5.5.0/24",
    "223.6.6.0/24",
    "2400:3200::/48",
    "2400:3200:baba::/48",
    "2001:4860:4860::/48",
    "2606:4700:4700::/48",
    "2620:fe::/48",
    "2620:119:35::/48",
];

struct Oracle {
    reader: Reader<&'static [u8]>,
    special: Vec<IpNet>,
}

impl Oracle {
    fn new() -> Self {
        let special = SPECIAL.iter().chain(&ANYCAST).map(|net| net.parse().unwrap()).collect();
        Self { reader: Reader::from_source(BUNDLED).unwrap(), special }
    }

    fn is_special(&self, address: IpAddr) -> bool {
        self.special.iter().any(|net| net.contains(&address))
    }

    fn country(&self, address: IpAddr) -> Option<Place> {
        let found = self.reader.lookup(address).unwrap();
        let code: Option<&str> = found.decode_path(&path!["country_code"]).unwrap();
        code.and_then(Country::parse).map(Place::country)
    }

    fn check(&self, address: IpAddr) {
        let found = WORLD.ip(address).candidates.sole();
        let expected = if self.is_special(address) { None } else { self.country(address) };
        assert!(found == expected || self.carries_v4(address), "{address}: {found:?}, the reader says {expected:?}");
    }

    /// Mapped, 6to4, Teredo and NAT64 addresses have their own test.
    fn carries_v4(&self, address: IpAddr) -> bool {
        let IpAddr::V6(v6) = address else { return false };
        let [a, b, ..] = v6.segments();
        v6.to_ipv4_mapped().is_some() || a == 0x2002 || (a, b) == (0x2001, 0) || (a, b) == (0x64, 0xff9b)
    }

    /// First address of every network, and the last one before it.
    fn check_boundaries(&self) -> usize {
        let all = self.reader.networks(WithinOptions::default().include_networks_without_data()).unwrap();
        let mut count = 0;
        for network in all.map(|found| found.unwrap().network().unwrap()) {
            match network.ip() {
                IpAddr::V4(first) => {
                    let first = u32::from(first);
                    [first, first.wrapping_sub(1)].into_iter().for_each(|bits| self.check(Ipv4Addr::from(bits).into()));
                }
                IpAddr::V6(first) => {
                    let first = u128::from(first);
                    [first, first.wrapping_sub(1)].into_iter().for_each(|bits| self.check(Ipv6Addr::from(bits).into()));
                }
            }
            count += 2;
        }
        count
    }
}

#[test]
fn every_boundary_of_the_database_answers_as_the_reader_does() {
    let count = Oracle::new().check_boundaries();
    assert!(count > 2_000_000, "only {count} boundaries");
}

#[test]
fn random_addresses_answer_as_the_reader_does() {
    let (oracle, mut random) = (Oracle::new(), Random(1));
    for _ in 0..3_000_000 {
        oracle.check(Ipv4Addr::from(random.next() as u32).into());
    }
    for _ in 0..1_000_000 {
        let bits = random.wide();
        oracle.check(Ipv6Addr::from(bits >> 3 | 1 << 125).into());
        oracle.check(Ipv6Addr::from(0x2400 << 112 | bits >> 8).into());
    }
}

#[test]
fn a_thousand_sites_win_by_the_longest_prefix_over_everything() {
    let mut random = Random(2);
    let sites = random_sites(&mut random);
    let geo = Geo::build(vec![Database::bundled().unwrap()], &sites, &[]).unwrap();
    let mut by_site = 0;
    for index in 0..200_000 {
        let address = near(&sites[index % sites.len()], &mut random);
        let location = geo.ip(address);
        let longest = sites.iter().filter(|site| site.net.contains(&address)).max_by_key(|site| site.net.prefix_len());
        match longest {
            Some(site) => {
                by_site += 1;
                assert_eq!(location.candidates.sole(), site.place, "{address} in {}", site.net);
                assert_eq!(location.method, Method::Site);
                assert_eq!(geo.source(location.source).to_string(), format!("site {}", site.id));
            }
            None => assert_eq!(shown(&location), shown(&WORLD.ip(address)), "{address}"),
        }
    }
    assert!((100_000..199_000).contains(&by_site), "{by_site} addresses in sites: the sample is lopsided");
}

fn random_sites(random: &mut Random) -> Vec<Site> {
    let places = [Some(Place::HK), Some(Place::country(Country::CN)), Some(Place::country(Country::SG)), None];
    let mut sites: Vec<Site> = Vec::new();
    while sites.len() < 1000 {
        // Few distinct leading bits, so that sites nest.
        let net = if sites.len().is_multiple_of(2) {
            let bits = (random.next() as u32) & 0x0f0f_ffff;
            IpNet::new(Ipv4Addr::from(bits).into(), 8 + random.below(25) as u8)
        } else {
            let bits = 0x2400 << 112 | random.wide() & (0x000f_000f << 80 | u128::MAX >> 48);
            IpNet::new(Ipv6Addr::from(bits).into(), 16 + random.below(113) as u8)
        };
        let net = net.unwrap().trunc();
        if sites.iter().all(|site| site.net != net) {
            let place = places[random.below(4) as usize];
            sites.push(Site { id: format!("site-{}", sites.len()), net, place });
        }
    }
    sites
}

/// An address at, just outside or somewhere inside a site.
fn near(site: &Site, random: &mut Random) -> IpAddr {
    match (site.net.network(), site.net.broadcast()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let (first, last) = (u32::from(first), u32::from(last));
            let inside = first | random.next() as u32 & (last - first);
            let choices = [first, last, first.wrapping_sub(1), last.wrapping_add(1), inside, random.next() as u32];
            Ipv4Addr::from(choices[random.below(6) as usize]).into()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let (first, last) = (u128::from(first), u128::from(last));
            let inside = first | random.wide() & (last - first);
            let choices =
                [first, last, first.wrapping_sub(1), last.wrapping_add(1), inside, random.wide() >> 8 | 0x24 << 120];
            Ipv6Addr::from(choices[random.below(6) as usize]).into()
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => panic!("a range of two families"),
    }
}

#[test]
fn embedded_ipv4_addresses_decide_the_place_and_sites_stand_above_them() {
    let cases = [
        ("::ffff:147.8.2.58", "HK; ip medium"),
        ("2002:9308:23a::1", "HK; ip medium"),
        ("2001:0:4136:e378:8000:63bf:6cf7:fdc5", "HK; ip medium"),
        ("64:ff9b::147.8.2.58", "HK; ip medium"),
        ("64:ff9b::10.0.0.1", "anywhere; none none private"),
        ("2002:a00:1::1", "anywhere; none none private"),
        ("::ffff:192.168.1.1", "anywhere; none none private"),
        ("::147.8.2.58", "anywhere; none none private"),
        ("::1", "anywhere; none none private"),
        ("64:ff9b:1::1", "anywhere; none none private"),
    ];
    for (address, expected) in cases {
        assert_eq!(shown(&WORLD.ip(address.parse().unwrap())), expected, "{address}");
    }
    let sg = Some(Place::country(Country::SG));
    let sites = [site("mapped", "::ffff:10.0.0.0/104", sg), site("tunnel", "2002:9308:23a::/48", sg)];
    let geo = Geo::build(vec![Database::bundled().unwrap()], &sites, &[]).unwrap();
    for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:9308:23a::1"] {
        assert_eq!(shown(&geo.ip(address.parse().unwrap())), "SG; site high", "{address}");
    }
}

#[test]
fn special_and_anycast_addresses_are_nowhere() {
    for net in SPECIAL.iter().filter(|net| !["2001::/32", "2002::/16", "64:ff9b::/96"].contains(*net)) {
        let net: IpNet = net.parse().unwrap();
        for address in [net.network(), net.broadcast()] {
            let location = WORLD.ip(address);
            assert_eq!((location.candidates.sole(), location.doubt), (None, Some(Doubt::Private)), "{address}");
            assert!(WORLD.source(location.source).to_string().starts_with("special range: "), "{address}");
        }
    }
    // the database has the last one in Hong Kong, where its holder answers among other places
    for address in ["1.1.1.1", "8.8.8.8", "223.5.5.5", "114.114.114.114", "2606:4700:4700::1111", "119.28.28.28"] {
        let location = WORLD.ip(address.parse().unwrap());
        assert_eq!(shown(&location), "anywhere; ip none opaque", "{address}");
    }
}

#[test]
fn two_sites_may_not_claim_one_range() {
    let sites = [site("a", "10.1.2.3/8", None), site("b", "::ffff:10.0.0.0/104", Some(Place::HK))];
    let error = Geo::build(Vec::new(), &sites, &[]).unwrap_err();
    let expected = GeoError::DuplicateSite { first: "a".into(), second: "b".into(), net: "10.0.0.0/8".into() };
    assert_eq!(error, expected);
}

#[test]
fn size_and_speed_of_the_bundled_generation() {
    let start = Instant::now();
    let database = Database::bundled().unwrap();
    let read = start.elapsed();
    let start = Instant::now();
    let geo = Geo::build(vec![database], &[], &[]).unwrap();
    let built = start.elapsed();
    println!("read {read:?}, compiled {built:?}, {} bytes, {:?} ranges", geo.memory(), geo.networks());
    assert!(geo.memory() < 32 << 20, "{} bytes", geo.memory());
    let mut random = Random(3);
    for (name, wide) in [("IPv4", false), ("IPv6", true)] {
        let address = |bits: u128| {
            if wide { Ipv6Addr::from(bits >> 3 | 1 << 125).into() } else { IpAddr::V4(Ipv4Addr::from(bits as u32)) }
        };
        let addresses: Vec<IpAddr> = (0..1_000_000).map(|_| address(random.wide())).collect();
        let start = Instant::now();
        let known = addresses.iter().filter(|address| geo.ip(**address).doubt.is_none()).count();
        println!("{name}: {} ns per look-up, {known} known", start.elapsed().as_nanos() / 1_000_000);
    }
}
