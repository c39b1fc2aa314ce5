//! `check`: all faults of a configuration at once, or the effective configuration.

use std::io::Write;

use super::{ConfigOption, Outcome, wire};
use crate::settings::{Settings, effective};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigOption,
}

/// Runs the command: the effective configuration to standard output, remarks to standard error.
///
/// # Errors
/// The configuration has faults, or a database that it names cannot be used.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let settings = Settings::load(&options.config.config)?;
    let geo = wire::geo(&settings)?;
    std::io::stdout().lock().write_all(effective(&settings).as_bytes())?;
    let mut err = std::io::stderr().lock();
    for warning in &settings.warnings {
        writeln!(err, "warning: {warning}")?;
    }
    writeln!(err, "policy {} sha256 {}", settings.policy.pack.id, settings.policy.digest)?;
    writeln!(err, "geolocation sha256 {}", geo.digest())?;
    writeln!(err, "{}: good", options.config.config.display())?;
    Ok(Outcome::Done)
}
