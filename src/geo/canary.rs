//! Known answers that gate every database: a damaged or mixed-up file opens well and answers wrongly, which no reader
//! notices. The addresses belong to access networks and universities that have stayed where they are for decades, so that
//! good databases agree on them; none is a cloud's, where databases differ.

use std::net::IpAddr;

use super::error::GeoError;
use super::mmdb::Claims;
use super::segments::Segments;
use crate::domain::place::{Country, Place};

/// Address and country.
const CANARIES: [(&str, &str); 28] = [
    ("147.8.2.58", "HK"),
    ("137.189.6.1", "HK"),
    ("143.89.14.7", "HK"),
    ("158.132.14.1", "HK"),
    ("218.102.23.228", "HK"),
    ("219.76.1.1", "HK"),
    ("61.93.1.1", "HK"),
    ("2404:c805::1", "HK"),
    ("166.111.4.100", "CN"),
    ("162.105.129.1", "CN"),
    ("202.120.2.101", "CN"),
    ("202.96.128.86", "CN"),
    ("202.96.209.5", "CN"),
    ("2001:250::1", "CN"),
    ("240e::1", "CN"),
    ("202.175.3.8", "MO"),
    ("140.112.254.4", "TW"),
    ("168.95.1.1", "TW"),
    ("2001:b000::1", "TW"),
    ("137.132.1.1", "SG"),
    ("165.21.83.88", "SG"),
    ("133.11.0.1", "JP"),
    ("2001:200::1", "JP"),
    ("143.248.1.177", "KR"),
    ("128.32.1.1", "US"),
    ("131.111.8.42", "GB"),
    ("141.89.1.1", "DE"),
    ("130.102.1.1", "AU"),
];

/// Missing answers that the embedded database may have.
const MAY_MISS: usize = 2;

/// Refuses a database that gives a wrong answer.
pub(super) fn check(name: &str, claims: &Claims) -> Result<usize, GeoError> {
    let mut answered = 0;
    for (address, country) in CANARIES {
        let (Ok(address), Some(expected)) = (address.parse::<IpAddr>(), Country::parse(country)) else { continue };
        let Some(Place::In(found, _)) = claim(claims, address) else { continue };
        if found != expected {
            return Err(GeoError::Canary { name: name.to_owned(), address, expected, found });
        }
        answered += 1;
    }
    Ok(answered)
}

/// Also refuses a database that lacks more than [`MAY_MISS`] of the answers.
pub(super) fn check_all(name: &str, claims: &Claims) -> Result<(), GeoError> {
    let (answered, asked) = (check(name, claims)?, CANARIES.len());
    if answered + MAY_MISS < asked {
        return Err(GeoError::Coverage { name: name.to_owned(), answered, asked });
    }
    Ok(())
}

fn claim(claims: &Claims, address: IpAddr) -> Option<Place> {
    let value = match address {
        IpAddr::V4(address) => value_at(&claims.v4, u32::from(address)),
        IpAddr::V6(address) => value_at(&claims.v6, u128::from(address)),
    };
    claims.places.get((value as usize).checked_sub(1)?).copied()
}

fn value_at<A: super::segments::Address>(segments: &Segments<A>, address: A) -> u32 {
    let runs = segments.runs();
    runs[runs.partition_point(|&(start, _)| start <= address) - 1].1
}
