//! The file as written: TOML sections with their defaults. The doc comment of a field is its manual.
//!
//! Nothing is required here and no reference is followed: what is missing or wrong is found by the settings, all faults at
//! once. What serde itself finds (unknown keys, wrong types) is collected the same way by [`read()`]. This room opens no file
//! but those that a [`SecretRef`] names, and never prints.

mod channels;
mod data;
mod fault;
mod kafka;
mod network;
mod parties;
mod read;
mod rules;
mod running;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::secret::{Secret, SecretError, SecretRef};
pub use channels::{
    Alertmanager, Channel, ChannelKind, Dingtalk, Elastic, Escalation, Fallback, Http, Inhibit, Letters, Mail, Splunk,
    Syslog, Webhook,
};
pub use data::{Item, Space};
pub use fault::{Fault, Faults, Path};
pub use kafka::{DeadLetters, Kafka, KafkaSasl, KafkaSource, KafkaTls};
pub use network::{Host, Site};
pub use parties::{Entity, Names, Organisation, Party, Person, Storage, Tenant};
pub use read::{MOST_SHAPE_FAULTS, read};
pub use rules::{App, Deny, Filing, Residency, Safeguard};
pub use running::{Admin, Batch, Decode, Evidence, Geo, Level, Log, LogFormat, Outbox, Source, SourceKind, Workers};

/// The whole file. Keys that are not listed are refused.
///
/// In every section, places are written `"HK"`, `"SG"` (ISO 3166-1), `"CN"`, `"CN-GD"`, `"CN-GD-Shenzhen"` (a city of
/// Guangdong) or `"CN-ZJ"` (another province); areas `"*"`, a country, `"CN-GD"`, `"CN-GBA"` or one of the nine cities;
/// days `"2026-11-23"` in the Hong Kong calendar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The organisation as a whole.
    pub organisation: Organisation,
    /// Legal entities of the organisation and its group.
    pub entities: Vec<Entity>,
    /// Vendors and other recipients.
    pub parties: Vec<Party>,
    /// DingTalk organisations under watch; at least one.
    pub tenants: Vec<Tenant>,
    /// Egress map: ranges of addresses and where they are.
    pub sites: Vec<Site>,
    /// Hosts and where they are.
    pub hosts: Vec<Host>,
    /// Names and mail domains of organisations.
    pub organisations: Vec<Names>,
    /// People, by staff id or receiver id.
    pub people: Vec<Person>,
    /// Data inventory.
    pub inventory: Vec<Item>,
    /// Spaces and knowledge bases.
    pub spaces: Vec<Space>,
    /// Safeguard register.
    pub safeguards: Vec<Safeguard>,
    /// Deny list.
    pub deny: Vec<Deny>,
    /// Allowed storage places.
    pub residency: Vec<Residency>,
    /// Reviewed third-party apps.
    pub apps: Vec<App>,
    /// Patterns of file names that suggest a category of personal data, beside those built in: `"passport" = "identity"`.
    /// A pattern is a part of the name; ASCII letters match in either case.
    pub sensitive: BTreeMap<String, String>,
    /// How a collector wraps DingTalk's events, and bounds of decoding.
    pub decode: Decode,
    /// Geolocation databases.
    pub geo: Geo,
    /// Brokers and credentials.
    pub kafka: Kafka,
    /// Where events come from.
    pub source: Source,
    /// Where input goes that is no audit event.
    pub dead_letters: DeadLetters,
    /// Bounds on a batch.
    pub batch: Batch,
    /// Threads that judge.
    pub workers: Workers,
    /// The evidence log.
    pub evidence: Evidence,
    /// What is still to be told.
    pub outbox: Outbox,
    /// Ways to tell it.
    pub channels: Vec<Channel>,
    /// Probes and metrics.
    pub admin: Admin,
    /// The process's own log.
    pub log: Log,
}
