//! How the monitor itself fared in the period: starts and stops, gaps, what was received, what people did with the evidence.
//! A report that is silent about its own gaps would say more than the evidence does.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::evidence::deed::Access;
use crate::evidence::entry::Entry;
use crate::evidence::{Deed, EvidenceError};

use crate::app::proof::source::Source;

/// Something worth a line.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// When it was recorded, ms since the epoch.
    pub at: i64,
    /// What, in words.
    pub what: String,
}

/// How one log fared.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Health {
    /// Name of the log.
    pub origin: String,
    /// Sums over all lanes.
    pub received: u64,
    /// Of these, judged.
    pub judged: u64,
    /// Rejected: no audit event.
    pub rejected: u64,
    /// Seen before.
    pub duplicate: u64,
    /// Offsets that were never received.
    pub missing: u64,
    /// Each gap.
    pub gaps: Vec<Event>,
    /// Starts, stops, reloads, changes of policy and databases.
    pub life: Vec<Event>,
    /// How often evidence was looked at, erased, held, deleted.
    pub deeds: BTreeMap<&'static str, u64>,
    /// What verification found wrong; nothing: the archive is sound.
    pub wrong: Vec<String>,
    /// What it found worth knowing.
    pub notes: Vec<String>,
    /// Entries of the log.
    pub size: u64,
    /// Root of the checkpoint, in base64.
    pub checkpoint: String,
}

impl Health {
    /// Reads a log from `from` to `to` (time of recording), and verifies all of it.
    ///
    /// # Errors
    /// A bundle cannot be read.
    pub fn of(source: &Source, from: Option<i64>, to: Option<i64>) -> Result<Self, EvidenceError> {
        let mut health = Self {
            origin: source.origin().to_owned(),
            size: source.archive().checkpoint().size,
            checkpoint: source.archive().checkpoint().note(),
            ..Self::default()
        };
        let within = |at: i64| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to);
        source.archive().entries(0, |_, entry| {
            if time(&entry).is_some_and(within) {
                health.take(&entry);
            }
        })?;
        let report = source.verify()?;
        health.wrong = report.breaches.iter().map(ToString::to_string).collect();
        health.notes = report.warnings;
        Ok(health)
    }

    fn take(&mut self, entry: &Entry) {
        match entry {
            Entry::Batch { coverage, .. } => {
                self.received += coverage.received;
                self.judged += coverage.judged;
                self.rejected += coverage.rejected;
                self.duplicate += coverage.duplicate;
            }
            Entry::Gap { at, lane, from, to, reason } => {
                self.missing += to - from;
                let what = format!("{lane}: offsets {from} to {} never received ({reason})", to - 1);
                self.gaps.push(Event { at: *at, what });
            }
            Entry::Config { at, what, .. } => self.life.push(Event { at: *at, what: format!("in force: {what}") }),
            Entry::Life { at, life, version } => {
                self.life.push(Event { at: *at, what: format!("{} (version {version})", life.name()) });
            }
            Entry::Deed { deed, .. } => *self.deeds.entry(deed_name(deed)).or_default() += 1,
            Entry::Checkpoint { .. }
            | Entry::Record { .. }
            | Entry::Frame { .. }
            | Entry::Seal { .. }
            | Entry::Rejected { .. } => (),
        }
    }
}

/// When an entry was recorded, where it says so.
fn time(entry: &Entry) -> Option<i64> {
    match entry {
        Entry::Record { at, .. }
        | Entry::Batch { at, .. }
        | Entry::Rejected { at, .. }
        | Entry::Config { at, .. }
        | Entry::Life { at, .. }
        | Entry::Gap { at, .. }
        | Entry::Deed { at, .. } => Some(*at),
        Entry::Checkpoint { .. } | Entry::Frame { .. } | Entry::Seal { .. } => None,
    }
}

fn deed_name(deed: &Deed) -> &'static str {
    match deed {
        Deed::Acknowledged { .. } => "finding acknowledged or decided",
        Deed::Accessed { access: Access::Query, .. } => "query",
        Deed::Accessed { access: Access::Report, .. } => "report",
        Deed::Accessed { access: Access::Subject, .. } => "access request of a person",
        Deed::Accessed { access: Access::Reveal, .. } => "pseudonym resolved",
        Deed::Erased { .. } => "person erased",
        Deed::Deleted(_) => "deletion by retention",
        Deed::Held { release: false, .. } => "hold added",
        Deed::Held { release: true, .. } => "hold released",
        Deed::Rotated(_) => "change of keys",
    }
}
