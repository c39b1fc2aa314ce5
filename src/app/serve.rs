//! `run`: the service on the source of the configuration, with probes and metrics, until it ends or is told to stop.

use std::path::PathBuf;

use super::checkup::Checkup;
use super::retainer::Retainer;
use super::service::{self, Service, Way};
use super::summary::Summary;
use super::{ConfigOption, InstanceOption, Outcome, endpoints, logging, signals, supervisor};
use crate::pipeline::Seen;
use crate::settings::SourceSettings;
use crate::source::kafka::{self, Kafka};
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
    #[command(flatten)]
    #[allow(missing_docs)]
    pub instance: InstanceOption,
}

/// Runs the command.
///
/// # Errors
/// Bad configuration, unreadable input, or nothing more can be made durable.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let mut settings = super::load(&options.config.config)?;
    options.instance.apply(&mut settings);
    logging::start_as_configured(&settings.log);
    let from = settings.source.clone();
    if let SourceSettings::Replay(files) = &from {
        anyhow::ensure!(!files.is_empty(), "source.files is empty: name files to read, or \"-\" for standard input");
    }
    let folders = service::folders(&settings, options.data.as_ref());
    let every = settings.evidence.verify_every;
    let mut service = Service::start(settings, &Way { folders: folders.clone(), admin: true, verdicts: false })?;
    Retainer::new(service.settings(), &folders, service.metrics()).start()?;
    Checkup { folders, every, metrics: service.metrics() }.start()?;
    signals::stop_on_signals(&service.stop_flag())?;
    let started = service.settings().config.clone();
    signals::reload_on_signal(options.config.config.clone(), started, service.world(), service.metrics())?;
    endpoints::warn(service.settings(), &service.world())?;
    service::say_if_stale(&service.world().load(), service.settings());
    if let Some(address) = service.address() {
        tracing::info!(%address, "serving /live, /ready and /metrics");
    }
    // standard input may be silent for days; every other source answers, if only that there is nothing
    let is_patient = matches!(&from, SourceSettings::Replay(files) if files.iter().any(|file| file.as_os_str() == "-"));
    supervisor::watch((!is_patient).then(|| service.pulse()))?;
    supervisor::ready();
    let mut summary = Summary::default();
    let ran = run_from(from, &mut service, &mut summary);
    supervisor::stopping();
    let finished = service.finish();
    ran?;
    finished?;
    let mut err = std::io::stderr().lock();
    summary.conservation(&mut err)?;
    summary.speed(&mut err)?;
    Ok(Outcome::Done)
}

fn run_from(from: SourceSettings, service: &mut Service, summary: &mut Summary) -> anyhow::Result<()> {
    let mut seen = |seen: &Seen<'_>| {
        summary.add(seen);
        Ok(())
    };
    let reached = service.reached()?;
    match from {
        SourceSettings::Replay(files) => {
            let inputs = files.iter().map(|path| Input::from_argument(&path.to_string_lossy())).collect();
            let mut source = Replay::new(inputs, &reached)?;
            service.source_latch().release();
            service.run(&mut source, false, &mut seen)
        }
        SourceSettings::Kafka(options) => {
            let options = kafka::Options { instance: service.ledger().name(), state: service.state(), ..*options };
            let mut source = Kafka::open(options, &reached, service.metrics(), service.source_latch())?;
            let ran = service.run(&mut source, false, &mut seen);
            // leaves the group at once, whatever ended the run
            source.close();
            ran
        }
    }
}
