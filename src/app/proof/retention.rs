//! `retention`: shows what would go, when and by which rule, and takes away what is due. Each deletion is an entry of the log
//! before anything is gone; proofs issued before still verify.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use comfy_table::{ContentArrangement, Table, presets};

use super::hold::holds;
use super::source::Source;
use super::{desk, settled};
use crate::app::Outcome;
use crate::app::handover::Desk;
use crate::app::summary::grouped;
use crate::evidence::deed::Deletion;
use crate::evidence::expiry::{Ground, Step, Terms};
use crate::evidence::retention::Class;
use crate::evidence::{Deed, Filing};
use crate::recorder::now_ms;

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
    /// Configuration file: how long each class is kept (`[retention]`).
    #[arg(long, short, env = "HARBOURWATCH_CONFIG", default_value = "harbourwatch.toml")]
    pub config: PathBuf,
    /// Plan as if it were this day of Hong Kong, or this instant.
    #[arg(long)]
    pub now: Option<String>,
}

/// What to do about retention.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Show what would go, when and by which rule. Deletes nothing.
    Plan {
        /// Whose evidence.
        #[command(flatten)]
        whose: Whose,
        /// One JSON line for each step.
        #[arg(long)]
        json: bool,
    },
    /// Delete what is due today and not held. Each deletion is recorded first.
    Apply {
        /// Whose evidence.
        #[command(flatten)]
        whose: Whose,
        /// Also remove full tiles and bundles below the first entry that still has its records.
        #[arg(long)]
        prune: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// The evidence cannot be read, or a deletion cannot be recorded.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    match &options.act {
        Act::Plan { whose, json } => {
            let desk = desk(&whose.config, whose.data.as_ref())?;
            let (steps, terms) = plan(&desk, now(whose)?)?;
            if *json {
                steps.iter().try_for_each(|step| writeln!(out, "{}", line(step)))?;
            } else {
                writeln!(out, "{}\n{}", table(&steps), reasons(terms))?;
            }
        }
        Act::Apply { whose, prune } => {
            anyhow::ensure!(whose.now.is_none(), "--now is for retention plan; what is deleted is what is due today");
            let desk = desk(&whose.config, whose.data.as_ref())?;
            for step in apply(&desk, *prune)? {
                writeln!(out, "{step}")?;
            }
        }
    }
    Ok(Outcome::Done)
}

fn now(whose: &Whose) -> anyhow::Result<i64> {
    whose.now.as_deref().map_or_else(|| Ok(now_ms()), super::when::begin)
}

/// How long each class is kept, by configuration.
pub fn terms(desk: &Desk) -> Terms {
    let config = &desk.settings().retention;
    Terms {
        transfer: config.transfer_months,
        covered: config.covered_months,
        inside: config.inside_months,
        conduct: config.conduct_months,
    }
}

/// Every step and by which terms.
///
/// # Errors
/// The evidence cannot be read.
pub fn plan(desk: &Desk, now: i64) -> anyhow::Result<(Vec<Step>, Terms)> {
    let (source, holds, terms) = (Source::of(desk.folders(), None)?, holds(desk)?, terms(desk));
    let ground = Ground { archive: source.archive(), keyring: source.keyring(), holds: &holds, terms, now };
    Ok((ground.plan()?, terms))
}

/// Takes away what is due and not held; says what in words.
///
/// # Errors
/// A deletion cannot be recorded. What was recorded before is done.
pub fn apply(desk: &Desk, prune: bool) -> anyhow::Result<Vec<String>> {
    let mut told = Vec::new();
    let (steps, terms) = plan(desk, now_ms())?;
    for step in steps.into_iter().filter(|step| step.is_due && step.hold.is_none()) {
        told.push(format!("deleted {}, rule {}", what(&step.deletion), rule(&step.deletion)));
        file(desk, step.deletion)?;
    }
    if prune {
        let (source, holds) = (Source::of(desk.folders(), None)?, holds(desk)?);
        let ground = Ground { archive: source.archive(), keyring: None, holds: &holds, terms, now: now_ms() };
        let minimum = ground.prunable()?;
        if minimum > 0 {
            file(desk, Deletion::Tiles { minimum, rule: "on request".into() })?;
            told.push(format!("pruned the entries below {minimum}"));
        }
    }
    if told.is_empty() {
        told.push("nothing is due".into());
    }
    Ok(told)
}

fn file(desk: &Desk, deletion: Deletion) -> anyhow::Result<()> {
    let filing = Filing::plain(Deed::Deleted(deletion)).context("a rule is too long")?;
    settled(desk.record(&filing)?)
}

fn what(deletion: &Deletion) -> String {
    match deletion {
        Deletion::Segment { segment, bytes, .. } => format!("segment {segment} ({} bytes)", grouped(*bytes)),
        Deletion::Keys { month, class, count, .. } => format!("{} subject keys of {month}, {class}", grouped(*count)),
        Deletion::Tiles { minimum, .. } => format!("entries below {minimum}"),
    }
}

fn rule(deletion: &Deletion) -> &str {
    match deletion {
        Deletion::Segment { rule, .. } | Deletion::Keys { rule, .. } | Deletion::Tiles { rule, .. } => rule,
    }
}

fn line(step: &Step) -> serde_json::Value {
    serde_json::json!({
        "what": what(&step.deletion), "rule": rule(&step.deletion), "due": format!("{}-01", step.due),
        "is_due": step.is_due, "records": step.records, "hold": step.hold,
    })
}

fn table(steps: &[Step]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["what goes", "records", "when (Hong Kong)", "rule (class:months)", "state"]);
    for step in steps {
        let state = match (&step.hold, step.is_due) {
            (Some(hold), _) => format!("kept by hold {hold}"),
            (None, true) => "due".into(),
            (None, false) => String::new(),
        };
        let (what, rule) = (what(&step.deletion), rule(&step.deletion).to_owned());
        table.add_row([what, grouped(step.records), format!("{}-01", step.due), rule, state]);
    }
    table
}

/// Why each class is kept so long, as far as there is an anchor for it.
fn reasons(terms: Terms) -> String {
    let why = |class| match class {
        Class::Transfer => {
            "possible transfers that nothing on record covers: period for civil claims (Cap. 347 s.4: 6 years)"
        }
        Class::Covered => "transfers under a safeguard: record-keeping of assessments (3 years)",
        Class::Inside => "inbound, domestic, out of scope: no longer than needed (Data Protection Principle 2)",
        Class::Conduct => "who looked, erased, held: as long as what it is about",
    };
    let lines = Class::ALL.map(|class| format!("{:<9} {:>3} months  {}", class.name(), terms.of(class), why(class)));
    format!(
        "{}\nPersonal fields go with their subject keys; the record itself goes with its segment.",
        lines.join("\n")
    )
}
