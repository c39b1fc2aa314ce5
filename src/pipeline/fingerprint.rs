//! Which events are the same event. Re-reads of the audit log deliver rows again, out of order; DingTalk gives audit rows
//! no event id, and a file id (`bizId`) stands on many rows.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::domain::event::{Act, Event, Id};

/// Key of the duplicate check, made at random for each state folder: nobody can craft a row that is taken for another.
#[derive(Clone, Copy, Debug)]
pub struct FingerprintKey(pub [u8; 16]);

/// 128 bits over (tenant, file id, time, act, actor, address, receivers) of an audit row, or over (tenant, event id, type,
/// file, actor, app, receivers) of a push event. `None` when the event has no id at all: it then always counts as new, since to lose an
/// event is worse than to tell it twice.
pub fn fingerprint(event: &Event<'_>, key: &FingerprintKey) -> Option<u128> {
    let mut hash = Parts { hash: SipHasher13::new_with_key(&key.0), bytes: [0; ROOM], len: 0 };
    hash.text(event.tenant.as_deref());
    match &event.act {
        Act::Audit(code) => {
            let file = event.biz_id.as_ref()?;
            hash.id(Some(file));
            hash.bytes(&code.to_ne_bytes());
            hash.bytes(&event.time?.to_ne_bytes());
            hash.id(event.actor.user_id.as_ref().map(|id| id.reveal()));
            // a collector may cut times to seconds: two acts in one second from two addresses are two
            hash.text(event.address.as_ref().map(|address| address.reveal().as_ref()));
            // membership rows carry file id 0: what they are about tells them apart
            if *file == Id::Number(0) {
                hash.id(event.space.as_ref().or(event.workspace.as_ref()));
                hash.text(event.resource.as_ref().map(|name| name.reveal().as_ref()));
            }
        }
        Act::Push(kind) => {
            hash.text(Some(kind));
            hash.text(Some(event.event_id.as_deref()?));
            // one event of the send check carries many files, one authorisation many apps
            hash.text(event.resource.as_ref().map(|name| name.reveal().as_ref()));
            hash.id(event.biz_id.as_ref());
            hash.id(event.actor.user_id.as_ref().map(|id| id.reveal()));
            let app = event.app.as_ref();
            hash.id(app.and_then(|app| app.code.as_ref()));
            hash.text(app.and_then(|app| app.name.as_deref()));
        }
    }
    for person in &event.counterparts {
        hash.id(person.id.as_ref().map(|id| id.reveal()));
        hash.text(person.name.as_ref().map(|name| name.reveal().as_ref()));
        hash.bytes(&person.kind.unwrap_or(-1).to_ne_bytes());
        hash.bytes(&[person.member.into()]);
        hash.bytes(&person.role.unwrap_or(-1).to_ne_bytes());
    }
    Some(hash.finish())
}

/// Bytes that are gathered before they are hashed: hashing many small parts one by one takes three times as long.
const ROOM: usize = 256;

/// Feeds parts so that no two lists of parts give the same bytes.
struct Parts {
    hash: SipHasher13,
    bytes: [u8; ROOM],
    len: usize,
}

impl Parts {
    fn bytes(&mut self, part: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + part.len()) {
            room.copy_from_slice(part);
            self.len += part.len();
        } else {
            self.flush();
            self.hash.write(part);
        }
    }

    fn flush(&mut self) {
        self.hash.write(self.bytes.get(..self.len).unwrap_or_default());
        self.len = 0;
    }

    fn finish(mut self) -> u128 {
        self.flush();
        self.hash.finish128().as_u128()
    }

    fn text(&mut self, text: Option<&str>) {
        self.bytes(&text.map_or(usize::MAX, str::len).to_ne_bytes());
        self.bytes(text.unwrap_or_default().as_bytes());
    }

    fn id(&mut self, id: Option<&Id<'_>>) {
        // a number and a text of the same bytes differ by this mark
        self.bytes(&[matches!(id, Some(Id::Number(_))).into()]);
        match id {
            Some(Id::Number(number)) => self.bytes(&number.to_ne_bytes()),
            Some(Id::Text(text)) => self.text(Some(text)),
            None => self.text(None),
        }
    }
}

/// Stable id of an event's record: the digest of its position. The same position always has the same id.
pub fn record_id(topic: &str, partition: i32, offset: u64, index: u32) -> String {
    digest(&position(topic, partition, offset, index))
}

/// Id of the record of a standing arrangement, for which the event at this position was the occasion.
pub fn standing_id(topic: &str, partition: i32, offset: u64, index: u32, subject: &str) -> String {
    digest(&format!("{}/{subject}", position(topic, partition, offset, index)))
}

fn position(topic: &str, partition: i32, offset: u64, index: u32) -> String {
    format!("{}:{topic}/{partition}/{offset}/{index}", topic.len())
}

fn digest(text: &str) -> String {
    use sha2::{Digest, Sha256};
    crate::domain::hex::hex(&Sha256::digest(text.as_bytes())[..12])
}
