//! `outbox`: what is not told yet; trying again, and letting go of what was given up.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::state::{self, State, StateOption};
use super::{Outcome, preview};
use crate::deliver::render::utc;
use crate::outbox::Entry;
use crate::recorder::now_ms;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with the outbox.
#[derive(Debug, Subcommand)]
pub enum What {
    /// List what is not told yet, the given up first.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        state: StateOption,
        /// Only of this channel.
        #[arg(long)]
        channel: Option<String>,
        /// Only what was given up.
        #[arg(long)]
        given_up: bool,
        /// One JSON line each.
        #[arg(long)]
        json: bool,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        most: usize,
    },
    /// Show a message that is not told yet as it will be sent.
    Show {
        #[command(flatten)]
        #[allow(missing_docs)]
        state: StateOption,
        /// Id, as `list` shows it.
        id: String,
        /// Channel, where several owe the same finding.
        #[arg(long)]
        channel: Option<String>,
    },
    /// Try again now what was given up or waits after a failure; with --channel alone, also open a channel that was closed.
    Retry(Which),
    /// Let go of what was given up. It is then told nowhere.
    Drop(Which),
}

/// Which messages.
#[derive(Debug, clap::Args)]
pub struct Which {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub state: StateOption,
    /// Id, as `list` shows it.
    #[arg(required_unless_present = "channel")]
    pub id: Option<String>,
    /// Channel.
    #[arg(long)]
    pub channel: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// No state, an unknown channel, or a database that refuses.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    match &options.what {
        What::List { state, channel, given_up, json, most } => {
            let state = state.open()?;
            if let Some(channel) = channel {
                state::channel(state.settings(), channel)?;
            }
            for entry in state.queue.entries(channel.as_deref(), *given_up, *most)? {
                let line = if *json { as_json(&entry) } else { in_words(&entry) };
                writeln!(out, "{line}")?;
            }
        }
        What::Show { state, id, channel } => write!(out, "{}", show(&state.open()?, id, channel.as_deref())?)?,
        What::Retry(which) => {
            let mut state = which.open()?;
            let again = state.queue.retry(which.channel.as_deref(), which.id.as_deref(), now_ms())?;
            writeln!(out, "tried again: {again}")?;
        }
        What::Drop(which) => {
            let mut state = which.open()?;
            let gone = state.queue.drop_dead(which.channel.as_deref(), which.id.as_deref())?;
            writeln!(out, "dropped: {gone}")?;
        }
    }
    Ok(Outcome::Done)
}

impl Which {
    fn open(&self) -> anyhow::Result<State> {
        let state = self.state.open()?;
        if let Some(channel) = &self.channel {
            state::channel(state.settings(), channel)?;
        }
        Ok(state)
    }
}

fn in_words(entry: &Entry) -> String {
    let Entry { id, channel, kind, state, attempts, created, next_at, last_error } = entry;
    let mut line = format!("{state}  {channel}  {kind}  {id}  since {}", utc(*created));
    if *state == "pending" {
        line.push_str(&format!(", due {}", utc(*next_at)));
    }
    if *attempts > 0 {
        line.push_str(&format!(", failures {attempts}: {last_error}"));
    }
    line
}

fn as_json(entry: &Entry) -> String {
    let Entry { id, channel, kind, state, attempts, created, next_at, last_error } = entry;
    json!({
        "id": id, "channel": channel, "kind": kind, "state": state, "attempts": attempts,
        "created": utc(*created), "next": utc(*next_at), "last_error": last_error,
    })
    .to_string()
}

fn show(state: &State, id: &str, channel: Option<&str>) -> anyhow::Result<String> {
    if let Some((carrier, kind, body)) = state.queue.letter(id)? {
        let channel = state::channel(state.settings(), &carrier)?;
        return preview::letter(state, channel, id, kind, &body);
    }
    let owed = state.queue.entries(channel, false, usize::MAX)?.into_iter().find(|entry| entry.id == id);
    let owed = owed.ok_or_else(|| anyhow::anyhow!("{id} is not owed; `harbourwatch outbox list` shows what is"))?;
    let finding = state.queue.finding(id)?.ok_or_else(|| anyhow::anyhow!("no finding {id}"))?;
    preview::finding(state, state::channel(state.settings(), &owed.channel)?, &finding)
}
