//! What a collector learnt about where a file is stored: the answers of DingTalk's storage APIs, or plain fields.
//!
//! Read from, at any depth of the wrapping: `headerSignatureInfo{region, resourceUrls, internalResourceUrls}` (download and
//! upload info), `stsUploadInfo{bucket, endPoint}` (old drive API), `bucketName, endpoint` or `oss` (dedicated storage), or
//! `region, host, bucket, endpoint` of the collector's own in `storage` or at the top. Everything else is passed over; a
//! `region` inside anything else, such as a person, is none of a storage.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::field::Name;
use super::part::NameSeed;
use super::span::Skip;
use super::value::{Scalar, Scalars, ScalarsSeed};
use crate::domain::event::{Storage, Text};

/// Kinds of host claims, in the order in which they stand: what is served first, endpoints after it, internal ones last.
pub(super) const HOSTS: u8 = 6;

/// Claims about a storage, and whether they can be relied on.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Claims<'a> {
    region: Option<Text<'a>>,
    bucket: Option<Text<'a>>,
    /// Kind and text, as they come.
    hosts: SmallVec<[(u8, Text<'a>); 2]>,
    /// Something has a type that it cannot have.
    pub(super) wrong: bool,
    /// One claim is given twice with different values.
    pub(super) clash: bool,
}

/// What a key says in an object about a storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Key {
    /// Addresses, by their kind.
    Host(u8),
    Region,
    Bucket,
    /// More claims.
    Inside,
    #[default]
    Other,
}

/// The meaning of a key in an object about a storage.
pub(super) fn key(name: &Name) -> Key {
    match name.as_bytes() {
        b"host" => Key::Host(0),
        b"resourceurls" | b"resourceurl" => Key::Host(1),
        b"endpoint" => Key::Host(2),
        b"oss" => Key::Host(3),
        b"internalresourceurls" => Key::Host(4),
        b"internalendpoint" => Key::Host(5),
        b"region" => Key::Region,
        b"bucket" | b"bucketname" => Key::Bucket,
        b"storage" | b"headersignatureinfo" | b"stsuploadinfo" | b"filestorage" => Key::Inside,
        _ => Key::Other,
    }
}

impl<'a> Claims<'a> {
    /// The storage as the event carries it.
    pub(super) fn storage(&self) -> Storage<'a> {
        let in_order = (0..HOSTS).flat_map(|kind| self.hosts.iter().filter(move |(known, _)| *known == kind));
        let hosts = in_order.map(|(_, host)| host.clone()).collect();
        Storage { region: self.region.clone(), hosts, bucket: self.bucket.clone() }
    }

    /// The one text of several that is one.
    fn text(&mut self, values: Scalars<'a>) -> Option<Text<'a>> {
        let first = values.items.into_iter().find(|value| *value != Scalar::Nothing)?;
        let text = first.text();
        self.wrong |= text.is_err();
        text.ok().flatten()
    }

    fn put_region(&mut self, values: Scalars<'a>) {
        let Some(text) = self.text(values) else { return };
        match &self.region {
            // the enum's UNKNOWN claims nothing and gives way to whoever knows
            Some(known) if *known == text || text == "UNKNOWN" => {}
            Some(known) if *known != "UNKNOWN" => self.clash = true,
            Some(_) | None => self.region = Some(text),
        }
    }

    fn put_bucket(&mut self, values: Scalars<'a>) {
        let Some(text) = self.text(values) else { return };
        match &self.bucket {
            Some(known) => self.clash |= *known != text,
            None => self.bucket = Some(text),
        }
    }

    /// Takes all addresses: the second may name a place where the first, such as an accelerated one, names none. `given`:
    /// what this object has said of each kind; said twice, it must be the same.
    fn put_hosts(&mut self, kind: u8, values: Scalars<'a>, given: &mut Given) {
        let from = self.hosts.len();
        for value in values.items {
            match value.text() {
                Ok(Some(text)) => self.hosts.push((kind, text)),
                Ok(None) => {}
                Err(_) => self.wrong = true,
            }
        }
        let now = from..self.hosts.len();
        let Some(slot) = given.get_mut(usize::from(kind)).filter(|_| !now.is_empty()) else { return };
        match slot {
            Some(before) => self.clash |= self.hosts.get(before.clone()) != self.hosts.get(now),
            None => *slot = Some(now),
        }
    }
}

/// Of each kind of host, which of the claims one object gave first.
type Given = [Option<Range<usize>>; HOSTS as usize];

/// Reads [`Claims`] from an object.
pub(super) struct ClaimsSeed<'o, 'a>(pub(super) &'o mut Claims<'a>);

impl<'de> DeserializeSeed<'de> for ClaimsSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ClaimsSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object about a storage")
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
        self.0.wrong = true;
        while seq.next_element::<Skip>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut given = Given::default();
        while let Some(name) = map.next_key_seed(NameSeed)? {
            match key(&name) {
                Key::Host(kind) => self.0.put_hosts(kind, map.next_value_seed(ScalarsSeed)?, &mut given),
                Key::Region => self.0.put_region(map.next_value_seed(ScalarsSeed)?),
                Key::Bucket => self.0.put_bucket(map.next_value_seed(ScalarsSeed)?),
                Key::Inside => map.next_value_seed(ClaimsSeed(&mut *self.0))?,
                Key::Other => map.next_value_seed(SeekSeed(&mut *self.0))?,
            }
        }
        Ok(())
    }
}

/// Looks for objects about a storage inside anything else; what stands beside them says nothing.
struct SeekSeed<'o, 'a>(&'o mut Claims<'a>);

impl<'de> DeserializeSeed<'de> for SeekSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SeekSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
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
        while seq.next_element_seed(SeekSeed(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameSeed)? {
            match key(&name) {
                Key::Inside => map.next_value_seed(ClaimsSeed(&mut *self.0))?,
                Key::Host(_) | Key::Region | Key::Bucket | Key::Other => {
                    map.next_value_seed(SeekSeed(&mut *self.0))?;
                }
            }
        }
        Ok(())
    }
}
