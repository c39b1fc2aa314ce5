//! What retention would take away, when and by which rule, and what a hold keeps. Reads only.
//!
//! Records of several classes share a segment, so a segment goes when the last of its classes is over. What is over before
//! that loses its subject keys, and with them its personal fields.

use std::collections::{BTreeMap, BTreeSet};

use super::archive::Archive;
use super::deed::{Deletion, KeyId, MOST_KEYS};
use super::entry::Entry;
use super::error::EvidenceError;
use super::holds::{Hold, Holds};
use super::index::number_of_key;
use super::keyring::{Held, Keyring};
use super::recover::segments;
use super::retention::Class;
use super::search::{self, Sought, Volume};
use super::segment::{Month, SegmentId};
use super::tiles::TILE_WIDTH;

/// Months that each class is kept after the month of recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Possible transfers that nothing on record covers.
    pub transfer: u16,
    /// Transfers under a safeguard.
    pub covered: u16,
    /// What comes in, stays, or is out of scope.
    pub inside: u16,
    /// What people did with the evidence.
    pub conduct: u16,
}

impl Terms {
    /// Months of a class.
    pub fn of(&self, class: Class) -> u16 {
        match class {
            Class::Transfer => self.transfer,
            Class::Covered => self.covered,
            Class::Inside => self.inside,
            Class::Conduct => self.conduct,
        }
    }

    fn rule(&self, class: Class) -> String {
        format!("{}:{}", class.name(), self.of(class))
    }
}

/// Something that will go.
#[derive(Clone, Debug)]
pub struct Step {
    /// What.
    pub deletion: Deletion,
    /// First day of this month, Hong Kong.
    pub due: Month,
    /// Whether that day has come.
    pub is_due: bool,
    /// Records that go, or lose their personal fields.
    pub records: u64,
    /// The hold that keeps it, if one does.
    pub hold: Option<String>,
}

/// What a plan is made of.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The archive.
    pub archive: &'a Archive,
    /// Its subject keys.
    pub keyring: Option<&'a Keyring>,
    /// The holds in force.
    pub holds: &'a Holds,
    /// How long each class is kept.
    pub terms: Terms,
    /// Now, ms since the epoch.
    pub now: i64,
}

impl Ground<'_> {
    /// Every step, soonest first.
    ///
    /// # Errors
    /// The archive or the keys cannot be read, or the log knows of a hold whose scope is lost.
    pub fn plan(&self) -> Result<Vec<Step>, EvidenceError> {
        let lost = self.holds.unknown(self.archive.dir())?;
        if let Some(hold) = lost.first() {
            let text = format!(
                "the log tells of hold {hold}, but what it covers is not on file; restore the file of holds, or release it"
            );
            return Err(EvidenceError::Refused(text));
        }
        let volumes = search::volumes(self.archive.dir())?;
        let mut steps = self.keys(&volumes)?;
        steps.extend(self.segments(&volumes)?);
        steps.sort_by_key(|step| step.due);
        Ok(steps)
    }

    fn step(&self, month: Month, class: Class, deletion: Deletion, records: u64, hold: Option<String>) -> Step {
        let due = month.plus(self.terms.of(class).saturating_add(1));
        let is_due = Month::of(self.now).is_some_and(|now| now >= due);
        Step { deletion, due, is_due, records, hold }
    }

    /// Subject keys of each month and class.
    fn keys(&self, volumes: &[Volume]) -> Result<Vec<Step>, EvidenceError> {
        let held = self.keyring.map(Keyring::all).transpose()?.unwrap_or_default();
        let mut groups: BTreeMap<(Month, Class), Vec<Held>> = BTreeMap::new();
        held.into_iter().for_each(|held| groups.entry((held.month, held.class)).or_default().push(held));
        let steps = groups.into_iter().map(|((month, class), group)| {
            let hold =
                self.holds.all().iter().find(|hold| hold.scope.subject.is_none() && touches(hold, month, volumes));
            let kept: Vec<KeyId> =
                group.iter().filter(|held| self.holds_subject(&held.tag)).map(|held| held.id).collect();
            let many = kept.len() > MOST_KEYS || kept.len() == group.len();
            let hold = hold.or_else(|| self.holds.all().iter().find(|hold| many && hold.scope.subject.is_some()));
            let records = records_of(volumes, month, class);
            let (count, rule) = ((group.len() - kept.len()) as u64, self.terms.rule(class));
            let kept = if kept.len() > MOST_KEYS { Vec::new() } else { kept };
            let deletion = Deletion::Keys { month, class: class.name().to_owned(), count, rule, kept };
            self.step(month, class, deletion, records, hold.map(|hold| hold.id.clone()))
        });
        Ok(steps.collect())
    }

    fn holds_subject(&self, tag: &str) -> bool {
        self.holds.all().iter().any(|hold| hold.scope.subject.as_deref() == Some(tag))
    }

    /// Finished segments.
    fn segments(&self, volumes: &[Volume]) -> Result<Vec<Step>, EvidenceError> {
        let dir = self.archive.dir();
        let mut all: Vec<SegmentId> = segments(dir)?.into_iter().map(|(id, _)| id).collect();
        all.sort_by_key(|id| id.number);
        all.pop(); // the one that is written
        let mut steps = Vec::new();
        for id in all {
            let own: Vec<&Volume> = volumes.iter().filter(|volume| volume.segment == id).collect();
            let classes = own.iter().map(|volume| volume.verdict.as_deref().map_or(Class::Conduct, Class::of));
            // what the index does not know is kept as long as anything
            let classes: Vec<Class> = if own.is_empty() { Class::ALL.to_vec() } else { classes.collect() };
            let Some(class) = classes.into_iter().max_by_key(|class| self.terms.of(*class)) else { continue };
            let path = id.path(dir);
            let bytes = path.metadata().map_err(|error| EvidenceError::disk("read", &path, error))?.len();
            let records = own.iter().filter(|volume| volume.verdict.is_some()).map(|volume| volume.records).sum();
            let deletion = Deletion::Segment { segment: id, bytes, rule: self.terms.rule(class) };
            steps.push(self.step(id.month, class, deletion, records, self.hold_on(id, &own)?));
        }
        Ok(steps)
    }

    /// The first hold that covers a record of a segment.
    fn hold_on(&self, id: SegmentId, volumes: &[&Volume]) -> Result<Option<String>, EvidenceError> {
        for hold in self.holds.all() {
            let in_time = volumes.is_empty() || volumes.iter().any(|volume| overlaps(hold, volume));
            if !in_time {
                continue;
            }
            let Some(tag) = &hold.scope.subject else { return Ok(Some(hold.id.clone())) };
            if self.has_subject(id, tag, hold)? {
                return Ok(Some(hold.id.clone()));
            }
        }
        Ok(None)
    }

    fn has_subject(&self, id: SegmentId, tag: &str, hold: &Hold) -> Result<bool, EvidenceError> {
        let keys = self.keyring.map(Keyring::all).transpose()?.unwrap_or_default();
        let mut subjects: BTreeSet<u64> =
            keys.iter().filter(|held| held.tag == tag).map(|held| number_of_key(held.id)).collect();
        subjects.extend(tag.get(..16).and_then(|head| u64::from_str_radix(head, 16).ok()));
        let sought = Sought { from: hold.scope.from, to: hold.scope.to, subjects: Some(subjects), ..Sought::default() };
        Ok(self.archive.find(&sought)?.iter().any(|row| row.segment == id))
    }

    /// Entries that can be pruned: those before the first that belongs to a segment which is still there.
    ///
    /// # Errors
    /// A bundle cannot be read.
    pub fn prunable(&self) -> Result<u64, EvidenceError> {
        let (mut behind, mut open) = (0, true);
        let dir = self.archive.dir();
        self.archive.entries(0, |i, entry| {
            if let Entry::Frame { segment, .. } = entry {
                open &= !segment.path(dir).exists();
                if open {
                    behind = i + 1;
                }
            }
        })?;
        Ok(behind / TILE_WIDTH * TILE_WIDTH)
    }
}

fn records_of(volumes: &[Volume], month: Month, class: Class) -> u64 {
    let own = volumes.iter().filter(|volume| volume.segment.month == month);
    let own = own.filter(|volume| volume.verdict.as_deref().is_some_and(|verdict| Class::of(verdict) == class));
    own.map(|volume| volume.records).sum()
}

fn touches(hold: &Hold, month: Month, volumes: &[Volume]) -> bool {
    volumes.iter().any(|volume| volume.segment.month == month && overlaps(hold, volume))
}

fn overlaps(hold: &Hold, volume: &Volume) -> bool {
    hold.scope.from.is_none_or(|from| from <= volume.last) && hold.scope.to.is_none_or(|to| volume.first < to)
}
