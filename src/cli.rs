//! The command shapes: what was typed, handed to [`crate::app`] as checked options.

use clap::{CommandFactory, Parser, Subcommand};

use crate::app::proof::{erase, hold, keys, query, report, retention, ship, subject};
use crate::app::{
    self, Outcome, acknowledge, check, codes, dead_letters, demo, doctor, explain, findings, generate, health, locate,
    manual, metrics, notify, outbox, preview, replay, reveal, serve, silence, verify,
};

/// Watches DingTalk audit events for data that leave Hong Kong, and keeps evidence that a stranger can verify.
#[derive(Debug, Parser)]
#[command(name = "harbourwatch", version, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a working day of an invented bank through the real pipeline and show what it found.
    Demo(demo::Options),
    /// Run as a service on the source of the configuration.
    Run(serve::Options),
    /// Judge and record events from NDJSON files (also .gz, .zst) or standard input (`-`).
    Replay(replay::Options),
    /// Write synthetic events of an invented bank.
    Generate(generate::Options),
    /// Show how an event is judged: legs, places, rules tried, safeguard, severity.
    Explain(explain::Options),
    /// Locate addresses, storage hosts, regions; one JSON line each.
    Geo(locate::Options),
    /// Print the tables of action codes and event types with the legs that follow from them.
    Codes,
    /// Check a configuration: all faults at once, or the effective configuration with defaults filled in.
    Check(check::Options),
    /// Verify an evidence folder without trusting who wrote it; exit code 2 when something is wrong.
    Verify(verify::Options),
    /// Show what was rejected and why, and try it again after a fix.
    DeadLetters(dead_letters::Options),
    /// List findings, gravest first.
    Findings(findings::Options),
    /// Find records by time, person, destination, verdict, safeguard, recipient; recorded with who and why.
    Query(query::Options),
    /// Make a report with proofs, for a regulator, a client or a board; recorded with who and why.
    Report(report::Options),
    /// Gather everything about one person, for an access request; recorded with who and why.
    Subject(subject::Options),
    /// Destroy the keys of a person's records; every proof still stands.
    Erase(erase::Options),
    /// Keep what retention or an erasure would take.
    Hold(hold::Options),
    /// Show what retention would take away, when and why; or take away what is due.
    Retention(retention::Options),
    /// Copy the evidence off this machine's disk, as far as it is published; read back file by file.
    Ship(ship::Options),
    /// Make, change and list the keys of the evidence.
    Keys(keys::Options),
    /// Take a finding in hand: people are then neither reminded of it nor is it passed on.
    Ack(acknowledge::Options),
    /// Keep people from being told of some findings for a while.
    Silence(silence::Options),
    /// Show what is not told yet, try it again, or let go of what was given up.
    Outbox(outbox::Options),
    /// Try a channel.
    Notify(notify::Options),
    /// Show exactly what a channel would send of a finding.
    Preview(preview::Options),
    /// Say whom or what a pseudonym stands for.
    Reveal(reveal::Options),
    /// Look at everything that the service needs, and say what to do.
    Doctor(doctor::Options),
    /// Print every metric with its kind, labels and meaning.
    Metrics,
    /// Ask a running service whether it is ready; exit code 1 when it is not.
    Health(health::Options),
    /// Print completions for a shell.
    Completions(manual::Completions),
    /// Print the manual page, or write one for every command.
    Man(manual::Man),
}

impl Command {
    /// Carries it out.
    pub fn run(self) -> Outcome {
        app::concluded(match self {
            Self::Demo(options) => demo::run(&options),
            Self::Run(options) => serve::run(&options),
            Self::Replay(options) => replay::run(&options),
            Self::Generate(options) => generate::run(&options),
            Self::Explain(options) => explain::run(&options),
            Self::Geo(options) => locate::run(&options),
            Self::Codes => codes::run(),
            Self::Check(options) => check::run(&options),
            Self::Verify(options) => verify::run(&options),
            Self::DeadLetters(options) => dead_letters::run(&options),
            Self::Findings(options) => findings::run(&options),
            Self::Query(options) => query::run(&options),
            Self::Report(options) => report::run(&options),
            Self::Subject(options) => subject::run(&options),
            Self::Erase(options) => erase::run(&options),
            Self::Hold(options) => hold::run(&options),
            Self::Retention(options) => retention::run(&options),
            Self::Ship(options) => ship::run(&options),
            Self::Keys(options) => keys::run(&options),
            Self::Ack(options) => acknowledge::run(&options),
            Self::Silence(options) => silence::run(&options),
            Self::Outbox(options) => outbox::run(&options),
            Self::Notify(options) => notify::run(&options),
            Self::Preview(options) => preview::run(&options),
            Self::Reveal(options) => reveal::run(&options),
            Self::Doctor(options) => doctor::run(&options),
            Self::Metrics => metrics::run(),
            Self::Health(options) => health::run(&options),
            Self::Completions(options) => manual::completions(&options, Cli::command()),
            Self::Man(options) => manual::man(&options, Cli::command()),
        })
    }
}
