//! `demo`: a working day of the bank of `config/bank.toml` through the real pipeline, and what it found, for people.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::progress::Progress;
use super::service::{Service, Way};
use super::summary::{Summary, grouped};
use super::{Outcome, logging, signals};
use crate::admin::AdminError;
use crate::deliver::render::officer::words;
use crate::deliver::{Audience, View};
use crate::recorder::Folders;
use crate::settings::{Channel, EXAMPLE_BANK, Settings};
use crate::source::generate::{GenerateSource, Organisation, Plan};

/// Routes shown in the table.
const ROUTES: usize = 28;

/// Findings shown in words, each of another series: the same person and flow are shown once.
const GRAVEST: usize = 10;

/// Findings looked through for them.
const CONSIDERED: usize = 500;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Messages to generate.
    #[arg(long, default_value_t = 200_000)]
    pub events: u64,
    /// Seed of the synthetic day; the same seed gives the same day.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Folder for evidence and state, fresh or empty; one in the present folder if not given.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Keep the metrics address up after the run, until interrupted.
    #[arg(long)]
    pub serve: bool,
    /// Language of the findings.
    #[arg(long, value_enum, default_value_t = super::findings::Language::En)]
    pub lang: super::findings::Language,
}

/// Runs the command.
///
/// # Errors
/// The folder is not to be had, or nothing more can be made durable.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    logging::start("warn", logging::Format::Human);
    let data = folder(options.data.as_deref())?;
    let folders = Folders { evidence: data.join("evidence"), state: data.join("state") };
    let mut service = start(settings(&data)?, &Way { folders, admin: true, verdicts: false })?;
    signals::stop_on_signals(&service.stop_flag())?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "A working day of Victoria Harbour Bank (invented): {} messages, seed {}",
        grouped(options.events),
        options.seed
    )?;
    if let Some(address) = service.address() {
        writeln!(out, "metrics while it runs: http://{address}/metrics\n")?;
    }
    let plan = Plan::new(options.seed, options.events);
    let mut source = GenerateSource::new(plan, Organisation::bank(), 1, &service.reached()?);
    service.source_latch().release();
    let (mut summary, mut progress) = (Summary::default(), Progress::on_terminal());
    service.run(&mut source, false, &mut |seen| {
        summary.add(seen);
        progress.seen(seen);
        Ok(())
    })?;
    progress.finish();
    show(&mut out, &service, &summary, options)?;
    whereabouts(&mut out, &data)?;
    if options.serve {
        writeln!(out, "\nmetrics stay up until you interrupt (Ctrl-C)")?;
        while !service.stop_flag().load(std::sync::atomic::Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    service.finish()?;
    Ok(Outcome::Done)
}

/// The example bank, told by a file in the demo's folder.
fn settings(data: &Path) -> anyhow::Result<Settings> {
    let mut settings: Settings = EXAMPLE_BANK.parse()?;
    let path = data.join("findings.ndjson");
    settings.channels = vec![Channel::to_file("officer", path, crate::domain::verdict::Severity::Low)];
    Ok(settings)
}

/// The system chooses the port if the usual one is taken.
fn start(mut settings: Settings, way: &Way) -> anyhow::Result<Service> {
    match Service::start(settings.clone(), way) {
        Err(error) if error.is::<AdminError>() => {
            settings.admin.set_port(0);
            Service::start(settings, way)
        }
        started => started,
    }
}

/// The given folder, or `harbourwatch-demo-<n>` with the first free number.
fn folder(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let used = |path: &Path| path.join("state").exists() || path.join("evidence").exists();
    if let Some(path) = given {
        anyhow::ensure!(!used(path), "{} holds an earlier run; name a fresh folder", path.display());
        return Ok(path.to_owned());
    }
    let free = (1..1000).map(|number| PathBuf::from(format!("harbourwatch-demo-{number}"))).find(|path| !path.exists());
    free.context("no free folder name harbourwatch-demo-1 … 999; remove old ones or name one with --data")
}

fn show(out: &mut impl Write, service: &Service, summary: &Summary, options: &Options) -> anyhow::Result<()> {
    let colour = std::io::stdout().is_terminal();
    writeln!(out, "Flows, gravest first\n{}\n", summary.table(colour, ROUTES))?;
    writeln!(out, "The ten gravest findings\n")?;
    let languages = options.lang.languages();
    let mut series = std::collections::HashSet::new();
    let gravest = service.ledger().outbox().worst(CONSIDERED)?.into_iter();
    let distinct = gravest.filter(|finding| series.insert(finding.series.clone())).take(GRAVEST);
    for (number, finding) in (1..).zip(distinct) {
        writeln!(out, "{number}. {}", words(&View::of(&finding, Audience::Officer), languages))?;
    }
    summary.conservation(out)?;
    summary.speed(out)?;
    Ok(())
}

fn whereabouts(out: &mut impl Write, data: &Path) -> anyhow::Result<()> {
    let evidence = data.join("evidence");
    writeln!(out, "evidence:     {}", evidence.display())?;
    writeln!(out, "              check it: harbourwatch verify {}", evidence.display())?;
    writeln!(out, "findings:     {}", data.join("findings.ndjson").display())?;
    Ok(())
}
