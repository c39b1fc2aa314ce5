//! How a channel is, as its answers say, and how long it is left alone. Never sends anything.

/// Failures in a row from which the channel counts as ill.
const ILL: u32 = 3;

/// First and longest rest of an ill channel, in ms.
const REST_MS: (i64, i64) = (5_000, 300_000);

/// Doublings from the first rest to beyond the longest.
const DOUBLINGS: u32 = 6;

/// A channel's health.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Health {
    /// Failures in a row.
    failures: u32,
    /// Until when the channel is left alone, ms since the epoch.
    rest_until: i64,
}

impl Health {
    /// Whether the last call was answered.
    pub(super) fn is_well(self) -> bool {
        self.failures == 0
    }

    /// Whether several calls in a row failed.
    pub(super) fn is_ill(self) -> bool {
        self.failures >= ILL
    }

    /// Whether it is left alone at this time, ms since the epoch.
    pub(super) fn rests(self, now: i64) -> bool {
        now < self.rest_until
    }

    /// It is left alone until then at least, ms since the epoch.
    pub(super) fn rest_until(&mut self, then: i64) {
        self.rest_until = self.rest_until.max(then);
    }

    /// A call failed. Whether it is ill from now on.
    pub(super) fn failed(&mut self, now: i64) -> bool {
        self.failures = self.failures.saturating_add(1);
        if self.is_ill() {
            let (first, longest) = REST_MS;
            let rest = first << (self.failures - ILL).min(DOUBLINGS);
            self.rest_until = now.saturating_add(rest.min(longest));
        }
        self.failures == ILL
    }

    /// A call was answered.
    pub(super) fn answered(&mut self) {
        if self.is_ill() {
            self.rest_until = 0;
        }
        self.failures = 0;
    }
}
