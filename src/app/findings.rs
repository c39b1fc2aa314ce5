//! `findings`: what people were or will be told, from the state database.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;

use super::{Outcome, service};
use crate::deliver::render::finding::json_line;
use crate::deliver::render::officer::{Languages, words};
use crate::deliver::{Audience, View};
use crate::outbox::{Filter, Outbox};

/// Findings in words, unless it is said how many.
const MOST_IN_WORDS: usize = 20;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder that `--data` named when the findings were made.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Configuration file, if `--data` is not given.
    #[arg(long, short, env = "HARBOURWATCH_CONFIG", default_value = "harbourwatch.toml")]
    pub config: PathBuf,
    /// One JSON line each, sorted by id: all findings, unless --most is given.
    #[arg(long)]
    pub json: bool,
    /// Show only so many, the gravest; in words 20 if not given.
    #[arg(long)]
    pub most: Option<usize>,
    /// Language of the words.
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub lang: Language,
}

/// Languages of the officer's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English.
    En,
    /// 繁體中文.
    Zh,
    /// Both.
    Both,
}

impl Language {
    /// As the renderer has it.
    pub fn languages(self) -> Languages {
        match self {
            Self::En => Languages::English,
            Self::Zh => Languages::Chinese,
            Self::Both => Languages::Both,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// There is no state database.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let state = match &options.data {
        Some(data) => data.join("state"),
        None => service::folders(&super::load(&options.config)?, None).state,
    };
    let path = state.join("state.db");
    anyhow::ensure!(path.exists(), "no state database at {}; name the folder with --data", path.display());
    let outbox = Outbox::open(&path, &[])?;
    let mut out = std::io::stdout().lock();
    if options.json {
        let mut all = match options.most {
            Some(most) => outbox.worst(most)?,
            None => outbox.findings(&Filter { most: usize::MAX, ..Filter::default() })?,
        };
        all.sort_by(|a, b| a.id.cmp(&b.id));
        for finding in &all {
            writeln!(out, "{}", json_line(&finding.id, &View::of(finding, Audience::Officer)))?;
        }
        return Ok(Outcome::Done);
    }
    let languages = options.lang.languages();
    for finding in outbox.worst(options.most.unwrap_or(MOST_IN_WORDS))? {
        writeln!(out, "{}", words(&View::of(&finding, Audience::Officer), languages))?;
    }
    Ok(Outcome::Done)
}
