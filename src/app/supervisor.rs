//! What the service manager is told, if there is one that asked to be told: ready, reloading, stopping, and that the pipeline
//! still turns (sd_notify). Never waits for an answer, and trouble with it stops nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// When the pipeline last turned: took a batch in hand, made one durable, or found nothing to do.
#[derive(Debug)]
pub struct Pulse {
    began: Instant,
    /// Ms since `began`.
    last: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { began: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl Pulse {
    /// It turned just now.
    pub fn beat(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    /// Whether it turned within `limit`.
    pub fn is_within(&self, limit: Duration) -> bool {
        let since = self.now().saturating_sub(self.last.load(Ordering::Relaxed));
        u128::from(since) <= limit.as_millis()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Tells it that the service has started. An instance that waits for its broker is started: nothing is gained by starting it
/// again.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Tells it that a reload has begun; [`ready`] ends it, whether the new configuration was taken or not.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager cannot be told"),
    }
}

/// Tells it that the drain has begun.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says that all is well, twice in the time that the service manager allows, as long as the pipeline turns within that time.
/// Where it does not, the service manager is the one to act. Without a `pulse`, as long as the process lives: standard input may
/// be silent for days.
///
/// # Errors
/// The system refuses the thread.
pub fn watch(pulse: Option<Arc<Pulse>>) -> std::io::Result<()> {
    let Some(allowed) = sd_notify::watchdog_enabled() else { return Ok(()) };
    let rounds = move || {
        loop {
            if pulse.as_ref().is_none_or(|pulse| pulse.is_within(allowed)) {
                tell(&[NotifyState::Watchdog]);
            } else {
                tracing::error!(
                    allowed_s = allowed.as_secs(),
                    "the pipeline stands still; the service manager may end it"
                );
            }
            std::thread::sleep(allowed / 2);
        }
    };
    std::thread::Builder::new().name("watchdog".to_owned()).spawn(rounds)?;
    Ok(())
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_that_stands_still_is_known_and_one_that_turns_again_as_well() {
        let pulse = Pulse::default();
        let limit = Duration::from_millis(40);
        pulse.beat();
        assert!(pulse.is_within(limit));
        std::thread::sleep(limit * 2);
        assert!(!pulse.is_within(limit));
        pulse.beat();
        assert!(pulse.is_within(limit));
    }
}
