//! The file checked and compiled. All faults are reported at once, each with its key path, value and remedy; a configuration
//! with a fault yields no settings at all.
//!
//! Nothing here looks at the clock, the network or any file but the configuration itself, so the same text always gives the
//! same settings.

mod channels;
mod check;
mod data;
mod digest;
mod directory;
mod kafka;
mod network;
mod pack;
mod parties;
mod register;
mod running;
mod words;

use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::config::{self, Config};
use crate::domain::estate::Estate;
use crate::domain::party::Category;
use crate::domain::policy::Policy;
use crate::geo::{HostRule, Site};
use crate::kafka::Connection;
use crate::pipeline::batch::Limits;
use crate::secret::SecretRef;

use check::Check;

pub use crate::config::{Fault, Faults};
pub use channels::{Channel, ChannelWay, LetterSettings};
pub use pack::bundled_pack;
pub use running::{DecodeSettings, EvidenceSettings, SourceSettings};

/// The commented example: a bank in Hong Kong with a subsidiary in Shenzhen, an office in Singapore, a vendor in Hangzhou.
pub const EXAMPLE_BANK: &str = include_str!("../../config/bank.toml");

/// Largest configuration file, in bytes: room for a directory of several hundred thousand people.
pub const LARGEST_FILE: u64 = 64 << 20;

/// Everything that the process is told, checked and compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The file as written, with defaults.
    pub config: Config,
    /// Name of the organisation.
    pub organisation: String,
    /// Everything that the rules may look at.
    pub policy: Policy,
    /// The operator's maps of people, organisations and spaces.
    pub estate: Estate,
    /// Egress map, one entry per range.
    pub sites: Vec<Site>,
    /// Hosts whose place is known.
    pub hosts: Vec<HostRule>,
    /// Patterns of file names beyond those built in, and the category they suggest.
    pub sensitive: Vec<(String, Category)>,
    /// How a collector wraps events.
    pub decode: DecodeSettings,
    /// Database files in order; empty: the bundled database.
    pub databases: Vec<PathBuf>,
    /// Age of a database in days from which it is stale.
    pub database_max_age_days: u32,
    /// Brokers and credentials, where anything uses Kafka.
    pub kafka: Connection,
    /// Where events come from.
    pub source: SourceSettings,
    /// Topic for input that is no audit event; `None`: a file beside the outbox.
    pub dead_letter_topic: Option<String>,
    /// Bounds on a batch.
    pub batch: Limits,
    /// Threads that judge; 0: as many as there are processors.
    pub workers: usize,
    /// The evidence log.
    pub evidence: EvidenceSettings,
    /// Directory of the outbox.
    pub outbox: PathBuf,
    /// Where a finding can be looked up, with `{id}` in the place of its id.
    pub finding_link: Option<String>,
    /// Secret from which the keys of pseudonyms are derived; `None`: they are drawn.
    pub pseudonym_secret: Option<SecretRef>,
    /// Days for which findings are kept that all channels are past.
    pub keep_days: u32,
    /// Ways to tell people.
    pub channels: Vec<Channel>,
    /// Where probes and metrics are served.
    pub admin: SocketAddr,
    /// The process's own log.
    pub log: config::Log,
    /// What is allowed and yet worth a second look; carries no personal data.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Reads, checks and compiles a file.
    ///
    /// # Errors
    /// All faults of the file, or the one that kept it from being read.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        contents(path)?.parse()
    }
}

/// Checks and compiles the text of a configuration.
impl FromStr for Settings {
    type Err = Faults;

    fn from_str(text: &str) -> Result<Self, Faults> {
        let read = config::read::<Config>(text);
        let Some(config) = read.document else { return Err(in_order(read.faults)) };
        let (settings, found) = compile(config);
        let mut faults = read.faults;
        let shape = faults.len();
        for mut fault in found {
            // A value that was cut out is missed by the checks; its own fault says it better.
            let cut = |other: &Fault| fault.path.is_within(&other.path) || other.path.is_within(&fault.path);
            if !faults.iter().take(shape).any(cut) {
                fault.line = read.lines.of(&fault.path);
                faults.push(fault);
            }
        }
        match settings {
            Some(settings) if faults.is_empty() => Ok(settings),
            Some(_) | None => Err(in_order(faults)),
        }
    }
}

fn compile(config: Config) -> (Option<Settings>, Vec<Fault>) {
    let mut check = Check::new(&config);
    let policy = register::policy(&mut check);
    let estate = directory::estate(&mut check, &policy);
    let sites = network::sites(&mut check);
    let hosts = network::hosts(&mut check);
    let sensitive = data::sensitive(&mut check);
    let running = running::running(&mut check);
    let (faults, warnings) = check.finish();
    let settings = running.map(|running| Settings {
        organisation: config.organisation.name.clone(),
        policy,
        estate,
        sites,
        hosts,
        sensitive,
        decode: running.decode,
        databases: config.geo.databases.clone(),
        database_max_age_days: config.geo.max_age_days,
        kafka: running.kafka,
        source: running.source,
        dead_letter_topic: config.dead_letters.topic.clone(),
        batch: running.batch,
        workers: config.workers.count,
        evidence: running.evidence,
        outbox: config.outbox.dir.clone(),
        finding_link: config.outbox.link.clone(),
        pseudonym_secret: config.outbox.pseudonym_secret.clone(),
        keep_days: config.outbox.keep_days,
        channels: running.channels,
        admin: running.admin,
        log: config.log.clone(),
        warnings,
        config,
    });
    (settings, faults)
}

/// The configuration in force as TOML, defaults filled in; secrets appear only as the references that the file has. Reads
/// back to the same settings.
pub fn effective(settings: &Settings) -> String {
    // A configuration is built of texts, numbers, lists and tables with text keys: TOML can write all of it.
    toml::to_string_pretty(&settings.config).unwrap_or_default()
}

fn in_order(mut faults: Vec<Fault>) -> Faults {
    faults.sort_by_key(|fault| fault.line.unwrap_or(usize::MAX));
    Faults(faults)
}

fn contents(path: &Path) -> Result<String, Faults> {
    let refuse = |remedy: String| Faults(vec![Fault::new(config::Path::default(), "", remedy)]);
    let unreadable = |error| refuse(format!("{}: {error}; name a configuration file that can be read", path.display()));
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let read = file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if read as u64 > LARGEST_FILE {
        return Err(refuse(format!("{}: larger than {LARGEST_FILE} bytes; this is no configuration", path.display())));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        refuse(format!("{}: byte {at} is not UTF-8; save the file as UTF-8", path.display()))
    })
}
