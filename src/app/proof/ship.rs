//! `ship`: a copy of the evidence off this machine's disk, on a mounted share or in a bucket. Can be run again at any time,
//! also while the service writes; what is there already is not copied again, and nothing is deleted here.

use std::io::Write;
use std::path::PathBuf;

use super::desk;
use crate::app::Outcome;
use crate::app::summary::grouped;
use crate::evidence::place;
use crate::evidence::ship::ship;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder that `--data` named when the evidence was made.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Configuration file, if `--data` is not given.
    #[arg(long, short, env = "HARBOURWATCH_CONFIG", default_value = "harbourwatch.toml")]
    pub config: PathBuf,
    /// Folder of the copy, made if absent, or `s3://BUCKET/PREFIX` with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION
    /// and AWS_ENDPOINT_URL in the environment; of one log only.
    #[arg(long)]
    pub to: String,
}

/// Runs the command.
///
/// # Errors
/// The copy is one of another log or of a fork, or a file cannot be copied.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let desk = desk(&options.config, options.data.as_ref())?;
    let mut place = place::named(&options.to)?;
    let shipped = ship(&desk.folders().evidence, &mut *place)?;
    let (files, kept) = (grouped(shipped.files), grouped(shipped.kept));
    writeln!(
        std::io::stdout().lock(),
        "{files} files copied and read back ({} bytes), {kept} there already; the copy stands at {} entries",
        grouped(shipped.bytes),
        grouped(shipped.size)
    )?;
    Ok(Outcome::Done)
}
