//! `query`: finds records by time, person, destination, verdict, safeguard and recipient. Each query is recorded with who
//! and why before anything is shown; without `--open` nothing personal is shown.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;

use super::source::{Found, Source, find_all};
use super::{Conditions, Look, when};
use crate::app::summary::grouped;
use crate::app::{Outcome, explain};
use crate::evidence::deed::Access;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Whose evidence, who and why.
    #[command(flatten)]
    pub look: Look,
    /// Which records.
    #[command(flatten)]
    pub conditions: Conditions,
    /// Open the records: whole, with their personal fields as far as keys are there; one JSON line each.
    #[arg(long)]
    pub open: bool,
    /// One JSON line for each record instead of a table.
    #[arg(long)]
    pub json: bool,
    /// Most records to show; the rest is counted.
    #[arg(long, default_value_t = 1000)]
    pub most: usize,
}

/// Runs the command.
///
/// # Errors
/// The evidence cannot be read, or the access cannot be recorded.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let desk = options.look.desk()?;
    let sources = options.look.sources(&desk)?;
    let sought = options.conditions.sought()?;
    options.look.record(&desk, Access::Query, &options.conditions.told(sources.first()))?;
    let (mut found, twice) = find_all(&sources, &sought, options.conditions.subject.as_deref())?;
    let all = found.len();
    found.truncate(options.most);
    let mut out = std::io::stdout().lock();
    if options.open {
        open(&sources, &found, &mut out)?;
    } else if options.json {
        found.iter().try_for_each(|found| writeln!(out, "{}", line(&sources, found)))?;
    } else {
        writeln!(out, "{}", table(&sources, &found))?;
        let more = all - found.len();
        let tail = if more == 0 { String::new() } else { format!(", {} not shown (--most)", grouped(more as u64)) };
        writeln!(out, "{} records{tail}", grouped(all as u64))?;
        if twice > 0 {
            writeln!(out, "{} stood in several logs and are shown once", grouped(twice as u64))?;
        }
    }
    Ok(Outcome::Done)
}

fn open(sources: &[Source], found: &[Found], out: &mut impl Write) -> anyhow::Result<()> {
    for (number, source) in sources.iter().enumerate() {
        let mut rows: Vec<_> =
            found.iter().filter(|found| found.source == number).map(|found| found.row.clone()).collect();
        rows.sort_by_key(|row| row.i);
        let mut result = Ok(());
        source.open(&rows, true, |record| {
            let line = json!({
                "log": source.origin(), "entry": record.row.i, "sealed": record.shut, "record": record.record,
            });
            if result.is_ok() {
                result = writeln!(out, "{line}");
            }
            Ok(())
        })?;
        result?;
    }
    Ok(())
}

fn line(sources: &[Source], found: &Found) -> serde_json::Value {
    let row = &found.row;
    json!({
        "log": sources[found.source].origin(), "entry": row.i, "id": row.id, "time": row.at,
        "time_utc": when::utc(row.at), "verdict": row.flow.verdict, "legs": row.flow.legs,
    })
}

fn table(sources: &[Source], found: &[Found]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["time", "verdict", "kind", "from", "to", "recipient", "safeguard", "record"]);
    if sources.len() > 1 {
        table.set_header(["time", "verdict", "kind", "from", "to", "recipient", "safeguard", "record", "log"]);
    }
    for Found { source, row } in found {
        for leg in &row.flow.legs {
            let mut cells = vec![
                explain::when(row.at),
                leg.verdict.clone(),
                leg.kind.clone(),
                leg.origin.clone(),
                leg.destination.clone(),
                leg.recipient.clone(),
                leg.safeguard.clone(),
                row.id.clone(),
            ];
            if sources.len() > 1 {
                cells.push(sources[*source].origin().to_owned());
            }
            table.add_row(cells);
        }
    }
    table
}
