//! `replay`: files and standard input through the pipeline, resuming where the evidence ends.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::progress::Progress;
use super::service::{self, Service, Way};
use super::summary::Summary;
use super::{ConfigOption, Outcome, logging, signals};
use crate::source::replay::{Input, Replay};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Files, or `-` for standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigOption,
    /// Folder for evidence and state; overrides the configuration.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Write one JSON line per event to standard output, when its evidence is durable.
    #[arg(long)]
    pub verdicts: bool,
}

/// Runs the command.
///
/// # Errors
/// Bad configuration, unreadable input, or nothing more can be made durable.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let mut settings = super::load(&options.config.config)?;
    settings.source.tell_nobody();
    logging::start_as_configured(&settings.log);
    let folders = service::folders(&settings, options.data.as_ref());
    let evidence = folders.evidence.clone();
    let mut service = Service::start(settings, &Way { folders, admin: false, verdicts: options.verdicts })?;
    signals::stop_on_signals(&service.stop_flag())?;
    let inputs = options.files.iter().map(|path| Input::from_argument(&path.to_string_lossy())).collect();
    let mut source = Replay::new(inputs, &service.reached()?)?;
    service.source_latch().release();
    let (mut summary, mut progress) = (Summary::default(), Progress::on_terminal());
    let mut out = BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
    let ran = service.run(&mut source, options.verdicts, &mut |seen| {
        summary.add(seen);
        progress.seen(seen);
        out.write_all(seen.lines)?;
        out.flush()
    });
    progress.finish();
    drop(out);
    // what was recorded before a failure is told all the same
    let finished = service.finish();
    ran?;
    finished?;
    let mut err = std::io::stderr().lock();
    summary.conservation(&mut err)?;
    summary.speed(&mut err)?;
    writeln!(err, "evidence:     {}", evidence.display())?;
    if source.is_at_end() {
        return Ok(Outcome::Done);
    }
    // a script that goes by the exit code must not take a part for the whole
    writeln!(
        err,
        "stopped before the end of the input; started again with the same files and folder, it goes on from there"
    )?;
    Ok(Outcome::Failed)
}
