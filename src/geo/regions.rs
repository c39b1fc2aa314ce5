//! Cloud regions and DingTalk's region enum → place, from the embedded tables. A country is never derived from the look of
//! an id: `cn-hongkong` is Hong Kong, `cn-heyuan` lies in Guangdong but outside the nine GBA cities.

use super::error::GeoError;
use super::source::{Source, Sources};
use crate::domain::map::Map;
use crate::domain::place::{Confidence, Country, District, Doubt, GbaCity, Location, Method, Place, SourceId};

/// The tables as text; part of the digest over everything in force.
pub(super) const CLOUD_REGIONS: &str = include_str!("../../geoip/cloud_regions.csv");
const FILE: &str = "cloud_regions.csv";

/// Rows of an embedded table with exactly `N` columns; comments and the head are left out.
pub(super) fn rows<const N: usize>(
    table: &'static str,
    text: &'static str,
) -> impl Iterator<Item = Result<(usize, [&'static str; N]), GeoError>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1);
    lines.enumerate().map(move |(index, line)| {
        let fields: Vec<&'static str> = line.split(',').collect();
        let row = index + 1;
        let wrong = |_| fault(table, row, &format!("expected {N} columns"));
        Ok((row, fields.try_into().map_err(wrong)?))
    })
}

pub(super) fn fault(table: &'static str, row: usize, why: &str) -> GeoError {
    GeoError::Table { table, row, why: why.to_owned() }
}

/// A region: where it is, and which statement says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) place: Place,
    pub(super) source: SourceId,
}

/// The regions by their names. Keys are lower case.
#[derive(Debug, Default)]
pub(super) struct Regions {
    by_id: Map<&'static str, Region>,
    /// Irregular tokens of OSS host names, such as `cn-szfinance`.
    by_token: Map<&'static str, Region>,
    /// In lower case.
    by_enum: Map<String, Region>,
}

impl Regions {
    pub(super) fn build(sources: &mut Sources) -> Result<Self, GeoError> {
        let mut regions = Self::default();
        for row in rows::<7>(FILE, CLOUD_REGIONS) {
            let (row, [id, country, district, city, tokens, status, dingtalk]) = row?;
            let place = place(row, country, district, city)?;
            let region = Region { place, source: sources.add(Source::CloudRegion { id, status })? };
            regions.by_id.insert(id, region);
            regions.by_token.extend(tokens.split_whitespace().map(|token| (token, region)));
            if !dingtalk.is_empty() {
                let source = sources.add(Source::RegionEnum(dingtalk))?;
                regions.by_enum.insert(dingtalk.to_ascii_lowercase(), Region { place, source });
            }
        }
        Ok(regions)
    }

    /// A region by its id, in lower case.
    pub(super) fn by_id(&self, id: &str) -> Option<Region> {
        self.by_id.get(id).copied()
    }

    /// A region by what stands after `oss-` in a host name, in lower case.
    pub(super) fn by_token(&self, token: &str) -> Option<Region> {
        self.by_id(token).or_else(|| self.by_token.get(token).copied())
    }

    /// DingTalk's enum or a region id (with or without `oss-`, as OSS clients write it), in any case.
    pub(super) fn find(&self, text: &str) -> Option<Location> {
        let text = trimmed(text);
        // what most rows say
        if text == "UNKNOWN" || text.eq_ignore_ascii_case("unknown") {
            return Some(Location::unknown(Doubt::NoRegion));
        }
        let lower = Lower::<64>::new(text)?;
        let lower = lower.as_str();
        let by_enum = self.by_enum.get(lower).copied();
        let region = by_enum.or_else(|| self.by_token(lower.strip_prefix("oss-").unwrap_or(lower)))?;
        Some(Location::at(region.place, Method::Region, Confidence::High, region.source))
    }
}

/// Without space around it, which mostly is not there: no look at characters then.
#[inline]
pub(super) fn trimmed(text: &str) -> &str {
    let plain = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_graphic());
    if plain(text.as_bytes().first()) && plain(text.as_bytes().last()) { text } else { text.trim() }
}

fn place(row: usize, country: &str, district: &str, city: &str) -> Result<Place, GeoError> {
    let country = Country::parse(country).ok_or_else(|| fault(FILE, row, "no country"))?;
    let district = match district {
        "" => District::Unstated,
        "other_province" => District::OtherProvince,
        "guangdong_outside_gba" => District::GuangdongOutsideGba,
        "gba" => {
            GbaCity::parse(city).map(District::Gba).ok_or_else(|| fault(FILE, row, "not one of the nine cities"))?
        }
        _ => return Err(fault(FILE, row, "unknown district")),
    };
    if district != District::Unstated && country != Country::CN {
        return Err(fault(FILE, row, "districts are for Mainland China only"));
    }
    Ok(Place::In(country, district))
}

/// ASCII text in lower case on the stack, so that a look-up in any case does not allocate.
pub(super) struct Lower<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Lower<N> {
    /// `None`: longer than `N` bytes, or not ASCII.
    pub(super) fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; N];
        let room = bytes.get_mut(..text.len()).filter(|_| text.is_ascii())?;
        room.copy_from_slice(text.as_bytes());
        room.make_ascii_lowercase();
        Some(Self { bytes, len: text.len() })
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}
