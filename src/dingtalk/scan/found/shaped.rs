//! An object read by a shape that is known; and how one is learnt.

use smallvec::SmallVec;

use super::{Carrier, Found, Pause};
use crate::dingtalk::field::{Field, Fields};
use crate::dingtalk::scan::reader::{Reader, Slow, Span, Sure};
use crate::dingtalk::scan::shape::{End, Fixed, Root, Shapes, Step};
use crate::dingtalk::scan::stride::{Hosts, stride};
use crate::dingtalk::scan::trail::Trail;

/// What is known of an object before a shape is tried, which may turn out not to fit.
#[derive(Default)]
pub(super) struct Before {
    given: Fields,
    texts: Fields,
    lists: Fields,
    seen: Fields,
    region: Span,
    bucket: Span,
    hosts: Hosts,
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

    /// `None`: nothing, as mostly.
    #[inline(always)]
    pub(super) fn before(&self, root: Root) -> Option<Before> {
        (root == Root::Behind).then(|| Before {
            given: self.values.given,
            texts: self.texts,
            lists: self.lists,
            seen: self.seen,
            region: self.values.region,
            bucket: self.values.bucket,
            hosts: self.values.hosts,
            receivers: self.receivers.len(),
            members: self.members.len(),
        })
    }

    /// As it was before.
    #[cold]
    pub(super) fn undo(&mut self, before: &Before) {
        (self.values.given, self.texts, self.seen) = (before.given, before.texts, before.seen);
        self.lists = before.lists;
        (self.values.region, self.values.bucket, self.values.hosts) = (before.region, before.bucket, before.hosts);
        self.receivers.truncate(before.receivers);
        self.members.truncate(before.members);
    }

    /// Reads the object at hand by its shape, with every check that reading it otherwise would make; gives the reader
    /// behind it. [`Slow`] if no shape fits: then some of it may be noted already.
    #[inline(always)]
    pub(super) fn by_shape(&mut self, shapes: &Shapes, root: Root, mut reader: Reader<'t, 's>) -> Sure<Reader<'t, 's>> {
        let mut number = shapes.first(root);
        // given by strides; what was given otherwise is told apart, as nothing may be given twice
        let mut given = Fields::default();
        loop {
            let stand = stride(shapes, &reader, number, &mut self.values);
            given = given.or(stand.given);
            let node = shapes.nodes().get(stand.node).ok_or(Slow)?;
            reader.go(stand.at + node.len());
            number = node.behind(stand.node);
            if let Step::End(fixed) | Step::Pause(_, fixed) = node.step
                && let Some(pause) = self.pause_at(node.step, &reader)
            {
                self.fix(shapes.fixed(fixed).ok_or(Slow)?, given)?;
                self.pause = pause;
                return Ok(reader);
            }
            if !self.step(node.step, &mut reader)? {
                // another value than stood here before
                reader.go(stand.at);
                number = usize::from(node.other);
            }
        }
    }

    /// Whether reading is over at the end of an object, or paused at one that may hold the event, which is noted.
    fn pause_at(&mut self, step: Step, reader: &Reader<'t, 's>) -> Option<Pause> {
        if let Step::Pause(field, _) = step {
            self.carrier = Some(Carrier { field, value: *reader }).filter(|_| reader.byte() == b'{');
            return self.carrier.map(|_| Pause::Now);
        }
        Some(Pause::Never)
    }

    /// Reads what stands behind the text of a node, unless it is another value than stood there before.
    fn step(&mut self, step: Step, reader: &mut Reader<'t, 's>) -> Sure<bool> {
        match step {
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
            Step::Region => Self::claim_text(&mut self.values.region, reader.behind_quote()?)?,
            Step::Bucket => Self::claim_text(&mut self.values.bucket, reader.behind_quote()?)?,
            Step::Host(kind) => {
                let span = reader.behind_quote()?;
                self.host(kind, span)?;
            }
            Step::Parties(field) if reader.byte() == b'[' => self.parties(field, reader)?,
            Step::PassNumber if reader.byte().is_ascii_digit() => reader.number().map(drop)?,
            Step::Number(field) if reader.byte().is_ascii_digit() => {
                let number = reader.number()?;
                self.number_at(field, number)?;
            }
            Step::Time(field) if reader.byte().is_ascii_digit() => {
                let number = reader.number()?;
                self.time_at(field, number)?;
            }
            Step::Ids(field) if reader.byte() == b'[' => self.ids_at(field, reader)?,
            Step::Parties(_) | Step::Ids(_) | Step::PassNumber | Step::Number(_) | Step::Time(_) => return Ok(false),
            Step::Pause(..) | Step::End(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Takes over what the shape alone says.
    #[inline(always)]
    fn fix(&mut self, fixed: &Fixed, given: Fields) -> Sure<()> {
        if !self.seen.and(fixed.seen).is_empty() || !self.values.given.and(given).is_empty() {
            return Err(Slow);
        }
        self.values.given = self.values.given.or(given);
        self.texts = self.texts.or(given.and(fixed.texts));
        for (field, slot) in &fixed.slots {
            self.put(*field, *slot)?;
        }
        self.seen = self.seen.or(fixed.seen);
        self.snake |= fixed.snake;
        self.capital |= fixed.capital;
        self.framed |= fixed.framed;
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
        let (snake, capital, framed) = (self.snake, self.capital, self.framed);
        (self.snake, self.capital, self.framed) = (false, false, false);
        self.trail = Some(shapes.lend());
        let read = self.read(reader);
        let trail = self.trail.take().unwrap_or_default();
        if let Ok(behind) = read {
            match self.end_of_shape(&trail, root, before) {
                Some(end) => {
                    shapes.learn(reader.source.text.as_bytes(), (root, reader.at(), behind.at()), &trail, end);
                }
                None => shapes.give_up(),
            }
        }
        shapes.take_back(trail);
        (self.snake, self.capital) = (self.snake | snake, self.capital | capital);
        self.framed |= framed;
        read
    }

    /// What the shape alone says of the object that was read; `None`: there is something of which no shape can be made.
    fn end_of_shape(&self, trail: &Trail, root: Root, before: &Before) -> Option<End> {
        let mut fixed = Fixed {
            slots: SmallVec::new(),
            texts: trail.texts(),
            seen: self.seen.without(before.seen).without(trail.lists()),
            snake: self.snake,
            capital: self.capital,
            framed: self.framed,
        };
        let mut left = self.values.given.without(before.given).without(trail.fields());
        while let Some(field) = left.first() {
            left = left.without(Fields::of(&[field]));
            fixed.slots.extend(self.values.get(field).map(|slot| (field, slot)));
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
            let text = self.reader.source.text.as_bytes().get(..end).unwrap_or_default();
            let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            trail.note(end - digits, end, step);
        }
    }

    /// Notes that a field has come, if a shape is learnt.
    #[inline(always)]
    pub(super) fn note_field(&mut self, field: Field) {
        if let Some(trail) = &mut self.trail {
            trail.is_more |= trail.came.has(field);
            trail.came.add(field);
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

    /// Notes a list of ids, which is read anew each time. An empty one stands for itself.
    pub(super) fn note_ids(&mut self, field: Field, from: usize, to: usize) {
        if let Some(trail) = &mut self.trail
            && to - from > 2
        {
            trail.note(from, to, Step::Ids(field));
        }
    }

    /// Passes over a value that nobody reads, and notes the strings and whole numbers in it.
    #[inline(always)]
    pub(super) fn pass_over(&mut self, reader: &mut Reader<'t, 's>) -> Sure<()> {
        let from = reader.at();
        reader.skip()?;
        if let Some(trail) = &mut self.trail
            && let Some(value) = reader.source.text.as_bytes().get(from..reader.at())
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
