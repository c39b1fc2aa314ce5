//! `generate`: synthetic events of the bank of `config/bank.toml`, to a file or standard output.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;

use super::Outcome;
use crate::source::generate::{Organisation, Plan, write_all};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Events to write.
    #[arg(long, default_value_t = 10_000)]
    pub events: u64,
    /// Seed; the same seed gives the same bytes.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Events a second; as fast as possible if not given.
    #[arg(long)]
    pub rate: Option<std::num::NonZeroU32>,
    /// File to write; standard output if not given.
    #[arg(long, short)]
    pub out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// The output cannot be written.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let plan = Plan::new(options.seed, options.events);
    let bank = Organisation::bank();
    match &options.out {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
            write_all(&plan, bank, options.rate, &mut out).and_then(|_| out.flush())
        }
        None => write_all(&plan, bank, options.rate, &mut std::io::stdout().lock()).map(drop),
    }
    .context("events not written")?;
    Ok(Outcome::Done)
}
