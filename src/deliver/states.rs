//! Signed checkpoints in a feed: which one is told next, and when. Never sends one itself.

use std::sync::Arc;

use super::statement::Statement;

/// Least time between two, and how soon one that was not taken is tried again, in ms.
const PAUSES_MS: (i64, i64) = (3_600_000, 60_000);

/// Gives the evidence log's present checkpoint, signed.
pub type Checkpoints = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// What a feed was told of the log.
#[derive(Clone)]
pub(super) struct States {
    read: Checkpoints,
    last: Option<String>,
    /// What was not taken for certain: told again as it was, since it may have arrived.
    tried: Option<Statement>,
    /// Not before, ms since the epoch.
    next: i64,
}

impl std::fmt::Debug for States {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("States").field("next", &self.next).finish_non_exhaustive()
    }
}

impl States {
    pub(super) fn new(read: Checkpoints) -> Self {
        Self { read, last: None, tried: None, next: 0 }
    }

    /// What is to be told now (ms since the epoch), if it is time and the log has changed.
    pub(super) fn due(&mut self, now: i64) -> Option<Statement> {
        if now < self.next {
            return None;
        }
        self.next = now.saturating_add(PAUSES_MS.0);
        let note = (self.read)().filter(|note| self.last.as_ref() != Some(note))?;
        let tried = self.tried.take().filter(|tried| tried.note == note);
        Some(tried.unwrap_or_else(|| Statement::new(note, now)))
    }

    /// It was taken.
    pub(super) fn told(&mut self, statement: Statement) {
        self.last = Some(statement.note);
    }

    /// It was not taken, or nobody knows. It is not owed: a later one says all that it said.
    pub(super) fn not_taken(&mut self, statement: Statement, now: i64) {
        self.tried = Some(statement);
        self.next = now.saturating_add(PAUSES_MS.1);
    }
}
