//! Settings → parts → wired → run → drain. One file a command; [`wire`] puts the parts together.

pub mod acknowledge;
mod anchor;
pub mod channels;
pub mod check;
pub mod checkup;
pub mod codes;
pub mod dead_letters;
pub mod demo;
pub mod doctor;
pub mod endpoints;
pub mod explain;
pub mod findings;
pub mod generate;
pub mod handover;
pub mod health;
pub mod housekeeping;
pub mod locate;
pub mod logging;
pub mod manual;
pub mod metrics;
pub mod notify;
pub mod outbox;
pub mod preview;
pub mod progress;
pub mod proof;
pub mod reasoning;
pub mod replay;
pub mod retainer;
pub mod reveal;
pub mod serve;
pub mod service;
pub mod signals;
pub mod silence;
pub mod state;
pub mod summary;
pub mod supervisor;
pub mod verify;
pub mod wire;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::Faults;
use crate::settings::{Settings, SourceSettings};

/// How a command ended; each has its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 0
    Done,
    /// 1
    Failed,
    /// 2: verify found something wrong
    Breach,
    /// 64: bad usage or configuration
    BadUsage,
}

/// Which configuration.
#[derive(Debug, clap::Args)]
pub struct ConfigOption {
    /// Configuration file.
    #[arg(long, short, env = "HARBOURWATCH_CONFIG", default_value = "harbourwatch.toml")]
    pub config: PathBuf,
}

/// Which of the instances that share a configuration.
#[derive(Debug, clap::Args)]
pub struct InstanceOption {
    /// Name of this instance where several share one configuration: becomes part of the log's origin, and its name in the
    /// consumer group. Letters, digits, `-`, `_`, `.`.
    #[arg(long, env = "HARBOURWATCH_INSTANCE", value_parser = instance)]
    pub instance: Option<String>,
}

impl InstanceOption {
    /// Makes settings that instances share those of this one.
    pub(crate) fn apply(&self, settings: &mut Settings) {
        let Some(instance) = &self.instance else { return };
        settings.evidence.origin = format!("{}/{instance}", settings.evidence.origin);
        if let SourceSettings::Kafka(options) = &mut settings.source {
            options.instance_id = Some(instance.clone());
        }
    }
}

/// Fit for the origin of a log and for static membership.
fn instance(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let good = !text.is_empty() && text.len() <= 128 && text.bytes().all(fits);
    if good { Ok(text.to_owned()) } else { Err("write 1 to 128 letters, digits, \"-\", \"_\" or \".\"".to_owned()) }
}

/// Says on standard error why a command failed, and gives its outcome. A closed pipe on standard output is no failure.
pub fn concluded(result: anyhow::Result<Outcome>) -> Outcome {
    let Err(error) = result else { return result.unwrap_or(Outcome::Failed) };
    let pipe_closed = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    if pipe_closed.into_iter().any(|cause| cause.kind() == io::ErrorKind::BrokenPipe) {
        return Outcome::Done;
    }
    // with standard error gone there is nobody left to tell
    drop(writeln!(io::stderr().lock(), "harbourwatch: {error:#}"));
    if error.is::<Faults>() { Outcome::BadUsage } else { Outcome::Failed }
}

/// Loads and checks the configuration file, and logs its warnings.
pub(crate) fn load(path: &Path) -> anyhow::Result<Settings> {
    let settings = Settings::load(path)?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    Ok(settings)
}
