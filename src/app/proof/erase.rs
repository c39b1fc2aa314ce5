//! `erase`: destroys the keys of a person's records, so that nobody can read the personal fields again, and hands out what
//! proves that the records existed and what was done. A hold that covers the person refuses it.

use clap::builder::NonEmptyStringValueParser;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use super::hold::holds;
use super::report::bundle::{Bundle, Cover};
use super::source::{Source, find_all};
use super::{by, desk, settled};
use crate::app::Outcome;
use crate::app::handover::{Desk, filing};
use crate::app::summary::grouped;
use crate::evidence::Deed;
use crate::evidence::deed::{KeyId, MOST_KEYS};
use crate::evidence::search::Sought;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Id of the person, as DingTalk has it.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub subject: String,
    /// Folder that `--data` named when the evidence was made.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Configuration file, if `--data` is not given.
    #[arg(long, short, env = "HARBOURWATCH_CONFIG", default_value = "harbourwatch.toml")]
    pub config: PathBuf,
    /// File with the age identity that opens the frames, if they are encrypted; for the proof.
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// On what ground, such as `DPP2(2), purpose fulfilled`.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub ground: String,
    /// Who orders it. Default: the name of the account.
    #[arg(long)]
    pub by: Option<String>,
    /// Folder for the proof, which must not exist. Without it no proof is handed out, and none can be made afterwards.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A hold covers the person, there is nothing to erase, or it cannot be recorded.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let desk = desk(&options.config, options.data.as_ref())?;
    let identity =
        options.identity.as_ref().map(std::fs::read_to_string).transpose().context("cannot read the identity")?;
    let sources = [Source::of(desk.folders(), identity.as_deref())?];
    let (found, _) = find_all(&sources, &Sought::default(), Some(&options.subject))?;
    refuse_held(&desk, &sources[0], &options.subject, &found.iter().map(|found| found.row.at).collect::<Vec<_>>())?;
    let keys = keys(&sources[0], &options.subject)?;
    let size = sources[0].archive().checkpoint().size;
    // whatever keeps the proof from being written shows before anything is gone
    let bundle = options.out.as_ref().map(|out| Bundle::begin(out)).transpose()?;
    let tag = sources[0].tag(&options.subject);
    for some in keys.chunks(MOST_KEYS) {
        let detail = json!({
            "by": by(options.by.as_deref()), "ground": options.ground, "subject_tag": tag, "records": found.len(),
        });
        settled(desk.record(&filing(&detail, |commitment| Deed::Erased { commitment, keys: some.to_vec() })?)?)?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "erased: {} keys, {} records", grouped(keys.len() as u64), grouped(found.len() as u64))?;
    writeln!(
        out,
        "Not touched: findings in the state database, dead letters, bundles handed out, copies of the subject keys."
    )?;
    drop(sources);
    if let Some(bundle) = bundle {
        let sources = [Source::of(desk.folders(), identity.as_deref())?];
        let cover = Cover::erasure(&options.ground, &by(options.by.as_deref()));
        bundle.finish(&cover, &sources, &found, Some(size))?;
    }
    Ok(Outcome::Done)
}

fn refuse_held(desk: &Desk, source: &Source, subject: &str, times: &[i64]) -> anyhow::Result<()> {
    let (holds, tag) = (holds(desk)?, source.tag(subject));
    let lost = holds.unknown(source.archive().dir())?;
    anyhow::ensure!(
        lost.is_empty(),
        "the log tells of a hold whose scope is not on file; release it, or restore the file of holds"
    );
    let covering = times.iter().find_map(|at| holds.covering(tag.as_deref(), *at));
    if let Some(hold) = covering {
        anyhow::bail!("hold {} covers this person's records ({}: {}); release it first", hold.id, hold.by, hold.why);
    }
    Ok(())
}

fn keys(source: &Source, subject: &str) -> anyhow::Result<Vec<KeyId>> {
    let keyring = source
        .keyring()
        .context("records of this instance are not sealed; a person's go only with their segments (retention)")?;
    let tag = source.tag_key().context("the tag key is missing; nobody can be found without it")?;
    let keys: Vec<KeyId> = keyring.of_subject(tag, subject)?.into_iter().map(|held| held.id).collect();
    anyhow::ensure!(
        !keys.is_empty(),
        "there are no keys of this person: nothing was recorded of them, or it is erased already"
    );
    Ok(keys)
}
