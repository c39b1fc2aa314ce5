//! What people are sent: one message about one finding or many, cut to its readers. Everything in it was fixed when it was
//! composed, so a second try says the same as the first.

use super::audience::Audience;
use super::pseudonym::Key;
use super::view::View;
use crate::domain::verdict::Severity;
use crate::outbox::Body;
pub use crate::outbox::{Arrangement, Digest, FlowSum, Held, Intake, Kind, Mishap, Reason, Remark, Sum, Trouble};

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// Stable key; the same at every try, so that a receiver can drop repetitions.
    pub id: String,
    /// Why it is written.
    pub kind: Kind,
    /// What letters on the same matter have in common.
    pub thread: String,
    /// When it was composed, ms since the epoch.
    pub at: i64,
    /// Who reads it.
    pub audience: Audience,
    /// The gravest findings, gravest first; all of them are in `sums`.
    pub shown: Vec<Shown>,
    /// All findings by severity and verdict.
    pub sums: Vec<Sum>,
    /// What was held back since the last letter of this channel.
    pub held: Vec<Held>,
    /// What other channels could not deliver.
    pub troubles: Vec<Trouble>,
    /// The day's summary.
    pub digest: Option<Digest>,
    /// The channel that should have carried it and could not.
    pub moved_from: Option<String>,
}

/// A finding and how many of its records this channel had not been told of.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// What the readers see.
    pub view: View,
    /// Records since the channel's last word on it.
    pub new: u64,
}

/// The key of the pseudonyms for a finding by the time when it was first recorded; `None` where there is none.
pub type KeyFor<'a> = &'a dyn Fn(i64) -> Option<Key>;

impl Letter {
    /// Cuts what was composed to its readers.
    pub fn of(id: &str, kind: Kind, body: &Body, audience: Audience, key: KeyFor<'_>) -> Self {
        let shown = body.shown.iter().map(|one| {
            let key = key(one.finding.made);
            Shown { view: View::with_key(&one.finding, audience, key.as_ref()), new: one.new }
        });
        Self {
            id: id.to_owned(),
            kind,
            thread: body.thread.clone(),
            at: body.at,
            audience,
            shown: shown.collect(),
            sums: body.sums.clone(),
            held: body.held.clone(),
            troubles: body.troubles.clone(),
            digest: body.digest.clone(),
            moved_from: body.moved_from.clone(),
        }
    }

    /// Findings and records of all sums.
    pub fn totals(&self) -> (u64, u64) {
        self.sums.iter().fold((0, 0), |(findings, records), sum| {
            (findings + sum.findings, u64::saturating_add(records, sum.records))
        })
    }

    /// The gravest severity in it.
    pub fn severity(&self) -> Option<Severity> {
        self.sums.iter().map(|sum| sum.severity).max()
    }
}
