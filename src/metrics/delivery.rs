//! What operators see of telling findings, beyond what is owed: what was held back, which receivers are gone.

use super::family::DeliveryFamilies;
use super::{Scope, signed};

/// Why findings were not told at once: label values.
pub const HELD: [&str; 3] = ["silence", "inhibited", "digest"];

/// Metrics about channels.
#[derive(Debug)]
pub struct DeliveryMetrics {
    families: DeliveryFamilies,
}

impl DeliveryMetrics {
    pub(super) fn new(families: DeliveryFamilies, scope: &Scope) -> Self {
        for channel in &scope.channels {
            families.held.with_label_values(&[channel]);
            families.cut.with_label_values(&[channel]);
            families.up.with_label_values(&[channel]).set(1);
            for reason in HELD {
                families.counted.with_label_values(&[channel.as_str(), reason]);
            }
        }
        Self { families }
    }

    /// How a channel stands: findings held back, and whether anything is sent to it.
    pub fn channel(&self, channel: &str, held: u64, open: bool) {
        self.families.held.with_label_values(&[channel]).set(signed(held));
        self.families.up.with_label_values(&[channel]).set(i64::from(open));
    }

    /// Findings that were held back and are counted in a message; `reason` is one of [`HELD`].
    pub fn held(&self, channel: &str, reason: &str, findings: u64) {
        self.families.counted.with_label_values(&[channel, reason]).inc_by(findings);
    }

    /// Values of a message that were shortened.
    pub fn cut(&self, channel: &str, values: u64) {
        self.families.cut.with_label_values(&[channel]).inc_by(values);
    }
}
