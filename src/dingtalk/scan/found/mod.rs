//! One object as the scanner found it: places in the text by field, read on demand.

mod claims;
mod shaped;

use smallvec::SmallVec;

use super::key::Key;
use super::reader::{Reader, Slow, Span, Sure, Token};
use super::shape::{Shapes, Step, Trail};
use crate::dingtalk::draft::{Counterparts, Said};
use crate::dingtalk::field::{Field, Fields, Kind};
use crate::dingtalk::part::Party;
use crate::dingtalk::reject::Reject;
use crate::dingtalk::storage;
use crate::dingtalk::value::{self, Scalar, Value};
use crate::domain::event::{Counterpart, Id, Storage, Text};

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
    given: Fields,
    /// Those of the given that are texts; the others are numbers.
    texts: Fields,
    slots: [Slot; Field::COUNT],
    receivers: SmallVec<[Counterpart<'t>; 4]>,
    members: SmallVec<[Counterpart<'t>; 4]>,
    region: Option<Span>,
    bucket: Option<Span>,
    /// Kind and text, as they come.
    hosts: SmallVec<[(u8, Span); 4]>,
    pub(super) carrier: Option<Carrier<'t, 's>>,
    /// Lists and objects that were there, empty or not.
    seen: Fields,
    snake: bool,
    pub(super) capital: bool,
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
    pub(super) fn new(reader: &Reader<'t, 's>) -> Self {
        Self {
            reader: *reader,
            given: Fields::default(),
            texts: Fields::default(),
            slots: [0; Field::COUNT],
            receivers: SmallVec::new(),
            members: SmallVec::new(),
            region: None,
            bucket: None,
            hosts: SmallVec::new(),
            carrier: None,
            seen: Fields::default(),
            snake: false,
            capital: false,
            pause: Pause::Never,
            trail: None,
        }
    }

    /// The same, to be filled no further than to an object that may hold the event.
    #[inline(always)]
    pub(super) fn up_to_carrier(reader: &Reader<'t, 's>) -> Self {
        Self { pause: Pause::AtCarrier, ..Self::new(reader) }
    }

    /// Whether the reader stands at an object that may hold the event.
    pub(super) fn is_paused(&self) -> bool {
        self.pause == Pause::Now
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
    pub(super) fn fill(&mut self, reader: &mut Reader<'t, 's>, shapes: &mut Shapes) -> Sure<()> {
        let root = self.root();
        let before = self.before(root);
        if let Ok(behind) = self.by_shape(shapes, root, *reader) {
            shapes.fitted += 1;
            *reader = behind;
            return Ok(());
        }
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
                None => {
                    let from = reader.at();
                    reader.skip()?;
                    self.note_passed(from, reader.at());
                }
                Some(field) => {
                    self.snake |= key.snake && field.is_of_row();
                    self.capital |= key.capital && field == Field::EventType;
                    let token = reader.token()?;
                    if let Token::Text(span) = token
                        && TEXTS.has(field)
                    {
                        self.note_text(Step::Text(field), span);
                        self.text_at(field, span)?;
                    } else if let Token::Number(number) = token
                        && NUMBERS.has(field)
                    {
                        self.note_number(Step::Number(field), reader.at());
                        self.number_at(field, number)?;
                    } else {
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
        if self.given.has(field) {
            return Err(Slow);
        }
        self.given.add(field);
        self.slots[field as usize] = slot;
        Ok(())
    }

    /// Everything but a plain text or a plain number where one is expected.
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
            (Kind::Carrier, _) => self.carry(field, token, reader),
            (Kind::Files | Kind::Apps | Kind::Inner, _) => Err(Slow),
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
            Token::Text(span) if !body && !self.opens(span)? => Ok(()),
            Token::Null => Ok(()),
            Token::Number(_) | Token::True | Token::False if !body => Ok(()),
            Token::Object | Token::Array | Token::Text(_) | Token::Number(_) | Token::True | Token::False => Err(Slow),
        }
    }

    /// Whether a string may hold JSON.
    fn opens(&self, span: Span) -> Sure<bool> {
        let text = span.of(self.reader.text)?;
        Ok(text.trim_ascii_start().starts_with(['{', '[', '\\']))
    }

    fn once(&mut self, field: Field) -> Sure<()> {
        if self.seen.has(field) {
            return Err(Slow);
        }
        self.seen.add(field);
        Ok(())
    }

    /// A list of receivers or members; see [`super::super::part`].
    fn parties(&mut self, field: Field, reader: &mut Reader<'t, 's>) -> Sure<()> {
        self.once(field)?;
        if !reader.enter(b']') {
            return Ok(());
        }
        loop {
            let party = self.party(reader)?.into_counterpart(field == Field::Members);
            let list = if field == Field::Members { &mut self.members } else { &mut self.receivers };
            list.push(party);
            if !reader.more(b']')? {
                return Ok(());
            }
        }
    }

    fn party(&self, reader: &mut Reader<'t, 's>) -> Sure<Party<'t>> {
        let (mut party, mut given) = (Party::default(), 0u8);
        if reader.byte() != b'{' {
            return Err(Slow);
        }
        if !reader.enter(b'}') {
            return Ok(party);
        }
        let mut rare = Key::default();
        loop {
            let key = reader.key(&mut rare)?;
            match key.part {
                None => reader.skip()?,
                Some(part) => {
                    let value = match reader.token()? {
                        Token::Text(span) if !span.is_empty() => Scalar::Text(self.text_of(span)?),
                        Token::Number(number) => Scalar::Unsigned(number),
                        Token::Text(_) | Token::Null => Scalar::Nothing,
                        Token::True | Token::False | Token::Object | Token::Array => return Err(Slow),
                    };
                    if value != Scalar::Nothing {
                        if given & 1 << part != 0 {
                            return Err(Slow);
                        }
                        given |= 1 << part;
                        party.says(key.member, key.receiver);
                        party.put(part.into(), value).map_err(|_| Slow)?;
                    }
                }
            }
            if !reader.more(b'}')? {
                return Ok(party);
            }
        }
    }

    #[inline(always)]
    fn text_of(&self, span: Span) -> Sure<Text<'t>> {
        if span.is_escaped() {
            return self.reader.unescape(span).map(Text::Owned);
        }
        span.of(self.reader.text).map(Text::Borrowed)
    }

    #[inline(always)]
    fn slot(&self, field: Field) -> Option<Slot> {
        self.given.has(field).then_some(self.slots[field as usize])
    }
}

impl<'t> Said<'t> for Found<'t, '_> {
    fn has(&self, fields: Fields) -> bool {
        !self.given.and(fields).is_empty()
    }

    fn check(&self, _: Fields) -> Result<(), Reject> {
        Ok(())
    }

    fn is_snake(&self) -> bool {
        self.snake
    }

    fn number(&self, field: Field) -> Option<i64> {
        self.slot(field).map(u64::cast_signed)
    }

    fn id(&self, field: Field) -> Option<Id<'t>> {
        let slot = self.slot(field)?;
        if !self.texts.has(field) {
            return Some(Id::Number(slot));
        }
        self.text_of(Span::from_bits(slot)).ok().map(Id::from_text)
    }

    fn text(&self, field: Field) -> Option<Text<'t>> {
        self.slot(field).and_then(|slot| self.text_of(Span::from_bits(slot)).ok())
    }

    fn single(&self, field: Field) -> (Option<Id<'t>>, bool) {
        (self.id(field), false)
    }

    fn storage(&self) -> Storage<'t> {
        let text = |span: Option<Span>| span.and_then(|span| self.text_of(span).ok());
        let mut storage = Storage { region: text(self.region), bucket: text(self.bucket), ..Storage::default() };
        let mut add = |span: Span| self.text_of(span).map_or((), |host| storage.hosts.add(host));
        match self.hosts.as_slice() {
            // mostly there is one, if any: no order to find
            [] => {}
            [(_, span)] => add(*span),
            many => {
                for kind in 0..storage::HOSTS {
                    many.iter().filter(|(known, _)| *known == kind).for_each(|(_, span)| add(*span));
                }
            }
        }
        storage
    }

    fn take_parties(&mut self, all: &mut Counterparts<'t>) {
        let lists = [&mut self.receivers, &mut self.members];
        lists.into_iter().filter(|list| !list.is_empty()).for_each(|list| all.extend(list.drain(..)));
    }
}
