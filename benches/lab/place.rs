//! Where an address is, as others ask: the standard parser, special ranges by the standard library, the operator's sites by
//! a walk over the list, the database by `maxminddb` for each event.

use std::net::{IpAddr, Ipv4Addr};

use harbourwatch::domain::place::{Confidence, Country, Doubt, Location, Method, Place, SourceId};
use harbourwatch::geo::{Geo, Site};
use harbourwatch::settings::{EXAMPLE_BANK, Settings};
use maxminddb::{PathElement, Reader};

/// The bundled database.
pub static DATABASE: &[u8] = include_bytes!("../../geoip/dbip-country.mmdb");

/// Asks `maxminddb`.
pub struct Asker<'g> {
    pub reader: Reader<&'static [u8]>,
    sites: Vec<Site>,
    /// For what the standard parser refuses: lists, ports, words.
    geo: &'g Geo,
}

impl<'g> Asker<'g> {
    pub fn new(geo: &'g Geo) -> Self {
        let mut sites = EXAMPLE_BANK.parse::<Settings>().unwrap().sites;
        sites.sort_by_key(|site| std::cmp::Reverse(site.net.prefix_len()));
        Self { reader: Reader::from_source(DATABASE).unwrap(), sites, geo }
    }

    /// The place of an address field.
    pub fn field(&self, field: Option<&str>) -> Location {
        match field.map(|text| (text, text.parse::<IpAddr>())) {
            None => Location::unknown(Doubt::Missing),
            Some((_, Ok(IpAddr::V4(address)))) => self.address(IpAddr::V4(address)),
            Some((_, Ok(IpAddr::V6(address)))) => {
                self.address(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
            }
            Some((text, Err(_))) => self.geo.address(Some(text)),
        }
    }

    /// The place of an address.
    pub fn address(&self, address: IpAddr) -> Location {
        if let Some(site) = self.sites.iter().find(|site| site.net.contains(&address)) {
            let opaque = Location { method: Method::Site, ..Location::unknown(Doubt::Opaque) };
            let stated = |place| Location::at(place, Method::Site, Confidence::High, SourceId::NONE);
            return site.place.map_or(opaque, stated);
        }
        if is_nowhere(address) {
            return Location::unknown(Doubt::Private);
        }
        match self.country(address) {
            Some(country) => Location::at(Place::country(country), Method::Ip, Confidence::Medium, SourceId::NONE),
            None => Location::unknown(Doubt::Unlisted),
        }
    }

    /// The database's word for it.
    pub fn country(&self, address: IpAddr) -> Option<Country> {
        let found = self.reader.lookup(address).ok()?;
        Country::parse(found.decode_path::<&str>(&[PathElement::Key("country_code")]).ok()??)
    }
}

fn is_nowhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let bench = a == 198 && (b == 18 || b == 19);
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || address.is_multicast()
                || a == 0
                || a >= 240
                || shared
                || bench
                || address == Ipv4Addr::BROADCAST
        }
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || a & 0xfe00 == 0xfc00
                || a & 0xffc0 == 0xfe80
                || a == 0x2001 && b == 0xdb8
        }
    }
}
