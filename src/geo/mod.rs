//! From addresses, hosts and regions to places, with method, confidence and the statement that each answer rests on.
//!
//! A [`Geo`] is one immutable generation: databases, special ranges, the operator's sites and host rules compiled together.
//! A reload builds a new one beside it and swaps the pointer; answers and [`SourceId`]s belong to their generation. This
//! room does no file I/O, reads no clock, and its look-ups neither allocate nor fail. What it does not know it calls
//! unknown: nothing is Hong Kong by default.

mod address;
mod atlas;
mod atlas_v4;
mod atlas_v6;
mod canary;
mod district;
mod error;
mod host_memo;
mod hosts;
mod mmdb;
mod opinion;
mod regions;
mod segments;
mod source;
mod special;

use std::net::IpAddr;

use ipnet::IpNet;
use sha2::{Digest, Sha256};

pub use self::error::GeoError;
pub use self::host_memo::HostMemo;
pub use self::mmdb::{Database, Layout};
pub use self::source::{Source, Statement};
use crate::domain::hex::hex;
use crate::domain::place::{Location, Place, SourceId};
use atlas::Atlas;
use hosts::Hosts;
use source::Sources;

/// What the operator says about a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Key in the configuration, such as `hk-head-office`.
    pub id: String,
    /// The range.
    pub net: IpNet,
    /// Where it is; `None`: opaque, such as a VPN egress whose users may be anywhere.
    pub place: Option<Place>,
}

/// What the operator says about hosts. Matches whole labels from the right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    /// `files.example.hk` matches itself and every host below it.
    pub suffix: String,
    /// Where it is; `None`: unknown.
    pub place: Option<Place>,
}

/// One generation of the geolocation.
#[derive(Debug)]
pub struct Geo {
    atlas: Atlas,
    hosts: Hosts,
    sources: Sources,
    digest: String,
    built: Option<i64>,
}

impl Geo {
    /// Compiles a generation. Without databases only sites, hosts and regions are known.
    ///
    /// # Errors
    /// Any [`GeoError`] about the arguments: two sites with one range, a host rule that is no host name, too many databases.
    pub fn build(databases: Vec<Database>, sites: &[Site], hosts: &[HostRule]) -> Result<Self, GeoError> {
        let mut sources = Sources::new();
        let digest = digest(&databases, sites, hosts);
        let built = databases.iter().map(|database| database.statement().built).min();
        let atlas = Atlas::build(databases, sites, &mut sources)?;
        let hosts = Hosts::build(hosts, &mut sources)?;
        Ok(Self { atlas, hosts, sources, digest, built })
    }

    /// The place of the address field of an event, as given: missing, empty, with port, brackets or zone id, a list, or a
    /// word such as `Internal`. Several addresses all count; if they do not agree, the field is undecided.
    pub fn address(&self, field: Option<&str>) -> Location {
        address::read(field, |address| self.ip(address))
    }

    /// The place of an address. IPv4-mapped, 6to4, Teredo and NAT64 addresses are where the IPv4 address inside is.
    #[inline]
    pub fn ip(&self, ip: IpAddr) -> Location {
        self.atlas.locate(ip)
    }

    /// The place of a storage host, given alone or in a URL. `None`: not a storage host that anything here knows. A known
    /// host without region (acceleration, CDN, front end) is `NoRegion`; an OSS host of an unknown region is `Unlisted`.
    pub fn host(&self, host_or_url: &str) -> Option<Location> {
        self.hosts.find(host_or_url)
    }

    /// As [`Geo::host`], with what was found for the same name before.
    #[inline]
    pub fn host_with(&self, memo: &mut HostMemo, host_or_url: &str) -> Option<Location> {
        self.hosts.find_with(memo, host_or_url)
    }

    /// The place of a value of DingTalk's region enum or of a cloud region id. `None`: neither.
    pub fn region(&self, region: &str) -> Option<Location> {
        self.hosts.find_region(region)
    }

    /// The place of a bucket of DingTalk whose name carries its region. `None`: no such bucket.
    pub fn bucket(&self, bucket: &str) -> Option<Location> {
        self.hosts.find_bucket(bucket)
    }

    /// The statement behind an answer of this generation.
    pub fn source(&self, id: SourceId) -> &Source {
        self.sources.get(id)
    }

    /// The same as text.
    pub fn source_text(&self, id: SourceId) -> &str {
        self.sources.text(id)
    }

    /// Ranges of IPv4 and of IPv6 addresses with different answers.
    pub fn networks(&self) -> [usize; 2] {
        self.atlas.ranges()
    }

    /// SHA-256 over everything in force: databases, sites, host rules, embedded tables. Lower-case hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// When the oldest database was built, in ms since the epoch; `None` without databases.
    pub fn built(&self) -> Option<i64> {
        self.built
    }

    /// Bytes that the compiled address table takes.
    pub fn memory(&self) -> usize {
        self.atlas.bytes()
    }
}

/// Every part goes in with its length before it, so that no two different wholes read the same.
fn digest(databases: &[Database], sites: &[Site], hosts: &[HostRule]) -> String {
    let mut hasher = Sha256::new();
    let mut add = |part: &str| {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    let place = |place: Option<Place>| place.map_or_else(|| "-".to_owned(), |place| place.to_string());
    for Statement { name, digest, .. } in databases.iter().map(Database::statement) {
        ["database", name, digest].into_iter().for_each(&mut add);
    }
    for site in sites {
        ["site", &site.id, &site.net.trunc().to_string(), &place(site.place)].into_iter().for_each(&mut add);
    }
    for host in hosts {
        ["host", &host.suffix, &place(host.place)].into_iter().for_each(&mut add);
    }
    special::NOWHERE.into_iter().flat_map(|(net, meaning)| [net, meaning]).for_each(&mut add);
    special::ANYCAST.into_iter().for_each(&mut add);
    [regions::CLOUD_REGIONS, hosts::DINGTALK_HOSTS].into_iter().for_each(&mut add);
    hex(&hasher.finalize())
}
