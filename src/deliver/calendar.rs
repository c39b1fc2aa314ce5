//! When people are left in peace: quiet hours and days off, in Hong Kong. Reads no clock.

use crate::domain::calendar::{day_of, weekday};
use crate::domain::finding::{DAY_MS, HKT_OFFSET_MS};
use crate::domain::verdict::Severity;

/// Minutes of a day.
pub const DAY_MIN: i64 = 24 * 60;

/// Longest stretch of days off that is looked through.
const MOST_DAYS: usize = 40;

/// When mild findings wait for better times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// From, in minutes after midnight.
    pub from: i64,
    /// Until, in minutes after midnight; before `from` if the night is between them.
    pub until: i64,
    /// Whether weekends and general holidays are quiet all day.
    pub days_off: bool,
    /// General holidays, days since the epoch in the Hong Kong calendar, in order.
    pub holidays: Vec<i32>,
    /// Gravest severity that waits.
    pub up_to: Severity,
}

impl Quiet {
    /// When the quiet that holds at `now` (ms since the epoch) ends; `None` if there is none.
    pub fn until(&self, now: i64) -> Option<i64> {
        if !self.holds(now) {
            return None;
        }
        let mut at = now;
        for _ in 0..MOST_DAYS {
            at = next_minute(at, self.until);
            if !self.holds(at) {
                break;
            }
        }
        Some(at)
    }

    fn holds(&self, at: i64) -> bool {
        let day = day_of(at);
        let day_off = self.days_off && (weekday(day) >= 5 || self.holidays.binary_search(&day).is_ok());
        let minute = minute_of(at);
        let at_night = if self.from <= self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        };
        day_off || at_night
    }
}

fn minute_of(at: i64) -> i64 {
    at.saturating_add(HKT_OFFSET_MS).rem_euclid(DAY_MS) / 60_000
}

/// The next moment after `at` when the clock in Hong Kong shows `minute` minutes after midnight.
pub fn next_minute(at: i64, minute: i64) -> i64 {
    last_minute(at, minute).saturating_add(DAY_MS)
}

/// The last moment up to `at` when the clock in Hong Kong showed `minute` minutes after midnight.
pub fn last_minute(at: i64, minute: i64) -> i64 {
    let midnight = at.saturating_add(HKT_OFFSET_MS).div_euclid(DAY_MS) * DAY_MS - HKT_OFFSET_MS;
    let moment = midnight + minute * 60_000;
    if moment > at { moment - DAY_MS } else { moment }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday, 23 November 2026, 09:30 in Hong Kong.
    const MONDAY: i64 = 1_795_397_400_000;
    const HOUR: i64 = 3_600_000;

    fn quiet() -> Quiet {
        Quiet {
            from: 22 * 60,
            until: 8 * 60,
            days_off: true,
            holidays: vec![day_of(MONDAY) + 4],
            up_to: Severity::Medium,
        }
    }

    #[test]
    fn nights_end_in_the_morning() {
        assert_eq!(quiet().until(MONDAY), None);
        let night = MONDAY + 13 * HOUR; // 22:30
        let morning = MONDAY + 24 * HOUR - HOUR * 3 / 2; // 08:00 the next day
        assert_eq!(quiet().until(night), Some(morning));
        assert_eq!(quiet().until(morning), None);
        assert_eq!(quiet().until(morning - 1), Some(morning));
    }

    #[test]
    fn days_off_are_quiet_to_the_next_working_morning() {
        let thursday_night = MONDAY + 3 * 24 * HOUR + 13 * HOUR;
        let next_monday = MONDAY + 7 * 24 * HOUR - HOUR * 3 / 2;
        assert_eq!(quiet().until(thursday_night), Some(next_monday), "Friday is a holiday here");
        let open = Quiet { days_off: false, ..quiet() };
        assert_eq!(open.until(MONDAY + 5 * 24 * HOUR), None, "a Saturday morning");
    }

    #[test]
    fn moments_of_the_clock() {
        let nine = MONDAY - HOUR / 2;
        assert_eq!(last_minute(MONDAY, 9 * 60), nine);
        assert_eq!(last_minute(nine, 9 * 60), nine);
        assert_eq!(last_minute(nine - 1, 9 * 60), nine - 24 * HOUR);
        assert_eq!(next_minute(nine, 9 * 60), nine + 24 * HOUR);
    }
}
