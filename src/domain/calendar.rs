//! Hong Kong days: working days and holidays.
//!
//! A day is an `i32`, days since 1970-01-01 in the Hong Kong calendar. Nothing here reads a clock.
//!
//! # Readings
//! - A *working day* is Monday to Friday and no general holiday (Cap. 149). Saturday is none: the office that takes the
//!   filings keeps the five-day week of the Government.
//! - A period "within n working days of" a day does not count that day (Interpretation and General Clauses Ordinance,
//!   Cap. 1 s.71).
//! - Outside the holiday table only weekends are left out. The computed end is then the earliest that is possible, so a
//!   filing is called late too early rather than too late.

use super::finding::{DAY_MS, HKT_OFFSET_MS};
use super::policy::Pack;

/// Day of an instant (ms since the epoch, UTC) in Hong Kong, which keeps UTC+8 all year.
pub fn day_of(ms: i64) -> i32 {
    let day = ms.saturating_add(HKT_OFFSET_MS).div_euclid(DAY_MS);
    i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
}

/// Weekday of a day: 0 Monday … 6 Sunday.
pub fn weekday(day: i32) -> u8 {
    // 1970-01-01 was a Thursday; the remainder is between 0 and 6.
    (i64::from(day) + 3).rem_euclid(7) as u8
}

/// Day of a date of the Gregorian calendar; `None` where there is no such date. Years 1600 to 9999.
pub fn day_from_date(year: i32, month: u8, date: u8) -> Option<i32> {
    let known = (1600..=9999).contains(&year) && (1..=12).contains(&month) && date >= 1 && date <= length(year, month);
    // Years are counted from March so that the leap day is the last day of a year.
    let (month, years) = if month > 2 { (i32::from(month) - 3, year) } else { (i32::from(month) + 9, year - 1) };
    let leaps = years / 4 - years / 100 + years / 400;
    known.then(|| years * 365 + leaps + (153 * month + 2) / 5 + i32::from(date) - 1 - 719_468)
}

/// Reads `2026-11-23`.
pub fn parse_day(text: &str) -> Option<i32> {
    let mut parts = text.split('-');
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    let shaped = parts.next().is_none() && (year.len(), month.len(), date.len()) == (4, 2, 2);
    shaped.then(|| day_from_date(year.parse().ok()?, month.parse().ok()?, date.parse().ok()?)).flatten()
}

fn length(year: i32, month: u8) -> u8 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Pack {
    /// Whether offices work on that day; see the module's readings.
    pub fn is_working_day(&self, day: i32) -> bool {
        weekday(day) < 5 && self.holidays.binary_search(&day).is_err()
    }

    /// The `n`-th working day after `day`; `day` itself is not counted. With `n` = 0, `day`.
    pub fn working_days_after(&self, day: i32, n: u16) -> i32 {
        let mut end = day;
        for _ in 0..n {
            end = self.next_working_day(end);
        }
        end
    }

    /// Last day on which a GBA Standard Contract in force from `from` can be filed in time.
    pub fn filing_deadline(&self, from: i32) -> i32 {
        self.working_days_after(from, self.gba_filing_days)
    }

    /// Whether the holiday table reaches to that day; where it does not, a deadline is the earliest possible.
    pub fn knows_holidays_to(&self, day: i32) -> bool {
        day <= self.holidays_until
    }

    fn next_working_day(&self, day: i32) -> i32 {
        let mut next = day;
        loop {
            let Some(following) = next.checked_add(1) else { return next };
            next = following;
            if self.is_working_day(next) {
                return next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(holidays: &[&str]) -> Pack {
        Pack {
            id: String::new(),
            s33_in_force: false,
            gba_filing_days: 10,
            expiring_days: 30,
            bulk_subjects: 1000,
            bulk_objects: 100,
            holidays: holidays.iter().filter_map(|day| parse_day(day)).collect(),
            holidays_until: parse_day("2027-12-31").unwrap(),
        }
    }

    fn day(text: &str) -> i32 {
        parse_day(text).unwrap()
    }

    #[test]
    fn a_day_turns_at_midnight_in_hong_kong() {
        let before_midnight = 1_795_449_599_999; // 2026-11-23T15:59:59.999Z, 23:59 in Hong Kong
        assert_eq!(day_of(before_midnight), day("2026-11-23"));
        assert_eq!(day_of(before_midnight + 1), day("2026-11-24"));
        assert_eq!(day_of(i64::MAX), i32::MAX);
        assert_eq!(day_of(i64::MIN), i32::MIN);
    }

    #[test]
    fn dates_are_those_of_the_gregorian_calendar() {
        assert_eq!(day("1970-01-01"), 0);
        assert_eq!(day("2000-02-29"), 11_016);
        assert_eq!(day("2026-11-23"), 20_780);
        for wrong in ["2026-02-29", "2100-02-29", "2026-13-01", "2026-00-01", "2026-11-31", "2026-1-01", "26-11-23", ""]
        {
            assert_eq!(parse_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn weekdays_follow_the_epoch() {
        assert_eq!(weekday(0), 3);
        assert_eq!(weekday(-1), 2);
        assert_eq!(weekday(day("2026-11-23")), 0);
        assert_eq!((weekday(i32::MIN), weekday(i32::MAX)), (1, 4));
    }

    #[test]
    fn the_day_of_effect_and_weekends_are_not_counted() {
        assert_eq!(pack(&[]).working_days_after(day("2026-11-02"), 10), day("2026-11-16"));
        assert_eq!(pack(&[]).working_days_after(day("2026-11-06"), 1), day("2026-11-09"));
        assert_eq!(pack(&[]).working_days_after(day("2026-11-07"), 0), day("2026-11-07"));
    }

    #[test]
    fn a_holiday_moves_the_end_and_an_unknown_one_does_not() {
        assert_eq!(pack(&["2026-11-10"]).working_days_after(day("2026-11-02"), 10), day("2026-11-17"));
        // Beyond the table: weekends only, the earliest possible end.
        let new_year_2029 = pack(&[]).working_days_after(day("2028-12-29"), 1);
        assert_eq!(new_year_2029, day("2029-01-01"));
        assert!(!pack(&[]).knows_holidays_to(new_year_2029));
    }

    #[test]
    fn the_end_of_time_is_no_loop() {
        assert_eq!(pack(&[]).working_days_after(i32::MAX - 1, u16::MAX), i32::MAX);
    }
}
