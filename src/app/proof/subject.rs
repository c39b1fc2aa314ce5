//! `subject`: everything that the evidence holds about one person, opened, as a bundle for an access request.

use clap::builder::NonEmptyStringValueParser;
use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::Look;
use super::report::bundle::{Bundle, Cover};
use super::source::find_all;
use crate::app::Outcome;
use crate::app::summary::grouped;
use crate::evidence::deed::Access;
use crate::evidence::search::Sought;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Id of the person, as DingTalk has it.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub subject: String,
    /// Whose evidence, who and why.
    #[command(flatten)]
    pub look: Look,
    /// Folder for the bundle, which must not exist.
    #[arg(long)]
    pub out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// The evidence cannot be read, the access cannot be recorded, or the bundle cannot be written.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let desk = options.look.desk()?;
    let sources = options.look.sources(&desk)?;
    let tag = sources.first().and_then(|source| source.tag(&options.subject));
    let bundle = Bundle::begin(&options.out)?;
    options.look.record(&desk, Access::Subject, &json!({ "subject_tag": tag }))?;
    let (found, _) = find_all(&sources, &Sought::default(), Some(&options.subject))?;
    let cover = Cover::subject(&options.look.why, &options.look.by());
    bundle.finish(&cover, &sources, &found, None)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} records in {}", grouped(found.len() as u64), options.out.display())?;
    Ok(Outcome::Done)
}
