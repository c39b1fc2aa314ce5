//! `verify`: checks an evidence folder without trusting who wrote it.

use std::io::Write;
use std::path::PathBuf;

use super::Outcome;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Evidence folder.
    pub dir: PathBuf,
    /// Verifier key from an independent place; the folder's own if not given.
    #[arg(long)]
    pub vkey: Option<String>,
    /// File with the age identity that opens the frames.
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
}
