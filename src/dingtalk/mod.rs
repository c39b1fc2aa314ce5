//! DingTalk's events: bytes → [`crate::domain::event::Event`], and what each act moves.
//!
//! This room never does I/O, never asks where anything is and never judges. It reads what DingTalk and its collectors
//! write: file operation records in both casings, the four shapes of push events, pages of them, and envelopes around any
//! of these. In the order in which data meets the modules:
//!
//! * `guard`: size, UTF-8, depth.
//! * `envelope`, [`Path`]: where in the message the events are.
//! * `field`, `value`, `part`, `storage`, `inner`, `draft`: one object read, all spellings of a key as one field.
//! * `row`, `push`: the object as an event, by what it `said`.
//! * [`codes`]: DingTalk's tables; [`legs`]: what an act moves, by these tables.
//!
//! What is ambiguous is refused, never guessed: a field on which a verdict, a place or the event's identity rests, given
//! twice with different values, rejects the event; so does one whose type it cannot have. Platform, record status, size,
//! extension and the actor's name decide nothing and are dropped instead. Null and the empty string are no value.

pub mod codes;
mod draft;
mod envelope;
mod field;
mod guard;
mod inner;
pub mod legs;
mod part;
mod path;
mod push;
mod reject;
mod row;
mod said;
mod scan;
mod span;
mod storage;
mod value;

pub use path::Path;
pub use reject::{Detail, Reason, Reject};
pub use scan::{Kernel, Scratch, fetch};

use crate::domain::event::Event;

/// An event, or why there is none.
pub type Given<'a> = Result<Event<'a>, Reject>;

/// Where a collector's envelope keeps things. `None`: found by the usual names of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The row, page or push event, from the root. If set, it is looked for there and nowhere else.
    pub payload: Option<Path>,
    /// The tenant, from the root. If set and given, it stands above what the event itself says.
    pub tenant: Option<Path>,
    /// What the collector learnt about the storage, from the row or from any envelope around it; the nearest counts.
    /// `_enrichment` is read in any case.
    pub enrichment: Option<Path>,
}

/// Bounds on one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting, the root being the first. For JSON inside a string it counts anew.
    pub depth: u16,
    /// Bytes.
    pub bytes: usize,
    /// Rows of a page, or records in a push event.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, bytes: 4 << 20, events: 10_000 }
    }
}

/// Reads messages. Cheap to make and to share between threads.
#[derive(Clone, Debug)]
pub struct Decoder {
    envelope: Envelope,
    limits: Limits,
    /// `None`: everything goes the ordinary way.
    scan: Option<scan::Scan>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Envelope::default(), Limits::default())
    }
}

impl Decoder {
    /// A decoder for messages in this envelope.
    pub fn new(envelope: Envelope, limits: Limits) -> Self {
        Self { envelope, limits, scan: Some(scan::Scan::new(Kernel::Avx512)) }
    }

    /// The same with no faster kernel than `most`; `None`: without the fast way at all. What is read is the same.
    #[must_use]
    pub fn with_kernel(self, most: Option<Kernel>) -> Self {
        Self { scan: most.map(scan::Scan::new), ..self }
    }

    /// The kernel in use.
    pub fn kernel(&self) -> Option<Kernel> {
        self.scan.map(|scan| scan.kernel)
    }

    /// Gives each event of a message with its index, or the reason why there is none, and returns how many calls that
    /// were.
    ///
    /// A message gives at least one result, with one exception: a page without rows (`{"list":[]}`, which the API answers
    /// when there is nothing new) holds no event and loses none. A bad row of a page is rejected alone under its own
    /// index; a message that is broken as JSON is rejected as a whole before any event is given.
    pub fn decode<'a>(&self, bytes: &'a [u8], each: &mut impl FnMut(u32, Result<Event<'a>, Reject>)) -> u32 {
        self.decode_with(&mut Scratch::default(), bytes, each)
    }

    /// As [`Decoder::decode`], with memory that is kept from message to message.
    pub fn decode_with<'a>(
        &self,
        scratch: &mut Scratch,
        bytes: &'a [u8],
        each: &mut impl FnMut(u32, Result<Event<'a>, Reject>),
    ) -> u32 {
        self.show(scratch, bytes, &mut |index, given| each(index, envelope::taken(given)))
    }

    /// As [`Decoder::decode_with`], where nobody needs to keep the event: it is shown where it was made. It may be taken;
    /// what is put in its place must own no memory, as that is not looked for again.
    pub fn show<'a>(&self, scratch: &mut Scratch, bytes: &'a [u8], each: &mut impl FnMut(u32, &mut Given<'a>)) -> u32 {
        let mut index = 0;
        let mut count = |given: &mut Given<'a>| {
            each(index, given);
            index += 1;
        };
        if let Err(reject) = self.message(scratch, bytes, &mut count) {
            count(&mut Err(reject));
        }
        index
    }

    fn message<'a>(
        &self,
        scratch: &mut Scratch,
        bytes: &'a [u8],
        each: &mut impl FnMut(&mut Given<'a>),
    ) -> Result<(), Reject> {
        let walk = envelope::Walk { envelope: &self.envelope, limits: &self.limits };
        // some tools on Windows write one; a reader may pass over it (RFC 8259 §8.1)
        let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        scratch.fast = bytes.len() <= self.limits.bytes
            && self.scan.is_some_and(|scan| scan.events(walk, plain, scratch, each).is_ok());
        if scratch.fast {
            return Ok(());
        }
        let text = guard::text(bytes, self.limits.bytes)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        guard::depth(text, self.limits.depth)?;
        walk.message(text, each)
    }
}
