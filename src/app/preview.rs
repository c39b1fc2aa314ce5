//! `preview`: exactly what a channel would send of a finding, without sending it.

use std::io::Write;

use super::Outcome;
use super::channels::{self, Screen};
use super::state::{self, State, StateOption};
use crate::deliver::composer::alone;
use crate::deliver::{Letter, Notice, Step, View, Way};
use crate::outbox::{Body, Finding, Kind};
use crate::recorder::now_ms;
use crate::settings::Channel;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub state: StateOption,
    /// Id of the finding, or its first six digits or more.
    pub finding: String,
    /// Id of the channel.
    #[arg(long)]
    pub channel: String,
}

/// Runs the command.
///
/// # Errors
/// No state, an unknown finding or channel.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let state = options.state.open()?;
    let channel = state::channel(state.settings(), &options.channel)?;
    let id = &options.finding;
    let unknown = || {
        anyhow::anyhow!(
            "no finding, or more than one, whose id begins with {id:?}; `harbourwatch findings --json` lists them"
        )
    };
    let found = state.queue.finding(id)?.ok_or_else(unknown)?;
    write!(std::io::stdout().lock(), "{}", finding(&state, channel, &found)?)?;
    Ok(Outcome::Done)
}

/// What a channel would send of a finding as it stands.
///
/// # Errors
/// The channel's keys are not to be had.
pub fn finding(state: &State, channel: &Channel, finding: &Finding) -> anyhow::Result<String> {
    match channels::way(state.settings(), channel, Screen::Out)? {
        Way::Feed(feed) => {
            let ring = channels::keyring(state.settings(), channel, &state.folders().state)?;
            let key = ring.map(|ring| ring.at(finding.made)).transpose()?;
            let view = View::with_key(finding, channel.audience, key.as_ref());
            let told = state.queue.told(&finding.id, &channel.spec.name)?.unwrap_or(0);
            let step = if told > 0 { Step::Updated } else { Step::Created };
            Ok(feed.preview(&Notice { id: finding.notice_id(), view, step, test: false }))
        }
        Way::People(_) => letter(state, channel, &finding.id, Kind::Findings, &alone(finding, now_ms())),
    }
}

/// What a channel would send of a letter.
///
/// # Errors
/// The channel's keys are not to be had.
pub fn letter(state: &State, channel: &Channel, id: &str, kind: Kind, body: &Body) -> anyhow::Result<String> {
    let Way::People(messenger) = channels::way(state.settings(), channel, Screen::Out)? else {
        anyhow::bail!("channel {:?} tells findings one by one", channel.spec.name);
    };
    let ring = channels::keyring(state.settings(), channel, &state.folders().state)?;
    let keys = body.shown.iter().filter_map(|one| {
        let ring = ring.as_ref()?;
        Some(ring.at(one.finding.made).map(|key| (one.finding.made, key)))
    });
    let keys: std::collections::BTreeMap<i64, _> = keys.collect::<Result<_, _>>()?;
    let letter = Letter::of(id, kind, body, channel.audience, &|made| keys.get(&made).cloned());
    Ok(messenger.preview(&letter))
}
