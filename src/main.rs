//! Exit codes and nothing else: 0 done, 1 failed, 2 verify found a breach, 64 bad usage or configuration.

use std::process::ExitCode;

use clap::Parser;
use harbourwatch::app::Outcome;
use harbourwatch::cli::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // help and version go to standard output and are no failure
            let code = if usage.use_stderr() { 64 } else { 0 };
            return if usage.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE };
        }
    };
    match cli.command.run() {
        Outcome::Done => ExitCode::SUCCESS,
        Outcome::Failed => ExitCode::FAILURE,
        Outcome::Breach => ExitCode::from(2),
        Outcome::BadUsage => ExitCode::from(64),
    }
}
