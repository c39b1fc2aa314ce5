//! Once a day, what has had its time is let go: findings that all channels are past, and the keys that turn the pseudonyms of
//! their time back. Trouble with it is said and stops nothing.

use std::collections::BTreeSet;
use std::path::Path;

use super::channels;
use crate::deliver::Audience;
use crate::deliver::keyring::Keyring;
use crate::domain::finding::DAY_MS;
use crate::recorder::Ledger;
use crate::settings::Settings;

/// What is kept, and when it was last looked through.
pub struct Housekeeping {
    keep_ms: i64,
    rings: Vec<Keyring>,
    /// Ms since the epoch.
    done: i64,
}

impl Housekeeping {
    /// Of a service with its state in a folder.
    pub fn new(settings: &Settings, state: &Path) -> Self {
        let soc = settings.channels.iter().filter(|channel| channel.audience == Audience::Soc);
        let readers: BTreeSet<&str> = soc.map(|channel| channel.readers.as_str()).collect();
        // keys of a secret go when the secret goes
        let readers = readers.into_iter().filter(|_| settings.pseudonym_secret.is_none());
        let rings = readers.map(|readers| Keyring::in_file(readers, &channels::ring_file(state, readers))).collect();
        Self { keep_ms: i64::from(settings.keep_days).saturating_mul(DAY_MS), rings, done: 0 }
    }

    /// Does it if a day has passed since the last time. `now` is ms since the epoch.
    pub fn do_if_due(&mut self, ledger: &mut Ledger, now: i64) {
        if now.saturating_sub(self.done) < DAY_MS {
            return;
        }
        self.done = now;
        let before = now.saturating_sub(self.keep_ms);
        match ledger.prune(before) {
            Ok(0) => {}
            Ok(findings) => tracing::info!(findings, "findings have had their time and are let go"),
            Err(error) => tracing::warn!(%error, "old findings could not be let go"),
        }
        for ring in &self.rings {
            match ring.forget(before) {
                Ok(0) => {}
                Ok(keys) => tracing::info!(keys, "keys of pseudonyms have had their time and are destroyed"),
                Err(error) => tracing::warn!(%error, "old keys of pseudonyms could not be destroyed"),
            }
        }
    }
}
