//! Egress map and hosts.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::{self, Path};
use crate::domain::place::Place;
use crate::geo::{HostRule, Site};

use super::check::Check;
use super::words;

/// Shorter prefixes than these cover so much of the internet that a typing error is likely.
const WIDE_V4: u8 = 8;
const WIDE_V6: u8 = 20;

/// One entry per range, in the order of the file.
pub(super) fn sites(check: &mut Check<'_>) -> Vec<Site> {
    let sites = &check.config.sites;
    check.register(sites.iter().enumerate().map(|(index, site)| (Path::element("sites", index), &*site.id)), "id");
    let mut seen = HashMap::new();
    let mut found = Vec::new();
    for (index, site) in sites.iter().enumerate() {
        let path = Path::element("sites", index);
        let place = site_place(check, &path, site);
        if site.cidrs.is_empty() {
            check.fault(path.key("cidrs"), "", "missing; list its ranges: [\"203.0.113.0/24\"]");
        }
        for (index, text) in site.cidrs.iter().enumerate() {
            let net = range(check, path.key("cidrs").index(index), text, &mut seen);
            found.extend(net.map(|net| Site { id: site.id.clone(), net, place }));
        }
    }
    found
}

fn site_place(check: &mut Check<'_>, path: &Path, site: &config::Site) -> Option<Place> {
    match (&site.place, site.opaque) {
        (Some(place), false) => check.place(path.key("place"), place),
        (None, true) => None,
        (Some(place), true) => {
            check.fault(path.key("place"), place, "a site is opaque or has a place, not both; remove one");
            None
        }
        (None, false) => {
            check.fault(
                path.key("place"),
                "",
                "missing; write its place, or opaque = true if people leave from many places",
            );
            None
        }
    }
}

fn range(check: &mut Check<'_>, path: Path, text: &str, seen: &mut HashMap<IpNet, Path>) -> Option<IpNet> {
    let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok();
    let Some(net) = net else {
        check.fault(path, text, "write a range such as \"203.0.113.0/24\" or \"2001:db8::/32\", or one address");
        return None;
    };
    if net != net.trunc() {
        check.fault(path, text, format!("the address has bits beyond the prefix; write \"{}\"", net.trunc()));
        return None;
    }
    if net.prefix_len() == 0 {
        check.fault(path, text, "this is every address there is; write the ranges of the site");
        return None;
    }
    if let Some(first) = seen.get(&net) {
        let remedy = format!("the same range is {first}; one range has one site");
        check.fault(path, text, remedy);
        return None;
    }
    let wide = if net.addr().is_ipv4() { WIDE_V4 } else { WIDE_V6 };
    if net.prefix_len() < wide {
        check.warn(&path, format!("{net} covers a large part of the internet"));
    }
    seen.insert(net, path);
    Some(net)
}

pub(super) fn hosts(check: &mut Check<'_>) -> Vec<HostRule> {
    let hosts = &check.config.hosts;
    check.register(
        hosts.iter().enumerate().map(|(index, host)| (Path::element("hosts", index), &*host.suffix)),
        "suffix",
    );
    let mut found = Vec::new();
    for (index, host) in hosts.iter().enumerate() {
        let path = Path::element("hosts", index);
        let place = host.place.as_deref().and_then(|text| check.place(path.key("place"), text));
        if host.suffix.trim().is_empty() {
            continue;
        }
        let remedy = "write a host name without scheme, port, path or wildcard: \"files.vhb.example\"";
        let suffix = check.word(path.key("suffix"), &host.suffix, words::domain, remedy);
        if suffix.as_ref().is_some_and(|suffix| !suffix.contains('.')) {
            check.warn(&path, "a single label covers a whole top-level domain");
        }
        found.extend(suffix.map(|suffix| HostRule { suffix, place }));
    }
    found
}
