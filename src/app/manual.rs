//! `completions` and `man`: what shells and `man` know of the program, made from the command shapes themselves.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;

use super::Outcome;

/// What was typed for `completions`.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// For which shell.
    pub shell: Shell,
}

/// What was typed for `man`.
#[derive(Debug, clap::Args)]
pub struct Man {
    /// Folder for one page a command; without it, the program's own page goes to standard output.
    #[arg(long)]
    pub dir: Option<PathBuf>,
}

/// Writes the completions of the shapes to standard output.
///
/// # Errors
/// Standard output takes nothing.
pub fn completions(options: &Completions, mut shapes: Command) -> anyhow::Result<Outcome> {
    let mut text = Vec::new();
    clap_complete::generate(options.shell, &mut shapes, "harbourwatch", &mut text);
    std::io::stdout().lock().write_all(&text)?;
    Ok(Outcome::Done)
}

/// Writes manual pages of the shapes.
///
/// # Errors
/// The folder or a page cannot be written.
pub fn man(options: &Man, shapes: Command) -> anyhow::Result<Outcome> {
    match &options.dir {
        Some(dir) => pages(dir, shapes)?,
        None => clap_mangen::Man::new(shapes).render(&mut std::io::stdout().lock())?,
    }
    Ok(Outcome::Done)
}

fn pages(dir: &Path, shapes: Command) -> anyhow::Result<()> {
    let failed = || format!("cannot write manual pages to {}", dir.display());
    fs::create_dir_all(dir).with_context(failed)?;
    clap_mangen::generate_to(shapes, dir).with_context(failed)
}
