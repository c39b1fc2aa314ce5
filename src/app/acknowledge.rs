//! `ack`: somebody takes a finding in hand. It is then neither repeated nor passed on, until it becomes graver.

use std::io::Write;

use serde_json::{Value, json};

use super::Outcome;
use super::channels;
use super::handover::{Recorded, filing};
use super::state::{State, StateOption};
use crate::deliver::render::plain::plain;
use crate::deliver::render::utc;
use crate::evidence::Deed;
use crate::recorder::now_ms;

/// Longest note and name, in bytes.
const LONGEST: usize = 2_000;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub state: StateOption,
    /// Id of the finding, or its first six digits or more.
    pub finding: String,
    /// Who takes it in hand.
    #[arg(long)]
    pub by: String,
    /// What was found or will be done.
    #[arg(long)]
    pub note: String,
}

/// Runs the command.
///
/// # Errors
/// No state, or no such finding.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    said("--by", &options.by)?;
    said("--note", &options.note)?;
    let mut state = options.state.open()?;
    let specs = channels::specs(state.settings());
    let id = &options.finding;
    let finding = state.queue.finding(id)?.ok_or_else(|| {
        anyhow::anyhow!(
            "no finding, or more than one, whose id begins with {id:?}; `harbourwatch findings --json` lists them"
        )
    })?;
    let detail = json!({
        "what": "acknowledged", "finding": finding.id, "revision": finding.revision, "severity": finding.severity.name(),
        "by": options.by, "note": options.note,
    });
    // the evidence first: an acknowledgement that nobody can prove must not keep people from being told
    record(&state, &detail)?;
    let fresh = state.queue.acknowledge(&finding, &options.by, &options.note, &specs, now_ms())?;
    let mut out = std::io::stdout().lock();
    if fresh {
        writeln!(out, "acknowledged: {} ({})", finding.id, finding.severity.name())?;
        return Ok(Outcome::Done);
    }
    if let Some((by, at, _)) = state.queue.acknowledgement(&finding.id)? {
        let at = utc(at);
        writeln!(out, "acknowledged before: {} by {} at {at}; the note is recorded too", finding.id, plain(&by))?;
    }
    Ok(Outcome::Done)
}

/// Records in the evidence what somebody decided about findings.
///
/// # Errors
/// There is no evidence log, or it cannot be written.
pub fn record(state: &State, detail: &Value) -> anyhow::Result<()> {
    let filing = filing(detail, |commitment| Deed::Acknowledged { commitment })?;
    if state.desk.record(&filing)? == Recorded::Waiting {
        tracing::warn!("the service has not recorded this in the evidence yet; it will when it writes next");
    }
    Ok(())
}

/// A text of a command, which must say something and be of one line.
///
/// # Errors
/// It is empty, too long, or has control characters.
pub fn said(option: &str, text: &str) -> anyhow::Result<()> {
    let is_fit = !text.trim().is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    anyhow::ensure!(is_fit, "{option}: write one line of 1 to {LONGEST} bytes");
    Ok(())
}
