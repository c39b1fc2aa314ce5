//! Known answers that gate every database: a damaged or mixed-up file opens well and answers wrongly, which no reader
//! notices. The addresses belong to access networks and universities that have stayed where they are for decades, so that
//! good databases agree on them; none is a cloud's, where databases differ.

use std::net::IpAddr;

use super::error::GeoError;
use super::mmdb::Claims;
use super::segments::Segments;
use crate::domain::place::{Country, Place};

/// Address and country.
const CANARIES: [(&str, &str); 0] = [];

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
