//! When things happen: busy in office hours, quiet at night and on weekends, each office by its own clock.
//!
//! Works on integers alone, so that the same plan gives the same times everywhere.

use super::organisation::Organisation;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Shortest stretch of even traffic.
const STEP_MS: i64 = 15 * 60_000;
/// Stretches at most.
const STEPS: i64 = 4096;

/// How busy an office is by the hour of its own clock, lunch included.
const BUSY: [u32; 24] = [1, 1, 1, 1, 1, 2, 5, 20, 60, 95, 100, 95, 60, 80, 100, 98, 92, 80, 55, 30, 18, 10, 5, 2];

/// How busy an office is whose clock is so many hours ahead of UTC.
pub(super) fn busy(at: i64, hours_ahead: i8) -> u32 {
    let local = at + i64::from(hours_ahead) * HOUR_MS;
    let hour = local.rem_euclid(DAY_MS) / HOUR_MS;
    // the epoch was a Thursday
    let weekend = (local.div_euclid(DAY_MS) + 3).rem_euclid(7) >= 5;
    let share = BUSY[usize::try_from(hour).unwrap_or(0)] * 8;
    if weekend { share / 8 } else { share }
}

/// Spreads events over a span.
#[derive(Debug)]
pub(super) struct Timeline {
    start: i64,
    step: i64,
    /// Traffic before each stretch, and all of it at the end.
    before: Vec<u64>,
    events: u64,
    at: usize,
}

impl Timeline {
    /// `span` in ms; at least one.
    pub(super) fn new(start: i64, span: i64, events: u64, organisation: &Organisation) -> Self {
        let span = span.max(1);
        let steps = (span / STEP_MS).clamp(1, STEPS);
        let step = (span + steps - 1) / steps;
        let mut before = vec![0];
        let mut sum = 0;
        for index in 0..steps {
            sum += organisation.traffic(start + index * step);
            before.push(sum);
        }
        Self { start, step, before, events: events.max(1), at: 0 }
    }

    /// Time of an event, in ms since the epoch. `index` may only rise; `jitter` is any number.
    pub(super) fn time(&mut self, index: u64, jitter: u32) -> i64 {
        let all = *self.before.last().unwrap_or(&1);
        let share = (u128::from(index.min(self.events - 1)) << 32 | u128::from(jitter)) * u128::from(all);
        let reached = u64::try_from((share >> 32) / u128::from(self.events)).unwrap_or(all);
        while self.at + 2 < self.before.len() && self.before[self.at + 1] <= reached {
            self.at += 1;
        }
        let (from, to) = (self.before[self.at], self.before[self.at + 1]);
        let within = u128::from(reached.saturating_sub(from)) * self.step.unsigned_abs() as u128
            / u128::from((to - from).max(1));
        self.start + i64::try_from(self.at).unwrap_or(0) * self.step + i64::try_from(within).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_rise_within_the_span_and_follow_the_day() {
        let monday = 1_795_363_200_000; // 2026-11-23 in Hong Kong
        let mut timeline = Timeline::new(monday, 7 * DAY_MS, 10_000, Organisation::bank());
        let times: Vec<_> = (0..10_000).map(|index| timeline.time(index, 1 << 31)).collect();
        assert!(times.is_sorted());
        assert!(times[0] >= monday && times[9_999] < monday + 7 * DAY_MS);
        let of_day = |day: i64| times.iter().filter(|time| (*time - monday) / DAY_MS == day).count();
        assert!(of_day(0) > 5 * of_day(5), "{} on Monday, {} on Saturday", of_day(0), of_day(5));
        let night = times.iter().filter(|time| (*time - monday) % DAY_MS < 5 * HOUR_MS).count();
        assert!(night < 500, "{night} at night");
    }
}
