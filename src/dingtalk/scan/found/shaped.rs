//! An object read by a shape that is known; and how one is learnt.

use smallvec::SmallVec;

use super::{Carrier, Found, Pause};
use crate::dingtalk::field::{Field, Fields};
use crate::dingtalk::scan::reader::{Reader, Slow, Span, Sure};
use crate::dingtalk::scan::shape::{End, Fixed, Root, Shapes, Step};
use crate::dingtalk::scan::trail::Trail;

/// What is known of an object before a shape is tried, which may turn out not to fit. Mostly nothing is.
#[derive(Default)]
pub(super) struct Before {
    given: Fields,
    texts: Fields,
    seen: Fields,
    region: Option<Span>,
    bucket: Option<Span>,
    hosts: usize,
    receivers: usize,
    members: usize,
}

impl<'t, 's> Found<'t, 's> {
    /// Where reading begins.
    #[inline(always)]
    pub(super) fn root(&self) -> Root {
        match self.pause {
            Pause::Never => Root::Object,
            Pause::AtCarrier => Root::Carrier,
            Pause::Now => Root::Behind,
        }
    }

    #[inline(always)]
    pub(super) fn before(&self, root: Root) -> Before {
        if root != Root::Behind {
            return Before::default();
        }
        Before {
            given: self.given,
            texts: self.texts,
            seen: self.seen,
            region: self.region,
            bucket: self.bucket,
            hosts: self.hosts.len(),
            receivers: self.receivers.len(),
            members: self.members.len(),
        }
    }

    /// As it was before.
    #[cold]
    pub(super) fn undo(&mut self, before: &Before) {
        (self.given, self.texts, self.seen) = (before.given, before.texts, before.seen);
        (self.region, self.bucket) = (before.region, before.bucket);
        self.hosts.truncate(before.hosts);
        self.receivers.truncate(before.receivers);
        self.members.truncate(before.members);
    }

    /// Reads the object at hand by its shape, with every check that reading it otherwise would make; gives the reader
    /// behind it. [`Slow`] if no shape fits: then some of it may be noted already.
    #[inline(always)]
    pub(super) fn by_shape(&mut self, shapes: &Shapes, root: Root, mut reader: Reader<'t, 's>) -> Sure<Reader<'t, 's>> {
        let mut nodes = shapes.run(shapes.first(root)).ok_or(Slow)?;
        loop {
            let (node, behind) = nodes.split_first().ok_or(Slow)?;
            if !node.is_at(reader.text.as_bytes(), reader.at()) {
                nodes = shapes.run(node.other).ok_or(Slow)?;
                continue;
            }
            let before = reader;
            reader.pass(node.len());
            match node.step {
                Step::On => {}
                Step::PassText => reader.behind_quote().map(drop)?,
                Step::Text(field) => {
                    let span = reader.behind_quote()?;
                    self.text_at(field, span)?;
                }
                Step::Quoted(field) => {
                    let span = reader.behind_quote()?;
                    self.quoted(field, span)?;
                }
                Step::Region => {
                    let span = reader.behind_quote()?;
                    Self::claim_text(&mut self.region, span)?;
                }
                Step::Bucket => {
                    let span = reader.behind_quote()?;
                    Self::claim_text(&mut self.bucket, span)?;
                }
                Step::Host(kind) => {
                    let span = reader.behind_quote()?;
                    self.host(kind, span);
                }
                Step::Parties(field) if reader.byte() == b'[' => {
                    reader.apart(|reader| self.parties(field, reader))?;
                }
                Step::PassNumber if reader.byte().is_ascii_digit() => reader.number().map(drop)?,
                Step::Number(field) if reader.byte().is_ascii_digit() => {
                    let number = reader.number()?;
                    self.number_at(field, number)?;
                }
                Step::Time(field) if reader.byte().is_ascii_digit() => {
                    let number = reader.number()?;
                    self.time_at(field, number)?;
                }
                Step::Pause(field, fixed) if reader.byte() == b'{' => {
                    self.fix(shapes.fixed(fixed).ok_or(Slow)?)?;
                    self.carrier = Some(Carrier { field, value: reader });
                    self.pause = Pause::Now;
                    return Ok(reader);
                }
                Step::End(fixed) => {
                    self.fix(shapes.fixed(fixed).ok_or(Slow)?)?;
                    self.pause = Pause::Never;
                    return Ok(reader);
                }
                // another value than stood here before
                Step::Parties(_) | Step::Pause(..) | Step::PassNumber | Step::Number(_) | Step::Time(_) => {
                    reader = before;
                    nodes = shapes.run(node.other).ok_or(Slow)?;
                    continue;
                }
            }
            nodes = if node.is_straight { behind } else { shapes.run(node.next).ok_or(Slow)? };
        }
    }

    /// Takes over what the shape alone says.
    #[inline(always)]
    fn fix(&mut self, fixed: &Fixed) -> Sure<()> {
        if !self.seen.and(fixed.seen).is_empty() {
            return Err(Slow);
        }
        for (field, slot) in &fixed.slots {
            self.put(*field, *slot)?;
        }
        self.seen = self.seen.or(fixed.seen);
        self.snake |= fixed.snake;
        self.capital |= fixed.capital;
        Ok(())
    }

    /// Reads the object at hand, and learns its shape.
    #[cold]
    pub(super) fn learn(
        &mut self,
        shapes: &mut Shapes,
        (root, before): (Root, &Before),
        reader: Reader<'t, 's>,
    ) -> Sure<Reader<'t, 's>> {
        let (snake, capital) = (self.snake, self.capital);
        (self.snake, self.capital) = (false, false);
        self.trail = Some(shapes.lend());
        let read = self.read(reader);
        let trail = self.trail.take().unwrap_or_default();
        if let Ok(behind) = read {
            match self.end_of_shape(&trail, root, before) {
                Some(end) => {
                    shapes.learn(reader.text.as_bytes(), (root, reader.at(), behind.at()), &trail, end);
                }
                None => shapes.give_up(),
            }
        }
        shapes.take_back(trail);
        (self.snake, self.capital) = (self.snake | snake, self.capital | capital);
        read
    }

    /// What the shape alone says of the object that was read; `None`: there is something of which no shape can be made.
    fn end_of_shape(&self, trail: &Trail, root: Root, before: &Before) -> Option<End> {
        let mut fixed = Fixed {
            slots: SmallVec::new(),
            seen: self.seen.without(before.seen).without(trail.lists()),
            snake: self.snake,
            capital: self.capital,
        };
        let mut left = self.given.without(before.given).without(trail.fields());
        while let Some(field) = left.first() {
            left = left.without(Fields::of(&[field]));
            fixed.slots.push((field, self.slots[field as usize]));
        }
        // a text would have to be noted where it stands, and so would what may hold the event
        let is_placed = fixed.slots.iter().any(|(field, _)| self.texts.has(*field));
        match self.carrier {
            _ if trail.is_more || is_placed => None,
            Some(carrier) if self.pause == Pause::Now => Some(End::Carrier(carrier.field, fixed)),
            Some(_) if root != Root::Behind => None,
            Some(_) | None => Some(End::Object(fixed)),
        }
    }

    /// Notes a text that may vary, if a shape is learnt.
    #[inline(always)]
    pub(super) fn note_text(&mut self, step: Step, span: Span) {
        if let Some(trail) = &mut self.trail {
            trail.note(span.from(), span.to(), step);
        }
    }

    /// Notes the number that ends here.
    #[inline(always)]
    pub(super) fn note_number(&mut self, step: Step, end: usize) {
        if let Some(trail) = &mut self.trail {
            let text = self.reader.text.as_bytes().get(..end).unwrap_or_default();
            let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            trail.note(end - digits, end, step);
        }
    }

    /// Notes a list of receivers or members, which is read anew each time. An empty one stands for itself.
    pub(super) fn note_parties(&mut self, field: Field, from: usize, to: usize) {
        if let Some(trail) = &mut self.trail
            && to - from > 2
        {
            trail.note(from, to, Step::Parties(field));
        }
    }

    /// Passes over a value that nobody reads, and notes the strings and whole numbers in it.
    #[inline(always)]
    pub(super) fn pass_over(&mut self, reader: &mut Reader<'t, 's>) -> Sure<()> {
        let from = reader.at();
        reader.skip()?;
        if let Some(trail) = &mut self.trail
            && let Some(value) = reader.text.as_bytes().get(from..reader.at())
        {
            trail.note_values(value, from);
        }
        Ok(())
    }

    /// Notes that no shape can be made of this object.
    pub(super) fn note_more(&mut self) {
        if let Some(trail) = &mut self.trail {
            trail.is_more = true;
        }
    }
}
