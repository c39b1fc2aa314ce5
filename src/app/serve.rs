//! `run`: the service on the source of the configuration, with probes and metrics, until it ends or is told to stop.

use std::path::PathBuf;

use super::service::{self, Service, Way};
use super::summary::Summary;
use super::{ConfigOption, Outcome, logging, signals};
use crate::source::replay::{Input, Replay};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigOption,
    /// Folder for evidence and state; overrides the configuration.
    #[arg(long)]
    pub data: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Bad configuration, unreadable input, or nothing more can be made durable.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let settings = super::load(&options.config.config)?;
    logging::start_as_configured(&settings.log);
    anyhow::ensure!(
        !settings.source.files.is_empty(),
        "source.files is empty: name files to read, or \"-\" for standard input"
    );
    let files: Vec<_> = settings.source.files.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let folders = service::folders(&settings, options.data.as_ref());
    let mut service = Service::start(settings, &Way { folders, admin: true, verdicts: false })?;
    signals::stop_on_signals(&service.stop_flag())?;
    signals::reload_on_signal(options.config.config.clone(), service.world(), service.metrics())?;
    if let Some(address) = service.address() {
        tracing::info!(%address, "serving /live, /ready and /metrics");
    }
    let mut source = Replay::new(files.iter().map(|file| Input::from_argument(file)).collect(), &service.reached()?)?;
    let mut summary = Summary::default();
    let ran = service.run(&mut source, false, &mut |seen| {
        summary.add(seen);
        Ok(())
    });
    let finished = service.finish();
    ran?;
    finished?;
    let mut err = std::io::stderr().lock();
    summary.conservation(&mut err)?;
    summary.speed(&mut err)?;
    Ok(Outcome::Done)
}
