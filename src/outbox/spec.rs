//! What the outbox needs to know of a channel: which findings it takes, when, and to whom they go if nobody answers.

use crate::domain::verdict::{Severity, Verdict};

/// When a finding of some severity is first told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// After so many ms, in which it may gather more records.
    After(i64),
    /// In the daily summary alone.
    Digest,
}

/// How a channel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// One notice for each finding and change, for machines.
    Each,
    /// Letters that gather findings, for people.
    Letters,
}

/// To whom a finding goes that nobody acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// The channel of the deputy.
    pub to: String,
    /// Time for an acknowledgement from the moment that the finding is due to be told, in ms, by [`Severity`]; `None` where
    /// none is asked for.
    pub within: [Option<i64>; 5],
}

/// A channel as the outbox sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSpec {
    /// Key in the configuration. A channel that is renamed is a new channel.
    pub name: String,
    /// Findings below this severity are not told by this channel.
    pub minimum: Severity,
    /// Verdicts that it tells; empty: all.
    pub verdicts: Vec<Verdict>,
    /// Tenants whose findings it tells; empty: all.
    pub tenants: Vec<String>,
    /// Whether it hears only of what others have not acknowledged.
    pub only_escalations: bool,
    /// How it tells.
    pub manner: Manner,
    /// When a new finding is first told, by [`Severity`].
    pub waits: [Wait; 5],
    /// Least time between two words on one finding, in ms; a graver severity does not wait for it.
    pub interval: i64,
    /// After how many ms a finding that nobody acknowledged is told again.
    pub repeat: Option<i64>,
    /// Mildest severity that is told again.
    pub repeat_from: Severity,
    /// For how many ms after its last change a finding is told again.
    pub repeat_for: i64,
    /// Who is told next.
    pub escalation: Option<Escalation>,
    /// The channel that hears of this one's trouble.
    pub trouble_to: Option<String>,
    /// The channel that carries this one's letters if it cannot, after how many ms of failure.
    pub fallback: Option<(String, i64)>,
}

impl ChannelSpec {
    /// A channel that tells at once and as often as a finding changes.
    pub fn new(name: &str, minimum: Severity) -> Self {
        Self {
            name: name.to_owned(),
            minimum,
            verdicts: Vec::new(),
            tenants: Vec::new(),
            only_escalations: false,
            manner: Manner::Each,
            waits: [Wait::After(0); 5],
            interval: 0,
            repeat: None,
            repeat_from: Severity::Info,
            repeat_for: i64::MAX,
            escalation: None,
            trouble_to: None,
            fallback: None,
        }
    }

    /// When a finding of this severity is first told.
    pub(super) fn wait(&self, severity: Severity) -> Wait {
        self.waits.get(severity as usize).copied().unwrap_or(Wait::After(0))
    }

    /// Time for an acknowledgement, in ms; `None` where none is asked for or nobody is told next.
    pub(super) fn deadline(&self, severity: Severity) -> Option<i64> {
        self.escalation.as_ref()?.within.get(severity as usize).copied().flatten()
    }

    /// Whether the channel tells findings of this kind at all.
    pub(super) fn takes(&self, severity: Severity, verdict: &str, tenant: &str) -> bool {
        severity >= self.minimum
            && (self.verdicts.is_empty() || self.verdicts.iter().any(|own| own.name() == verdict))
            && (self.tenants.is_empty() || self.tenants.iter().any(|own| own == tenant))
    }
}
