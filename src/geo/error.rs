//! Why a generation of the geolocation could not be made. All are faults of configuration or data files: the generation
//! in force stays.

use std::net::IpAddr;

use thiserror::Error;

use crate::domain::place::Country;

/// A fault of a database, a site, a host rule or an embedded table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GeoError {
    /// The bytes are no MaxMind DB file, or a part of it cannot be read.
    #[error("database {name}: {why}; fetch the file again and compare its checksum")]
    Unreadable {
        /// The database's name in the configuration.
        name: String,
        /// What the reader says.
        why: String,
    },
    /// Another file than the one that was pinned.
    #[error("database {name}: sha256 is {actual}, expected {expected}; the file was changed or damaged")]
    Digest {
        /// The database's name in the configuration.
        name: String,
        /// Lower-case hex.
        expected: String,
        /// Lower-case hex.
        actual: String,
    },
    /// No record has a country in one of the known layouts.
    #[error(
        "database {0}: no record has country.iso_code, country_code or a two-letter country; use a country or city database"
    )]
    Layout(String),
    /// A known answer came out wrong.
    #[error("database {name}: says {found} for {address}, known to be in {expected}; refused")]
    Canary {
        /// The database's name in the configuration.
        name: String,
        /// A public address of a well-known network; of nobody's event.
        address: IpAddr,
        /// Where it is.
        expected: Country,
        /// What the database says.
        found: Country,
    },
    /// Too few of the known answers are there.
    #[error("database {name}: answers {answered} of {asked} well-known addresses; it is incomplete")]
    Coverage {
        /// The database's name in the configuration.
        name: String,
        /// How many it answers.
        answered: usize,
        /// How many were asked.
        asked: usize,
    },
    /// More databases than alternatives that an answer can hold.
    #[error("{0} geolocation databases configured; at most 4 are possible")]
    TooManyDatabases(usize),
    /// More distinct answers or statements than their index can number.
    #[error("more than 65535 distinct {0}; use fewer databases, sites or host rules")]
    TooMany(&'static str),
    /// Two sites claim the very same range.
    #[error("sites {first} and {second} name the same range {net}; keep one of them")]
    DuplicateSite {
        /// Key of one.
        first: String,
        /// Key of the other.
        second: String,
        /// The range.
        net: String,
    },
    /// A host rule's suffix is no host name.
    #[error("host rule {0:?}: not a host name; write it like files.example.hk, without scheme, port or wildcard")]
    HostRule(String),
    /// Two host rules have the same suffix.
    #[error("host rule {0:?} is there twice; keep one of them")]
    DuplicateHostRule(String),
    /// An embedded table is faulty.
    #[error("embedded table {table}, row {row}: {why}")]
    Table {
        /// File name.
        table: &'static str,
        /// 1-based row, comments and head not counted.
        row: usize,
        /// What is wrong.
        why: String,
    },
}
