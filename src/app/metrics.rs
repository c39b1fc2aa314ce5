//! `metrics`: every metric of the service with its kind, labels and meaning, one a line.

use std::io::Write;

use super::Outcome;
use crate::metrics::{Metrics, Scope};

/// Runs the command.
///
/// # Errors
/// Standard output takes nothing.
pub fn run() -> anyhow::Result<Outcome> {
    let metrics = Metrics::new(&Scope::default())?;
    let mut out = std::io::stdout().lock();
    for family in metrics.catalogue() {
        let kind = if family.name.ends_with("_total") { "counter" } else { family.kind };
        writeln!(out, "{} {kind} {{{}}} {}", family.name, family.labels.join(","), family.help)?;
    }
    Ok(Outcome::Done)
}
