//! Host names and buckets → place. Labels are matched whole and from the right, after the host was cut out of the URL as
//! browsers do; what is not a plain host name matches nothing. Look-ups allocate nothing.
//!
//! `oss.aliyuncs.com` without a region is answered "no region": that it used to mean Hangzhou is not documented.

use super::HostRule;
use super::error::GeoError;
use super::host_memo::HostMemo;
use super::regions::{Lower, Region, Regions, fault, rows, trimmed};
use super::source::{Source, Sources};
use crate::domain::map::Map;
use crate::domain::place::{Confidence, Doubt, Location, Method, SourceId};

/// The table as text; part of the digest over everything in force.
pub(super) const DINGTALK_HOSTS: &str = include_str!("../../geoip/dingtalk_hosts.csv");
const FILE: &str = "dingtalk_hosts.csv";

/// Longest host name (RFC 1035 §2.3.4).
const LONGEST: usize = 253;

/// Hosts and buckets that are known. Keys are lower case, without trailing dot.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    /// The operator's rules by suffix.
    rules: Map<Box<str>, Location>,
    exact: Map<&'static str, Location>,
    suffixes: Map<&'static str, Location>,
    buckets: Map<&'static str, Location>,
    regions: Regions,
}

impl Hosts {
    pub(super) fn build(rules: &[HostRule], sources: &mut Sources) -> Result<Self, GeoError> {
        let mut hosts = Self { regions: Regions::build(sources)?, ..Self::default() };
        for row in rows::<4>(FILE, DINGTALK_HOSTS) {
            let (row, fields) = row?;
            hosts.add_known(row, fields, sources)?;
        }
        for rule in rules {
            hosts.add_rule(rule, sources)?;
        }
        Ok(hosts)
    }

    fn add_known(
        &mut self,
        row: usize,
        [kind, name, region, confidence]: [&'static str; 4],
        sources: &mut Sources,
    ) -> Result<(), GeoError> {
        let (table, method, source) = match kind {
            "host" => (&mut self.exact, Method::Host, Source::KnownHost(name)),
            "suffix" => (&mut self.suffixes, Method::Host, Source::KnownHost(name)),
            "bucket" => (&mut self.buckets, Method::Bucket, Source::KnownBucket(name)),
            _ => return Err(fault(FILE, row, "unknown kind")),
        };
        let source = sources.add(source)?;
        let location = match (self.regions.by_id(region), confidence) {
            (None, "") if region.is_empty() => no_region(source),
            (Some(region), "high") => Location::at(region.place, method, Confidence::High, source),
            (Some(region), "medium") => Location::at(region.place, method, Confidence::Medium, source),
            _ => return Err(fault(FILE, row, "unknown region or confidence")),
        };
        table.insert(name, location);
        Ok(())
    }

    fn add_rule(&mut self, rule: &HostRule, sources: &mut Sources) -> Result<(), GeoError> {
        let suffix = rule.suffix.trim_start_matches('.');
        let lower = Lower::<LONGEST>::new(suffix).filter(|lower| is_host_name(lower.as_str()));
        let lower = lower.ok_or_else(|| GeoError::HostRule(rule.suffix.clone()))?;
        let source = sources.add(Source::HostRule(lower.as_str().to_owned()))?;
        let location = match rule.place {
            Some(place) => Location::at(place, Method::Host, Confidence::High, source),
            None => no_region(source),
        };
        match self.rules.insert(lower.as_str().into(), location) {
            None => Ok(()),
            Some(_) => Err(GeoError::DuplicateHostRule(rule.suffix.clone())),
        }
    }

    /// The place of a host, given alone or in a URL. The operator's rules come first, the longest suffix of them.
    pub(super) fn find(&self, host_or_url: &str) -> Option<Location> {
        self.find_name(host_of(host_or_url)?)
    }

    /// The same, with what was found for the same name before: that is the authority, or for a URL as most are whatever is
    /// before its path, which is the same unless the authority ends by another sign.
    #[inline]
    pub(super) fn find_with(&self, memo: &mut HostMemo, host_or_url: &str) -> Option<Location> {
        let text = sound(host_or_url)?;
        let before_path = match text.strip_prefix(HTTPS) {
            Some(rest) => up_to_slash(rest),
            None => authority_in(text)?,
        };
        memo.find(before_path, || self.find_name(host_in(up_to_end(before_path))?))
    }

    /// The place of what was cut out of a URL as its host.
    fn find_name(&self, name: &str) -> Option<Location> {
        let lower = Lower::<LONGEST>::new(name)?;
        let host = lower.as_str();
        if !is_host_name(host) {
            return None;
        }
        let by_rule = || suffixes(host).find_map(|suffix| self.rules.get(suffix).copied());
        let exact = || self.exact.get(host).copied();
        let by_suffix = || suffixes(host).find_map(|suffix| self.suffixes.get(suffix).copied());
        by_rule().or_else(|| self.find_oss(host)).or_else(exact).or_else(by_suffix)
    }

    /// The place of a bucket whose name is known to carry it.
    pub(super) fn find_bucket(&self, bucket: &str) -> Option<Location> {
        self.buckets.get(Lower::<64>::new(trimmed(bucket))?.as_str()).copied()
    }

    /// The place of a region by its name.
    pub(super) fn find_region(&self, region: &str) -> Option<Location> {
        self.regions.find(region)
    }

    /// Endpoints of Alibaba Cloud OSS: `[bucket.][s3.]oss-<region>[-internal|-cross]`, `[bucket.]<region>[-internal].oss`,
    /// `[bucket.]oss-accelerate[-overseas]`, legacy `vpc100-oss-<region>` and `img-<region>`, all under `aliyuncs.com`.
    fn find_oss(&self, host: &str) -> Option<Location> {
        let (left, service) = split_last(host.strip_suffix(".aliyuncs.com")?);
        if service == "oss" {
            let region = self.regions.by_token(without_network(split_last(left).1));
            return Some(region.map_or_else(|| self.of_bucket(left), at));
        }
        if matches!(service, "oss-accelerate" | "oss-accelerate-overseas") {
            return Some(self.of_bucket(left));
        }
        let service = service.strip_prefix("vpc100-").unwrap_or(service);
        let token = service.strip_prefix("oss-").or_else(|| service.strip_prefix("img-"))?;
        let region = self.regions.by_token(without_network(token));
        Some(region.map_or(Location::unknown(Doubt::Unlisted), at))
    }

    /// Where the host names no region, the bucket may.
    fn of_bucket(&self, left: &str) -> Location {
        let left = left.strip_suffix(".s3").unwrap_or(left);
        self.find_bucket(split_last(left).1).unwrap_or(Location::unknown(Doubt::NoRegion))
    }
}

fn at(region: Region) -> Location {
    Location::at(region.place, Method::Host, Confidence::High, region.source)
}

fn no_region(source: SourceId) -> Location {
    Location { method: Method::Host, source, ..Location::unknown(Doubt::NoRegion) }
}

fn without_network(token: &str) -> &str {
    token.strip_suffix("-internal").or_else(|| token.strip_suffix("-cross")).unwrap_or(token)
}

/// Everything before the last label, and the last label.
fn split_last(labels: &str) -> (&str, &str) {
    labels.rsplit_once('.').unwrap_or(("", labels))
}

/// The host itself, then the host without its first label, and so on.
fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, rest)| rest))
}

/// Cuts the host out of a URL, or takes it as given.
fn host_of(text: &str) -> Option<&str> {
    host_in(authority_in(sound(text)?)?)
}

/// The text without space around it. Backslashes and control characters are refused wherever they stand: parsers disagree
/// about them, which is what look-alikes live on.
#[inline]
fn sound(text: &str) -> Option<&str> {
    let text = trimmed(text);
    (!is_odd(text.as_bytes())).then_some(text)
}

/// The scheme that there mostly is, and what is behind it.
const HTTPS: &str = "https://";

/// The authority of a sound text (RFC 3986 §3.2).
fn authority_in(text: &str) -> Option<&str> {
    let rest = match text.strip_prefix(HTTPS) {
        Some(rest) => rest,
        None => behind_scheme(text)?,
    };
    Some(up_to_end(rest))
}

/// The authority that a text begins with.
fn up_to_end(text: &str) -> &str {
    let end = memchr::memchr3(b'/', b'?', b'#', text.as_bytes()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// What is before the first slash, which in a URL is near: eight bytes in a step, and nothing is called.
#[inline]
fn up_to_slash(text: &str) -> &str {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (steps, _) = text.as_bytes().as_chunks::<8>();
    for (at, step) in steps.iter().enumerate() {
        let others = u64::from_le_bytes(*step) ^ (ONES * b'/' as u64);
        // the lowest high bit is that of the first byte that was a slash
        let slashes = others.wrapping_sub(ONES) & !others & (ONES << 7);
        if slashes != 0 {
            return text.get(..8 * at + slashes.trailing_zeros() as usize / 8).unwrap_or_default();
        }
    }
    text.split_once('/').map_or(text, |(before, _)| before)
}

/// Whether there is a backslash or a control character. Looks at all bytes, 16 in a step without an early end, and at the
/// last 16 once more.
fn is_odd(bytes: &[u8]) -> bool {
    let odd = |odd, byte: &u8| odd | (*byte == b'\\') | byte.is_ascii_control();
    let Some(last) = bytes.last_chunk::<16>() else { return bytes.iter().fold(false, odd) };
    let mut found = last.iter().fold(false, odd);
    for step in bytes.as_chunks::<16>().0 {
        found |= step.iter().fold(false, odd);
    }
    found
}

/// The host between a user and a port, without the dot at the end of a name that is complete.
fn host_in(authority: &str) -> Option<&str> {
    // A second `@` stays in the host, which then is none.
    let host_and_port = match memchr::memchr(b'@', authority.as_bytes()) {
        Some(at) => authority.get(at + 1..)?,
        None => authority,
    };
    let host = match memchr::memchr(b':', host_and_port.as_bytes()) {
        Some(at) => host_and_port.get(..at).filter(|_| is_port(host_and_port.as_bytes().get(at + 1..)))?,
        None => host_and_port,
    };
    Some(host.strip_suffix('.').unwrap_or(host))
}

fn is_port(port: Option<&[u8]>) -> bool {
    port.is_some_and(|port| port.len() <= 5 && port.iter().all(u8::is_ascii_digit))
}

fn behind_scheme(text: &str) -> Option<&str> {
    match text.split_once("://") {
        Some((scheme, rest)) if is_web(scheme) => Some(rest),
        // `evil.example/?u=https://…` has the mark too, but no scheme before it.
        Some((scheme, _)) if !scheme.contains(['/', '?', '#']) => None,
        Some(_) | None => Some(text.strip_prefix("//").unwrap_or(text)),
    }
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

/// Labels of letters, digits and inner hyphens (RFC 952, RFC 1123 §2.1), 1 to 63 bytes each, in lower case.
fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let plain = label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    host.len() <= LONGEST && host.split('.').all(is_label)
}
