//! `keys`: makes, changes and lists the keys of an instance's evidence. Private keys of readers are made only into the files
//! that are named for them; nothing secret is ever printed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use age::secrecy::ExposeSecret as _;
use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use super::source::Source;
use super::{desk, settled};
use crate::app::handover::{Desk, filing};
use crate::app::{Outcome, wire};
use crate::evidence::Deed;
use crate::evidence::deed::Rotation;
use crate::evidence::keyring::Keyring;
use crate::evidence::keys::{Keys, make_next, subjects_path};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub act: Act,
}

/// Whose keys.
#[derive(Debug, clap::Args)]
pub struct Whose {
    /// Folder that `--data` names when the service runs.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Configuration file, if `--data` is not given.
    #[arg(long, short, env = "HARBOURWATCH_CONFIG", default_value = "harbourwatch.toml")]
    pub config: PathBuf,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Make the keys of a new instance, and age identities for those who shall read its records.
    Init {
        /// Whose keys.
        #[command(flatten)]
        whose: Whose,
        /// File for a new age identity, such as the officer's; once more for an escrow. Keep these files off this machine.
        #[arg(long)]
        identity: Vec<PathBuf>,
    },
    /// Sign from the next checkpoint on with a new key. The log tells of it; nothing is rewritten.
    Rotate {
        /// Whose keys.
        #[command(flatten)]
        whose: Whose,
        /// Who orders it. Default: the name of the account.
        #[arg(long)]
        by: Option<String>,
        /// Why; becomes part of the evidence.
        #[arg(long, default_value = "")]
        why: String,
    },
    /// List keys: those that sign, those that may read, those of the subjects by month and class.
    List {
        /// Whose keys.
        #[command(flatten)]
        whose: Whose,
    },
}

/// Runs the command.
///
/// # Errors
/// A key cannot be made or read, or the log refuses.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    match &options.act {
        Act::Init { whose, identity } => {
            let desk = Desk::of(&whose.config, whose.data.as_ref())?;
            init(&desk, &mut out)?;
            readers(identity, &mut out)?;
        }
        Act::Rotate { whose, by, why } => {
            let desk = desk(&whose.config, whose.data.as_ref())?;
            rotate(&desk, &super::by(by.as_deref()), why, &mut out)?;
        }
        Act::List { whose } => list(&desk(&whose.config, whose.data.as_ref())?, &mut out)?,
    }
    Ok(Outcome::Done)
}

fn init(desk: &Desk, out: &mut impl Write) -> anyhow::Result<()> {
    let (path, evidence) = (wire::signing_key(desk.folders()), &desk.settings().evidence);
    // the signing key of a log that is there is never replaced by a new one
    let begun = desk.folders().evidence.join("checkpoint").exists();
    let keys = Keys::open(&path, &evidence.origin, !begun)?;
    writeln!(out, "verifier key: {}", keys.signer.verifier().vkey())?;
    writeln!(out, "              give it to whoever shall check the evidence, by another way than the evidence")?;
    if evidence.subject_keys {
        Keyring::open(&subjects_path(&path), true)?;
        writeln!(out, "subject keys: {}", subjects_path(&path).display())?;
    }
    writeln!(
        out,
        "back up:      {} (all of it; it is what the evidence cannot be continued without)",
        desk.folders().state.display()
    )?;
    Ok(())
}

fn readers(files: &[PathBuf], out: &mut impl Write) -> anyhow::Result<()> {
    let mut recipients = Vec::new();
    for path in files {
        let identity = age::x25519::Identity::generate();
        let text = format!("# public key: {}\n{}\n", identity.to_public(), identity.to_string().expose_secret());
        write_new(path, &text).with_context(|| format!("cannot write the identity {}", path.display()))?;
        writeln!(out, "identity:     {} (take it off this machine)", path.display())?;
        recipients.push(format!("\"{}\"", identity.to_public()));
    }
    if !recipients.is_empty() {
        writeln!(out, "\nPut this into the configuration:\n\n[evidence]\nrecipients = [{}]", recipients.join(", "))?;
    }
    Ok(())
}

fn write_new(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn rotate(desk: &Desk, by: &str, why: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let source = Source::of(desk.folders(), None)?;
    let vkeys = source.archive().vkeys()?;
    let from = vkeys.lines().last().context("log.vkey is empty; run verify")?.to_owned();
    let to = make_next(&wire::signing_key(desk.folders()), source.origin())?;
    let rotated = filing(&json!({"by": by, "why": why}), |commitment| {
        Deed::Rotated(Rotation::Signer { from, to: to.clone(), commitment })
    });
    settled(desk.record(&rotated?)?)?;
    writeln!(
        out,
        "verifier key: {to}\n              signs from the next checkpoint on; the log leads to it from the one before"
    )?;
    Ok(())
}

fn list(desk: &Desk, out: &mut impl Write) -> anyhow::Result<()> {
    let source = Source::of(desk.folders(), None)?;
    let vkeys = source.archive().vkeys()?;
    for (number, vkey) in vkeys.lines().enumerate() {
        let now = if number + 1 == vkeys.lines().count() { "signs" } else { "signed before" };
        writeln!(out, "signing key   {vkey}  ({now})")?;
    }
    let recipients = &desk.settings().evidence.recipients;
    for recipient in recipients {
        writeln!(out, "reader        {recipient}")?;
    }
    if recipients.is_empty() {
        writeln!(out, "reader        anybody: no recipients are configured, frames are not encrypted")?;
    }
    let Some(keyring) = source.keyring() else {
        writeln!(out, "subject keys  none: personal fields are not sealed")?;
        return Ok(());
    };
    let mut groups: BTreeMap<_, usize> = BTreeMap::new();
    keyring.all()?.iter().for_each(|held| *groups.entry((held.month, held.class)).or_default() += 1);
    for ((month, class), count) in groups {
        writeln!(out, "subject keys  {month} {:<9} {count}", class.name())?;
    }
    Ok(())
}
