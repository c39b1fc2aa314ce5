//! What a letter to people holds, as it is kept from the moment that it is composed: a second try says the same as the first,
//! whatever has changed since. The file that keeps it is for its owner alone; nothing here is sent before it is cut to its
//! readers.

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use crate::domain::event::Personal;
use crate::domain::verdict::{Severity, Verdict};

/// Why it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Findings are new or have changed.
    Findings,
    /// Nobody has acknowledged them yet.
    Reminder,
    /// They were not acknowledged in time by those who were told first.
    Escalation,
    /// The day's summary.
    Digest,
    /// Another channel does not take its messages.
    Trouble,
    /// An operator tries the channel.
    Test,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::Findings, Self::Reminder, Self::Escalation, Self::Digest, Self::Trouble, Self::Test];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Findings => "findings",
            Self::Reminder => "reminder",
            Self::Escalation => "escalation",
            Self::Digest => "digest",
            Self::Trouble => "trouble",
            Self::Test => "test",
        }
    }

    /// Reads a [`Kind::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Findings of one severity and verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Severity.
    pub severity: Severity,
    /// Verdict.
    pub verdict: Verdict,
    /// Findings.
    pub findings: u64,
    /// Records since the channel's last word on them.
    pub records: u64,
}

/// Why findings were not told at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// A silence of this number.
    Silence(i64),
    /// A graver finding on the same matter was told.
    Inhibited,
    /// They are mild enough for the daily summary.
    Digest,
}

/// Findings that were held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Why.
    pub reason: Reason,
    /// Findings.
    pub findings: u64,
    /// Their records.
    pub records: u64,
}

/// What happened to another channel's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mishap {
    /// Given up; they stay on file.
    GivenUp,
    /// The receiver said that its address is gone; nothing more is sent there.
    Closed,
}

impl Mishap {
    /// All.
    pub const ALL: [Self; 2] = [Self::GivenUp, Self::Closed];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::GivenUp => "given_up",
            Self::Closed => "closed",
        }
    }

    /// Reads a [`Mishap::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mishap| mishap.name() == name)
    }
}

/// Trouble of another channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Which channel.
    pub channel: String,
    /// What happened.
    pub mishap: Mishap,
    /// To how many messages.
    pub messages: u64,
    /// Since when, ms since the epoch.
    pub since: i64,
    /// What the last try said; carries no value of a message.
    pub why: String,
}

/// A day in figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// From, ms since the epoch.
    pub from: i64,
    /// Before, ms since the epoch.
    pub to: i64,
    /// What was recorded, by kind of flow and verdict.
    pub flows: Vec<FlowSum>,
    /// Recipients and places that were not seen before.
    pub arrangements: Vec<Arrangement>,
    /// Safeguards that end soon: key and last day, in days since the epoch in the Hong Kong calendar.
    pub expiring: Vec<(String, i32)>,
    /// Findings that ask for an acknowledgement and have none.
    pub open: u64,
    /// Of the input.
    pub intake: Intake,
    /// What to look at, in both languages.
    pub health: Vec<Remark>,
    /// The evidence log's signed checkpoint. Whoever keeps it can prove later that nothing before it was changed.
    pub checkpoint: Option<String>,
}

/// Records of one kind and verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowSum {
    /// Kind of flow.
    pub kind: String,
    /// Verdict.
    pub verdict: String,
    /// Findings that began.
    pub findings: u64,
    /// Records.
    pub records: u64,
}

/// A destination and recipient that flows of a kind were not seen to have before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrangement {
    /// Kind of flow.
    pub kind: String,
    /// Code of the destination.
    pub destination: String,
    /// The recipient's name.
    pub recipient: Personal<String>,
    /// Verdict when first seen.
    pub verdict: String,
}

/// Events of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Intake {
    pub received: u64,
    pub judged: u64,
    pub rejected: u64,
    pub duplicate: u64,
    /// Offsets that were never received.
    pub missing: u64,
}

/// A remark on the monitor's own health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Remark {
    /// A channel owes so many messages, the oldest for so many ms.
    Waiting { channel: String, messages: u64, oldest_ms: i64 },
    /// A channel gave up so many messages.
    GivenUp { channel: String, messages: u64 },
    /// A channel's receiver is gone.
    Closed { channel: String },
    /// The geolocation database is so many days old.
    StaleDatabase { days: i64 },
}

/// A letter's content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// What letters on the same matter have in common.
    pub thread: String,
    /// When it was composed, ms since the epoch.
    pub at: i64,
    /// The gravest findings, gravest first; all of them are in `sums`.
    pub shown: Vec<Snapshot>,
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

/// A finding as it stood, and how many of its records the channel had not been told of.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The finding.
    pub finding: Finding,
    /// Records since the channel's last word on it.
    pub new: u64,
}
