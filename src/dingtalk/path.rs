//! A configured place in a message: keys from the root, joined by dots.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::reject::{Reason, Reject};
use super::span::Skip;
use super::value::{Scalar, ScalarSeed};

/// Keys to follow from an object inwards, such as `data.payload`. Keys are compared exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Reads dotted keys; `None` if one of them is empty.
    pub fn parse(dotted: &str) -> Option<Self> {
        let keys: Vec<String> = dotted.split('.').map(str::to_owned).collect();
        keys.iter().all(|key| !key.is_empty()).then_some(Self(keys))
    }

    /// The text of the value at this place, if there is one. Reads every object on the way to its end.
    ///
    /// # Errors
    /// [`Reason::NotJson`]; [`Reason::Conflict`] if a key on the way is given twice with different values.
    pub(super) fn find<'t>(&self, text: &'t str) -> Result<Option<&'t str>, Reject> {
        self.find_through(text, &mut |_| Ok(()))
    }

    /// As [`Path::find`]; calls `each` for every object on the way.
    ///
    /// # Errors
    /// Those of [`Path::find`], and those of `each`.
    pub(super) fn find_through<'t>(
        &self,
        text: &'t str,
        each: &mut dyn FnMut(&'t str) -> Result<(), Reject>,
    ) -> Result<Option<&'t str>, Reject> {
        let mut at = text;
        for key in &self.0 {
            if !at.trim_ascii_start().starts_with('{') {
                return Ok(None);
            }
            each(at)?;
            let mut deserializer = serde_json::Deserializer::from_str(at);
            let found = KeySeed(key)
                .deserialize(&mut deserializer)
                .and_then(|found| deserializer.end().map(|()| found))
                .map_err(|error| Reject::syntax(&error, at))?;
            match found {
                Found::Nothing => return Ok(None),
                Found::Twice => return Err(Reject::field(Reason::Conflict, "at the configured place")),
                Found::Once(value) => at = value,
            }
        }
        Ok(Some(at))
    }

    /// The scalar that a text found by [`Path::find`] is.
    ///
    /// # Errors
    /// [`Reason::NotJson`].
    pub(super) fn scalar(text: &str) -> Result<Scalar<'_>, Reject> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        ScalarSeed.deserialize(&mut deserializer).map_err(|error| Reject::syntax(&error, text))
    }
}

enum Found<'t> {
    Nothing,
    Once(&'t str),
    Twice,
}

struct KeySeed<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Found::Nothing;
        while let Some(matches) = map.next_key_seed(IsKey(self.0))? {
            if !matches {
                map.next_value::<Skip>()?;
                continue;
            }
            let value = map.next_value::<&RawValue>()?.get();
            found = match found {
                Found::Nothing => Found::Once(value),
                Found::Once(before) if before == value => Found::Once(value),
                Found::Once(_) | Found::Twice => Found::Twice,
            };
        }
        Ok(found)
    }
}

struct IsKey<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for IsKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}
