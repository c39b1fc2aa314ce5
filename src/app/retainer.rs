//! Retention by the service itself, so that no timer is needed: once a day what is due and not held is said and, where the
//! configuration asks for it, recorded as deleted and then taken away, by the same plan that `retention plan` shows and the same inbox that `retention apply` uses. Full
//! tiles are pruned by a person alone. Trouble with it is said and stops nothing; what is due stays due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handover::Desk;
use super::proof::retention::plan;
use crate::evidence::expiry::Step;
use crate::evidence::{Deed, Filing, Inbox};
use crate::metrics::{Metrics, Retained};
use crate::recorder::{Folders, now_ms};
use crate::settings::Settings;

/// How long between two looks at what is due.
const EVERY: Duration = Duration::from_secs(24 * 3600);

/// How soon to look again when a look did not come to its end.
const AGAIN: Duration = Duration::from_secs(3600);

/// How long the first look waits: a service that cannot start must not delete.
const FIRST: Duration = Duration::from_secs(60);

/// How long a recorded deletion may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether a deletion is recorded.
const LOOK: Duration = Duration::from_millis(50);

/// Deletions of one day; the rest is due the next day.
const MOST: usize = 200;

/// What keeps evidence within its terms.
pub struct Retainer {
    desk: Desk,
    metrics: Arc<Metrics>,
    deletes: bool,
}

impl Retainer {
    /// Of a service with these settings and folders.
    pub fn new(settings: &Settings, folders: &Folders, metrics: Arc<Metrics>) -> Self {
        let deletes = settings.retention.automatic;
        Self { desk: Desk::at(settings.clone(), folders.clone()), metrics, deletes }
    }

    /// Starts a thread that lives as long as the process.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(self) -> std::io::Result<()> {
        std::thread::Builder::new().name("retention".to_owned()).spawn(move || {
            std::thread::sleep(FIRST);
            loop {
                std::thread::sleep(if self.look(now_ms()) { EVERY } else { AGAIN });
            }
        })?;
        Ok(())
    }

    /// Looks what is due at `now` (ms since the epoch) and, if the configuration says so, deletes it; whether that came to
    /// its end.
    pub fn look(&self, now: i64) -> bool {
        match self.retain(now) {
            Ok(done) => done,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "retention could not be looked after; what is due stays");
                false
            }
        }
    }

    fn retain(&self, now: i64) -> anyhow::Result<bool> {
        let (steps, _) = plan(&self.desk, now)?;
        self.show(&steps);
        let due: Vec<Step> = steps.into_iter().filter(|step| step.is_due && step.hold.is_none()).collect();
        if !self.deletes || due.is_empty() {
            say(&due);
            self.metrics.condition().retention_ran(now);
            return Ok(true);
        }
        let inbox = Inbox::new(&self.desk.folders().state);
        if inbox.waiting()?.iter().any(|waiting| matches!(waiting.filing().deed(), Deed::Deleted(_))) {
            return Ok(false); // handed over already
        }
        for step in due.iter().take(MOST) {
            if !self.delete(&inbox, step)? {
                return Ok(false);
            }
        }
        self.show(&plan(&self.desk, now)?.0);
        self.metrics.condition().retention_ran(now);
        Ok(due.len() <= MOST)
    }

    fn show(&self, steps: &[Step]) {
        let sum = |held: bool| {
            let own = steps.iter().filter(|step| step.is_due && step.hold.is_some() == held);
            own.map(|step| step.records).sum()
        };
        self.metrics.condition().retained(Retained { due: sum(false), held: sum(true) });
    }

    /// Hands a deletion to the recorder and waits until it is recorded; whether it was.
    fn delete(&self, inbox: &Inbox, step: &Step) -> anyhow::Result<bool> {
        let filing = Filing::plain(Deed::Deleted(step.deletion.clone()));
        let filing = filing.ok_or_else(|| anyhow::anyhow!("a rule is too long"))?;
        let slip = inbox.submit(&self.desk.folders().evidence, &filing)?;
        let begun = Instant::now();
        while slip.exists() {
            if begun.elapsed() > PATIENCE {
                tracing::warn!("a deletion by retention waits for the recorder; nothing more is handed over before");
                return Ok(false);
            }
            std::thread::sleep(LOOK);
        }
        if slip.with_extension("bad").exists() {
            anyhow::bail!("the log refused to record a deletion by retention; nothing was deleted");
        }
        tracing::info!(records = step.records, due = %step.due, "retention: what was due is recorded and deleted");
        self.metrics.condition().retention_deleted(step.records);
        Ok(true)
    }
}

/// Says what stays although it is due.
fn say(due: &[Step]) {
    let records: u64 = due.iter().map(|step| step.records).sum();
    if records > 0 {
        tracing::warn!(
            records,
            "evidence is kept beyond its term: see `harbourwatch retention plan`, then `retention apply`"
        );
    }
}
