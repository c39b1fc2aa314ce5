//! Objects some of whose fields belong to the object around them: the headers of a Stream frame, who authorised an app.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::draft::Draft;
use super::field::Field;
use super::part::NameSeed;
use super::span::Skip;
use super::value::ScalarSeed;

/// Reads an object some of whose fields belong to the one around it.
pub(super) struct InnerSeed<'o, 'a> {
    pub(super) draft: &'o mut Draft<'a>,
    pub(super) of: Field,
}

/// Which field of the object around it a field of the inner one is.
pub(super) fn outer(of: Field, field: Field) -> Option<Field> {
    match (of, field) {
        (Field::Headers, Field::EventType | Field::EventId | Field::Corp | Field::Born) => Some(field),
        (Field::AuthUser, Field::User) => Some(Field::Operator),
        (Field::AuthCorp, Field::Corp) => Some(field),
        _ => None,
    }
}

impl<'de> DeserializeSeed<'de> for InnerSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// What is no object has nothing to say.
impl<'de> Visitor<'de> for InnerSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<Skip>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameSeed)? {
            let Some(field) = Field::of(&name).and_then(|field| outer(self.of, field)) else {
                map.next_value::<Skip>()?;
                continue;
            };
            self.draft.framed |= field == Field::EventType;
            self.draft.set(field, map.next_value_seed(ScalarSeed)?);
        }
        Ok(())
    }
}
