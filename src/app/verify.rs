//! `verify`: checks an evidence folder without trusting who wrote it.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use super::proof::near::Near;
use super::summary::grouped;
use super::{Outcome, anchor};
use crate::evidence::{VerifyOptions, VerifyReport, verify};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Evidence folders, or copies in a bucket (`s3://BUCKET/PREFIX`); several instances have one each.
    #[arg(required = true)]
    pub dirs: Vec<PathBuf>,
    /// Verifier key from an independent place; the folder's own if not given.
    #[arg(long)]
    pub vkey: Option<String>,
    /// File with the age identity that opens the frames.
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// File with a checkpoint kept elsewhere, as it is or as a feed or digest told it; the folder must contain what it signed.
    /// May be given several times.
    #[arg(long, visible_alias = "anchor")]
    pub checkpoint: Vec<PathBuf>,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// A key or identity is none, or the folder cannot be read at all.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let one = options.dirs.len() == 1 || (options.vkey.is_none() && options.checkpoint.is_empty());
    anyhow::ensure!(one, "--vkey and --checkpoint belong to one log; verify the folders one by one");
    let read =
        |path: &PathBuf| std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let identity = options.identity.as_ref().map(read).transpose()?;
    let kept = options.checkpoint.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let known: Vec<String> = kept.iter().flat_map(|text| anchor::notes_in(text)).collect();
    let how =
        VerifyOptions { vkey: options.vkey.as_deref(), identity: identity.as_deref(), known: &known, progress: None };
    let (mut out, mut sound) = (std::io::stdout().lock(), true);
    for dir in &options.dirs {
        let near = Near::of(dir)?;
        anyhow::ensure!(near.dir().is_dir(), "{} is no folder; name the evidence folder", dir.display());
        let report = verify(near.dir(), &how)?;
        sound &= report.is_sound();
        if options.json {
            writeln!(out, "{}", as_json(dir, &report))?;
        } else {
            if options.dirs.len() > 1 {
                writeln!(out, "{}", dir.display())?;
            }
            text(&report, &mut out)?;
        }
    }
    Ok(if sound { Outcome::Done } else { Outcome::Breach })
}

fn as_json(dir: &std::path::Path, report: &VerifyReport) -> serde_json::Value {
    let lanes = report.lanes.iter().map(|lane| {
        json!({
            "topic": lane.lane.topic, "partition": lane.lane.partition, "from": lane.from, "next": lane.next,
            "received": lane.received, "judged": lane.judged, "rejected": lane.rejected, "duplicate": lane.duplicate,
        })
    });
    json!({
        "folder": dir.display().to_string(),
        "sound": report.is_sound(),
        "size": report.checkpoint.as_ref().map(|checkpoint| checkpoint.size),
        "entries": report.entries,
        "batches": report.batches,
        "records": report.records,
        "opened": report.opened,
        "rejected": report.rejected,
        "deeds": report.deeds,
        "deleted": report.deleted,
        "pruned": report.pruned,
        "records_per_second": report.records_per_second(),
        "lanes": lanes.collect::<Vec<_>>(),
        "first_bad_record": report.first_bad_record(),
        "breaches": report.breaches.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "more_breaches": report.more_breaches,
        "warnings": report.warnings,
    })
}

fn text(report: &VerifyReport, out: &mut impl Write) -> std::io::Result<()> {
    for breach in &report.breaches {
        writeln!(out, "WRONG    {breach}")?;
    }
    if report.more_breaches > 0 {
        writeln!(out, "WRONG    and {} more", report.more_breaches)?;
    }
    if let Some(record) = report.first_bad_record() {
        writeln!(out, "first bad record: {record}")?;
    }
    for warning in &report.warnings {
        writeln!(out, "note     {warning}")?;
    }
    for lane in &report.lanes {
        writeln!(
            out,
            "lane     {}: offsets {}..{}, {} received = {} judged + {} rejected + {} duplicate",
            lane.lane, lane.from, lane.next, lane.received, lane.judged, lane.rejected, lane.duplicate
        )?;
    }
    writeln!(
        out,
        "{}: {} records in {} entries, {} opened and held against their commitments, {} records/s",
        if report.is_sound() { "sound" } else { "NOT SOUND" },
        grouped(report.records),
        grouped(report.entries),
        grouped(report.opened),
        grouped(report.records_per_second() as u64)
    )
}
