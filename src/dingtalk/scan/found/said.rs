//! What the object says, for whoever makes an event of it.

use super::Found;
use crate::dingtalk::field::{Field, Fields};
use crate::dingtalk::part::{Agent, Checked};
use crate::dingtalk::reject::Reject;
use crate::dingtalk::said::{Counterparts, Said};
use crate::dingtalk::scan::reader::Span;
use crate::dingtalk::storage;
use crate::dingtalk::value::Ids;
use crate::domain::event::{Counterpart, Hosts, Id, Storage, Text};

impl<'t> Said<'t> for Found<'t, '_> {
    #[inline(always)]
    fn has(&self, fields: Fields) -> bool {
        !self.values.given.and(fields).is_empty()
    }

    fn check(&self, _: Fields) -> Result<(), Reject> {
        Ok(())
    }

    #[inline(always)]
    fn is_snake(&self) -> bool {
        self.snake
    }

    #[inline(always)]
    fn number(&self, field: Field) -> Option<i64> {
        self.slot(field).map(u64::cast_signed)
    }

    #[inline(always)]
    fn id(&self, field: Field) -> Option<Id<'t>> {
        let slot = self.slot(field)?;
        if !self.texts.has(field) {
            return Some(Id::Number(slot));
        }
        self.known_text(Span::from_bits(slot)).map(Id::from_text)
    }

    #[inline(always)]
    fn text(&self, field: Field) -> Option<Text<'t>> {
        self.known_text(Span::from_bits(self.slot(field)?))
    }

    /// One text is made of the place that counts, instead of one that may be put aside.
    #[inline(always)]
    fn either_text(&self, field: Field, other: Field) -> Option<Text<'t>> {
        let slot = self.slot(field).or_else(|| self.slot(other))?;
        self.known_text(Span::from_bits(slot))
    }

    fn ids(&self, field: Field) -> Ids<'t> {
        self.ids_of(field)
    }

    #[inline(always)]
    fn single(&self, field: Field) -> (Option<Id<'t>>, bool) {
        (self.id(field), false)
    }

    #[inline(always)]
    fn storage(&self) -> Storage<'t> {
        let hosts = match self.values.hosts.as_slice() {
            // mostly there is one, if any: no order to find
            [] => Hosts::NONE,
            [(_, span)] => match self.known_text(*span) {
                Some(host) => Hosts::of(host),
                None => Hosts::NONE,
            },
            many => self.hosts_in_order(many),
        };
        Storage { region: self.given_text(self.values.region), hosts, bucket: self.given_text(self.values.bucket) }
    }

    #[inline(always)]
    fn is_borrowed(&self) -> bool {
        self.reader.is_plain()
    }

    fn carries(&self, field: Field) -> bool {
        let is_carried = self.carrier.is_some_and(|carrier| carrier.field == field);
        is_carried || self.body.is_some_and(|(of, _)| of == field)
    }

    fn is_capital(&self) -> bool {
        self.capital
    }

    fn is_framed(&self) -> bool {
        self.framed
    }

    fn members(&self) -> &[Counterpart<'t>] {
        &self.members
    }

    /// Never any: they are not for us.
    fn files(&self) -> &[Checked<'t>] {
        &[]
    }

    /// Never any: they are not for us.
    fn agents(&self) -> &[Agent<'t>] {
        &[]
    }

    #[inline(always)]
    fn take_parties(&mut self, all: &mut Counterparts<'t>) {
        // mostly there are none, and emptying nothing takes time too
        if !self.receivers.is_empty() {
            all.extend(self.receivers.drain(..));
        }
        if !self.members.is_empty() {
            all.extend(self.members.drain(..));
        }
    }
}

impl<'t> Found<'t, '_> {
    /// A text that says something.
    #[inline(always)]
    fn given_text(&self, span: Span) -> Option<Text<'t>> {
        if span.is_empty() { None } else { self.known_text(span) }
    }

    /// Hosts as they are preferred.
    fn hosts_in_order(&self, hosts: &[(u8, Span)]) -> Hosts<'t> {
        let of_kind = |kind| hosts.iter().filter(move |(known, _)| *known == kind);
        let ordered = (0..storage::HOSTS).flat_map(of_kind);
        ordered.filter_map(|(_, span)| self.known_text(*span)).collect()
    }
}
