//! Places, and how sure we are of them.
//!
//! Hong Kong, Macao, Taiwan and Mainland China are four places (PDPO s.33 speaks of "a place outside Hong Kong").
//! Canonical codes only: sources that say `CN-HK` or `CN-91` are mapped to `HK` before they come here.

use std::fmt;

pub use super::territory::{Country, GbaCity};

/// What is known below the level of the country. Only Mainland China needs it: the GBA Standard Contract turns on
/// nine cities of Guangdong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum District {
    /// Not stated by the source, or the country has no district that a rule asks for.
    Unstated,
    /// Guangdong, city not stated.
    Guangdong,
    /// One of the nine cities.
    Gba(GbaCity),
    /// A named city of Guangdong outside the nine, such as Heyuan.
    GuangdongOutsideGba,
    /// A Mainland province other than Guangdong.
    OtherProvince,
}

/// One place where data can be. Aligned, so that what holds several is copied by whole words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(align(4))]
pub enum Place {
    /// In a country or territory.
    In(Country, District),
    /// Open to everyone, as behind a public link.
    World,
}

impl Place {
    /// Hong Kong.
    pub const HK: Self = Self::In(Country::HK, District::Unstated);

    /// A country without district.
    pub const fn country(country: Country) -> Self {
        Self::In(country, District::Unstated)
    }

    /// Whether this is Hong Kong.
    pub fn is_hk(self) -> bool {
        matches!(self, Self::In(Country::HK, _))
    }

    /// The code that people and metrics see: ISO alpha-2, or `WORLD`.
    pub fn code(&self) -> &str {
        match self {
            Self::In(country, _) => country.as_str(),
            Self::World => "WORLD",
        }
    }

    /// What is shown to people, in parts: `CN`, ` (`, `Shenzhen`, `, Guangdong)`. ASCII without quotation marks.
    pub fn parts(&self) -> [&str; 4] {
        let code = self.code();
        match self {
            Self::In(_, District::Gba(city)) => [code, " (", city.name(), ", Guangdong)"],
            Self::In(_, District::Guangdong) => [code, " (Guangdong)", "", ""],
            Self::In(_, District::GuangdongOutsideGba) => [code, " (Guangdong, outside the nine GBA cities)", "", ""],
            Self::In(_, District::OtherProvince) => [code, " (outside Guangdong)", "", ""],
            Self::In(_, District::Unstated) | Self::World => [code, "", "", ""],
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().into_iter().try_for_each(|part| f.write_str(part))
    }
}

/// The places that something may be at. `Anywhere` when nothing usable is known; several when sources disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Candidates {
    /// No usable claim: every place is possible, Hong Kong included.
    Anywhere,
    /// At least one and at most [`Candidates::MOST`] distinct places, in the order in which sources named them.
    Among([Option<Place>; Candidates::MOST]),
}

impl Candidates {
    /// Bound on alternatives; a further one turns the set into [`Candidates::Anywhere`].
    pub const MOST: usize = 4;

    /// Exactly one place.
    pub const fn one(place: Place) -> Self {
        Self::Among([Some(place), None, None, None])
    }

    /// Adds an alternative; equal ones are kept once.
    #[must_use]
    pub fn with(self, place: Place) -> Self {
        let Self::Among(mut places) = self else { return self };
        for slot in &mut places {
            match slot {
                Some(known) if *known == place => return Self::Among(places),
                Some(_) => {}
                None => {
                    *slot = Some(place);
                    return Self::Among(places);
                }
            }
        }
        Self::Anywhere
    }

    /// The places in order; empty for [`Candidates::Anywhere`].
    pub fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        let places: &[Option<Place>] = match self {
            Self::Anywhere => &[],
            Self::Among(places) => places,
        };
        places.iter().copied().flatten()
    }

    /// The place, where only one is possible.
    pub fn sole(&self) -> Option<Place> {
        match self {
            Self::Among([Some(place), None, ..]) => Some(*place),
            Self::Among(_) | Self::Anywhere => None,
        }
    }
}

/// How a place was found; part of every answer, so that a reader can weigh it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Geolocation database, by network address.
    Ip,
    /// The operator's own address map (CIDR → site).
    Site,
    /// Storage host name that names a cloud region.
    Host,
    /// DingTalk's storage region enum.
    Region,
    /// Suffix of the storage bucket's name.
    Bucket,
    /// The operator's map of spaces.
    Space,
    /// The tenant's default in the configuration.
    Tenant,
    /// The operator's directory of people and organisations.
    Directory,
    /// The app catalogue.
    Catalogue,
    /// The nature of the act: a public link is open to the world.
    Link,
    /// Nothing to go by.
    None,
}

impl Method {
    /// Stable lower-case name for records, metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Site => "site",
            Self::Host => "host",
            Self::Region => "region_enum",
            Self::Bucket => "bucket",
            Self::Space => "space_map",
            Self::Tenant => "tenant_setting",
            Self::Directory => "directory",
            Self::Catalogue => "app_catalogue",
            Self::Link => "public_link",
            Self::None => "none",
        }
    }
}

/// How much weight a location bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Nothing to go by, or sources conflict.
    None,
    /// Databases disagree, city-level claims from an address, clouds in IPv6.
    Low,
    /// One geolocation database.
    Medium,
    /// Operator's own statement, or a host name that names the region.
    High,
}

impl Confidence {
    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Why a location is not a plain single place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doubt {
    /// The event has no such field, or it is empty.
    Missing,
    /// The field holds something that is no address and no known host.
    Unreadable,
    /// Private, loopback, link-local, carrier-grade NAT or documentation address.
    Private,
    /// An egress that hides the true place (VPN, proxy), by the operator's address map; an anycast address.
    Opaque,
    /// Several addresses or databases that name different places.
    Conflict,
    /// A good address or host that no source knows.
    Unlisted,
    /// A host that serves many regions (acceleration, CDN), or DingTalk's region `UNKNOWN`.
    NoRegion,
    /// A receiver, member or app operator that the directory does not know.
    Stranger,
    /// The file belongs to another organisation than the tenant's own, and nothing says where that one stores.
    OtherOrganisation,
}

impl Doubt {
    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Private => "private",
            Self::Opaque => "opaque",
            Self::Conflict => "conflict",
            Self::Unlisted => "unlisted",
            Self::NoRegion => "no_region",
            Self::Stranger => "stranger",
            Self::OtherOrganisation => "other_organisation",
        }
    }
}

/// Index of the statement that a location rests on (a database and its build, a site, a setting) in the table of the
/// geolocation generation that made it; rendered when a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u16);

impl SourceId {
    /// No statement.
    pub const NONE: Self = Self(0);
}

/// The answer of the geolocation: the possible places and the ground for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// Where it may be.
    pub candidates: Candidates,
    /// How that was found.
    pub method: Method,
    /// How much weight it bears.
    pub confidence: Confidence,
    /// Why it is not a plain single place, if so.
    pub doubt: Option<Doubt>,
    /// Which statement it rests on.
    pub source: SourceId,
}

impl Location {
    /// A location of which nothing is known, with the reason.
    pub const fn unknown(doubt: Doubt) -> Self {
        Self {
            candidates: Candidates::Anywhere,
            method: Method::None,
            confidence: Confidence::None,
            doubt: Some(doubt),
            source: SourceId::NONE,
        }
    }

    /// A single place without doubt.
    pub const fn at(place: Place, method: Method, confidence: Confidence, source: SourceId) -> Self {
        Self { candidates: Candidates::one(place), method, confidence, doubt: None, source }
    }

    /// Code for flow tables and metric labels: the place's code, or `ZZ` when it is not one place.
    pub fn label(&self) -> [u8; 2] {
        match self.candidates.sole() {
            Some(Place::In(country, _)) => country.letters(),
            Some(Place::World) => *b"WW",
            None => *b"ZZ",
        }
    }
}
