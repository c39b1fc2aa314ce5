//! What only push events have: headers, lists of ids, a body that is JSON in a string.

use super::Found;
use crate::dingtalk::field::Field;
use crate::dingtalk::inner::outer;
use crate::dingtalk::said::Said;
use crate::dingtalk::scan::key::Key;
use crate::dingtalk::scan::reader::{Reader, Slow, Span, Sure, Token};
use crate::dingtalk::value::Ids;
use crate::domain::event::Id;

impl<'t, 's> Found<'t, 's> {
    /// An object some of whose fields belong to this one; see [`crate::dingtalk::inner`].
    pub(super) fn inner(&mut self, of: Field, reader: &mut Reader<'t, 's>) -> Sure<()> {
        self.once(of)?;
        if !reader.enter(b'}') {
            return Ok(());
        }
        let mut rare = Key::default();
        loop {
            match reader.key(&mut rare)?.field.and_then(|field| outer(of, field)) {
                None => self.pass_over(reader)?,
                Some(field) => {
                    self.note_field(field);
                    self.framed |= field == Field::EventType;
                    let token = reader.token()?;
                    if !self.plain(field, token, reader.at())? {
                        self.other(field, token, reader)?;
                    }
                }
            }
            if !reader.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// A list of ids, which is read when they are asked for. The empty ones in it say nothing.
    pub(super) fn ids_at(&mut self, field: Field, reader: &mut Reader<'t, 's>) -> Sure<()> {
        let (list, trail) = (*reader, self.trail.take());
        let mut count = 0;
        let read = self.each_id(reader, &mut |_| count += 1);
        self.trail = trail;
        self.note_ids(field, list.at(), reader.at());
        read?;
        if count > 0 {
            self.lists.add(field);
            self.put(field, Span::new(list.at() as u32, reader.at() as u32).bits())?;
        }
        Ok(())
    }

    /// Reads a list of ids.
    fn each_id(&self, reader: &mut Reader<'t, 's>, each: &mut impl FnMut(Id<'t>)) -> Sure<()> {
        if !reader.enter(b']') {
            return Ok(());
        }
        loop {
            match reader.token()? {
                Token::Text(span) if span.is_empty() => {}
                Token::Text(span) => each(Id::from_text(self.text_of(span)?)),
                Token::Number(number) => each(Id::Number(number)),
                Token::Null => {}
                Token::True | Token::False | Token::Object | Token::Array => return Err(Slow),
            }
            if !reader.more(b']')? {
                return Ok(());
            }
        }
    }

    /// The ids of a field, one or a list.
    pub(super) fn ids_of(&self, field: Field) -> Ids<'t> {
        let mut ids = Ids::default();
        match self.slot(field).map(Span::from_bits).filter(|_| self.lists.has(field)) {
            None => ids.items.extend(self.id(field)),
            Some(list) => {
                ids.array = true;
                let mut reader = self.reader;
                reader.go(list.from());
                // it was read before
                self.each_id(&mut reader, &mut |id| ids.items.push(id)).unwrap_or_default();
            }
        }
        ids
    }

    /// Keeps the body of a push event that is an object in a string.
    pub(super) fn packed(&mut self, field: Field, span: Span) -> Sure<()> {
        if span.is_empty() {
            return Ok(());
        }
        self.note_more();
        let is_object = span.of(self.reader.source.text)?.trim_ascii_start().starts_with('{');
        self.body = is_object.then_some((field, span));
        if is_object { Ok(()) } else { Err(Slow) }
    }
}
