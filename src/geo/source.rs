//! The statements that locations rest on, so that a record can say who said so. Written for people; never parsed.

use std::fmt;

use super::error::GeoError;
use crate::domain::place::SourceId;

/// A database, as a statement: what it is called, when it was built, which bytes exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Name in the configuration.
    pub name: String,
    /// Build time in ms since the epoch.
    pub built: i64,
    /// SHA-256 of the file, lower-case hex.
    pub digest: String,
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = jiff::Timestamp::from_millisecond(self.built)
            .map_or_else(|_| "unknown".to_owned(), |time| time.strftime("%Y-%m-%d").to_string());
        let short = self.digest.get(..12).unwrap_or(&self.digest);
        write!(f, "{}, build {day}, sha256 {short}", self.name)
    }
}

/// What a location rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing.
    Nothing,
    /// Geolocation databases: the ones that had an answer.
    Databases(Vec<Statement>),
    /// A range with a special meaning, with the RFC that gives it.
    Special(&'static str),
    /// A site of the operator.
    Site(String),
    /// A host rule of the operator.
    HostRule(String),
    /// A cloud region.
    CloudRegion {
        /// Region id.
        id: &'static str,
        /// `active`, `closing`, `decommissioned`.
        status: &'static str,
    },
    /// A value of DingTalk's storage region enum.
    RegionEnum(&'static str),
    /// A host or a group of hosts that the embedded table knows.
    KnownHost(&'static str),
    /// A bucket that the embedded table knows.
    KnownBucket(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Databases(statements) => write_joined(f, statements),
            Self::Special(range) => write!(f, "special range: {range}"),
            Self::Site(id) => write!(f, "site {id}"),
            Self::HostRule(suffix) => write!(f, "host rule {suffix}"),
            Self::CloudRegion { id, status: "active" } => write!(f, "Alibaba Cloud region {id}"),
            Self::CloudRegion { id, status } => write!(f, "Alibaba Cloud region {id} ({status})"),
            Self::RegionEnum(value) => write!(f, "DingTalk storage region {value}"),
            Self::KnownHost(host) => write!(f, "known host {host}"),
            Self::KnownBucket(bucket) => write!(f, "known bucket {bucket}"),
        }
    }
}

fn write_joined(f: &mut fmt::Formatter<'_>, statements: &[Statement]) -> fmt::Result {
    for (index, statement) in statements.iter().enumerate() {
        let separator = if index == 0 { "" } else { " + " };
        write!(f, "{separator}{statement}")?;
    }
    Ok(())
}

/// The table of statements of one generation; the index is [`SourceId`].
#[derive(Debug)]
pub(super) struct Sources(Vec<(Source, String)>);

impl Sources {
    pub(super) fn new() -> Self {
        Self(vec![(Source::Nothing, Source::Nothing.to_string())])
    }

    pub(super) fn add(&mut self, source: Source) -> Result<SourceId, GeoError> {
        let id = u16::try_from(self.0.len()).map_err(|_| GeoError::TooMany("statements"))?;
        let text = source.to_string();
        self.0.push((source, text));
        Ok(SourceId(id))
    }

    /// An id of another generation may be out of range here; it then names nothing rather than something else's panic.
    pub(super) fn get(&self, id: SourceId) -> &Source {
        self.0.get(usize::from(id.0)).map_or(&Source::Nothing, |(source, _)| source)
    }

    /// What [`Sources::get`] says, for people; made once.
    pub(super) fn text(&self, id: SourceId) -> &str {
        self.0.get(usize::from(id.0)).or(self.0.first()).map_or("", |(_, text)| text)
    }
}
