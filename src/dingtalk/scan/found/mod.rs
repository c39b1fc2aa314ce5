//! One object as the scanner found it: places in the text by field, read on demand.

mod claims;
mod inner;
mod parties;
mod said;
mod shaped;

use smallvec::SmallVec;

use super::key::Key;
use super::reader::{Reader, Slow, Span, Sure, Token};
use super::shape::{Shapes, Step};
use super::stride::{Slots, Values};
use super::trail::Trail;
use crate::dingtalk::field::{Field, Fields, Kind};
use crate::dingtalk::value::{self, Scalar, Value};
use crate::domain::event::{Counterpart, Text};

/// Fields of one kind.
const fn of_kinds(kinds: &[Kind]) -> Fields {
    let (mut fields, mut at) = (Fields::of(&[]), 0);
    while at < Field::COUNT {
        let mut kind = 0;
        while kind < kinds.len() {
            if Field::TABLE[at].1 as u8 == kinds[kind] as u8 {
                fields.add(Field::TABLE[at].0);
            }
            kind += 1;
        }
        at += 1;
    }
    fields
}

/// Fields that keep a text as it stands.
const TEXTS: Fields = of_kinds(&[Kind::Id, Kind::Text, Kind::Ids, Kind::Address]);
/// Fields that keep a number as it stands.
const NUMBERS: Fields = of_kinds(&[Kind::Code, Kind::Size, Kind::Id, Kind::Ids]);

/// A value that may hold the event.
#[derive(Clone, Copy)]
pub(super) struct Carrier<'t, 's> {
    pub(super) field: Field,
    /// Stands at its opening bracket.
    pub(super) value: Reader<'t, 's>,
}

/// The fields of one object. Each is given once, and with a type that it can have; anything else is [`Slow`].
pub(super) struct Found<'t, 's> {
    reader: Reader<'t, 's>,
    values: Values<'s>,
    /// Those of the given that are texts; the others are numbers.
    texts: Fields,
    receivers: SmallVec<[Counterpart<'t>; 4]>,
    members: SmallVec<[Counterpart<'t>; 4]>,
    pub(super) carrier: Option<Carrier<'t, 's>>,
    /// The body of a push event as a string that begins like an object.
    pub(super) body: Option<(Field, Span)>,
    /// Those of the given that are lists of ids.
    lists: Fields,
    /// Lists and objects that were there, empty or not.
    seen: Fields,
    snake: bool,
    capital: bool,
    /// The event type stands in `headers`.
    framed: bool,
    pause: Pause,
    /// What may vary, while a shape is learnt.
    trail: Option<Trail>,
}

/// Whether reading stops at the first object that may hold the event, so that it is read once, as what it is, and not
/// passed over first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pause {
    Never,
    AtCarrier,
    /// Stands at its opening bracket.
    Now,
}

/// A number, or the bits of a [`Span`].
type Slot = u64;

impl<'t, 's> Found<'t, 's> {
    /// Nothing yet, of an object that is in the text of this reader. To be filled where it stands: it is large.
    #[inline(always)]
    pub(super) fn new(reader: &Reader<'t, 's>, slots: &'s mut Slots) -> Self {
        Self {
            reader: *reader,
            values: Values::none(slots),
            texts: Fields::default(),
            receivers: SmallVec::new(),
            members: SmallVec::new(),
            carrier: None,
            body: None,
            lists: Fields::default(),
            seen: Fields::default(),
            snake: false,
            capital: false,
            framed: false,
            pause: Pause::Never,
            trail: None,
        }
    }

    /// The same, to be filled no further than to an object that may hold the event.
    #[inline(always)]
    pub(super) fn up_to_carrier(reader: &Reader<'t, 's>, slots: &'s mut Slots) -> Self {
        Self { pause: Pause::AtCarrier, ..Self::new(reader, slots) }
    }

    /// Whether the reader stands at an object that may hold the event.
    pub(super) fn is_paused(&self) -> bool {
        self.pause == Pause::Now
    }

    /// Whether it says what no row and nothing around one says.
    #[inline(always)]
    pub(super) fn is_odd(&self) -> bool {
        self.body.is_some() || !self.lists.is_empty()
    }

    /// Whether there is a member to be read.
    #[inline(always)]
    fn begin(&mut self, reader: &mut Reader<'t, 's>) -> Sure<bool> {
        if self.pause == Pause::Now {
            self.pause = Pause::Never;
            return reader.more(b'}');
        }
        Ok(reader.enter(b'}'))
    }

    /// Reads the object at hand, or on behind the carrier that it [paused](Self::is_paused) at.
    #[inline(always)]
    pub(super) fn fill(&mut self, reader: &mut Reader<'t, 's>, shapes: &mut Shapes) -> Sure<()> {
        let root = self.root();
        let before = self.before(root);
        if let Ok(behind) = self.by_shape(shapes, root, *reader) {
            shapes.fitted += 1;
            *reader = behind;
            return Ok(());
        }
        let before = before.unwrap_or_default();
        self.undo(&before);
        *reader = if reader.is_plain() && shapes.is_curious() {
            self.learn(shapes, (root, &before), *reader)?
        } else {
            self.read(*reader)?
        };
        Ok(())
    }

    /// Gives the reader behind the object. It goes by value, so that it is in registers meanwhile; see [`Reader::apart`].
    #[inline(always)]
    fn read(&mut self, mut reader: Reader<'t, 's>) -> Sure<Reader<'t, 's>> {
        if !self.begin(&mut reader)? {
            return Ok(reader);
        }
        let mut rare = Key::default();
        loop {
            let key = reader.key(&mut rare)?;
            match key.field {
                None => self.pass_over(&mut reader)?,
                Some(field) => {
                    self.note_field(field);
                    self.snake |= key.snake && field.is_of_row();
                    self.capital |= key.capital && field == Field::EventType;
                    let token = reader.token()?;
                    if !self.plain(field, token, reader.at())? {
                        reader.apart(|reader| self.other(field, token, reader))?;
                        if self.pause == Pause::Now {
                            return Ok(reader);
                        }
                    }
                }
            }
            if !reader.more(b'}')? {
                return Ok(reader);
            }
        }
    }

    /// Notes a plain text or a plain number where one is expected; whether it was one.
    #[inline(always)]
    fn plain(&mut self, field: Field, token: Token, end: usize) -> Sure<bool> {
        if let Token::Text(span) = token
            && TEXTS.has(field)
        {
            self.note_text(Step::Text(field), span);
            self.text_at(field, span)?;
        } else if let Token::Number(number) = token
            && NUMBERS.has(field)
        {
            self.note_number(Step::Number(field), end);
            self.number_at(field, number)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    #[inline(always)]
    fn text_at(&mut self, field: Field, span: Span) -> Sure<()> {
        // the empty string is no value
        if span.is_empty() {
            return Ok(());
        }
        self.texts.add(field);
        self.put(field, span.bits())
    }

    #[inline(always)]
    fn number_at(&mut self, field: Field, number: u64) -> Sure<()> {
        if number > i64::MAX as u64 {
            return Err(Slow);
        }
        self.put(field, number)
    }

    #[inline(always)]
    fn put(&mut self, field: Field, slot: Slot) -> Sure<()> {
        self.values.give(field, slot).ok_or(Slow)
    }

    /// Everything but what is [plain](Self::plain).
    fn other(&mut self, field: Field, token: Token, reader: &mut Reader<'t, 's>) -> Sure<()> {
        match (field.kind(), token) {
            (Kind::Time, Token::Number(number)) => {
                self.note_number(Step::Time(field), reader.at());
                self.time_at(field, number)
            }
            (Kind::Code | Kind::Flag | Kind::Time | Kind::Size, Token::Text(span)) => {
                self.note_text(Step::Quoted(field), span);
                self.quoted(field, span)
            }
            (Kind::Flag, Token::True) => self.put(field, 1),
            (Kind::Flag, Token::False) => self.put(field, 0),
            (Kind::Parties, Token::Array) => {
                // read anew each time: nothing of it is noted but where it is
                let (from, trail) = (reader.at(), self.trail.take());
                let read = self.parties(field, reader);
                self.trail = trail;
                self.note_parties(field, from, reader.at());
                read
            }
            (Kind::Storage, Token::Object) => self.storage(field, reader),
            (Kind::Ids, Token::Array) => self.ids_at(field, reader),
            (Kind::Inner, Token::Object) => self.inner(field, reader),
            (Kind::Carrier, _) => self.carry(field, token, reader),
            (Kind::Files | Kind::Apps, _) => Err(Slow),
            (_, Token::Null) => Ok(()),
            (_, _) => Err(Slow),
        }
    }

    fn time_at(&mut self, field: Field, number: u64) -> Sure<()> {
        match i64::try_from(number).ok().and_then(value::since_epoch) {
            Some(time) => self.put(field, time.cast_unsigned()),
            None if number > i64::MAX as u64 => Err(Slow),
            None => Ok(()),
        }
    }

    /// A number or a time as text.
    fn quoted(&mut self, field: Field, span: Span) -> Sure<()> {
        let text = self.text_of(span)?;
        let scalar = if text.is_empty() { Scalar::Nothing } else { Scalar::Text(text) };
        match scalar.read(field.kind()) {
            Ok(Value::Number(number)) => self.put(field, number.cast_unsigned()),
            Ok(Value::None) => Ok(()),
            Ok(Value::Id(_) | Value::Text(_)) | Err(_) => Err(Slow),
        }
    }

    /// Keeps the first object or array that may hold the event; a second one, or a string of one, is not for us.
    fn carry(&mut self, field: Field, token: Token, reader: &mut Reader<'t, 's>) -> Sure<()> {
        let body = matches!(field, Field::Data | Field::BizData);
        match token {
            Token::Object | Token::Array if self.carrier.is_none() => {
                self.carrier = Some(Carrier { field, value: *reader });
                if token == Token::Object && self.pause == Pause::AtCarrier {
                    self.pause = Pause::Now;
                    return Ok(());
                }
                reader.skip()
            }
            Token::Text(span) if body && self.body.is_none() => self.packed(field, span),
            Token::Text(span) if !body && !self.opens(span)? => Ok(()),
            Token::Null => Ok(()),
            Token::Number(_) | Token::True | Token::False if !body => Ok(()),
            Token::Object | Token::Array | Token::Text(_) | Token::Number(_) | Token::True | Token::False => Err(Slow),
        }
    }

    /// Whether a string may hold JSON.
    fn opens(&self, span: Span) -> Sure<bool> {
        let text = span.of(self.reader.source.text)?;
        Ok(text.trim_ascii_start().starts_with(['{', '[', '\\']))
    }

    fn once(&mut self, field: Field) -> Sure<()> {
        if self.seen.has(field) {
            return Err(Slow);
        }
        self.seen.add(field);
        Ok(())
    }

    /// What a string stands for.
    #[inline(always)]
    pub(super) fn text_of(&self, span: Span) -> Sure<Text<'t>> {
        if span.is_escaped() { self.unescaped(span) } else { span.of(self.reader.source.text).map(Text::Borrowed) }
    }

    /// The same, of a string that was checked when it was found.
    #[inline(always)]
    fn known_text(&self, span: Span) -> Option<Text<'t>> {
        if span.is_escaped() {
            return self.unescaped(span).ok();
        }
        match span.of(self.reader.source.text) {
            Ok(text) => Some(Text::Borrowed(text)),
            Err(Slow) => None,
        }
    }

    #[cold]
    #[inline(never)]
    fn unescaped(&self, span: Span) -> Sure<Text<'t>> {
        self.reader.unescape(span).map(Text::Owned)
    }

    #[inline(always)]
    fn slot(&self, field: Field) -> Option<Slot> {
        self.values.get(field)
    }
}
