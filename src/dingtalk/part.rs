//! Parts of an event that are objects or lists of objects: receivers and members, checked files, authorised apps.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::codes;
use super::field::Name;
use super::span::Skip;
use super::value::{Scalar, ScalarSeed, Wrong};
use crate::domain::event::{App, Counterpart, Id, Personal, Text};

/// What was read, and whether it can be relied on.
#[derive(Debug, PartialEq)]
pub(super) struct Parts<T> {
    pub(super) items: SmallVec<[T; 4]>,
    /// Something has a type that it cannot have.
    pub(super) wrong: bool,
    /// A field of an entry is given twice with different values.
    pub(super) clash: bool,
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self { items: SmallVec::new(), wrong: false, clash: false }
    }
}

impl<T> Parts<T> {
    /// The same with other items.
    pub(super) fn map<U>(self, change: impl FnMut(T) -> U) -> Parts<U> {
        Parts { items: self.items.into_iter().map(change).collect(), wrong: self.wrong, clash: self.clash }
    }
}

/// An entry of such a list: which fields it has, and how they are set.
pub(super) trait Part<'a>: Default {
    /// Key of a list inside the object, where the entries are one level down (`authInfo.agent`).
    const INSIDE: Option<&'static [u8]> = None;

    /// Index of the field that a key names.
    fn field(name: &Name) -> Option<usize>;

    /// Sets the field that [`Part::field`] told, written as `name`.
    ///
    /// # Errors
    /// [`Wrong`] if the value cannot be one of this field.
    fn set(&mut self, field: usize, name: &Name, value: Scalar<'a>) -> Result<(), Wrong>;
}

/// Reads a list of entries, or a single one in place of the list.
pub(super) struct PartsSeed<'o, T>(pub(super) &'o mut Parts<T>);

impl<'de, T: Part<'de>> DeserializeSeed<'de> for PartsSeed<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Part<'de>> Visitor<'de> for PartsSeed<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.0.wrong = true;
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.0.wrong = true;
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.0.wrong = true;
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.0.wrong = true;
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.wrong |= !text.is_empty();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(PartsSeed(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut entry = Entry::<T>::default();
        while let Some(name) = map.next_key_seed(NameSeed)? {
            if T::INSIDE.is_some_and(|inside| inside == name.as_bytes()) {
                map.next_value_seed(PartsSeed(&mut *self.0))?;
            } else if let Some(field) = T::field(&name) {
                entry.put(field, &name, map.next_value_seed(ScalarSeed)?);
            } else {
                map.next_value::<Skip>()?;
            }
        }
        self.0.wrong |= entry.wrong;
        self.0.clash |= entry.clash;
        if entry.seen.iter().any(Option::is_some) || T::INSIDE.is_none() {
            self.0.items.push(entry.part);
        }
        Ok(())
    }
}

/// Most distinct fields of any [`Part`].
const MOST_FIELDS: usize = 4;

struct Entry<'a, T> {
    part: T,
    seen: [Option<Scalar<'a>>; MOST_FIELDS],
    wrong: bool,
    clash: bool,
}

impl<T: Default> Default for Entry<'_, T> {
    fn default() -> Self {
        Self { part: T::default(), seen: [const { None }; MOST_FIELDS], wrong: false, clash: false }
    }
}

impl<'a, T: Part<'a>> Entry<'a, T> {
    fn put(&mut self, field: usize, name: &Name, value: Scalar<'a>) {
        let Some(seen) = self.seen.get_mut(field).filter(|_| value != Scalar::Nothing) else { return };
        match seen {
            Some(before) => self.clash |= !same(before, &value),
            None => {
                *seen = Some(value.clone());
                self.wrong |= self.part.set(field, name, value).is_err();
            }
        }
    }
}

/// Whether two spellings of a value mean the same: `7` and `"7"` do.
fn same(a: &Scalar<'_>, b: &Scalar<'_>) -> bool {
    a.clone().id() == b.clone().id()
}

/// Reads a key.
pub(super) struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Name, E> {
        Ok(Name::of(key))
    }
}

/// An entry of `docReceiverList` or `docMemberList`, or the `member` of a push event.
///
/// The names of its fields say what it is rather than the list it is in: DingTalk's own descriptions of the two lists
/// have been the other way round.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Party<'a> {
    counterpart: Counterpart<'a>,
    receiver: bool,
}

impl<'a> Party<'a> {
    /// As a counterpart; the list says what it is only where its own fields do not.
    pub(super) fn into_counterpart(self, member_list: bool) -> Counterpart<'a> {
        let member = self.counterpart.member || (member_list && !self.receiver);
        Counterpart { member, ..self.counterpart }
    }

    /// Notes what the name of a given field says.
    pub(super) fn says(&mut self, member: bool, receiver: bool) {
        self.counterpart.member |= member;
        self.receiver |= receiver;
    }

    /// Sets a field by its index.
    ///
    /// # Errors
    /// [`Wrong`] if the value cannot be one of this field.
    pub(super) fn put(&mut self, field: usize, value: Scalar<'a>) -> Result<(), Wrong> {
        match field {
            0 => self.counterpart.name = value.text()?.map(Personal::new),
            1 => self.counterpart.id = value.id()?.map(Personal::new),
            2 => self.counterpart.kind = code_or_word(&value, codes::member_type)?,
            _ => self.counterpart.role = code_or_word(&value, |_| None)?,
        }
        Ok(())
    }
}

impl<'a> Part<'a> for Party<'a> {
    fn field(name: &Name) -> Option<usize> {
        match name.as_bytes() {
            b"membername" | b"receivername" => Some(0),
            b"memberid" | b"receiverid" | b"userid" | b"unionid" => Some(1),
            b"membertype" | b"receivertype" => Some(2),
            b"permissionrole" | b"rolecode" => Some(3),
            _ => None,
        }
    }

    fn set(&mut self, field: usize, name: &Name, value: Scalar<'a>) -> Result<(), Wrong> {
        self.says(name.as_bytes().starts_with(b"member"), name.as_bytes().starts_with(b"receiver"));
        self.put(field, value)
    }
}

/// A code that push events may write as a word; a word that is not known is no code.
fn code_or_word(value: &Scalar<'_>, known: fn(&str) -> Option<i64>) -> Result<Option<i64>, Wrong> {
    match value {
        Scalar::Text(word) if word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_') => Ok(known(word)),
        Scalar::Nothing | Scalar::Unsigned(_) | Scalar::Negative(_) => value.code(),
        Scalar::Text(_) | Scalar::Flag(_) | Scalar::Other => value.code(),
    }
}

/// An entry of `fileRecords` in `org_file_send_check`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Checked<'a> {
    pub(super) conversation: Option<Id<'a>>,
    pub(super) file: Option<Text<'a>>,
    pub(super) user: Option<Id<'a>>,
    /// Tells the files of one event apart.
    pub(super) request: Option<Id<'a>>,
}

impl<'a> Part<'a> for Checked<'a> {
    fn field(name: &Name) -> Option<usize> {
        match name.as_bytes() {
            b"opencid" | b"openconversationid" => Some(0),
            b"filename" => Some(1),
            b"userid" => Some(2),
            b"requestid" => Some(3),
            _ => None,
        }
    }

    fn set(&mut self, field: usize, _: &Name, value: Scalar<'a>) -> Result<(), Wrong> {
        match field {
            0 => self.conversation = value.id()?,
            1 => self.file = value.text()?,
            2 => self.user = value.id()?,
            _ => self.request = value.id()?,
        }
        Ok(())
    }
}

/// An entry of `authInfo.agent` in `org_suite_auth`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Agent<'a>(pub(super) App<'a>);

impl<'a> Part<'a> for Agent<'a> {
    const INSIDE: Option<&'static [u8]> = Some(b"agent");

    fn field(name: &Name) -> Option<usize> {
        match name.as_bytes() {
            b"appid" => Some(0),
            b"agentname" => Some(1),
            // says nothing that is used, yet the agent is there
            b"agentid" => Some(2),
            _ => None,
        }
    }

    fn set(&mut self, field: usize, _: &Name, value: Scalar<'a>) -> Result<(), Wrong> {
        match field {
            0 => self.0.code = value.id()?,
            1 => self.0.name = value.text()?,
            _ => {}
        }
        Ok(())
    }
}
