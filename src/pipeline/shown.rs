//! Values written down as they are shown to people, without a text of their own in between.

use std::fmt::{self, Display};

use compact_str::{CompactString, ToCompactString};
use serde::{Serialize, Serializer};

use crate::domain::event::{Act, Event, Id};

/// Serialised by its [`Display`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<T>(pub(super) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What was done, as records say it.
pub(super) struct Done<'e>(pub(super) &'e Act<'e>);

impl Display for Done<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Act::Audit(code) => write!(f, "action {code}"),
            Act::Push(kind) => f.write_str(kind),
        }
    }
}

/// The actor's id; nothing where there is none.
pub(super) enum Who<'e> {
    User(&'e Id<'e>),
    Union(&'e str),
    Nobody,
}

impl<'e> Who<'e> {
    pub(super) fn of(event: &'e Event<'_>) -> Self {
        let union_id = || event.actor.union_id.as_ref().map_or(Self::Nobody, |id| Self::Union(id.reveal()));
        event.actor.user_id.as_ref().map_or_else(union_id, |id| Self::User(id.reveal()))
    }
}

impl Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Union(id) => f.write_str(id),
            Self::Nobody => Ok(()),
        }
    }
}

impl Who<'_> {
    /// As its [`Display`].
    pub(super) fn text(&self) -> CompactString {
        match self {
            Self::User(Id::Number(id)) => id.to_compact_string(),
            Self::User(Id::Text(id)) => id.as_ref().into(),
            Self::Union(id) => (*id).into(),
            Self::Nobody => CompactString::default(),
        }
    }
}

/// A time in ms since the epoch, in UTC; nothing where no calendar has it.
pub(super) struct Utc(pub(super) i64);

impl Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        jiff::Timestamp::from_millisecond(self.0).map_or(Ok(()), |time| write!(f, "{time:.3}"))
    }
}

/// The first moment of the year 9999, in ms since the epoch.
const LAST_YEAR: u64 = 253_370_764_800_000;

impl Utc {
    /// As its [`Display`], if the year is one from 1970 to 9998: `2025-11-18T08:25:12.345Z`.
    pub(super) fn digits(&self) -> Option<[u8; 24]> {
        let ms = u64::try_from(self.0).ok().filter(|ms| *ms < LAST_YEAR)?;
        let (days, seconds) = (ms / 86_400_000, ms / 1000 % 86_400);
        let (year, month, date) = civil(days);
        let [a, b, c, d, e, f, g, h, i] = [
            year / 100,
            year % 100,
            month,
            date,
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            ms % 1000 / 10,
            ms % 10 * 10,
        ]
        .map(|pair| [b'0' + (pair / 10) as u8, b'0' + (pair % 10) as u8]);
        Some([
            a[0], a[1], b[0], b[1], b'-', c[0], c[1], b'-', d[0], d[1], b'T', e[0], e[1], b':', f[0], f[1], b':', g[0],
            g[1], b'.', h[0], h[1], i[0], b'Z',
        ])
    }
}

/// Year, month and date of a day since 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    // from 0000-03-01, so that the leap day is the last of a year; 400 years are 146 097 days
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let year = 400 * cycle + year;
    if month < 10 { (year, month + 3, date) } else { (year + 1, month - 9, date) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ends of every day, and odd times between them.
    #[test]
    fn digits_are_those_of_the_calendar() {
        let days = (0..LAST_YEAR as i64).step_by(86_400_000);
        let times = days.flat_map(|day| [day - 1, day, day + 45_296_789 + day / 86_400_000 % 1000]);
        for time in times.filter(|time| *time >= 0) {
            let shown = Utc(time).to_string();
            assert_eq!(Utc(time).digits().as_ref().map(|digits| digits.as_slice()), Some(shown.as_bytes()));
        }
        for time in [i64::MIN, -1, LAST_YEAR as i64, i64::MAX] {
            assert_eq!(Utc(time).digits(), None);
        }
        assert_eq!(Utc(LAST_YEAR as i64).to_string(), "9999-01-01T00:00:00.000Z");
    }
}
