//! What an object says of a storage; see [`crate::dingtalk::storage`].

use super::Found;
use crate::dingtalk::field::Field;
use crate::dingtalk::scan::key::Key;
use crate::dingtalk::scan::reader::{Reader, Slow, Span, Sure, Token};
use crate::dingtalk::scan::shape::Step;
use crate::dingtalk::storage;

/// Levels below an object of claims that are looked into.
const DEEPEST: u32 = 4;

impl<'t, 's> Found<'t, 's> {
    /// What a collector learnt about the storage; see [`crate::dingtalk::storage`].
    pub(super) fn storage(&mut self, field: Field, reader: &mut Reader<'t, 's>) -> Sure<()> {
        self.once(field)?;
        self.claims(reader, 0)
    }

    /// An object of claims.
    fn claims(&mut self, reader: &mut Reader<'t, 's>, depth: u32) -> Sure<()> {
        if depth > DEEPEST {
            return Err(Slow);
        }
        *reader = self.read_claims(*reader, depth)?;
        Ok(())
    }

    /// By value, as [`Self::read`].
    #[inline(always)]
    fn read_claims(&mut self, mut reader: Reader<'t, 's>, depth: u32) -> Sure<Reader<'t, 's>> {
        if !reader.enter(b'}') {
            return Ok(reader);
        }
        let (mut given, mut rare) = (0u8, Key::default());
        loop {
            let claim = reader.key(&mut rare)?.claim;
            match claim {
                // mostly a plain value, in which nothing can be
                storage::Key::Other if !matches!(reader.byte(), b'{' | b'[') => self.pass_over(&mut reader)?,
                storage::Key::Other => reader.apart(|reader| self.seek(reader, depth))?,
                storage::Key::Inside if reader.byte() == b'{' => {
                    reader.apart(|reader| self.claims(reader, depth + 1))?;
                }
                storage::Key::Inside => return Err(Slow),
                storage::Key::Region => {
                    if let Some(span) = text_or_null(&mut reader)? {
                        self.note_text(Step::Region, span);
                        Self::claim_text(&mut self.values.region, span)?;
                    }
                }
                storage::Key::Bucket => {
                    if let Some(span) = text_or_null(&mut reader)? {
                        self.note_text(Step::Bucket, span);
                        Self::claim_text(&mut self.values.bucket, span)?;
                    }
                }
                storage::Key::Host(kind) => reader.apart(|reader| self.claimed_hosts(kind, &mut given, reader))?,
            }
            if !reader.more(b'}')? {
                return Ok(reader);
            }
        }
    }

    /// Anything else, in which an object of claims may be.
    fn seek(&mut self, reader: &mut Reader<'t, 's>, depth: u32) -> Sure<()> {
        if reader.byte() != b'{' && reader.byte() != b'[' {
            return self.pass_over(reader);
        }
        if depth > DEEPEST {
            return Err(Slow);
        }
        let object = reader.byte() == b'{';
        let close = if object { b'}' } else { b']' };
        if !reader.enter(close) {
            return Ok(());
        }
        let mut rare = Key::default();
        loop {
            match object.then(|| reader.key(&mut rare).map(|key| key.claim)).transpose()? {
                Some(storage::Key::Inside) if reader.byte() == b'{' => self.claims(reader, depth + 1)?,
                Some(storage::Key::Inside) => return Err(Slow),
                Some(storage::Key::Host(_) | storage::Key::Region | storage::Key::Bucket | storage::Key::Other)
                | None => self.seek(reader, depth + 1)?,
            }
            if !reader.more(close)? {
                return Ok(());
            }
        }
    }

    /// A region or a bucket.
    #[inline(always)]
    pub(super) fn claim_text(slot: &mut Span, span: Span) -> Sure<()> {
        if span.is_empty() {
            return Ok(());
        }
        if !slot.is_empty() {
            return Err(Slow);
        }
        *slot = span;
        Ok(())
    }

    /// An address or several; `given`: the kinds that this object has said.
    fn claimed_hosts(&mut self, kind: u8, given: &mut u8, reader: &mut Reader<'t, 's>) -> Sure<()> {
        let from = self.values.hosts.as_slice().len();
        // twice in one object is not for us; a shape would not tell one object from another
        if self.trail.as_ref().is_some_and(|trail| trail.has_host(kind)) {
            self.note_more();
        }
        match reader.token()? {
            Token::Text(span) => self.noted_host(kind, span)?,
            Token::Null => {}
            Token::Array if !reader.enter(b']') => {}
            Token::Array => loop {
                let Token::Text(span) = reader.token()? else { return Err(Slow) };
                self.noted_host(kind, span)?;
                if !reader.more(b']')? {
                    break;
                }
            },
            Token::Number(_) | Token::True | Token::False | Token::Object => return Err(Slow),
        }
        if self.values.hosts.as_slice().len() > from {
            if *given & 1 << kind != 0 {
                return Err(Slow);
            }
            *given |= 1 << kind;
        }
        Ok(())
    }

    fn noted_host(&mut self, kind: u8, span: Span) -> Sure<()> {
        self.note_text(Step::Host(kind), span);
        self.host(kind, span)
    }

    /// More hosts than there is room for are not for us.
    #[inline(always)]
    pub(super) fn host(&mut self, kind: u8, span: Span) -> Sure<()> {
        if span.is_empty() || self.values.hosts.push(kind, span) { Ok(()) } else { Err(Slow) }
    }
}

/// The text at hand; `None`: nothing is said.
#[inline(always)]
fn text_or_null(reader: &mut Reader<'_, '_>) -> Sure<Option<Span>> {
    match reader.token()? {
        Token::Text(span) => Ok(Some(span)),
        Token::Null => Ok(None),
        Token::Number(_) | Token::True | Token::False | Token::Object | Token::Array => Err(Slow),
    }
}
