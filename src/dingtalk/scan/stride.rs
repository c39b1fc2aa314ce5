//! Along a shape that is known as far as plain texts and short numbers go: nearly all of an object. Calls nothing, so that
//! what it needs stays in registers; what is out of the ordinary, or no such value, it leaves to who called.

use super::quotes::{Escapes, Quotes};
use super::reader::{Reader, Span};
use super::shape::{Node, Noted, Shapes, Step, WIDTH};
use super::text::{SHORT, short_number};
use crate::dingtalk::field::{Field, Fields};
use crate::dingtalk::value::since_epoch;

/// Places for values: a set of fields has as many bits.
const PLACES: usize = 64;

/// Where a value goes that nobody reads.
pub(super) const ASIDE: u8 = PLACES as u8 - 1;

const _: () = assert!(Field::COUNT <= ASIDE as usize, "each field has a place of its own");

/// A number, or the bits of a [`Span`], by field.
#[derive(Clone, Debug)]
pub(super) struct Slots([u64; PLACES]);

impl Default for Slots {
    fn default() -> Self {
        Self([0; PLACES])
    }
}

/// What an object says, as far as it is plain: places in the text, and numbers.
pub(super) struct Values<'v> {
    /// Of fields without a value it holds whatever another object said.
    slots: &'v mut Slots,
    /// Those that have a value.
    pub(super) given: Fields,
    /// Empty: none.
    pub(super) region: Span,
    pub(super) bucket: Span,
    pub(super) hosts: Hosts,
}

/// Hosts of a storage, kind and text, as they come.
#[derive(Clone, Copy, Default)]
pub(super) struct Hosts {
    all: [(u8, Span); 4],
    count: u8,
}

impl Hosts {
    /// Whether there was room for one more.
    #[inline(always)]
    pub(super) fn push(&mut self, kind: u8, host: Span) -> bool {
        let slot = self.all.get_mut(usize::from(self.count));
        slot.is_some_and(|slot| {
            *slot = (kind, host);
            self.count += 1;
            true
        })
    }

    pub(super) fn as_slice(&self) -> &[(u8, Span)] {
        self.all.get(..usize::from(self.count)).unwrap_or_default()
    }
}

impl<'v> Values<'v> {
    /// None, to be kept in these slots.
    #[inline(always)]
    pub(super) fn none(slots: &'v mut Slots) -> Self {
        let hosts = Hosts { all: [(0, Span::EMPTY); 4], count: 0 };
        Self { slots, given: Fields::default(), region: Span::EMPTY, bucket: Span::EMPTY, hosts }
    }

    /// The value of a field that has one.
    #[inline(always)]
    pub(super) fn get(&self, field: Field) -> Option<u64> {
        self.given.has(field).then_some(self.slots.0[field as usize])
    }

    /// Gives a field a value. `None`: it has one.
    #[inline(always)]
    pub(super) fn give(&mut self, field: Field, value: u64) -> Option<()> {
        if self.given.has(field) {
            return None;
        }
        self.given.add(field);
        self.slots.0[field as usize] = value;
        Some(())
    }

    /// Notes a value at a place. There may have been one: who asks for it must know.
    #[inline(always)]
    fn put(&mut self, place: u8, value: u64) {
        self.slots.0[usize::from(place) % PLACES] = value;
    }
}

/// The end of a text, and zeros: so that as many bytes as are compared can be looked at wherever a place is.
#[derive(Clone, Debug)]
pub(super) struct Tail([u8; 2 * WIDTH]);

impl Default for Tail {
    fn default() -> Self {
        Self([0; 2 * WIDTH])
    }
}

impl Tail {
    /// That of this text. A short one has none, and no shape is tried on it.
    #[inline(always)]
    pub(super) fn set(&mut self, text: &[u8]) {
        if let (Some(end), Some(tail)) = (text.last_chunk::<WIDTH>(), self.0.first_chunk_mut()) {
            *tail = *end;
        }
    }
}

/// Where a stride has come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    /// A node whose text stands there, but what is behind it is no text or number, or not as they mostly are. None of that
    /// number: no shape fits.
    pub(super) node: usize,
    /// Where its text begins.
    pub(super) at: usize,
    /// Fields that were given on the way.
    pub(super) given: Fields,
}

/// Goes on from a node as far as it may.
#[inline(always)]
pub(super) fn stride(shapes: &Shapes, reader: &Reader<'_, '_>, number: usize, values: &mut Values<'_>) -> Stand {
    let begin = Stand { node: number, at: reader.at(), given: Fields::default() };
    let text = Text {
        part: reader.source.text.as_bytes(),
        base: 0,
        quotes: reader.source.quotes,
        escapes: reader.source.escapes,
    };
    match text.go(shapes.nodes(), begin, values) {
        Ok(stand) => stand,
        // nearer to the end than bytes are compared: on in the tail, unless the text is too short to have one
        Err(stand) => match text.part.len().checked_sub(WIDTH) {
            Some(base) => Text { part: &shapes.tail.0, base, ..text }.go(shapes.nodes(), stand, values),
            None => Err(stand),
        }
        .unwrap_or_else(|stand| Stand { node: shapes.nodes().len(), ..stand }),
    }
}

/// A text with what is known of it.
struct Text<'t> {
    /// The text, or its end and zeros.
    part: &'t [u8],
    /// Where that begins.
    base: usize,
    quotes: Quotes<'t>,
    escapes: Escapes,
}

impl<'t> Text<'t> {
    /// Bytes at a place.
    #[inline(always)]
    fn window<const BYTES: usize>(&self, at: usize) -> Option<&'t [u8; BYTES]> {
        // texts are below 4 GB: a place is known not to overflow
        let from = at.wrapping_sub(self.base) as u32 as usize;
        self.part.get(from..from + BYTES)?.first_chunk()
    }

    /// Goes on as far as it may; an error where there are fewer bytes than are compared.
    #[inline(always)]
    fn go(&self, nodes: &[Node], from: Stand, values: &mut Values<'_>) -> Result<Stand, Stand> {
        let Stand { node: mut number, mut at, mut given } = from;
        while let Some(node) = nodes.get(number) {
            let Some(there) = self.window(at) else { return Err(Stand { node: number, at, given }) };
            if !node.is(there) {
                number = usize::from(node.other);
                continue;
            }
            let Some(to) = self.value(node, at + node.len(), values, &mut given) else { break };
            at = to;
            number = node.behind(number);
        }
        Ok(Stand { node: number, at, given })
    }

    /// Where the text that begins at a place ends, if it has no escape.
    #[inline(always)]
    fn end(&self, from: usize) -> Option<usize> {
        let from = from as u32 as usize;
        self.quotes.next(from).filter(|to| !self.escapes.may_be_in(from, *to))
    }

    /// A whole number as it is mostly written, and where it ends.
    #[inline(always)]
    fn number(&self, from: usize) -> Option<(u64, usize)> {
        let (number, count) = short_number(self.window::<SHORT>(from)?)?;
        Some((number, from + count))
    }

    /// Notes the value that stands behind the text of a node, and gives its end. `None`: it was left.
    #[inline(always)]
    fn value(&self, node: &Node, from: usize, values: &mut Values<'_>, given: &mut Fields) -> Option<usize> {
        match node.noted {
            Noted::Text => {
                let to = self.end(from)?;
                values.put(node.slot, Span::new(from as u32, to as u32).bits());
                // the empty string is no value
                *given = given.or(if to == from { Fields::default() } else { node.field });
                Some(to)
            }
            Noted::Number => {
                let (number, to) = self.number(from)?;
                values.put(node.slot, number);
                *given = given.or(node.field);
                Some(to)
            }
            Noted::Stepwise => self.stepwise(node.step, from, values, given),
        }
    }

    /// The same, of a value that is noted as its step says.
    #[inline(always)]
    fn stepwise(&self, step: Step, from: usize, values: &mut Values<'_>, given: &mut Fields) -> Option<usize> {
        match step {
            Step::On => Some(from),
            Step::Region => claim(&mut values.region, from, self.end(from)?),
            Step::Bucket => claim(&mut values.bucket, from, self.end(from)?),
            Step::Host(kind) => {
                let to = self.end(from)?;
                let room = to == from || values.hosts.push(kind, Span::new(from as u32, to as u32));
                room.then_some(to)
            }
            Step::Time(field) => {
                let (number, to) = self.number(from)?;
                values.put(field as u8, since_epoch(number.cast_signed())?.cast_unsigned());
                given.add(field);
                Some(to)
            }
            Step::PassText | Step::Text(_) | Step::PassNumber | Step::Number(_) => None,
            Step::Quoted(_) | Step::Parties(_) | Step::Ids(_) | Step::Pause(..) | Step::End(_) => None,
        }
    }
}

/// A region or a bucket, of which there is one.
#[inline(always)]
fn claim(slot: &mut Span, from: usize, to: usize) -> Option<usize> {
    if to != from {
        if !slot.is_empty() {
            return None;
        }
        *slot = Span::new(from as u32, to as u32);
    }
    Some(to)
}
