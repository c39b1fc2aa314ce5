//! Batch consumption: many messages a call, read where the client keeps them, without an allocation for each.
//!
//! rust-rdkafka offers messages one at a time; librdkafka's `rd_kafka_consume_batch_queue` costs a third of that. This is the
//! only unsafe code of the source. What it relies on:
//!
//! - The client lives at least as long as everything taken from it: [`Fetcher`] owns a share of the consumer, and gives
//!   back its messages and its queue before that share is dropped.
//! - A message stays where it is until it is destroyed. It is destroyed by [`Fetcher::turn`] or at the end, once;
//!   every slice that is lent borrows the fetcher, so none outlives it.
//! - Partitions are routed to a queue that serves nothing else, so that no rebalance is served while messages are taken;
//!   all other events stay on the consumer's own queue, which the safe `BaseConsumer::poll` serves.
//!
//! It also reads what rust-rdkafka does not show of our membership in the group ([`membership`]).
//!
//! The safe loop over `BaseConsumer::poll` ([`super::Fetch::Poll`]) is its oracle in tests and its fallback in operation.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::RDKafkaErrorCode;

use super::events::Events;
use crate::domain::position::Lane;
use crate::pipeline::report::{Origin, Rejected};

/// Messages a call at most.
pub(super) const MOST: usize = 1000;

/// Takes messages of routed partitions from a consumer.
pub(super) struct Fetcher {
    queue: NonNull<sys::rd_kafka_queue_t>,
    /// What the calls since the last [`Fetcher::turn`] gave.
    held: Vec<NonNull<sys::rd_kafka_message_t>>,
    /// What those before it gave: it is still judged.
    before: Vec<NonNull<sys::rd_kafka_message_t>>,
    consumer: Arc<BaseConsumer<Events>>,
}

/// One message, or an error of a partition, where the client keeps it.
pub(super) struct Fetched<'a>(&'a sys::rd_kafka_message_t);

/// Which topic of this client, for comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TopicHandle(usize);

impl Fetcher {
    /// A fetcher with a queue of its own.
    pub(super) fn new(consumer: Arc<BaseConsumer<Events>>) -> Option<Self> {
        // SAFETY: the handle is that of a live client, of which we own a share.
        let queue = unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) };
        Some(Self { queue: NonNull::new(queue)?, held: Vec::new(), before: Vec::new(), consumer })
    }

    /// Routes a partition's messages here. To be called before the partition is assigned; lasts until it is given up.
    pub(super) fn route(&self, topic: &str, partition: i32) {
        let Ok(topic) = CString::new(topic) else { return };
        // SAFETY: live client, NUL-terminated name. The partition's queue comes with a reference of its own, which is given
        // back here; the client keeps the forwarding, which holds a reference to our queue.
        unsafe {
            let from =
                sys::rd_kafka_queue_get_partition(self.consumer.client().native_ptr(), topic.as_ptr(), partition);
            if !from.is_null() {
                sys::rd_kafka_queue_forward(from, self.queue.as_ptr());
                sys::rd_kafka_queue_destroy(from);
            }
        }
    }

    /// Takes up to `most` messages, waiting at most `wait` for that many, and shows each. Gives how many came.
    pub(super) fn fetch(&mut self, most: usize, wait: Duration, mut each: impl FnMut(&Fetched<'_>)) -> usize {
        let mut taken = [ptr::null_mut(); MOST];
        let most = most.clamp(1, MOST);
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the array has room for `most` pointers; the call fills as many as it says and gives each to us.
        let came = unsafe { sys::rd_kafka_consume_batch_queue(self.queue.as_ptr(), wait, taken.as_mut_ptr(), most) };
        let came = usize::try_from(came).unwrap_or_default();
        for message in taken.into_iter().take(came).filter_map(NonNull::new) {
            self.held.push(message);
            // SAFETY: it is ours until it is released, which needs `self` and cannot happen while `each` borrows it.
            each(&Fetched(unsafe { message.as_ref() }));
        }
        came
    }

    /// Adds key, headers and time to rejected messages that are still held. Both are in input order, so one walk serves.
    pub(super) fn describe(&self, rejected: &mut [Rejected], topic_of: impl Fn(&Lane) -> String) {
        // SAFETY: held messages are alive.
        let mut held =
            self.before.iter().chain(&self.held).map(|message| Fetched(unsafe { message.as_ref() })).peekable();
        for one in rejected {
            let (offset, partition, topic) = (one.position.offset as i64, one.lane.partition, topic_of(&one.lane));
            let is_it = |message: &Fetched<'_>| {
                message.0.offset == offset && message.0.partition == partition && message.topic() == topic
            };
            while held.next_if(|message| !is_it(message)).is_some() {}
            // not taken: the next row may be of the same page
            one.origin = held.peek().map(Fetched::origin);
        }
    }

    /// Another batch begins: gives the messages of the one before the last back to the client.
    pub(super) fn turn(&mut self) {
        for message in self.before.drain(..) {
            // SAFETY: ours, alive, and drained, so destroyed once.
            unsafe { sys::rd_kafka_message_destroy(message.as_ptr()) };
        }
        std::mem::swap(&mut self.before, &mut self.held);
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        // both lots
        self.turn();
        self.turn();
        // SAFETY: ours and destroyed once; the client, which is dropped after this, keeps what it still needs of it.
        unsafe { sys::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

impl Fetched<'_> {
    pub(super) fn handle(&self) -> TopicHandle {
        TopicHandle(self.0.rkt as usize)
    }

    pub(super) fn topic(&self) -> String {
        // SAFETY: a message of a consumer always has its topic, whose name lives as long as the client.
        let name = unsafe { sys::rd_kafka_topic_name(self.0.rkt) };
        text(name)
    }

    pub(super) fn partition(&self) -> i32 {
        self.0.partition
    }

    pub(super) fn offset(&self) -> i64 {
        self.0.offset
    }

    /// `Some`: not a message but an error of the partition.
    pub(super) fn error(&self) -> Option<RDKafkaErrorCode> {
        let code = self.0.err;
        (code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
    }

    /// The bytes; empty for a message without any (a tombstone).
    pub(super) fn payload(&self) -> &[u8] {
        // SAFETY: the client says where the bytes are and how many.
        unsafe { bytes(self.0.payload, self.0.len) }.unwrap_or_default()
    }

    /// Ms since the epoch, where the message has a time.
    pub(super) fn timestamp(&self) -> Option<i64> {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: a live message, and a place for the kind.
        let at = unsafe { sys::rd_kafka_message_timestamp(self.0, &raw mut kind) };
        (kind != sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && at >= 0).then_some(at)
    }

    fn origin(&self) -> Origin {
        // SAFETY: the client says where the key is and how long.
        let key = unsafe { bytes(self.0.key, self.0.key_len) }.map(<[u8]>::to_vec);
        Origin { key, headers: self.headers(), timestamp: self.timestamp() }
    }

    fn headers(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let mut list = ptr::null_mut();
        // SAFETY: a live message; the list belongs to it.
        let found = unsafe { sys::rd_kafka_message_headers(self.0, &raw mut list) };
        if found != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Vec::new();
        }
        (0..).map_while(|index| header(list, index)).collect()
    }
}

/// Our membership in the group, for a transaction; `None` while we are no member. Kafka takes offsets from whoever names no
/// member at all, for the sake of old producers: a member that was thrown out must not commit as nobody.
pub(super) fn membership<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<ConsumerGroupMetadata> {
    let before = member(consumer);
    let membership = consumer.group_metadata();
    // the same before and after: no member gets the same generation and id twice
    let is_member = before.as_ref().is_some_and(|(generation, id)| *generation >= 0 && !id.is_empty());
    membership.filter(|_| is_member && before == member(consumer))
}

/// Generation (or epoch) and id of the member that we are.
fn member<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<(i32, String)> {
    // SAFETY: the handle is that of a live client; what the call gives is ours, read while it lives, and destroyed once.
    unsafe {
        let about = NonNull::new(sys::rd_kafka_consumer_group_metadata(consumer.client().native_ptr()))?;
        let id = text(sys::rd_kafka_consumer_group_metadata_member_id(about.as_ptr()));
        let generation = sys::rd_kafka_consumer_group_metadata_generation_id(about.as_ptr());
        sys::rd_kafka_consumer_group_metadata_destroy(about.as_ptr());
        Some((generation, id))
    }
}

fn header(list: *const sys::rd_kafka_headers_t, index: usize) -> Option<(String, Option<Vec<u8>>)> {
    let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
    // SAFETY: a live list and places for the answers; beyond its end the call says so and fills nothing.
    let found = unsafe { sys::rd_kafka_header_get_all(list, index, &raw mut name, &raw mut value, &raw mut size) };
    let there = found == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
    // SAFETY: filled by the call.
    there.then(|| (text(name), unsafe { bytes(value.cast_mut(), size) }.map(<[u8]>::to_vec)))
}

fn text(name: *const c_char) -> String {
    if name.is_null() {
        return String::new();
    }
    // SAFETY: not null, and NUL-terminated by the client.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

/// # Safety
/// `at` is null, or there are `size` bytes that live as long as the caller's borrow.
unsafe fn bytes<'a>(at: *mut std::ffi::c_void, size: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    NonNull::new(at).map(|at| unsafe { std::slice::from_raw_parts(at.as_ptr().cast::<u8>(), size) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_not_joined_has_no_membership() {
        let mut settings = rdkafka::ClientConfig::new();
        settings.set("group.id", "g").set("bootstrap.servers", "127.0.0.1:1");
        let consumer: BaseConsumer = settings.create().unwrap();
        // the client gives one all the same, which Kafka would take
        assert!(consumer.group_metadata().is_some());
        assert!(membership(&consumer).is_none());
    }
}
