//! Times as people write and read them: days are those of Hong Kong, instants carry their own offset.

use anyhow::Context as _;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

/// The instant at which something begins, ms since the epoch.
///
/// # Errors
/// The text is neither a day nor an instant.
pub fn begin(text: &str) -> anyhow::Result<i64> {
    read(text, 0)
}

/// The instant at which something has ended: behind the day, or at the instant.
///
/// # Errors
/// The text is neither a day nor an instant.
pub fn end(text: &str) -> anyhow::Result<i64> {
    read(text, 1)
}

fn read(text: &str, days: i64) -> anyhow::Result<i64> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.as_millisecond());
    }
    let day: Option<Date> = text.parse().ok();
    let day = day.and_then(|day| day.checked_add(days.days()).ok());
    let instant = day.and_then(|day| jiff::tz::offset(8).to_timestamp(day.at(0, 0, 0, 0)).ok());
    instant.map(Timestamp::as_millisecond).with_context(|| {
        format!("{text:?} is no time; write a day (2026-11-01, Hong Kong) or an instant (2026-11-01T00:00:00Z)")
    })
}

/// An instant in UTC, to the second.
pub fn utc(ms: i64) -> String {
    shown(ms, 0, "%Y-%m-%d %H:%M:%S UTC")
}

/// An instant in the time of Hong Kong, to the second.
pub fn hkt(ms: i64) -> String {
    shown(ms, 8, "%Y-%m-%d %H:%M:%S HKT")
}

fn shown(ms: i64, hours: i8, format: &str) -> String {
    let Ok(instant) = Timestamp::from_millisecond(ms) else { return format!("{ms} ms") };
    jiff::tz::offset(hours).to_datetime(instant).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_those_of_hong_kong() {
        assert_eq!(utc(begin("2026-11-01").unwrap()), "2026-10-31 16:00:00 UTC");
        assert_eq!(hkt(end("2026-11-30").unwrap()), "2026-12-01 00:00:00 HKT");
        assert_eq!(utc(end("2026-11-30T10:00:00Z").unwrap()), "2026-11-30 10:00:00 UTC");
        assert!(begin("yesterday").is_err() && begin("2026-13-01").is_err());
    }
}
