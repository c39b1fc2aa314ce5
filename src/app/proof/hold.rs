//! `hold`: what must be kept whatever retention or an erasure says. Each hold, and its end, is an entry of the log.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;

use super::source::Source;
use super::{by, desk, settled, when};
use crate::app::handover::{Desk, filing};
use crate::app::{Outcome, wire};
use crate::evidence::Deed;
use crate::evidence::deed::HoldId;
use crate::evidence::holds::{Holds, Scope};
use crate::evidence::keys::holds_path;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub act: Act,
}

/// Whose evidence.
#[derive(Debug, clap::Args)]
pub struct Whose {
    /// Folder that `--data` named when the evidence was made.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Configuration file, if `--data` is not given.
    #[arg(long, short, env = "HARBOURWATCH_CONFIG", default_value = "harbourwatch.toml")]
    pub config: PathBuf,
}

/// Who orders it, and why.
#[derive(Debug, clap::Args)]
pub struct Order {
    /// Who. Default: the name of the account.
    #[arg(long)]
    pub by: Option<String>,
    /// Why; becomes part of the evidence.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub why: String,
}

/// What to do with holds.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Keep what this covers until the hold is released. Without conditions it covers everything.
    Add {
        /// Whose evidence.
        #[command(flatten)]
        whose: Whose,
        /// Who and why.
        #[command(flatten)]
        order: Order,
        /// Id of a person.
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        subject: Option<String>,
        /// Events from this day of Hong Kong or instant on.
        #[arg(long)]
        from: Option<String>,
        /// Events up to the end of this day, or up to this instant.
        #[arg(long)]
        to: Option<String>,
    },
    /// End a hold.
    Release {
        /// Name of the hold, as `hold list` shows it.
        hold: String,
        /// Whose evidence.
        #[command(flatten)]
        whose: Whose,
        /// Who and why.
        #[command(flatten)]
        order: Order,
    },
    /// List the holds in force.
    List {
        /// Whose evidence.
        #[command(flatten)]
        whose: Whose,
    },
}

/// Runs the command.
///
/// # Errors
/// The hold cannot be recorded, or there is none of that name.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    match &options.act {
        Act::Add { whose, order, subject, from, to } => {
            let desk = desk(&whose.config, whose.data.as_ref())?;
            let source = Source::of(desk.folders(), None)?;
            let tag = subject
                .as_deref()
                .map(|subject| source.tag(subject).context("there is no tag key; a person cannot be held"));
            let scope = Scope {
                subject: tag.transpose()?,
                from: from.as_deref().map(when::begin).transpose()?,
                to: to.as_deref().map(when::end).transpose()?,
            };
            writeln!(out, "hold {}", add(&desk, order, &scope)?)?;
        }
        Act::Release { hold, whose, order } => {
            let desk = desk(&whose.config, whose.data.as_ref())?;
            release(&desk, order, hold)?;
            writeln!(out, "released {hold}")?;
        }
        Act::List { whose } => list(&desk(&whose.config, whose.data.as_ref())?, &mut out)?,
    }
    Ok(Outcome::Done)
}

/// The holds of an instance.
///
/// # Errors
/// Their file cannot be read.
pub fn holds(desk: &Desk) -> anyhow::Result<Holds> {
    Ok(Holds::read(&holds_path(&wire::signing_key(desk.folders())))?)
}

fn add(desk: &Desk, order: &Order, scope: &Scope) -> anyhow::Result<HoldId> {
    let hold = HoldId::random()?;
    let detail = json!({"by": by(order.by.as_deref()), "why": order.why, "scope": scope});
    let filing = filing(&detail, |commitment| Deed::Held { hold, release: false, commitment })?;
    settled(desk.record(&filing)?)?;
    Ok(hold)
}

fn release(desk: &Desk, order: &Order, name: &str) -> anyhow::Result<()> {
    let hold: HoldId =
        name.parse().map_err(|()| anyhow::anyhow!("{name:?} is no hold; hold list shows their names"))?;
    let known = holds(desk)?.all().iter().any(|held| held.id == name);
    anyhow::ensure!(known, "there is no hold {name}; hold list shows those in force");
    let detail = json!({"by": by(order.by.as_deref()), "why": order.why});
    settled(desk.record(&filing(&detail, |commitment| Deed::Held { hold, release: true, commitment })?)?)
}

fn list(desk: &Desk, out: &mut impl Write) -> anyhow::Result<()> {
    let holds = holds(desk)?;
    for hold in holds.all() {
        let Scope { subject, from, to } = &hold.scope;
        let who = subject.as_ref().map_or("everybody".to_owned(), |tag| format!("the person of tag {tag}"));
        let from = from.map_or("the beginning".to_owned(), when::hkt);
        let to = to.map_or("no end".to_owned(), when::hkt);
        writeln!(out, "{}  {who}, {from} to {to}; {}: {}", hold.id, hold.by, hold.why)?;
    }
    if holds.all().is_empty() {
        writeln!(out, "no holds")?;
    }
    Ok(())
}
