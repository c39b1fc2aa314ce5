//! MaxMind DB files in the layouts that providers use, read whole into runs of places. Never maps a file, never reads
//! `registered_country` (it says where the holder is registered, not where the range is used), never keeps a file that
//! cannot be read to its end.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use maxminddb::{LookupResult, MaxMindDbError, Reader, WithinOptions, path};
use sha2::{Digest, Sha256};

use super::canary;
use super::district::{self, Below};
use super::error::GeoError;
use super::segments::{NOTHING, Segments};
use super::source::Statement;
use super::special::Embedding;
use crate::domain::hex::hex;
use crate::domain::place::{Country, Place};

type Bytes = Cow<'static, [u8]>;

/// The embedded database (geoip/README.md).
static BUNDLED: &[u8] = include_bytes!("../../geoip/dbip-country.mmdb");
const BUNDLED_NAME: &str = "DB-IP country lite";
const BUNDLED_DIGEST: &str = "4e7f53dd9c6ebe0e7244d5dd4cc03639bc9dbe0a5a83eca90db50eeaeea72024";

/// How a database writes the country, in the order in which layouts are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `country.iso_code`: MaxMind's own, DB-IP's own.
    Nested,
    /// `country_code`: ip-location-db, IPinfo Lite (whose `country` is a name).
    Flat,
    /// `country` is the two-letter code: older IPinfo.
    Letters,
}

/// A geolocation database that was read to its end and passed the known-answer checks.
#[derive(Debug)]
pub struct Database {
    statement: Statement,
    layout: Layout,
    claims: Claims,
}

/// What a database says about the whole of both address spaces.
#[derive(Debug)]
pub(super) struct Claims {
    /// Value n stands for `places[n - 1]`.
    pub(super) v4: Segments<u32>,
    pub(super) v6: Segments<u128>,
    pub(super) places: Vec<Place>,
}

impl Database {
    /// Reads a database in any known [`Layout`] and checks known answers. A wrong one refuses the database; one that it
    /// does not have is no fault here, since a database may be made for a part of the address space.
    ///
    /// # Errors
    /// [`GeoError::Unreadable`], [`GeoError::Layout`] or [`GeoError::Canary`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, GeoError> {
        let digest = hex(&Sha256::digest(&bytes));
        let database = Self::read(name, digest, Cow::Owned(bytes))?;
        canary::check(name, &database.claims)?;
        Ok(database)
    }

    /// The database that comes with the program, checked against its pinned digest and all known answers.
    ///
    /// # Errors
    /// [`GeoError::Digest`] if the embedded bytes were changed, otherwise as [`Database::from_bytes`]; also
    /// [`GeoError::Coverage`] if known answers are missing.
    pub fn bundled() -> Result<Self, GeoError> {
        let digest = hex(&Sha256::digest(BUNDLED));
        if digest != BUNDLED_DIGEST {
            let (name, expected) = (BUNDLED_NAME.to_owned(), BUNDLED_DIGEST.to_owned());
            return Err(GeoError::Digest { name, expected, actual: digest });
        }
        let database = Self::read(BUNDLED_NAME, digest, Cow::Borrowed(BUNDLED))?;
        canary::check_all(BUNDLED_NAME, &database.claims)?;
        Ok(database)
    }

    fn read(name: &str, digest: String, bytes: Bytes) -> Result<Self, GeoError> {
        let unreadable = |error: MaxMindDbError| GeoError::Unreadable { name: name.to_owned(), why: error.to_string() };
        let reader = Reader::from_source(bytes).map_err(unreadable)?;
        let layout = probe(&reader).map_err(unreadable)?.ok_or_else(|| GeoError::Layout(name.to_owned()))?;
        let claims = flatten(&reader, layout).map_err(unreadable)?;
        let built = i64::try_from(reader.metadata().build_epoch).ok().and_then(|seconds| seconds.checked_mul(1000));
        let statement = Statement { name: name.to_owned(), built: built.unwrap_or(i64::MAX), digest };
        Ok(Self { statement, layout, claims })
    }

    /// Name, build time and digest.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The layout that it was found to have.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }
}

type Found<'a> = LookupResult<'a, Bytes>;

impl Layout {
    const ORDER: [Self; 3] = [Self::Nested, Self::Flat, Self::Letters];

    fn country<'a>(self, found: &Found<'a>) -> Result<Option<&'a str>, MaxMindDbError> {
        match self {
            Self::Nested => found.decode_path(&path!["country", "iso_code"]),
            Self::Flat => found.decode_path(&path!["country_code"]),
            Self::Letters => found.decode_path(&path!["country"]),
        }
    }

    /// What stands below the country. Other types than expected count as absent: the country is still good.
    fn below<'a>(self, found: &Found<'a>) -> Below<'a> {
        let text = |path: &[maxminddb::PathElement<'_>]| found.decode_path::<&str>(path).ok().flatten();
        match self {
            Self::Nested => Below {
                code: text(&path!["subdivisions", 0, "iso_code"]),
                province: text(&path!["subdivisions", 0, "names", "en"]),
                city: text(&path!["city", "names", "en"]),
            },
            Self::Flat | Self::Letters => Below {
                code: text(&path!["region_code"]),
                province: text(&path!["state1"]).or_else(|| text(&path!["region"])),
                city: text(&path!["city"]),
            },
        }
    }
}

/// All networks of a database in ascending order, without a gap: empty ones and aliases are included, so that a damaged tree
/// without end cannot spin unseen. A tree of n nodes has n + 1 leaves, each alias of the IPv4 subtree (MaxMind's files have
/// three) at most as many again; beyond eight times as many it is damaged.
fn networks<'a>(
    reader: &'a Reader<Bytes>,
) -> Result<impl Iterator<Item = Result<Found<'a>, MaxMindDbError>>, MaxMindDbError> {
    let bound = u64::from(reader.metadata().node_count) * 8 + 1024;
    let options = WithinOptions::default().include_networks_without_data().include_aliased_networks();
    Ok(reader.networks(options)?.zip(0u64..).map(move |(found, count)| {
        if count > bound { Err(MaxMindDbError::invalid_database("search tree does not end")) } else { found }
    }))
}

/// The first layout in which some record has a country. Not every record has one: MaxMind's files hold records with
/// `registered_country` alone.
fn probe(reader: &Reader<Bytes>) -> Result<Option<Layout>, MaxMindDbError> {
    let mut last = None;
    for found in networks(reader)? {
        let found = found?;
        if found.offset().is_none() || found.offset() == last {
            continue;
        }
        last = found.offset();
        let fits = |layout: &Layout| layout.country(&found).ok().flatten().is_some_and(is_code);
        if let Some(layout) = Layout::ORDER.into_iter().find(fits) {
            return Ok(Some(layout));
        }
    }
    Ok(None)
}

fn is_code(text: &str) -> bool {
    let head = text.split('-').next().unwrap_or_default();
    head.len() == 2 && head.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Reads every record once, and every network into the runs of its family. IPv6 ranges that carry an IPv4 address are left
/// out: they are answered by that address, and as aliases they would repeat all of IPv4.
fn flatten(reader: &Reader<Bytes>, layout: Layout) -> Result<Claims, MaxMindDbError> {
    let mut places = Places::default();
    let (mut v4, mut v6) = (Segments::empty(), Segments::empty());
    for found in networks(reader)? {
        let found = found?;
        let network = found.network()?;
        match network.ip() {
            IpAddr::V4(address) => v4.push(u32::from(address), places.value(layout, &found)?),
            IpAddr::V6(address) if carries_v4(address) => {}
            IpAddr::V6(address) => v6.push(u128::from(address), places.value(layout, &found)?),
        }
    }
    Ok(Claims { v4, v6, places: places.list })
}

fn carries_v4(address: Ipv6Addr) -> bool {
    address.to_ipv4_mapped().is_some() || Embedding::of(address).is_some()
}

/// The distinct places of a database, and which record says which.
#[derive(Default)]
struct Places {
    list: Vec<Place>,
    numbers: HashMap<Place, u32>,
    records: HashMap<usize, u32>,
}

impl Places {
    fn value(&mut self, layout: Layout, found: &Found<'_>) -> Result<u32, MaxMindDbError> {
        let Some(offset) = found.offset() else { return Ok(NOTHING) };
        if let Some(value) = self.records.get(&offset) {
            return Ok(*value);
        }
        let value = match read_place(layout, found)? {
            Some(place) => self.number(place),
            None => NOTHING,
        };
        self.records.insert(offset, value);
        Ok(value)
    }

    fn number(&mut self, place: Place) -> u32 {
        let list = &mut self.list;
        *self.numbers.entry(place).or_insert_with(|| {
            list.push(place);
            list.len() as u32
        })
    }
}

fn read_place(layout: Layout, found: &Found<'_>) -> Result<Option<Place>, MaxMindDbError> {
    let Some(country) = layout.country(found)? else { return Ok(None) };
    let in_china = country.get(..2).and_then(Country::parse) == Some(Country::CN);
    let below = if in_china { layout.below(found) } else { Below::default() };
    Ok(district::place(country, below))
}
