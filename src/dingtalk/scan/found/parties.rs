//! Receivers and members of an object; see [`crate::dingtalk::part`].

use super::Found;
use crate::dingtalk::field::Field;
use crate::dingtalk::part::Party;
use crate::dingtalk::scan::key::Key;
use crate::dingtalk::scan::reader::{Reader, Slow, Sure, Token};
use crate::dingtalk::value::Scalar;

impl<'t, 's> Found<'t, 's> {
    /// A list of receivers or members; see [`crate::dingtalk::part`].
    pub(super) fn parties(&mut self, field: Field, reader: &mut Reader<'t, 's>) -> Sure<()> {
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
}
