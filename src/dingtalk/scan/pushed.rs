//! Push events by the fast way: head and body are read as other objects are; what they make is told by
//! [`crate::dingtalk::push`], as for the ordinary way.

use super::found::Found;
use super::reader::{Reader, Slow, Source, Span, Sure};
use super::stride::Slots;
use super::{Way, with_room};
use crate::dingtalk::envelope::{Context, Each, taken};
use crate::dingtalk::field::Field;
use crate::dingtalk::push::{self, Frame};
use crate::dingtalk::row;
use crate::domain::event::Event;

impl Way<'_> {
    /// A push event, with its body if that was read already. Nothing was given if it is not certain.
    #[inline(never)]
    pub(super) fn push<'t>(
        &mut self,
        head: &Found<'t, '_>,
        body: Option<&Found<'t, '_>>,
        context: &Context<'t>,
        each: Each<'_, 't>,
    ) -> Sure<()> {
        let shape = push::shape(head).filter(|_| !row::is_row(head)).ok_or(Slow)?;
        let alone = head.carrier.is_none() && head.body.is_none();
        if !alone && !push::is_known(head, shape) {
            return Err(Slow);
        }
        let frame = Frame { shape, head, context, most: self.walk.limits.events };
        match (head.carrier, head.body) {
            (None, None) => events(&frame, None, each),
            (None, Some((_, body))) => self.packed(&frame, body, each),
            (Some(carrier), None) if matches!(carrier.field, Field::Data | Field::BizData) => match body {
                Some(_) => events(&frame, body, each),
                None => {
                    let (mut value, mut slots) = (carrier.value, Slots::default());
                    events(&frame, Some(&self.body(&mut value, &mut slots)?), each)
                }
            },
            (Some(_), _) => Err(Slow),
        }
    }

    /// The body at hand.
    fn body<'t, 's>(&mut self, reader: &mut Reader<'t, 's>, slots: &'s mut Slots) -> Sure<Found<'t, 's>> {
        if reader.byte() != b'{' {
            return Err(Slow);
        }
        let mut body = Found::new(reader, slots);
        body.fill(reader, self.shapes)?;
        Ok(body)
    }

    /// A body that is JSON in a string. What its events say belongs to them: the string is gone afterwards.
    fn packed<'t>(&mut self, frame: &Frame<'_, 't, Found<'t, '_>>, packed: Span, each: Each<'_, 't>) -> Sure<()> {
        let text = frame.head.text_of(packed)?;
        let mut marks = std::mem::take(self.inner);
        let tail = self.shapes.tail.clone();
        let given = self.inside(frame, &text, with_room(&mut marks, text.len()), each);
        self.shapes.tail = tail;
        *self.inner = marks;
        given
    }

    fn inside<'t>(
        &mut self,
        frame: &Frame<'_, 't, Found<'t, '_>>,
        text: &str,
        marks: &mut [u8],
        each: Each<'_, 't>,
    ) -> Sure<()> {
        let (text, quotes, escapes) = self.scan.kernel.read(text.as_bytes(), marks).ok_or(Slow)?;
        let source = Source { text, quotes, escapes, keys: self.scan.keys };
        let mut reader = Reader::new(&source);
        self.shapes.tail.set(text.as_bytes());
        let mut slots = Slots::default();
        let body = self.body(&mut reader, &mut slots)?;
        if !reader.is_done() {
            return Err(Slow);
        }
        events(frame, Some(&body), &mut |event| each(&mut taken(event).map(Event::into_owned)))
    }
}

fn events<'t: 'b, 'b>(
    frame: &Frame<'_, 't, Found<'t, '_>>,
    body: Option<&Found<'b, '_>>,
    each: Each<'_, 'b>,
) -> Sure<()> {
    push::events(frame, body, each).map_err(|_| Slow)
}
