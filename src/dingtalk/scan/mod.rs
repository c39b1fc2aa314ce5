//! The fast way: rows, push events, pages and envelopes of them as DingTalk and its collectors write them, with every check
//! of the ordinary way. Accepts only what is certain; about everything else, faults and rarities alike, the ordinary way
//! decides, so that it alone says what an event is and why something is none.
//!
//! * `kernel`, `quotes`: where the quotes are.
//! * `reader`, `text`: from token to token.
//! * `key`, `found`: one object by its fields.
//! * `shape`, `trail`, `stride`: objects that are written as others before.
//! * `pushed`: push events, whose bodies may be JSON in a string.

mod found;
mod kernel;
mod key;
mod pushed;
mod quotes;
mod reader;
mod shape;
mod stride;
mod text;
mod trail;

pub use kernel::{Kernel, fetch};

use super::envelope::{Context, Each, MOST_NEST, NOTHING, Walk};
use super::field::{Field, Fields};
use super::said::Said;
use super::{Given, push, row};
use found::{Carrier, Found};
use kernel::Task;
use key::Keys;
use reader::{Reader, Slow, Source, Sure};
use shape::Shapes;
use stride::Slots;

/// Longer messages go the ordinary way: marks are kept in memory that stays.
const LONGEST: usize = 256 << 10;

/// Fewer levels than this way may go down unasked.
const LEVELS: u16 = 32;

/// What is kept from message to message by whoever decodes many: memory for the marks of quotes, and known shapes.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    marks: Vec<u8>,
    /// The same, for the JSON in a string.
    inner: Vec<u8>,
    shapes: Shapes,
    slots: Slots,
    pub(super) fast: bool,
}

impl Scratch {
    /// Objects that were read by a shape that was known.
    pub fn shaped(&self) -> u64 {
        self.shapes.fitted
    }

    /// Whether the fast way has decided about the message that was decoded last.
    pub fn was_fast(&self) -> bool {
        self.fast
    }
}

/// The fast way of a decoder.
#[derive(Clone, Copy)]
pub(super) struct Scan {
    pub(super) kernel: Kernel,
    keys: &'static Keys,
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("kernel", &self.kernel).finish_non_exhaustive()
    }
}

impl Scan {
    /// With the fastest kernel that is there and not above `most`.
    pub(super) fn new(most: Kernel) -> Self {
        let kernel = Kernel::ALL.into_iter().rev().find(|kernel| *kernel <= most && kernel.is_there());
        Self { kernel: kernel.unwrap_or(Kernel::Portable), keys: Keys::table() }
    }

    /// Gives the events of a message, if they are certain. If not, none was given.
    #[inline]
    pub(super) fn events<'t>(
        &self,
        walk: Walk<'_>,
        bytes: &'t [u8],
        scratch: &mut Scratch,
        each: &mut impl FnMut(&mut Given<'t>),
    ) -> Result<(), NotSure> {
        let configured =
            walk.envelope.payload.is_some() || walk.envelope.tenant.is_some() || walk.envelope.enrichment.is_some();
        if configured || bytes.len() > LONGEST || walk.limits.depth < LEVELS {
            return Err(NotSure);
        }
        let marks = with_room(&mut scratch.marks, bytes.len());
        let (text, quotes, escapes) = self.kernel.read(bytes, marks).ok_or(NotSure)?;
        let source = Source { text, quotes, escapes, keys: self.keys };
        scratch.shapes.tail.set(bytes);
        let way = Way { walk, scan: *self, shapes: &mut scratch.shapes, inner: &mut scratch.inner };
        self.kernel.run(Message { way, source: &source, slots: &mut scratch.slots, each }).map_err(|Slow| NotSure)
    }
}

/// Memory with room for the marks of so many bytes.
#[inline(always)]
fn with_room(marks: &mut Vec<u8>, bytes: usize) -> &mut [u8] {
    let room = kernel::room(bytes);
    if marks.len() < room {
        marks.resize(room, 0);
    }
    marks
}

/// A message whose quotes are known, to be read.
struct Message<'m, 't, 's, F> {
    way: Way<'m>,
    source: &'s Source<'t, 's>,
    slots: &'s mut Slots,
    each: &'m mut F,
}

impl<'t, F: FnMut(&mut Given<'t>)> Task for Message<'_, 't, '_, F> {
    type Output = Sure<()>;

    #[inline(always)]
    fn run(mut self) -> Sure<()> {
        self.way.message(Reader::new(self.source), self.slots, self.each)
    }
}

/// The ordinary way must decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotSure;

struct Way<'d> {
    walk: Walk<'d>,
    scan: Scan,
    shapes: &'d mut Shapes,
    /// Memory for the marks of the JSON in a string.
    inner: &'d mut Vec<u8>,
}

impl Way<'_> {
    /// A bare row is what is mostly there: whoever takes its event is inlined here, and only here.
    #[inline(always)]
    fn message<'t, 's>(
        &mut self,
        mut reader: Reader<'t, 's>,
        slots: &'s mut Slots,
        each: &mut impl FnMut(&mut Given<'t>),
    ) -> Sure<()> {
        match reader.byte() {
            b'{' => {
                let mut found = Found::up_to_carrier(&reader, slots);
                found.fill(&mut reader, self.shapes)?;
                if found.is_paused() {
                    return self.around(&mut found, reader, &mut |given| each(given));
                }
                if reader.is_done() { self.object(&mut found, &NOTHING, each) } else { Err(Slow) }
            }
            b'[' => self.bare_page(reader, &mut |given| each(given)),
            _ => Err(Slow),
        }
    }

    /// What is around an object, at which `outer` is paused: nothing is given before the end of both was seen.
    #[inline(always)]
    fn around<'t, 's>(
        &mut self,
        outer: &mut Found<'t, 's>,
        mut reader: Reader<'t, 's>,
        each: Each<'_, 't>,
    ) -> Sure<()> {
        let (mut inside, mut slots) = (reader, Slots::default());
        let mut inner = Found::new(&inside, &mut slots);
        inner.fill(&mut inside, self.shapes)?;
        reader.go(inside.at());
        outer.fill(&mut reader, self.shapes)?;
        if !reader.is_done() {
            return Err(Slow);
        }
        if is_more_than_envelope(outer) {
            return self.push(outer, Some(&inner), &NOTHING, &mut |given| each(given));
        }
        self.object(&mut inner, &NOTHING.inside(outer), each)
    }

    fn bare_page<'t>(&mut self, mut reader: Reader<'t, '_>, each: Each<'_, 't>) -> Sure<()> {
        let page = reader;
        reader.skip()?;
        if reader.is_done() { self.page(page, &NOTHING, each) } else { Err(Slow) }
    }

    /// A row, a push event, or what is around one.
    #[inline(always)]
    fn object<'t>(
        &mut self,
        found: &mut Found<'t, '_>,
        context: &Context<'t>,
        each: &mut (impl FnMut(&mut Given<'t>) + ?Sized),
    ) -> Sure<()> {
        let carrier = match found.carrier {
            None if row::is_row(found) => return give_row(found, context, each),
            Some(carrier) if !is_more_than_envelope(found) && context.depth() < MOST_NEST => carrier,
            Some(_) | None => return self.push(found, None, context, &mut |given| each(given)),
        };
        self.carried(carrier, &context.inside(found), &mut |given| each(given))
    }

    /// What is inside an envelope. The envelope was read to its end, so that this is certain to be JSON.
    #[inline(never)]
    fn carried<'t>(&mut self, carrier: Carrier<'t, '_>, context: &Context<'t>, each: Each<'_, 't>) -> Sure<()> {
        let mut value = carrier.value;
        match value.byte() {
            b'{' => {
                let mut slots = Slots::default();
                let mut found = Found::new(&value, &mut slots);
                found.fill(&mut value, self.shapes)?;
                self.object(&mut found, context, each)
            }
            // an empty array is a page only where pages are
            b'[' if carrier.field == Field::Page || !is_empty(value) => self.page(value, context, each),
            _ => Err(Slow),
        }
    }

    /// The rows of a page that was read to its end. A row that is not certain goes the ordinary way alone.
    fn page<'t>(&mut self, page: Reader<'t, '_>, context: &Context<'t>, each: Each<'_, 't>) -> Sure<()> {
        // an element and what is behind it take two bytes: a short page needs no count
        let most = (page.source.text.len() - page.at()) / 2;
        if most > self.walk.limits.events && self.count(page)? > self.walk.limits.events {
            return Err(Slow);
        }
        let mut reader = page;
        if !reader.enter(b']') {
            return Ok(());
        }
        let mut slots = Slots::default();
        loop {
            let mut inside = reader;
            let mut found = Found::new(&inside, &mut slots);
            let object = inside.byte() == b'{';
            let read = if object { found.fill(&mut inside, self.shapes) } else { Err(Slow) };
            let given = read.and_then(|()| match row::is_row(&found) {
                true => give_row(&mut found, context, each),
                false => self.push(&found, None, context, &mut |given| each(given)),
            });
            if given == Err(Slow) {
                let from = reader.at();
                reader.skip()?;
                let row = reader.source.text.get(from..reader.at()).unwrap_or_default();
                self.walk.row(row, context, each);
            } else {
                reader.go(inside.at());
            }
            if !reader.more(b']')? {
                return Ok(());
            }
        }
    }

    fn count(&self, mut page: Reader<'_, '_>) -> Sure<usize> {
        let mut count = 0;
        if !page.enter(b']') {
            return Ok(0);
        }
        loop {
            page.skip()?;
            count += 1;
            if !page.more(b']')? {
                return Ok(count);
            }
        }
    }
}

/// Gives the event of what [is a row](row::is_row), if nothing is inside that may hold another. None was given if it is not
/// certain.
#[inline(always)]
fn give_row<'t>(
    found: &mut Found<'t, '_>,
    context: &Context<'t>,
    each: &mut (impl FnMut(&mut Given<'t>) + ?Sized),
) -> Sure<()> {
    if found.carrier.is_some() || found.is_odd() {
        return Err(Slow);
    }
    row::give(found, context, each).map_err(|_| Slow)
}

/// Is a row itself, or says more than an envelope does.
fn is_more_than_envelope(found: &Found<'_, '_>) -> bool {
    row::is_row(found) || found.is_odd() || says_more(found) || push::shape(found).is_some()
}

/// Says more than an envelope does: a push event, an error.
fn says_more(found: &Found<'_, '_>) -> bool {
    const PUSH: Fields =
        Fields::of(&[Field::EventType, Field::BizType, Field::SyncAction, Field::Error, Field::Success]);
    let error = found.number(Field::Error).is_some_and(|code| code != 0) || found.number(Field::Success) == Some(0);
    let harmless = Fields::of(&[Field::Error, Field::Success]);
    found.has(PUSH.without(harmless)) || error
}

fn is_empty(mut array: Reader<'_, '_>) -> bool {
    !array.enter(b']')
}
