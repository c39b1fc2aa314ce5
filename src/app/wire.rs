//! Settings → parts: databases, world, ledger.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::dingtalk::{Decoder, Envelope, Limits, Path};
use crate::domain::sensitive::NamePatterns;
use crate::evidence;
use crate::geo::{Database, Geo};
use crate::kafka::{Haste, Producer};
use crate::outbox::{Bounds, ChannelSpec};
use crate::pipeline::world::World;
use crate::recorder::dead_letters::DeadLetterTopic;
use crate::recorder::{Folders, Ledger};
use crate::settings::{Settings, SourceSettings};

/// Fingerprints that the duplicate check holds: about a week of a busy tenant, 50 MB.
pub const DEDUPE_WINDOW: usize = 1 << 20;

/// One generation of everything that verdicts depend on.
///
/// # Errors
/// A database cannot be read or fails its checks.
pub fn world(settings: &Settings) -> anyhow::Result<World> {
    let geo = geo(settings)?;
    let patterns = NamePatterns::new(&settings.sensitive).context("sensitive: name patterns")?;
    let (policy, estate) = (settings.policy.clone(), settings.estate.clone());
    let world = World::new(decoder(settings), geo, policy, estate, patterns, &settings.evidence.record);
    let tells = matches!(&settings.source, SourceSettings::Kafka(options) if options.verdicts.is_some());
    Ok(world.assuming(settings.decode.default_tenant.as_deref()).telling(tells))
}

/// Reads messages as the configuration says that they are wrapped.
pub fn decoder(settings: &Settings) -> Decoder {
    let path = |text: &Option<String>| text.as_deref().and_then(Path::parse);
    let decode = &settings.decode;
    let envelope =
        Envelope { payload: path(&decode.payload), tenant: path(&decode.tenant), enrichment: path(&decode.enrichment) };
    let limits = Limits { depth: decode.depth as u16, bytes: decode.bytes, ..Limits::default() };
    Decoder::new(envelope, limits)
}

/// Databases, sites and hosts, compiled. Files are read into memory, never mapped.
///
/// # Errors
/// A database cannot be read or fails its checks.
pub fn geo(settings: &Settings) -> anyhow::Result<Geo> {
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read the database {}", path.display()))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Database::from_bytes(&name, bytes).with_context(|| format!("database {}", path.display()))
    };
    let databases = match settings.databases.as_slice() {
        [] => vec![Database::bundled()?],
        files => files.iter().map(read).collect::<anyhow::Result<_>>()?,
    };
    Ok(Geo::build(databases, &settings.sites, &settings.hosts)?)
}

/// Evidence, state and dead letters.
///
/// # Errors
/// A folder or file is not to be had; the text says which and what to do.
pub fn ledger(settings: &Settings, folders: &Folders, channels: &[ChannelSpec]) -> anyhow::Result<Ledger> {
    let mut options = evidence::Options::new(settings.evidence.origin.clone(), signing_key(folders));
    options.recipients.clone_from(&settings.evidence.recipients);
    options.subjects = options.subjects.filter(|_| settings.evidence.subject_keys);
    let bulk_objects = settings.policy.pack.bulk_objects;
    let bounds = Bounds { bulk_objects, fingerprints: DEDUPE_WINDOW as u64 };
    Ok(Ledger::open(folders, &options, channels, bounds, dead_letters(settings)?)?)
}

fn dead_letters(settings: &Settings) -> anyhow::Result<DeadLetterTopic> {
    let Some(topic) = &settings.dead_letter_topic else { return Ok(DeadLetterTopic::None) };
    let producer = Producer::connect(&settings.kafka, Haste::AtOnce).context("dead_letters.topic")?;
    Ok(DeadLetterTopic::Topic(Box::new(producer), topic.clone()))
}

/// Where the signing key lies; the other keys of the evidence lie beside it.
pub fn signing_key(folders: &Folders) -> PathBuf {
    folders.state.join("evidence.key")
}

/// Worker threads: as configured, or one a processor.
pub fn workers(settings: &Settings) -> usize {
    match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers,
    }
}
