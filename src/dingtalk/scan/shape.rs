//! Objects that are written as others before: the same keys in the same order, with the same space between them.
//!
//! Whoever writes events writes them by a few shapes. What stands between the values that vary is compared with what stood
//! there before, 32 bytes in a step, instead of being read again: nothing of it need be looked up, and what it meant then
//! it means now. Shapes are kept as a tree of such texts; where two shapes part, their texts are tried in turn.
//!
//! Nothing rests on a shape but speed. One is learnt from an object that the scanner has read to its end, and only the
//! values that the scanner notes on the way may vary; everything else stands for itself, byte for byte. An object that fits
//! no shape is read as if there were none.

use smallvec::SmallVec;

use super::stride::{ASIDE, Tail};
use super::trail::{Trail, Value};
use crate::dingtalk::field::{Field, Fields};

/// Bytes of text that a node compares.
pub(super) const WIDTH: usize = 32;

/// Nodes that are kept. When there is room for no more, all are forgotten: what occurs often is soon known again.
const MOST_NODES: usize = 2048;

/// Nodes of one object, at the most: a page of objects is none that comes again.
pub(super) const MOST_OF_ONE: usize = 256;

/// Room for what shapes say by themselves; there are few such things to say.
const MOST_FIXED: usize = 256;

/// Texts that are tried at one place.
const MOST_BRANCHES: usize = 16;

/// Shapes are learnt from one object of 256 that fit none, at the least.
const MOST_PATIENCE: u32 = 8;

/// What stands behind a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// More of the text.
    On,
    /// A string or a whole number that nobody reads.
    PassText,
    PassNumber,
    Text(Field),
    Number(Field),
    Time(Field),
    /// A number or a time as text.
    Quoted(Field),
    Region,
    Bucket,
    Host(u8),
    /// A list of receivers or members; stands at its bracket.
    Parties(Field),
    /// A list of ids of people; stands at its bracket.
    Ids(Field),
    /// An object that may hold the event; and the number of what else is known by now.
    Pause(Field, u16),
    /// Nothing: the object is over.
    End(u16),
}

/// How a value behind a text is noted: nearly all are so in one of two ways, whatever they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// A string, by where it is.
    Text,
    /// A whole number, as it is.
    Number,
    /// As the step says.
    Stepwise,
}

/// What an object says by its shape alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fixed {
    /// Fields with a value that did not vary.
    pub(super) slots: SmallVec<[(Field, u64); 2]>,
    /// Fields that are texts wherever they have a value.
    pub(super) texts: Fields,
    pub(super) seen: Fields,
    pub(super) snake: bool,
    pub(super) capital: bool,
    pub(super) framed: bool,
}

/// A text, and what stands behind it.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Node {
    text: [u8; WIDTH],
    len: u8,
    pub(super) noted: Noted,
    /// Where the value goes, and the field that is given by it; none for a value that nobody reads.
    pub(super) slot: u8,
    pub(super) field: Fields,
    pub(super) step: Step,
    /// What comes next, if the text is there; and whether that is the node behind this one.
    pub(super) next: u16,
    pub(super) is_straight: bool,
    /// What is tried next, if not.
    pub(super) other: u16,
}

/// No node.
const NONE: u16 = u16::MAX;

/// Where an object begins to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// At its opening bracket.
    Object,
    /// The same, to be read no further than to an object that may hold the event.
    Carrier,
    /// Behind that.
    Behind,
}

/// The shapes that are known to one reader of messages.
#[derive(Clone, Debug)]
pub(super) struct Shapes {
    nodes: Vec<Node>,
    fixed: Vec<Fixed>,
    /// The first node of each root.
    roots: [u16; 3],
    /// Objects that fitted a shape.
    pub(super) fitted: u64,
    /// Objects that fitted none.
    strangers: u32,
    /// Shapes are learnt from one stranger of so many, as a power of two: rarer where nothing comes of it.
    patience: u32,
    /// Times that all was forgotten.
    forgotten: u32,
    /// Memory for the next trail: learning allocates no more than once.
    trail: Trail,
    /// The end of the text at hand.
    pub(super) tail: Tail,
}

impl Default for Shapes {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            fixed: Vec::new(),
            roots: [NONE; 3],
            fitted: 0,
            strangers: 0,
            patience: 0,
            forgotten: 0,
            trail: Trail::default(),
            tail: Tail::default(),
        }
    }
}

impl Shapes {
    #[inline(always)]
    pub(super) fn first(&self, root: Root) -> usize {
        usize::from(self.roots[root as usize])
    }

    #[inline(always)]
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    #[inline(always)]
    pub(super) fn fixed(&self, number: u16) -> Option<&Fixed> {
        self.fixed.get(usize::from(number))
    }

    /// Whether an object that fits no shape is to be learnt from.
    pub(super) fn is_curious(&mut self) -> bool {
        self.strangers = self.strangers.wrapping_add(1);
        self.strangers.is_multiple_of(1 << self.patience)
    }

    /// Learns the shape of the object that was read from `from` up to `to`, where `end` stands.
    pub(super) fn learn(&mut self, text: &[u8], (root, from, to): (Root, usize, usize), trail: &Trail, end: End) {
        let most = trail.values.len() + (to - from) / WIDTH + 2;
        if most > MOST_OF_ONE {
            return self.give_up();
        }
        if self.nodes.len() + most > MOST_NODES {
            self.forget();
        }
        self.nodes.reserve(MOST_NODES - self.nodes.len());
        self.fixed.reserve(MOST_FIXED.saturating_sub(self.fixed.len()));
        let known = self.nodes.len();
        let step = match end {
            End::Object(fixed) => Step::End(self.keep(fixed)),
            End::Carrier(field, fixed) => Step::Pause(field, self.keep(fixed)),
        };
        let last = Value { from: to as u32, to: to as u32, step };
        let (mut at, mut link) = (from, Link::Root(root));
        for value in trail.values.iter().chain([&last]) {
            let Some(between) = text.get(at..value.from as usize) else { return };
            let (parts, rest) = between.as_chunks::<WIDTH>();
            for part in parts {
                let Some(next) = self.grow(link, part, Step::On) else { return };
                link = next;
            }
            let Some(next) = self.grow(link, rest, value.step) else { return };
            (at, link) = (value.to as usize, next);
        }
        if self.nodes.len() > known {
            self.patience = self.patience.saturating_sub(1).max(self.forgotten);
        } else {
            self.give_up();
        }
    }

    fn forget(&mut self) {
        self.nodes.clear();
        self.fixed.clear();
        self.roots = [NONE; 3];
        self.forgotten = (self.forgotten + 1).min(MOST_PATIENCE);
        self.patience = self.patience.max(self.forgotten);
    }

    /// An empty trail, to be given back.
    pub(super) fn lend(&mut self) -> Trail {
        std::mem::take(&mut self.trail).cleared()
    }

    pub(super) fn take_back(&mut self, trail: Trail) {
        self.trail = trail;
    }

    /// Nothing was learnt from an object.
    pub(super) fn give_up(&mut self) {
        self.patience = (self.patience + 1).min(MOST_PATIENCE);
    }

    fn keep(&mut self, fixed: Fixed) -> u16 {
        let known = self.fixed.iter().position(|known| *known == fixed);
        known.unwrap_or_else(|| {
            self.fixed.push(fixed);
            self.fixed.len() - 1
        }) as u16
    }

    /// The branch at a place with this text and step, there or grown. `None`: there are too many.
    fn grow(&mut self, link: Link, text: &[u8], step: Step) -> Option<Link> {
        let node = Node::new(text, step);
        let (mut at, mut last) = (self.follow(link), None);
        for _ in 0..MOST_BRANCHES {
            let Some(known) = self.nodes.get(usize::from(at)) else {
                let number = self.nodes.len() as u16;
                *self.link(last.map_or(link, Link::Other)) = number;
                if let (Link::Next(before), None) = (link, last) {
                    self.nodes[usize::from(before)].is_straight = before + 1 == number;
                }
                self.nodes.push(node);
                return Some(Link::Next(number));
            };
            if (known.text, known.len, known.step) == (node.text, node.len, node.step) {
                return Some(Link::Next(at));
            }
            (last, at) = (Some(at), known.other);
        }
        None
    }

    fn follow(&mut self, link: Link) -> u16 {
        *self.link(link)
    }

    fn link(&mut self, link: Link) -> &mut u16 {
        match link {
            Link::Root(root) => &mut self.roots[root as usize],
            Link::Next(number) => &mut self.nodes[usize::from(number)].next,
            Link::Other(number) => &mut self.nodes[usize::from(number)].other,
        }
    }
}

/// How the reading of an object came to its end, and what it says by its shape alone.
pub(super) enum End {
    Object(Fixed),
    /// At an object that may hold the event.
    Carrier(Field, Fixed),
}

/// A place in the tree where a node hangs.
#[derive(Clone, Copy)]
enum Link {
    Root(Root),
    Next(u16),
    Other(u16),
}

/// Masks for the first bytes of a node's text.
static FIRST: [[u8; WIDTH]; 2 * WIDTH] = {
    let (mut masks, mut len) = ([[0; WIDTH]; 2 * WIDTH], 0);
    while len <= WIDTH {
        let mut at = 0;
        while at < len {
            masks[len][at] = 0xff;
            at += 1;
        }
        len += 1;
    }
    masks
};

impl Node {
    /// Of a text of at most [`WIDTH`] bytes, that leads nowhere yet.
    fn new(text: &[u8], step: Step) -> Self {
        let (noted, field) = match step {
            Step::PassText => (Noted::Text, None),
            Step::PassNumber => (Noted::Number, None),
            Step::Text(field) => (Noted::Text, Some(field)),
            Step::Number(field) => (Noted::Number, Some(field)),
            Step::On | Step::Time(_) | Step::Quoted(_) | Step::Region | Step::Bucket | Step::Host(_) => {
                (Noted::Stepwise, None)
            }
            Step::Parties(_) | Step::Ids(_) | Step::Pause(..) | Step::End(_) => (Noted::Stepwise, None),
        };
        let mut node = Self {
            text: [0; WIDTH],
            len: text.len() as u8,
            noted,
            slot: field.map_or(ASIDE, |field| field as u8),
            field: field.map_or(Fields::default(), |field| Fields::of(&[field])),
            step,
            next: NONE,
            is_straight: false,
            other: NONE,
        };
        node.text[..text.len()].copy_from_slice(text);
        node
    }

    /// Bytes of the text.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// What comes behind this node, which has this number.
    #[inline(always)]
    pub(super) fn behind(&self, number: usize) -> usize {
        if self.is_straight { number + 1 } else { usize::from(self.next) }
    }

    /// Whether the text is what stands at a place.
    #[inline(always)]
    pub(super) fn is(&self, there: &[u8; WIDTH]) -> bool {
        same(there, &self.text, &FIRST[usize::from(self.len) % FIRST.len()])
    }
}

/// Whether two texts are the same where the mask is set.
#[inline(always)]
fn same(one: &[u8; WIDTH], other: &[u8; WIDTH], mask: &[u8; WIDTH]) -> bool {
    let mut differ = 0;
    for at in 0..WIDTH {
        differ |= (one[at] ^ other[at]) & mask[at];
    }
    differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(shapes: &mut Shapes, text: &str) {
        let mut trail = Trail::default();
        text.match_indices(':').for_each(|(at, _)| trail.note(at + 1, at + 2, Step::PassNumber));
        shapes.learn(text.as_bytes(), (Root::Object, 0, text.len()), &trail, End::Object(Fixed::default()));
    }

    #[test]
    fn however_many_shapes_there_are_memory_is_bounded_and_the_last_is_known() {
        let mut shapes = Shapes::default();
        for number in 0..8_000 {
            let (a, b, c) = (number / 256 % 16, number / 16 % 16, number % 16);
            let text = format!("{{\"key{a}\":1,\"key{b}\":1,\"key{c}\":1}}");
            learn(&mut shapes, &text);
            let nodes = shapes.nodes.len();
            assert!(nodes <= MOST_NODES && shapes.fixed.len() == 1);
            learn(&mut shapes, &text);
            // with little room left it is learnt anew
            assert!(shapes.nodes.len() == nodes || nodes + 10 > MOST_NODES, "{text} was not known");
        }
        assert!(shapes.forgotten > 1);
    }

    #[test]
    fn what_brings_nothing_is_tried_ever_more_seldom() {
        let mut shapes = Shapes::default();
        let mut tried = 0;
        for _ in 0..10_000 {
            if shapes.is_curious() {
                tried += 1;
                shapes.give_up();
            }
        }
        assert!((9..100).contains(&tried), "{tried}");
    }
}
