//! Which events are the same event. Re-reads of the audit log deliver rows again, out of order; DingTalk gives audit rows
//! no event id, and a file id (`bizId`) stands on many rows.

use compact_str::CompactString;
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use super::siphash::SipHash;
use crate::domain::event::{Act, Event, Id};
use crate::domain::{hex, short};

/// Key of the duplicate check, made at random for each state folder: nobody can craft a row that is taken for another.
#[derive(Clone, Copy, Debug)]
pub struct FingerprintKey(pub [u8; 16]);

/// 128 bits over (tenant, file id, time, act, actor, address, receivers) of an audit row, or over (tenant, event id, type,
/// file, actor, app, receivers) of a push event. `None` when the event has no id at all: it then always counts as new, since to lose an
/// event is worse than to tell it twice.
pub fn fingerprint(event: &Event<'_>, key: &FingerprintKey) -> Option<u128> {
    rest(event, begun(event.tenant.as_deref(), key))
}

/// A fingerprint as far as the tenant.
fn begun(tenant: Option<&str>, key: &FingerprintKey) -> Parts {
    let mut parts = Parts(SipHash::new(key.0));
    parts.text(tenant);
    parts
}

/// Makes one [`fingerprint`] after the other. What hashing a tenant came to is kept: nearly all events are of a few, and of a
/// hash no step can begin before the last is done.
#[derive(Clone, Default)]
pub struct Fingerprints {
    kept: [Begun; TENANTS],
    /// The one that was asked for last.
    last: usize,
}

/// Tenants that are kept.
const TENANTS: usize = 4;

/// Longest tenant that is kept, in bytes.
const LONGEST: usize = 128;

/// A fingerprint as far as a tenant.
#[derive(Clone, Default)]
struct Begun {
    /// By which key it was begun; `None`: it was not.
    key: Option<FingerprintKey>,
    tenant: String,
    /// Whether events name it.
    is_told: bool,
    parts: Parts,
}

impl Fingerprints {
    /// As [`fingerprint`].
    #[inline]
    pub fn of(&mut self, event: &Event<'_>, key: &FingerprintKey) -> Option<u128> {
        let tenant = event.tenant.as_deref();
        match self.kept.get(self.last).filter(|begun| begun.is_of(tenant, key)) {
            Some(begun) => rest(event, begun.parts),
            None => rest(event, self.begin(tenant, key)),
        }
    }

    /// As far as another tenant than that of the event before.
    #[inline(never)]
    fn begin(&mut self, tenant: Option<&str>, key: &FingerprintKey) -> Parts {
        if let Some(at) = self.kept.iter().position(|begun| begun.is_of(tenant, key)) {
            self.last = at;
            return self.kept[at].parts;
        }
        let parts = begun(tenant, key);
        let name = tenant.unwrap_or_default();
        if name.len() <= LONGEST {
            self.last = (self.last + 1) % TENANTS;
            let kept = &mut self.kept[self.last];
            (kept.key, kept.is_told, kept.parts) = (Some(*key), tenant.is_some(), parts);
            kept.tenant.clear();
            kept.tenant.push_str(name);
        }
        parts
    }
}

impl Begun {
    #[inline]
    fn is_of(&self, tenant: Option<&str>, key: &FingerprintKey) -> bool {
        let name = tenant.unwrap_or_default();
        let same = self.is_told == tenant.is_some() && short::is_same(self.tenant.as_bytes(), name.as_bytes());
        same && self.key.is_some_and(|known| u128::from_ne_bytes(known.0) == u128::from_ne_bytes(key.0))
    }
}

/// What follows the tenant.
fn rest(event: &Event<'_>, mut hash: Parts) -> Option<u128> {
    match &event.act {
        Act::Audit(code) => {
            let file = event.biz_id.as_ref()?;
            hash.id(Some(file));
            hash.number(code.cast_unsigned());
            hash.number(event.time?.cast_unsigned());
            hash.id(event.actor.user_id.as_ref().map(|id| id.reveal()));
            // a collector may cut times to seconds: two acts in one second from two addresses are two
            hash.text(event.address.as_ref().map(|address| address.reveal().as_ref()));
            // membership rows carry file id 0: what they are about tells them apart
            if *file == Id::Number(0) {
                hash.id(event.space.as_ref().or(event.workspace.as_ref()));
                hash.text(event.resource.as_ref().map(|name| name.reveal().as_ref()));
            }
        }
        Act::Push(kind) => push(event, kind, &mut hash)?,
    }
    for person in &event.counterparts {
        hash.id(person.id.as_ref().map(|id| id.reveal()));
        hash.text(person.name.as_ref().map(|name| name.reveal().as_ref()));
        hash.number(person.kind.unwrap_or(-1).cast_unsigned());
        hash.0.byte(person.member.into());
        hash.number(person.role.unwrap_or(-1).cast_unsigned());
    }
    Some(hash.0.finish())
}

/// What tells one push event from another.
#[cold]
fn push(event: &Event<'_>, kind: &str, hash: &mut Parts) -> Option<()> {
    hash.text(Some(kind));
    hash.text(Some(event.event_id.as_deref()?));
    // one event of the send check carries many files, one authorisation many apps
    hash.text(event.resource.as_ref().map(|name| name.reveal().as_ref()));
    hash.id(event.biz_id.as_ref());
    hash.id(event.actor.user_id.as_ref().map(|id| id.reveal()));
    let app = event.app.as_ref();
    hash.id(app.and_then(|app| app.code.as_ref()));
    hash.text(app.and_then(|app| app.name.as_deref()));
    Some(())
}

/// Feeds parts so that no two lists of parts give the same bytes.
#[derive(Clone, Copy, Default)]
struct Parts(SipHash);

impl Parts {
    #[inline(always)]
    fn number(&mut self, number: u64) {
        self.0.word(u64::from_le_bytes(number.to_ne_bytes()));
    }

    #[inline(always)]
    fn text(&mut self, text: Option<&str>) {
        self.number(text.map_or(u64::MAX, |text| text.len() as u64));
        self.0.bytes(text.unwrap_or_default().as_bytes());
    }

    #[inline(always)]
    fn id(&mut self, id: Option<&Id<'_>>) {
        // a number and a text of the same bytes differ by this mark
        self.0.byte(matches!(id, Some(Id::Number(_))).into());
        match id {
            Some(Id::Number(number)) => self.number(*number),
            Some(Id::Text(text)) => self.text(Some(text)),
            None => self.text(None),
        }
    }
}

/// Stable id of an event's record: the digest of its position. The same position always has the same id.
pub fn record_id(topic: &str, partition: i32, offset: u64, index: u32) -> CompactString {
    digest(&position(topic, partition, offset, index))
}

/// Id of the record of a standing arrangement, for which the event at this position was the occasion.
pub fn standing_id(topic: &str, partition: i32, offset: u64, index: u32, subject: &str) -> CompactString {
    let mut position = position(topic, partition, offset, index);
    position.push(b'/');
    position.extend_from_slice(subject.as_bytes());
    digest(&position)
}

/// `5:audit/0/17/2`. Most need no memory.
fn position(topic: &str, partition: i32, offset: u64, index: u32) -> SmallVec<[u8; 128]> {
    let mut number = itoa::Buffer::new();
    let mut position = SmallVec::new();
    position.extend_from_slice(number.format(topic.len()).as_bytes());
    position.push(b':');
    position.extend_from_slice(topic.as_bytes());
    position.push(b'/');
    position.extend_from_slice(number.format(partition).as_bytes());
    position.push(b'/');
    position.extend_from_slice(number.format(offset).as_bytes());
    position.push(b'/');
    position.extend_from_slice(number.format(index).as_bytes());
    position
}

fn digest(bytes: &[u8]) -> CompactString {
    hex::id(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use siphasher::sip128::{Hasher128, SipHasher13};

    use super::*;
    use crate::domain::event::{Counterpart, Personal, Shape};

    fn event<'a>(tenant: Option<&'a str>, user: &'a str) -> Event<'a> {
        let mut event = Event::new(Shape::AuditRow, Act::Audit(8));
        event.tenant = tenant.map(Into::into);
        (event.biz_id, event.time) = (Some(Id::Number(24_870_551_923)), Some(1_763_456_712_345));
        event.actor.user_id = Some(Personal::new(Id::from_text(user.into())));
        event.address = Some(Personal::new("203.0.113.9".into()));
        event
    }

    /// The window of duplicates outlives the program: what an event's bytes are must stay.
    #[test]
    fn a_fingerprint_is_that_of_these_bytes() {
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend(text.len().to_ne_bytes());
            bytes.extend(text.as_bytes());
        };
        for user in (0..200).map(|len| "manager4521".chars().cycle().take(len).collect::<String>()) {
            let mut bytes = Vec::new();
            text(&mut bytes, "ding8f2c41a0");
            bytes.push(1);
            bytes.extend(24_870_551_923_u64.to_ne_bytes());
            bytes.extend(8_i64.to_ne_bytes());
            bytes.extend(1_763_456_712_345_i64.to_ne_bytes());
            bytes.push(0);
            text(&mut bytes, &user);
            text(&mut bytes, "203.0.113.9");
            bytes.push(1);
            bytes.extend(71_u64.to_ne_bytes());
            text(&mut bytes, &user);
            bytes.extend([2_i64.to_ne_bytes(), (-1_i64).to_ne_bytes()].concat());
            bytes.insert(bytes.len() - 8, 0);
            let mut hash = SipHasher13::new_with_key(&[7; 16]);
            hash.write(&bytes);
            let mut event = event(Some("ding8f2c41a0"), &user);
            let id = Some(Personal::new(Id::Number(71)));
            let name = Some(Personal::new(user.as_str().into()));
            event.counterparts.push(Counterpart { id, name, kind: Some(2), ..Counterpart::default() });
            let of = fingerprint(&event, &FingerprintKey([7; 16]));
            assert_eq!(of, Some(hash.finish128().as_u128()), "{user}");
        }
    }

    #[test]
    fn what_was_hashed_before_changes_no_fingerprint() {
        let long = ["x".repeat(LONGEST), "x".repeat(LONGEST + 1), "x".repeat(LONGEST) + "y"];
        let tenants = [None, Some(""), Some("a"), Some("ab"), Some(&long[0]), Some(&long[1]), Some(&long[2])];
        let mut all = Fingerprints::default();
        let mut prints = std::collections::HashSet::new();
        for round in 0..3 {
            for (first, second) in tenants.iter().flat_map(|first| tenants.iter().map(move |second| (first, second))) {
                for (tenant, user) in [(first, "u"), (second, "u"), (second, "v")] {
                    for key in [FingerprintKey([1; 16]), FingerprintKey([round; 16])] {
                        let event = event(*tenant, user);
                        let print = all.of(&event, &key);
                        assert_eq!(print, fingerprint(&event, &key), "{tenant:?}");
                        prints.insert(print);
                    }
                }
            }
        }
        assert_eq!(prints.len(), tenants.len() * 2 * 3, "two different events have the same");
    }
}
