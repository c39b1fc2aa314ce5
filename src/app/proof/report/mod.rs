//! `report`: what left Hong Kong in a period, when, on what ground, and what proves it, as one folder for a regulator, a
//! client or a board: a page for people, tables for machines, a proof for each record and a verifier of its own.

/// Adds to a text.
macro_rules! put {
    ($out:expr, $($words:tt)*) => { $out.push_str(&format!($($words)*)) };
}

pub mod bundle;
pub mod csv;
pub mod health;
pub mod html;
pub mod list;
pub mod sankey;
pub mod totals;

use std::io::Write;
use std::path::PathBuf;

use super::source::find_all;
use super::{Conditions, Look};
use crate::app::Outcome;
use crate::app::summary::grouped;
use crate::evidence::deed::Access;
use bundle::{Bundle, Cover};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Whose evidence, who and why.
    #[command(flatten)]
    pub look: Look,
    /// Which records.
    #[command(flatten)]
    pub conditions: Conditions,
    /// Folder for the bundle, which must not exist.
    #[arg(long)]
    pub out: PathBuf,
    /// Open the personal fields of the records and hand out the keys of these records. Default: they stay sealed.
    #[arg(long)]
    pub personal: bool,
}

/// Runs the command.
///
/// # Errors
/// The evidence cannot be read, the access cannot be recorded, or the bundle cannot be written.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let desk = options.look.desk()?;
    let sources = options.look.sources(&desk)?;
    let sought = options.conditions.sought()?;
    let bundle = Bundle::begin(&options.out)?;
    let mut told = options.conditions.told(sources.first());
    told["personal"] = options.personal.into();
    options.look.record(&desk, Access::Report, &told)?;
    let sources = options.look.sources(&desk)?; // with the entry about this very report
    let (found, _) = find_all(&sources, &sought, options.conditions.subject.as_deref())?;
    let mut cover = Cover::report(&options.look.why, &options.look.by());
    (cover.from, cover.to, cover.personal) = (sought.from, sought.to, options.personal);
    cover.filter = options.conditions.words();
    cover.organisation.clone_from(&desk.settings().organisation);
    if options.conditions.subject.is_some() {
        cover.filter.push(("person", "one person".into()));
    }
    let sound = bundle.finish(&cover, &sources, &found, None)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} records in {}", grouped(found.len() as u64), options.out.display())?;
    writeln!(out, "for people:   {}", options.out.join("report.html").display())?;
    writeln!(out, "check it:     python3 {}", options.out.join("verify.py").display())?;
    if !sound {
        writeln!(out, "NOT SOUND: the evidence did not verify; the report says what is wrong")?;
        return Ok(Outcome::Breach);
    }
    Ok(Outcome::Done)
}
