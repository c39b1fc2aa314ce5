//! The compiled table: every IPv4 and IPv6 address → location. Databases first, then what standards say about special
//! ranges, then the operator's sites over all; whatever lies on top is merged while the table is built, so a look-up
//! costs the same with or without it. Never allocates, never fails, never changes after it was built.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::Site;
use super::atlas_v4::AtlasV4;
use super::atlas_v6::AtlasV6;
use super::error::GeoError;
use super::mmdb::{Claims, Database};
use super::opinion::{self, Judges, Opinions};
use super::segments::{Address, NOTHING, Segments};
use super::source::{Source, Sources};
use super::special::{ANYCAST, Embedding, NOWHERE};
use crate::domain::place::{Candidates, Confidence, Doubt, Location, Method, SourceId};

/// Address → location.
#[derive(Debug)]
pub(super) struct Atlas {
    v4: AtlasV4,
    v6: AtlasV6,
    answers: Vec<Location>,
    ranges: [usize; 2],
}

impl Atlas {
    pub(super) fn build(databases: Vec<Database>, sites: &[Site], sources: &mut Sources) -> Result<Self, GeoError> {
        if databases.len() > opinion::MOST {
            return Err(GeoError::TooManyDatabases(databases.len()));
        }
        let mut answers = Answers::new();
        let base = fuse(&databases, &mut answers, sources)?;
        // Their runs are large and no longer needed; the table is smaller than they are.
        drop(databases);
        let anycast = paint(ANYCAST.iter().map(|net| Ok((parse(net)?, 1))))?;
        let special = paint(special(&mut answers, sources)?)?;
        let sites = paint(site_answers(sites, &mut answers, sources)?.into_iter().map(Ok))?;
        let v4 = base.v4.lay(&anycast.v4, &special.v4, &sites.v4, &mut answers)?;
        let v6 = base.v6.lay(&anycast.v6, &special.v6, &sites.v6, &mut answers)?;
        let ranges = [v4.runs().len(), v6.runs().len()];
        Ok(Self { v4: AtlasV4::compile(&v4), v6: AtlasV6::compile(&v6), answers: answers.list, ranges })
    }

    #[inline]
    pub(super) fn locate(&self, address: IpAddr) -> Location {
        match address {
            IpAddr::V4(address) => self.locate_v4(address),
            IpAddr::V6(address) => self.locate_v6(address),
        }
    }

    #[inline]
    fn locate_v4(&self, address: Ipv4Addr) -> Location {
        self.answers[usize::from(self.v4.find(u32::from(address)))]
    }

    /// An IPv4-mapped address is an IPv4 address; databases do not answer it well, if at all. The other embeddings are
    /// marked in the table, so that a site of the operator inside such a range still counts.
    fn locate_v6(&self, address: Ipv6Addr) -> Location {
        if let Some(mapped) = address.to_ipv4_mapped() {
            return self.locate_v4(mapped);
        }
        let answer = self.v6.find(u128::from(address));
        match Embedding::marked_by(answer) {
            Some(embedding) => self.locate_v4(embedding.client(u128::from(address))),
            None => self.answers[usize::from(answer)],
        }
    }

    /// Ranges of IPv4 and of IPv6 with different answers.
    pub(super) fn ranges(&self) -> [usize; 2] {
        self.ranges
    }

    /// Bytes that the table takes.
    pub(super) fn bytes(&self) -> usize {
        self.v4.bytes() + self.v6.bytes() + self.answers.len() * size_of::<Location>()
    }
}

/// The distinct locations of a table. Number 0 is "no database knows it"; the next ones mark the embeddings and are never
/// given out as locations.
struct Answers {
    list: Vec<Location>,
    numbers: HashMap<Location, u32>,
}

impl Answers {
    fn new() -> Self {
        let unlisted = Location::unknown(Doubt::Unlisted);
        Self { list: vec![unlisted; 1 + Embedding::ALL.len()], numbers: HashMap::from([(unlisted, 0)]) }
    }

    fn number(&mut self, location: Location) -> Result<u32, GeoError> {
        if let Some(number) = self.numbers.get(&location) {
            return Ok(*number);
        }
        let number = u16::try_from(self.list.len()).map_err(|_| GeoError::TooMany("answers"))?;
        self.list.push(location);
        self.numbers.insert(location, u32::from(number));
        Ok(u32::from(number))
    }

    /// The same answer without its place, which is only the holder's.
    fn placeless(&mut self, number: u32) -> Result<u32, GeoError> {
        let Location { method, source, .. } = self.list[number as usize];
        self.number(Location { method, source, ..Location::unknown(Doubt::Opaque) })
    }
}

/// Both address spaces, with numbers of answers as values.
struct Layer {
    v4: Segments<u32>,
    v6: Segments<u128>,
}

impl<A: Address> Segments<A> {
    fn lay(&self, anycast: &Self, special: &Self, sites: &Self, answers: &mut Answers) -> Result<Self, GeoError> {
        let over = |below: u32, above: u32| Ok(if above == NOTHING { below } else { above });
        let below =
            self.zip(anycast, |below, mark| if mark == NOTHING { Ok(below) } else { answers.placeless(below) })?;
        below.zip(special, over)?.zip(sites, over)
    }
}

/// What all databases say together.
fn fuse(databases: &[Database], answers: &mut Answers, sources: &mut Sources) -> Result<Layer, GeoError> {
    let mut opinions = Opinions::new();
    let mut judges = Judges::new(databases.iter().map(|database| database.statement().clone()).collect());
    let v4 = gather(databases, &mut opinions, |claims| &claims.v4)?;
    let v6 = gather(databases, &mut opinions, |claims| &claims.v6)?;
    let mut settled: HashMap<u32, u32> = HashMap::new();
    let mut settle = |number: u32| {
        if let Some(answer) = settled.get(&number) {
            return Ok(*answer);
        }
        let answer = answers.number(judges.settle(opinions.get(number), sources)?)?;
        settled.insert(number, answer);
        Ok(answer)
    };
    Ok(Layer { v4: v4.map(&mut settle)?, v6: v6.map(&mut settle)? })
}

fn gather<A: Address>(
    databases: &[Database],
    opinions: &mut Opinions,
    space: impl Fn(&Claims) -> &Segments<A>,
) -> Result<Segments<A>, GeoError> {
    let mut gathered = Segments::empty();
    for (index, database) in databases.iter().enumerate() {
        let claims = database.claims();
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        gathered = gathered.zip(space(claims), |opinion, value| {
            let place = || (value as usize).checked_sub(1).and_then(|value| claims.places.get(value)).copied();
            Ok::<_, GeoError>(*known.entry((opinion, value)).or_insert_with(|| opinions.with(opinion, index, place())))
        })?;
    }
    Ok(gathered)
}

fn paint(nets: impl IntoIterator<Item = Result<(IpNet, u32), GeoError>>) -> Result<Layer, GeoError> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for net in nets {
        match net? {
            (IpNet::V4(net), value) => v4.push((u32::from(net.network()), net.prefix_len(), value)),
            (IpNet::V6(net), value) => v6.push((u128::from(net.network()), net.prefix_len(), value)),
        }
    }
    Ok(Layer { v4: Segments::from_prefixes(v4), v6: Segments::from_prefixes(v6) })
}

fn parse(net: &str) -> Result<IpNet, GeoError> {
    net.parse().map_err(|_| GeoError::Table { table: "special ranges", row: 0, why: format!("{net} is no network") })
}

type Painted = Vec<Result<(IpNet, u32), GeoError>>;

fn special(answers: &mut Answers, sources: &mut Sources) -> Result<Painted, GeoError> {
    let mut nets = Vec::with_capacity(NOWHERE.len() + Embedding::ALL.len());
    for (net, meaning) in NOWHERE {
        let source = sources.add(Source::Special(meaning))?;
        let nowhere = Location { source, ..Location::unknown(Doubt::Private) };
        nets.push(Ok((parse(net)?, answers.number(nowhere)?)));
    }
    let marks = Embedding::ALL.iter().zip(1..);
    nets.extend(marks.map(|((_, net), mark)| Ok((parse(net)?, mark))));
    Ok(nets)
}

fn site_answers(sites: &[Site], answers: &mut Answers, sources: &mut Sources) -> Result<Vec<(IpNet, u32)>, GeoError> {
    let mut by_net: HashMap<IpNet, &str> = HashMap::with_capacity(sites.len());
    let mut statements: HashMap<&str, SourceId> = HashMap::new();
    let mut nets = Vec::with_capacity(sites.len());
    for site in sites {
        let net = unmapped(site.net.trunc());
        if let Some(first) = by_net.insert(net, &site.id) {
            let (first, second) = (first.to_owned(), site.id.clone());
            return Err(GeoError::DuplicateSite { first, second, net: net.to_string() });
        }
        let source = match statements.get(site.id.as_str()) {
            Some(source) => *source,
            None => sources.add(Source::Site(site.id.clone()))?,
        };
        statements.insert(&site.id, source);
        nets.push((net, answers.number(site_location(site, source))?));
    }
    Ok(nets)
}

/// An egress whose users may be anywhere is known to be unknown: that stands above what a database says of the address.
fn site_location(site: &Site, source: SourceId) -> Location {
    match site.place {
        Some(place) => Location::at(place, Method::Site, Confidence::High, source),
        None => Location {
            candidates: Candidates::Anywhere,
            method: Method::Site,
            confidence: Confidence::None,
            doubt: Some(Doubt::Opaque),
            source,
        },
    }
}

/// `::ffff:10.0.0.0/104` is `10.0.0.0/8`: addresses are unwrapped the same way before they are looked up.
fn unmapped(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let v4 = v6.network().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, len)| ipnet::Ipv4Net::new(address, len).ok()).map_or(net, IpNet::V4)
}
