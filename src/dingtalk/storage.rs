//! What a collector learnt about where a file is stored: the answers of DingTalk's storage APIs, or plain fields.
//!
//! Read from, at any depth of the wrapping: `headerSignatureInfo{region, resourceUrls, internalResourceUrls}` (download and
//! upload info), `stsUploadInfo{bucket, endPoint}` (old drive API), `bucketName, endpoint` or `oss` (dedicated storage), or
//! `region, host, bucket, endpoint` of the collector's own. Everything else is passed over.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::field::Name;
use super::part::NameSeed;
use super::span::Skip;
use super::value::{Scalar, Scalars, ScalarsSeed};
use crate::domain::event::{Storage, Text};

/// Claims in the order in which they stand for the host: what is served first, endpoints after it, internal ones last.
const HOSTS: usize = 6;
const REGION: usize = HOSTS;
const BUCKET: usize = HOSTS + 1;
const CLAIMS: usize = HOSTS + 2;

/// Claims about a storage, and whether they can be relied on.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Claims<'a> {
    texts: [Option<Text<'a>>; CLAIMS],
    /// Something has a type that it cannot have.
    pub(super) wrong: bool,
    /// One claim is given twice with different values.
    pub(super) clash: bool,
}

enum Key {
    Claim(usize),
    Inside,
    Other,
}

fn key(name: &Name) -> Key {
    match name.as_bytes() {
        b"host" => Key::Claim(0),
        b"resourceurls" | b"resourceurl" => Key::Claim(1),
        b"endpoint" => Key::Claim(2),
        b"oss" => Key::Claim(3),
        b"internalresourceurls" => Key::Claim(4),
        b"internalendpoint" => Key::Claim(5),
        b"region" => Key::Claim(REGION),
        b"bucket" | b"bucketname" => Key::Claim(BUCKET),
        b"storage" | b"headersignatureinfo" | b"stsuploadinfo" | b"filestorage" => Key::Inside,
        _ => Key::Other,
    }
}

impl<'a> Claims<'a> {
    /// The storage as the event carries it.
    pub(super) fn storage(&self) -> Storage<'a> {
        let host = self.texts.iter().take(HOSTS).flatten().next().cloned();
        Storage { region: self.texts[REGION].clone(), host, bucket: self.texts[BUCKET].clone() }
    }

    /// Takes the first of several addresses that is one: DingTalk puts the preferred one first.
    fn put(&mut self, claim: usize, values: Scalars<'a>) {
        let first = values.items.into_iter().find(|value| *value != Scalar::Nothing).unwrap_or(Scalar::Nothing);
        let Ok(text) = first.text() else {
            self.wrong = true;
            return;
        };
        let (Some(text), Some(slot)) = (text, self.texts.get_mut(claim)) else { return };
        match slot {
            Some(before) if *before == text => {}
            // The enum's UNKNOWN claims nothing and gives way to whoever knows.
            Some(_) if claim == REGION && text == "UNKNOWN" => {}
            Some(before) if claim != REGION || *before != "UNKNOWN" => self.clash = true,
            Some(_) | None => *slot = Some(text),
        }
    }
}

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
        while let Some(name) = map.next_key_seed(NameSeed)? {
            match key(&name) {
                Key::Claim(claim) => self.0.put(claim, map.next_value_seed(ScalarsSeed)?),
                Key::Inside => map.next_value_seed(ClaimsSeed(&mut *self.0))?,
                Key::Other => {
                    map.next_value::<Skip>()?;
                }
            }
        }
        Ok(())
    }
}
