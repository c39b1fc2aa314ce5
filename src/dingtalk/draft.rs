//! One JSON object as read: every field that may matter, before it is known what the object is.
//!
//! Duplicates and wrong types are noted, not reported; the shape that the object turns out to have decides which of them
//! matter. Keeps unread the values that may hold an event themselves.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use smallvec::SmallVec;

use super::field::{Field, Fields, Kind};
use super::inner::InnerSeed;
use super::part::{Agent, Checked, NameSeed, Parts, PartsSeed, Party};
use super::reject::{Reason, Reject};
use super::said::{Counterparts, Said};
use super::span::{self, Skip};
use super::storage::{Claims, ClaimsSeed};
use super::value::{Ids, Scalar, ScalarSeed, ScalarsSeed, Value, Wrong};
use crate::domain::event::{Counterpart, Id, Storage, Text};

/// A value that may hold an event: the text of an object, an array, or a string that begins like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carrier<'a> {
    pub(super) field: Field,
    pub(super) text: &'a str,
}

/// The fields of one object.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    values: [Value<'a>; Field::COUNT],
    given: Fields,
    wrong: Fields,
    clash: Fields,
    users: Ids<'a>,
    unions: Ids<'a>,
    receivers: Parts<Counterpart<'a>>,
    members: Parts<Counterpart<'a>>,
    pub(super) claims: Claims<'a>,
    files: Parts<Checked<'a>>,
    agents: Parts<Agent<'a>>,
    pub(super) carriers: SmallVec<[Carrier<'a>; 4]>,
    /// Some key names a carrier.
    carried: bool,
    /// Fields of a row are written with underscores.
    snake: bool,
    /// `EventType` with a capital, as the HTTP callback writes.
    capital: bool,
    /// The event type stands in `headers`, as in a Stream frame.
    pub(super) framed: bool,
}

impl<'a> Draft<'a> {
    fn new() -> Self {
        Self {
            values: [const { Value::None }; Field::COUNT],
            given: Fields::default(),
            wrong: Fields::default(),
            clash: Fields::default(),
            users: Ids::default(),
            unions: Ids::default(),
            receivers: Parts::default(),
            members: Parts::default(),
            claims: Claims::default(),
            files: Parts::default(),
            agents: Parts::default(),
            carriers: SmallVec::new(),
            carried: false,
            snake: false,
            capital: false,
            framed: false,
        }
    }

    /// Reads the text of an object, to its end.
    ///
    /// # Errors
    /// [`Reason::NotJson`] with the offset in `text`.
    pub(super) fn read(text: &'a str) -> Result<Self, Reject> {
        let mut draft = Self::new();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        DraftSeed(&mut draft)
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end())
            .map_err(|error| Reject::syntax(&error, text))?;
        if draft.carried {
            draft.find_carriers(text);
        }
        Ok(draft)
    }

    /// A value that can be relied on.
    fn value(&self, field: Field) -> Option<&Value<'a>> {
        let sound = !self.clash.has(field) && !self.wrong.has(field);
        self.values.get(field as usize).filter(|_| sound)
    }

    fn people(&self, field: Field) -> &Ids<'a> {
        if field == Field::Union { &self.unions } else { &self.users }
    }

    /// Notes a value. Null and empty are no value: beside another spelling that has one they say nothing.
    fn put(&mut self, field: Field, value: Value<'a>) {
        let Some(slot) = self.values.get_mut(field as usize) else { return };
        if value == Value::None || *slot == value {
            return;
        }
        if *slot == Value::None {
            *slot = value;
            self.given.add(field);
        } else {
            self.clash.add(field);
        }
    }

    /// Notes a scalar, or that it cannot be one of this field.
    pub(super) fn set(&mut self, field: Field, scalar: Scalar<'a>) {
        match scalar.read(field.kind()) {
            Ok(value) => self.put(field, value),
            Err(Wrong) => self.wrong.add(field),
        }
    }

    /// Reads the value of a key that the table knows.
    fn take<A: MapAccess<'a>>(&mut self, field: Field, map: &mut A) -> Result<(), A::Error> {
        match field.kind() {
            Kind::Code | Kind::Flag | Kind::Time | Kind::Size | Kind::Id | Kind::Text => {
                self.set(field, map.next_value_seed(ScalarSeed)?);
            }
            Kind::Address => match map.next_value_seed(ScalarsSeed)?.joined() {
                Ok(text) => self.put(field, text.map_or(Value::None, Value::Text)),
                Err(_) => self.wrong.add(field),
            },
            Kind::Ids => match map.next_value_seed(ScalarsSeed)?.ids() {
                Ok(ids) => self.put_ids(field, ids),
                Err(_) => self.wrong.add(field),
            },
            Kind::Storage => map.next_value_seed(ClaimsSeed(&mut self.claims))?,
            Kind::Parties => {
                let mut read = Parts::<Party<'a>>::default();
                map.next_value_seed(PartsSeed(&mut read))?;
                let member = field == Field::Members;
                let known = if member { &mut self.members } else { &mut self.receivers };
                merge(known, read.map(|party| party.into_counterpart(member)));
            }
            Kind::Files => {
                let mut read = Parts::default();
                map.next_value_seed(PartsSeed(&mut read))?;
                merge(&mut self.files, read);
            }
            Kind::Apps => {
                let mut read = Parts::default();
                map.next_value_seed(PartsSeed(&mut read))?;
                merge(&mut self.agents, read);
            }
            Kind::Inner => map.next_value_seed(InnerSeed { draft: self, of: field })?,
            Kind::Carrier => {
                map.next_value::<Skip>()?;
                self.carried = true;
            }
        }
        Ok(())
    }

    fn put_ids(&mut self, field: Field, ids: Ids<'a>) {
        let slot = if field == Field::Union { &mut self.unions } else { &mut self.users };
        if ids.items.is_empty() || *slot == ids {
            return;
        }
        if slot.items.is_empty() {
            *slot = ids;
            self.given.add(field);
        } else {
            self.clash.add(field);
        }
    }

    /// Looks up the texts of the carriers, now that the object is known to be good JSON.
    fn find_carriers(&mut self, object: &'a str) {
        for (key, value) in span::members(object) {
            let name = NameSeed.deserialize(&mut serde_json::Deserializer::from_str(key));
            match name.ok().and_then(|name| Field::of(&name)) {
                Some(field) if field.kind() == Kind::Carrier => self.carry(field, value),
                Some(_) | None => {}
            }
        }
    }

    /// Keeps what may hold an event. The body of a push event that is neither that nor nothing is wrong.
    fn carry(&mut self, field: Field, text: &'a str) {
        if holds(text) {
            self.carriers.push(Carrier { field, text });
        } else if matches!(field, Field::Data | Field::BizData) && !is_nothing(text) {
            self.wrong.add(field);
        }
    }

    /// Takes over what was noted about the parts.
    fn settle(&mut self) {
        let parts = [
            (Field::Receivers, self.receivers.wrong, self.receivers.clash),
            (Field::Members, self.members.wrong, self.members.clash),
            (Field::Enrichment, self.claims.wrong, self.claims.clash),
            (Field::Files, self.files.wrong, self.files.clash),
            (Field::Apps, self.agents.wrong, self.agents.clash),
        ];
        for (field, wrong, clash) in parts {
            if wrong {
                self.wrong.add(field);
            }
            if clash {
                self.clash.add(field);
            }
        }
    }
}

impl<'a> Said<'a> for Draft<'a> {
    fn has(&self, fields: Fields) -> bool {
        !self.given.and(fields).is_empty()
    }

    fn check(&self, decisive: Fields) -> Result<(), Reject> {
        if let Some(field) = self.clash.and(decisive).first() {
            return Err(Reject::field(Reason::Conflict, field.name()));
        }
        match self.wrong.and(decisive).first() {
            Some(field) => Err(Reject::field(Reason::BadField, field.name())),
            None => Ok(()),
        }
    }

    fn is_snake(&self) -> bool {
        self.snake
    }

    fn number(&self, field: Field) -> Option<i64> {
        match self.value(field)? {
            Value::Number(number) => Some(*number),
            Value::None | Value::Id(_) | Value::Text(_) => None,
        }
    }

    fn id(&self, field: Field) -> Option<Id<'a>> {
        match self.value(field)? {
            Value::Id(id) => Some(id.clone()),
            Value::None | Value::Number(_) | Value::Text(_) => None,
        }
    }

    fn text(&self, field: Field) -> Option<Text<'a>> {
        match self.value(field)? {
            Value::Text(text) => Some(text.clone()),
            Value::None | Value::Number(_) | Value::Id(_) => None,
        }
    }

    fn ids(&self, field: Field) -> Ids<'a> {
        self.people(field).clone()
    }

    fn single(&self, field: Field) -> (Option<Id<'a>>, bool) {
        let ids = &self.people(field).items;
        (ids.first().cloned(), ids.len() > 1)
    }

    fn storage(&self) -> Storage<'a> {
        self.claims.storage()
    }

    fn carries(&self, field: Field) -> bool {
        self.carriers.iter().any(|carrier| carrier.field == field)
    }

    fn is_capital(&self) -> bool {
        self.capital
    }

    fn is_framed(&self) -> bool {
        self.framed
    }

    fn members(&self) -> &[Counterpart<'a>] {
        &self.members.items
    }

    fn files(&self) -> &[Checked<'a>] {
        &self.files.items
    }

    fn agents(&self) -> &[Agent<'a>] {
        &self.agents.items
    }

    fn take_parties(&mut self, all: &mut Counterparts<'a>) {
        all.extend(self.receivers.items.drain(..).chain(self.members.items.drain(..)));
    }
}

fn opens(text: &str) -> bool {
    text.trim_ascii_start().starts_with(['{', '['])
}

/// Whether a value is an object or an array, or a string of one.
fn holds(text: &str) -> bool {
    match text.strip_prefix('"') {
        None => opens(text),
        // An escape at the beginning may stand for white space, for the bracket itself, or for one more string.
        Some(inside) if inside.trim_ascii_start().starts_with('\\') => {
            span::unescape(text).is_ok_and(|inside| opens(&inside))
        }
        Some(inside) => opens(inside),
    }
}

fn is_nothing(text: &str) -> bool {
    text == "null" || text.strip_prefix('"').is_some_and(|inside| inside.trim_ascii_start() == "\"")
}

/// A list given twice must be the same twice; an empty one says nothing.
fn merge<T: PartialEq>(known: &mut Parts<T>, read: Parts<T>) {
    known.wrong |= read.wrong;
    known.clash |= read.clash;
    if known.items.is_empty() {
        known.items = read.items;
    } else if !read.items.is_empty() && known.items != read.items {
        known.clash = true;
    }
}

struct DraftSeed<'o, 'a>(&'o mut Draft<'a>);

impl<'de> DeserializeSeed<'de> for DraftSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DraftSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameSeed)? {
            let Some(field) = Field::of(&name) else {
                map.next_value::<Skip>()?;
                continue;
            };
            self.0.snake |= name.snake && field.is_of_row();
            self.0.capital |= name.capital && field == Field::EventType;
            self.0.take(field, &mut map)?;
        }
        self.0.settle();
        Ok(())
    }
}
