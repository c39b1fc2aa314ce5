//! Single values: numbers as strings and strings as numbers, null and empty as nothing, times in several units.
//!
//! A value that has the wrong type is not an error here but [`Wrong`]; whether it matters depends on the field and on what
//! the object turns out to be.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::field::Kind;
use super::span::Skip;
use crate::domain::event::{Id, Text};

/// A value with a type or form that its field cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong;

/// A scalar as JSON has it. Arrays and objects are read over.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    /// `null` or the empty string.
    Nothing,
    Unsigned(u64),
    Negative(i64),
    Text(Text<'a>),
    Flag(bool),
    /// A number with fraction or exponent or beyond 64 bits, an array, an object.
    Other,
}

/// What a field of an event holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Value<'a> {
    #[default]
    None,
    Number(i64),
    Id(Id<'a>),
    Text(Text<'a>),
}

impl<'a> Scalar<'a> {
    /// Reads the scalar as its field wants it.
    pub(super) fn read(self, kind: Kind) -> Result<Value<'a>, Wrong> {
        let value = match kind {
            Kind::Code => self.code()?.map(Value::Number),
            Kind::Flag => self.flag()?.map(|flag| Value::Number(flag.into())),
            Kind::Time => self.time()?.map(Value::Number),
            Kind::Size => self.code()?.filter(|size| *size >= 0).map(Value::Number),
            Kind::Id => self.id()?.map(Value::Id),
            Kind::Text => self.text()?.map(Value::Text),
            Kind::Ids | Kind::Address | Kind::Parties | Kind::Storage | Kind::Files => return Err(Wrong),
            Kind::Apps | Kind::Inner | Kind::Carrier => return Err(Wrong),
        };
        Ok(value.unwrap_or_default())
    }

    /// A whole number, also as a string of digits with an optional minus sign.
    pub(super) fn code(&self) -> Result<Option<i64>, Wrong> {
        match self {
            Self::Nothing => Ok(None),
            Self::Unsigned(number) => i64::try_from(*number).map(Some).map_err(|_| Wrong),
            Self::Negative(number) => Ok(Some(*number)),
            Self::Text(text) => digits(text).map(Some).ok_or(Wrong),
            Self::Flag(_) | Self::Other => Err(Wrong),
        }
    }

    /// Yes or no, as a boolean, 1 or 0, or either as text.
    fn flag(&self) -> Result<Option<bool>, Wrong> {
        match self {
            Self::Flag(flag) => Ok(Some(*flag)),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Self::Nothing | Self::Unsigned(_) | Self::Negative(_) | Self::Text(_) | Self::Other => match self.code()? {
                None => Ok(None),
                Some(0) => Ok(Some(false)),
                Some(1) => Ok(Some(true)),
                Some(_) => Err(Wrong),
            },
        }
    }

    /// An identifier; see [`Id`].
    pub(super) fn id(self) -> Result<Option<Id<'a>>, Wrong> {
        match self {
            Self::Unsigned(number) => Ok(Some(Id::Number(number))),
            Self::Text(text) => Ok(Some(Id::from_text(text))),
            Self::Negative(number) => Ok(Some(Id::Text(Cow::Owned(number.to_string())))),
            Self::Nothing => Ok(None),
            Self::Flag(_) | Self::Other => Err(Wrong),
        }
    }

    /// Text; a whole number is its digits.
    pub(super) fn text(self) -> Result<Option<Text<'a>>, Wrong> {
        match self {
            Self::Text(text) => Ok(Some(text)),
            Self::Unsigned(number) => Ok(Some(Cow::Owned(number.to_string()))),
            Self::Negative(number) => Ok(Some(Cow::Owned(number.to_string()))),
            Self::Nothing => Ok(None),
            Self::Flag(_) | Self::Other => Err(Wrong),
        }
    }

    /// A time in ms since the epoch: a whole number (see [`since_epoch`]) or an ISO 8601 text.
    fn time(&self) -> Result<Option<i64>, Wrong> {
        match self {
            Self::Text(text) if digits(text).is_none() => {
                Ok(Some(written_time(text).ok_or(Wrong)?).filter(|ms| MS.contains(ms)))
            }
            Self::Nothing | Self::Unsigned(_) | Self::Negative(_) | Self::Text(_) | Self::Flag(_) | Self::Other => {
                Ok(self.code()?.and_then(since_epoch))
            }
        }
    }
}

fn digits(text: &str) -> Option<i64> {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let whole = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
    whole.then(|| text.parse().ok()).flatten()
}

/// Times in ms that an event can have: 1973 to 5138.
const MS: std::ops::Range<i64> = 100_000_000_000..100_000_000_000_000;

/// Tells the unit of a number by its size: 10⁹ to 10¹¹ are seconds, to 10¹⁴ ms (DingTalk's own unit), to 10¹⁷ µs (as change
/// capture of databases writes). Anything else is no time of an event, and none is better than a wrong one.
#[inline]
pub(super) fn since_epoch(number: i64) -> Option<i64> {
    match number {
        1_000_000_000..100_000_000_000 => Some(number * 1000),
        _ if MS.contains(&number) => Some(number),
        100_000_000_000_000..100_000_000_000_000_000 => Some(number / 1000),
        _ => None,
    }
}

/// Reads ISO 8601 and RFC 3339, `T` or a space between date and time. Without an offset it is local time at UTC+8: Hong Kong
/// and the mainland share it, and that is what collectors of DingTalk rows write.
fn written_time(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_millisecond());
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    jiff::tz::offset(8).to_timestamp(local).ok().map(jiff::Timestamp::as_millisecond)
}

/// Reads a [`Scalar`].
pub(super) struct ScalarSeed;

impl<'de> DeserializeSeed<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Unsigned(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Negative(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(if text.is_empty() { Scalar::Nothing } else { Scalar::Text(Cow::Borrowed(text)) })
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(if text.is_empty() { Scalar::Nothing } else { Scalar::Text(Cow::Owned(text.to_owned())) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<Skip>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<Skip, Skip>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// A scalar or an array of scalars.
#[derive(Debug, PartialEq)]
pub(super) struct Scalars<'a> {
    pub(super) items: SmallVec<[Scalar<'a>; 2]>,
    /// Written as an array.
    pub(super) array: bool,
}

/// Reads [`Scalars`].
pub(super) struct ScalarsSeed;

impl<'de> DeserializeSeed<'de> for ScalarsSeed {
    type Value = Scalars<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarsSeed {
    type Value = Scalars<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or an array of values")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        ScalarSeed.visit_unit().map(Scalars::single)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        ScalarSeed.visit_bool(value).map(Scalars::single)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        ScalarSeed.visit_u64(value).map(Scalars::single)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        ScalarSeed.visit_i64(value).map(Scalars::single)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        ScalarSeed.visit_f64(value).map(Scalars::single)
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
        ScalarSeed.visit_borrowed_str(value).map(Scalars::single)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
        ScalarSeed.visit_str(value).map(Scalars::single)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        ScalarSeed.visit_map(map).map(Scalars::single)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = SmallVec::new();
        while let Some(item) = seq.next_element_seed(ScalarSeed)? {
            items.push(item);
        }
        Ok(Scalars { items, array: true })
    }
}

impl<'a> Scalars<'a> {
    fn single(item: Scalar<'a>) -> Self {
        Self { items: smallvec::smallvec![item], array: false }
    }

    /// Identifiers, without the empty ones.
    pub(super) fn ids(self) -> Result<Ids<'a>, Wrong> {
        let mut ids = Ids { items: SmallVec::new(), array: self.array };
        for item in self.items {
            ids.items.extend(item.id()?);
        }
        Ok(ids)
    }

    /// One text; several are joined with commas, as proxies write a chain of addresses, so that they never pass for one.
    pub(super) fn joined(self) -> Result<Option<Text<'a>>, Wrong> {
        let mut joined: Option<Text<'a>> = None;
        for item in self.items {
            let Some(text) = item.text()? else { continue };
            joined = Some(match joined {
                None => text,
                Some(before) => Cow::Owned(format!("{before},{text}")),
            });
        }
        Ok(joined)
    }
}

/// Identifiers of people, and whether they came as an array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids<'a> {
    pub(super) items: SmallVec<[Id<'a>; 1]>,
    pub(super) array: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &'static str) -> Result<Option<i64>, Wrong> {
        Scalar::Text(Cow::Borrowed(text)).time()
    }

    #[test]
    fn the_unit_of_a_time_shows_in_its_size() {
        assert_eq!(since_epoch(1_763_456_712), Some(1_763_456_712_000));
        assert_eq!(since_epoch(1_763_456_712_345), Some(1_763_456_712_345));
        assert_eq!(since_epoch(1_763_456_712_345_678), Some(1_763_456_712_345));
        for odd in [0, -1, 999_999_999, 100_000_000_000_000_000, i64::MAX, i64::MIN] {
            assert_eq!(since_epoch(odd), None, "{odd}");
        }
    }

    #[test]
    fn written_times_are_read_and_local_ones_are_hong_kong_time() {
        let expected = Ok(Some(1_763_456_712_345));
        for text in [
            "1763456712345",
            "2025-11-18T09:05:12.345Z",
            "2025-11-18T17:05:12.345+08:00",
            "2025-11-18 17:05:12.345",
            "2025-11-18T17:05:12.345",
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
        assert_eq!(time("1763456712"), Ok(Some(1_763_456_712_000)));
        assert_eq!(time("yesterday"), Err(Wrong));
        assert_eq!(time("1.7e12"), Err(Wrong));
        assert_eq!(time("0001-01-01 00:00:00"), Ok(None), "what a database writes for no time");
    }

    #[test]
    fn codes_are_whole_numbers_only() {
        let code = |text| Scalar::Text(Cow::Borrowed(text)).code();
        assert_eq!(code("8"), Ok(Some(8)));
        assert_eq!(code("-8"), Ok(Some(-8)));
        assert_eq!(code("08"), Ok(Some(8)));
        for text in ["abc", "1e3", "1.0", "+1", " 1", "-", "99999999999999999999"] {
            assert_eq!(code(text), Err(Wrong), "{text}");
        }
        assert_eq!(Scalar::Unsigned(u64::MAX).code(), Err(Wrong));
        assert_eq!(Scalar::Other.code(), Err(Wrong));
        assert_eq!(Scalar::Nothing.code(), Ok(None));
    }
}
