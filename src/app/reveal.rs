//! `reveal`: whom or what a pseudonym stands for. For the officer alone, who can read the state; that it was asked for, by
//! whom and why is recorded in the evidence before anything is shown.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;

use super::Outcome;
use super::acknowledge::said;
use super::channels;
use super::handover::filing;
use super::state::{State, StateOption};
use crate::deliver::pseudonym::{Domain, Key, key_id};
use crate::deliver::render::plain::plain;
use crate::evidence::Deed;
use crate::evidence::deed::Access;
use crate::outbox::{Filter, Finding, Outbox};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub state: StateOption,
    /// The pseudonym, as in `p1:soc-2026q4:…`.
    pub pseudonym: String,
    /// Who asks.
    #[arg(long)]
    pub by: String,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

/// Runs the command.
///
/// # Errors
/// No state, no pseudonym, or its key is gone.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    said("--by", &options.by)?;
    said("--reason", &options.reason)?;
    let state = options.state.open()?;
    let key = key(&state, &options.pseudonym)?;
    let outbox = Outbox::open(&state.folders().state.join("state.db"), &[])?;
    let findings = outbox.findings(&Filter { most: usize::MAX, ..Filter::default() })?;
    let detail = json!({ "pseudonym": options.pseudonym, "by": options.by, "reason": options.reason });
    let access = Access::Reveal;
    state.desk.record_before_showing(&filing(&detail, |commitment| Deed::Accessed { access, commitment })?)?;
    let mut out = std::io::stdout().lock();
    let found = matches(&key, &options.pseudonym, &findings);
    for ((domain, value), ids) in &found {
        writeln!(out, "{domain}: {}\nin findings: {}", plain(value), ids.join(", "))?;
    }
    anyhow::ensure!(!found.is_empty(), "no finding on file has it; older ones are in the evidence");
    Ok(Outcome::Done)
}

fn key(state: &State, pseudonym: &str) -> anyhow::Result<Key> {
    let id = key_id(pseudonym).ok_or_else(|| anyhow::anyhow!("no pseudonym; write it whole: p1:soc-2026q4:…"))?;
    let readers = id.rsplit_once('-').map_or(id, |(readers, _)| readers);
    anyhow::ensure!(
        state.settings().channels.iter().any(|channel| channel.readers == readers),
        "no channel has readers {readers:?}; the pseudonym is of another configuration"
    );
    let key = channels::ring(state.settings(), readers, &state.folders().state)?.named(id)?;
    key.ok_or_else(|| {
        anyhow::anyhow!("the key {id} is not here: it was destroyed at its time, or is of another instance")
    })
}

/// Domain and value, with the ids of findings, of all that has the pseudonym.
fn matches<'a>(key: &Key, pseudonym: &str, findings: &'a [Finding]) -> BTreeMap<(&'static str, String), Vec<&'a str>> {
    // a file's pseudonym may have its extension behind it, and a tag has no dot
    let wanted = pseudonym.trim().split('.').next().unwrap_or_default();
    let mut found: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for finding in findings {
        let facts = &finding.facts;
        let name = format!("{} ({})", facts.actor_id.reveal(), facts.actor_name.reveal());
        let candidates = [
            (Domain::Person, facts.actor_id.reveal(), name.as_str()),
            (Domain::Recipient, facts.recipient.reveal(), facts.recipient.reveal().as_str()),
            (Domain::File, facts.resource.reveal(), facts.resource.reveal().as_str()),
        ];
        for (domain, value, shown) in candidates {
            if !value.is_empty() && key.pseudonym(domain, &facts.tenant, value) == wanted {
                found.entry((domain.name(), shown.to_owned())).or_default().push(&finding.id);
            }
        }
    }
    found
}
