//! `doctor`: looks at everything that a service needs before it starts, or beside a running one, and says what to do. Changes
//! nothing but for a file that it makes and removes in each folder that must be writable; sends no notice.

mod local;
mod receivers;
mod remote;

use std::io::Write;
use std::path::PathBuf;

use super::{ConfigOption, InstanceOption, Outcome, service};
use crate::settings::Settings;

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
    /// Ask nobody outside this machine: neither brokers nor receivers.
    #[arg(long)]
    pub offline: bool,
}

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As it should be.
    Good,
    /// Works, but somebody should look at it.
    Look,
    /// Does not work, or not as promised.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    state: State,
    about: String,
    said: String,
}

/// What was found, in the order in which it was looked at.
#[derive(Debug, Default)]
struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, state: State, about: impl Into<String>, said: impl Into<String>) {
        self.0.push(Finding { state, about: about.into(), said: said.into() });
    }

    fn good(&mut self, about: impl Into<String>, said: impl Into<String>) {
        self.add(State::Good, about, said);
    }

    fn look(&mut self, about: impl Into<String>, said: impl Into<String>) {
        self.add(State::Look, about, said);
    }

    fn wrong(&mut self, about: impl Into<String>, said: impl Into<String>) {
        self.add(State::Wrong, about, said);
    }

    fn count(&self, state: State) -> usize {
        self.0.iter().filter(|finding| finding.state == state).count()
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        for Finding { state, about, said } in &self.0 {
            let state = match state {
                State::Good => "good ",
                State::Look => "look ",
                State::Wrong => "WRONG",
            };
            writeln!(out, "{state}  {about}: {said}")?;
        }
        let (wrong, look) = (self.count(State::Wrong), self.count(State::Look));
        writeln!(out, "{} looked at, {wrong} wrong, {look} to look at", self.0.len())
    }
}

/// Runs the command: exit code 1 if anything is wrong.
///
/// # Errors
/// The configuration has faults, or standard output takes nothing.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let mut settings = Settings::load(&options.config.config)?;
    options.instance.apply(&mut settings);
    let folders = service::folders(&settings, options.data.as_ref());
    let mut report = Report::default();
    report.good("configuration", format!("{}: no fault", options.config.config.display()));
    for warning in &settings.warnings {
        report.look("configuration", warning);
    }
    local::clock(&mut report);
    local::databases(&mut report, &settings);
    local::folder(&mut report, "evidence", &folders.evidence);
    local::folder(&mut report, "state", &folders.state);
    local::keys(&mut report, &settings, &folders);
    remote::admin(&mut report, settings.admin);
    if !options.offline {
        remote::brokers(&mut report, &settings);
    }
    receivers::channels(&mut report, &settings, options.offline);
    report.print(&mut std::io::stdout().lock())?;
    Ok(if report.count(State::Wrong) == 0 { Outcome::Done } else { Outcome::Failed })
}
