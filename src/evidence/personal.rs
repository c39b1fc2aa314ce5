//! The personal fields of a record: which they are, and how they are sealed under a key of their subject, so that the key
//! can be destroyed and every proof still stands. Pure, but for the key that is given.
//!
//! A sealed record is the record without these fields and with a member `sealed` at its end: base64 of the name of the
//! subject's key, the ciphertext and its tag (ChaCha20-Poly1305, RFC 8439). The cipher's key is the record key,
//! `HMAC-SHA256(subject key, "hw1 record key" || salt)`; it opens this record and no other, so it can be handed to an
//! auditor. It is used once: the nonce is zero. The associated data are the record's id. The plain text is 16 zero bytes,
//! so that no second key opens the same ciphertext, and a JSON array of the fields' values in the order of [`PERSONAL`].

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, AeadInPlace, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::deed::KeyId;
use super::entry::base64;
use super::keys::hmac;
use super::split::{Split, split};

/// Every field of a record that speaks of a person, or leads to one; `[]` are the elements of an array. The order is part of
/// the format: fields are only ever added at the end.
pub const PERSONAL: [&str; 9] = [
    "actor.id",
    "actor.name",
    "actor.address",
    "data.resource",
    "data.space",
    "file_id",
    "event_id",
    "message_sha256",
    "legs[].finding",
];

/// Where the sealed fields stand.
pub(super) const SEALED: &str = "sealed";

/// What the plain text begins with.
const ZEROS: [u8; 16] = [0; 16];

/// A key of a subject. `Debug` shows its name only.
#[derive(Clone)]
pub struct SubjectKey {
    id: KeyId,
    key: [u8; 32],
}

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SubjectKey({})", self.id)
    }
}

impl SubjectKey {
    /// The key of these bytes. Its name is a digest of it, so that the name commits to the key.
    pub fn new(key: [u8; 32]) -> Self {
        let digest = Sha256::new().chain_update("hw1 subject key").chain_update(key).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self { id: KeyId(id), key }
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Its bytes, for the keyring.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// The key of one record: what `seal` and `open` use.
    pub fn record_key(&self, salt: &[u8; 16]) -> RecordKey {
        let text = [b"hw1 record key".as_slice(), salt].concat();
        RecordKey { subject: self.id, key: hmac(&self.key, &text) }
    }

    /// Seals the personal fields of a record; `None` if it is not one line with a JSON object that has a text `id`, or is
    /// sealed already.
    pub fn seal(&self, record: &str, salt: &[u8; 16]) -> Option<String> {
        self.record_key(salt).seal(split(record)?)
    }

    /// The same, if the record has this `id`.
    pub(super) fn seal_as(&self, id: &str, record: &str, salt: &[u8; 16]) -> Option<String> {
        let split = split(record).filter(|split| split.id == id)?;
        self.record_key(salt).seal(split)
    }

    /// Opens a sealed record; see [`RecordKey::open`].
    pub fn open(&self, record: &str, salt: &[u8; 16]) -> Option<Value> {
        self.record_key(salt).open(record)
    }
}

/// The key of one record. `Debug` shows the name of its subject's key only.
pub struct RecordKey {
    subject: KeyId,
    key: [u8; 32],
}

impl std::fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordKey({})", self.subject)
    }
}

impl RecordKey {
    /// The key in base64, to be handed out with its record.
    pub fn text(&self) -> String {
        base64(&self.key).to_string()
    }

    fn seal(&self, split: Split<'_>) -> Option<String> {
        let mut sealed = [self.subject.0.as_slice(), &ZEROS, split.personal.as_bytes()].concat();
        let (_, plain) = sealed.split_at_mut(self.subject.0.len());
        let tag = self.cipher().encrypt_in_place_detached(&Nonce::default(), split.id.as_bytes(), plain).ok()?;
        sealed.extend_from_slice(&tag);
        let mut record = split.open;
        record.pop().filter(|end| *end == '}')?;
        record.reserve(SEALED.len() + sealed.len().div_ceil(3) * 4 + 8);
        record.extend([",\"", SEALED, "\":\""]);
        STANDARD.encode_string(&sealed, &mut record);
        record.push_str("\"}");
        Some(record)
    }

    /// Opens a sealed record: the record with its personal fields, though not always in the order in which they were
    /// written. `None` if it is not sealed under this key.
    pub fn open(&self, record: &str) -> Option<Value> {
        let mut record: Value = serde_json::from_str(record).ok()?;
        let sealed = record.as_object_mut()?.remove(SEALED)?;
        let bytes = STANDARD.decode(sealed.as_str()?).ok()?;
        let (subject, sealed) = bytes.split_first_chunk::<16>()?;
        let own = record.get("id")?.as_str()?;
        let plain = self.cipher().decrypt(&Nonce::default(), payload(own, sealed)).ok()?;
        let personal = plain.strip_prefix(&ZEROS).filter(|_| *subject == self.subject.0)?;
        let personal: Vec<Value> = serde_json::from_slice(personal).ok()?;
        PERSONAL.iter().zip(personal).for_each(|(path, value)| put(&mut record, path, value));
        Some(record)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&self.key.into())
    }
}

fn payload<'a>(id: &'a str, msg: &'a [u8]) -> Payload<'a, 'a> {
    Payload { msg, aad: id.as_bytes() }
}

/// The name of the key that a record is sealed under; `None` if it is not sealed.
pub fn key_of(record: &str) -> Option<KeyId> {
    #[derive(Deserialize)]
    struct Sealed<'a> {
        #[serde(borrow)]
        sealed: Cow<'a, str>,
    }
    let sealed = serde_json::from_str::<Sealed<'_>>(record).ok()?.sealed;
    let bytes = STANDARD.decode(sealed.as_bytes()).ok()?;
    bytes.first_chunk::<16>().map(|id| KeyId(*id))
}

/// Puts a value back where `path` says. What does not fit is left out: a record is shown, never written from this.
fn put(record: &mut Value, path: &str, value: Value) {
    if value.is_null() {
        return;
    }
    if let Some((array, rest)) = path.split_once("[].") {
        let Some(elements) = record.get_mut(array).and_then(Value::as_array_mut) else { return };
        let Value::Array(values) = value else { return };
        elements.iter_mut().zip(values).for_each(|(element, value)| put(element, rest, value));
    } else if let Some((object, rest)) = path.split_once('.') {
        if let Some(object) = record.get_mut(object) {
            put(object, rest, value);
        }
    } else if let Some(object) = record.as_object_mut() {
        object.insert(path.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Written once and never again.
    const GOLDEN: &str = "{\"id\":\"0a\",\"sealed\":\"pKWJYc4oQzUISJ3j9IAhJuaxPqom1bDrShlpuyNOaSHr/rm4o/uXbvZsdQN+kq0jrLd6cmO3q6AputY96tcDCN6A/1AzwpYIV2j4j6JB\"}";

    fn record() -> Value {
        json!({
            "id": "0a", "message_sha256": "digest", "file_id": "file-12", "event_id": "event-7",
            "actor": {"id": "u-1", "name": "陳大文 \"A\"", "address": "203.0.113.7", "party": "vhb"},
            "data": {"resource": "薪金.xlsx", "space": "space-77", "item": "payroll"},
            "legs": [{"kind": "access", "finding": "find-1"}, {"kind": "send"}, {"kind": "store", "finding": "find-3"}],
            "verdict": "UNCOVERED"
        })
    }

    #[test]
    fn a_sealed_record_shows_nothing_personal_and_opens_to_the_same_record() {
        let (key, salt) = (SubjectKey::new([3; 32]), [5; 16]);
        let sealed = key.seal(&record().to_string(), &salt).unwrap();
        for text in ["u-1", "陳大文", "203.0.113.7", "薪金", "space-", "find-", "digest", "event-", "file-"] {
            assert!(!sealed.contains(text), "{text} in {sealed}");
        }
        assert!(sealed.contains(r#""item":"payroll""#) && sealed.contains(r#""kind":"send""#));
        assert_eq!(key_of(&sealed), Some(key.id()));
        assert_eq!(key.open(&sealed, &salt), Some(record()));
    }

    #[test]
    fn only_the_same_key_salt_and_record_open_it() {
        let (key, salt) = (SubjectKey::new([3; 32]), [5; 16]);
        let sealed = key.seal(&record().to_string(), &salt).unwrap();
        assert_eq!(SubjectKey::new([4; 32]).open(&sealed, &salt), None);
        assert_eq!(key.open(&sealed, &[6; 16]), None);
        assert_eq!(key.open(&sealed.replace(r#""id":"0a""#, r#""id":"0b""#), &salt), None);
        assert_eq!(key.open(&record().to_string(), &salt), None);
    }

    #[test]
    fn the_sealed_form_is_fixed() {
        let sealed = SubjectKey::new([3; 32]).seal(r#"{"id":"0a","file_id":"1"}"#, &[5; 16]).unwrap();
        assert_eq!(sealed, GOLDEN);
    }

    #[test]
    fn records_without_some_or_all_of_the_fields_survive() {
        let (key, salt) = (SubjectKey::new([3; 32]), [5; 16]);
        for record in [
            json!({"id": "1"}),
            json!({"id": "1", "file_id": null, "data": {"space": null}, "legs": [{"finding": null}, {"finding": "f"}]}),
            json!({"id": "1", "actor": null, "legs": [], "data": "x"}),
            json!({"id": "1", "legs": [1, {"finding": "f"}, []], "actor": {"id": ""}}),
            json!({"id": "1", "actor.id": "odd", "legs": {"finding": "odd"}}),
        ] {
            let sealed = key.seal(&record.to_string(), &salt).unwrap();
            assert_eq!(key.open(&sealed, &salt), Some(record));
        }
    }

    #[test]
    fn what_is_no_record_is_not_sealed() {
        let key = SubjectKey::new([3; 32]);
        for text in ["", "[]", "{", r#"{"id":1}"#, r#"{"a":1}"#, r#"{"id":"1","sealed":"x"}"#] {
            assert_eq!(key.seal(text, &[5; 16]), None, "{text}");
        }
    }
}
