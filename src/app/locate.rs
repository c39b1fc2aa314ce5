//! `geo`: where addresses, hosts and regions are, one JSON line each.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::{Outcome, wire};
use crate::domain::place::{Doubt, Location};
use crate::geo::Geo;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// IP addresses (with any quirk of the audit log), storage hosts or URLs, region names.
    #[arg(required = true)]
    pub subjects: Vec<String>,
    /// Configuration file with sites, hosts and databases; the bundled database alone if not given.
    #[arg(long, short, env = "HARBOURWATCH_CONFIG")]
    pub config: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer<'a> {
    subject: &'a str,
    read_as: &'static str,
    places: Vec<String>,
    method: &'static str,
    confidence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<&'static str>,
    source: String,
}

/// Runs the command.
///
/// # Errors
/// Unreadable configuration or databases.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let geo = match &options.config {
        Some(path) => wire::geo(&super::load(path)?)?,
        None => Geo::build(vec![crate::geo::Database::bundled()?], &[], &[])?,
    };
    let mut out = std::io::stdout().lock();
    for subject in &options.subjects {
        let (read_as, location) = locate(&geo, subject);
        serde_json::to_writer(&mut out, &answer(&geo, subject, read_as, &location))?;
        writeln!(out)?;
    }
    Ok(Outcome::Done)
}

/// An address where it reads as one, else a region, else a storage host.
fn locate(geo: &Geo, subject: &str) -> (&'static str, Location) {
    let address = geo.address(Some(subject));
    if address.doubt != Some(Doubt::Unreadable) {
        return ("address", address);
    }
    let region = geo.region(subject).map(|location| ("region", location));
    let host = || geo.host(subject).map(|location| ("host", location));
    region.or_else(host).unwrap_or(("unreadable", address))
}

fn answer<'a>(geo: &Geo, subject: &'a str, read_as: &'static str, location: &Location) -> Answer<'a> {
    Answer {
        subject,
        read_as,
        places: location.candidates.iter().map(|place| place.to_string()).collect(),
        method: location.method.name(),
        confidence: location.confidence.name(),
        doubt: location.doubt.map(Doubt::name),
        source: geo.source(location.source).to_string(),
    }
}
