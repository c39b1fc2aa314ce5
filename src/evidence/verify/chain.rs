//! The verifier keys of a log, oldest first: each change of the signing key is an entry that stands before the last checkpoint
//! of the old key, so that whoever trusts one key of the chain can follow it to the next.

use std::path::Path;

use super::breach::{BreachKind, Findings};
use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::error::EvidenceError;
use crate::evidence::note::NoteVerifier;

/// The keys, and which is in force where the walk stands.
#[derive(Debug)]
pub(super) struct Chain {
    keys: Vec<NoteVerifier>,
    now: usize,
    /// The next checkpoint is the last of the present key.
    ending: bool,
    /// Entries were left out, so that changes of the key may be among them.
    holed: bool,
}

impl Chain {
    /// The archive's own list, held against the key that was given; `None` if there is neither.
    pub(super) fn choose(
        dir: &Path,
        given: Option<&str>,
        findings: &mut Findings,
    ) -> Result<Option<Self>, EvidenceError> {
        let given = given.map(|vkey| NoteVerifier::parse(vkey.trim())).transpose()?;
        let keys = match (given, read(dir)) {
            (Some(given), Some(own)) if own.contains(&given) => own,
            (Some(given), _) => {
                findings.add(BreachKind::VerifierKey, "log.vkey", "the key that was given is not in it");
                vec![given]
            }
            (None, Some(own)) => {
                findings.warn(
                    "the verifier key is the archive's own; obtain it by another way to exclude a forged archive",
                );
                own
            }
            (None, None) => {
                let what = "it is missing or no verifier key, and none was given";
                findings.add(BreachKind::VerifierKey, "log.vkey", what);
                return Ok(None);
            }
        };
        Ok(Some(Self { keys, now: 0, ending: false, holed: false }))
    }

    /// The log's name.
    pub(super) fn name(&self) -> &str {
        self.keys[self.now].name()
    }

    /// Whether the key in force signed this; if that was announced to be its last checkpoint, the next key takes over. Where
    /// entries were left out, a later key may have taken over among them.
    pub(super) fn accepts(&mut self, checkpoint: &Checkpoint) -> bool {
        let ending = std::mem::take(&mut self.ending);
        if checkpoint.is_signed_by(&self.keys[self.now]) {
            self.now += usize::from(ending);
            return true;
        }
        let later = self.keys.iter().skip(self.now + 1).position(|key| checkpoint.is_signed_by(key));
        match later.filter(|_| self.holed) {
            Some(later) => self.now += later + 1,
            None => self.now += usize::from(ending),
        }
        self.holed && later.is_some()
    }

    /// Entries are left out here.
    pub(super) fn hole(&mut self) {
        self.holed = true;
    }

    /// Whether any key of the log signed this.
    pub(super) fn knows(&self, checkpoint: &Checkpoint) -> bool {
        self.keys.iter().any(|key| checkpoint.is_signed_by(key))
    }

    /// A change of the key; says whether the list has it, too.
    pub(super) fn change(&mut self, from: &str, to: &str) -> bool {
        let later = self.keys.iter().skip(self.now).position(|key| key.vkey() == from);
        match later.filter(|later| !self.ending && (*later == 0 || self.holed)) {
            Some(later) => self.now += later,
            None => return false,
        }
        self.ending = self.keys.get(self.now + 1).is_some_and(|next| next.vkey() == to);
        self.ending
    }

    /// Whether the log told of every change that the list has, as far as it is there.
    pub(super) fn is_done(&self) -> bool {
        self.holed || self.now + usize::from(self.ending) + 1 == self.keys.len()
    }
}

fn read(dir: &Path) -> Option<Vec<NoteVerifier>> {
    let text = std::fs::read_to_string(dir.join("log.vkey")).ok()?;
    let keys: Vec<NoteVerifier> =
        text.strip_suffix('\n')?.split('\n').map(|line| NoteVerifier::parse(line).ok()).collect::<Option<_>>()?;
    keys.iter().all(|key| key.name() == keys[0].name()).then_some(keys)
}
