//! Finds the events of a message: a bare row, a page, a push event, or any of them inside a collector's envelope.
//!
//! An envelope is looked into through the keys that carry payloads, at most [`MOST_NEST`] deep. Exactly one of them may hold
//! an event; two are a conflict even if they are alike, for picking one could lose the other.

use super::draft::{Carrier, Draft};
use super::field::{Field, Fields};
use super::path::Path;
use super::reject::{Reason, Reject};
use super::said::Said;
use super::span::{self, Skip};
use super::storage::{Claims, ClaimsSeed};
use super::{Envelope, Given, Limits, guard, push, row};
use crate::domain::event::{Event, Hosts, Storage, Text};

/// How many carriers deep an event may stand below the root.
pub(super) const MOST_NEST: u8 = 4;

/// Takes events in order, where they stand, as they are large. What is put in the place of one must own no memory.
pub(super) type Each<'o, 't> = &'o mut dyn FnMut(&mut Given<'t>);

/// What was given, to be kept.
pub(super) fn taken<'t>(given: &mut Given<'t>) -> Given<'t> {
    std::mem::replace(given, Err(Reject::missing("event")))
}

/// What the envelopes around an event say about it.
#[derive(Clone, Debug)]
pub(super) struct Context<'t> {
    /// From the configured place; stands above all.
    fixed_tenant: Option<Text<'t>>,
    tenant: Option<Text<'t>>,
    storage: Storage<'t>,
    depth: u8,
}

/// Nothing is around a bare row.
pub(super) static NOTHING: Context<'static> = Context {
    fixed_tenant: None,
    tenant: None,
    storage: Storage { region: None, hosts: Hosts::NONE, bucket: None },
    depth: 0,
};

impl<'t> Context<'t> {
    /// The context of what stands inside `draft`: the nearer statement counts.
    pub(super) fn inside<'d>(&self, draft: &impl Said<'d>) -> Context<'d>
    where
        't: 'd,
    {
        Context {
            fixed_tenant: self.fixed_tenant.clone(),
            tenant: self.tenant_of(draft),
            storage: self.storage_of(draft),
            depth: self.depth + 1,
        }
    }

    /// How many envelopes are around.
    pub(super) fn depth(&self) -> u8 {
        self.depth
    }

    /// The tenant of an event.
    #[inline(always)]
    pub(super) fn tenant_of<'d>(&self, draft: &impl Said<'d>) -> Option<Text<'d>>
    where
        't: 'd,
    {
        match (&self.fixed_tenant, draft.text(Field::Corp)) {
            (Some(fixed), _) => Some(fixed.clone()),
            (None, Some(own)) => Some(own),
            (None, None) => draft.text(Field::Tenant).or_else(|| self.tenant.clone()),
        }
    }

    /// The storage of an event.
    #[inline(always)]
    pub(super) fn storage_of<'d>(&self, draft: &impl Said<'d>) -> Storage<'d>
    where
        't: 'd,
    {
        // mostly nothing around an event says anything, and what it says itself is made where it stays
        if self.storage.is_empty() {
            return draft.storage();
        }
        let own = draft.storage();
        if own.is_silent() { self.storage.clone() } else { own }
    }
}

/// Whether a value holds events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Nothing,
    /// A page without rows.
    Empty,
    Event,
}

/// Walks a message.
#[derive(Clone, Copy)]
pub(super) struct Walk<'d> {
    pub(super) envelope: &'d Envelope,
    pub(super) limits: &'d Limits,
}

impl Walk<'_> {
    /// Gives the events of a message. Nothing was given if it fails.
    ///
    /// # Errors
    /// The message is no JSON, or holds no event that can be told.
    pub(super) fn message<'t>(&self, text: &'t str, each: Each<'_, 't>) -> Result<(), Reject> {
        let mut context = NOTHING.clone();
        if let Some(path) = &self.envelope.tenant {
            let found = path.find(text)?.map(|raw| path_text(raw)).transpose()?;
            context.fixed_tenant = found.flatten();
        }
        let Some(path) = &self.envelope.payload else { return self.value(text, &context, each) };
        let payload = path.find_through(text, &mut |around| {
            let draft = self.draft(around)?;
            self.check_around(&draft)?;
            context = Context { depth: 0, ..context.inside(&draft) };
            Ok(())
        })?;
        self.value(payload.ok_or(Reject::missing("payload at the configured place"))?, &context, each)
    }

    fn value<'t>(&self, text: &'t str, context: &Context<'t>, each: Each<'_, 't>) -> Result<(), Reject> {
        match text.trim_ascii_start().as_bytes().first() {
            Some(b'{') => self.object(text, context, each),
            Some(b'[') => self.page(text, context, each),
            Some(b'"') => self.string(text, context, each),
            _ => Err(no_event(text)),
        }
    }

    /// Reads an object, with what stands at the configured place of claims if anything is claimed there.
    fn draft<'t>(&self, text: &'t str) -> Result<Draft<'t>, Reject> {
        let mut draft = Draft::read(text)?;
        if let Some(claims) = self.configured_storage(text)?
            && !claims.storage().is_silent()
        {
            draft.claims = claims;
        }
        Ok(draft)
    }

    /// What an envelope says must be sound. With a configured place for the tenant nothing else names it.
    fn check_around(&self, draft: &Draft<'_>) -> Result<(), Reject> {
        draft.check(match self.envelope.tenant {
            Some(_) => Fields::of(&[Field::Enrichment]),
            None => Fields::of(&[Field::Corp, Field::Tenant, Field::Enrichment]),
        })
    }

    fn object<'t>(&self, text: &'t str, context: &Context<'t>, each: Each<'_, 't>) -> Result<(), Reject> {
        let mut draft = self.draft(text)?;
        if row::is_row(&draft) {
            self.refuse_second(&draft, context)?;
            return row::give(&mut draft, context, each);
        }
        match push::shape(&draft) {
            Some(shape) if push::is_known(&draft, shape) || !self.any_holds(&draft, context) => {
                self.push(&push::Frame { shape, head: &draft, context, most: self.limits.events }, each)
            }
            Some(_) | None => self.envelope(&draft, context, each),
        }
    }

    /// The events of a push event; its body may be JSON in a string.
    fn push<'t>(&self, frame: &push::Frame<'_, 't, Draft<'t>>, each: Each<'_, 't>) -> Result<(), Reject> {
        let Some(body) = push::body(frame.head)? else { return push::events(frame, None::<&Draft<'t>>, each) };
        if body.starts_with('"') {
            let inner = self.unescape(body)?;
            let body = Draft::read(&inner)?;
            return push::events(frame, Some(&body), &mut |event| each(&mut taken(event).map(Event::into_owned)));
        }
        push::events(frame, Some(&Draft::read(body)?), each)
    }

    /// A row beside which another event stands is not a row to be trusted.
    fn refuse_second(&self, draft: &Draft<'_>, context: &Context<'_>) -> Result<(), Reject> {
        if self.any_holds(draft, context) {
            return Err(Reject::field(Reason::Conflict, Field::Action.name()));
        }
        Ok(())
    }

    fn envelope<'t>(&self, draft: &Draft<'t>, context: &Context<'t>, each: Each<'_, 't>) -> Result<(), Reject> {
        self.check_around(draft)?;
        let (Some(carrier), false) = (self.choose(draft, context)?, context.depth >= MOST_NEST) else {
            return Err(row::excuse(draft));
        };
        // an error of the API with an empty page is no page: nothing was read
        if is_error(draft) && self.probe_carrier(&carrier, context.depth) != Holds::Event {
            return Err(row::excuse(draft));
        }
        self.value(carrier.text, &context.inside(draft), each).map_err(|reject| match reject.reason {
            Reason::NoEvent => row::excuse(draft),
            Reason::NotJson | Reason::InvalidUtf8 | Reason::TooDeep | Reason::TooLarge => reject,
            Reason::Conflict | Reason::BadField | Reason::TooMany => reject,
        })
    }

    /// The one carrier that holds events; a page without rows if there is no other.
    fn choose<'t>(&self, draft: &Draft<'t>, context: &Context<'_>) -> Result<Option<Carrier<'t>>, Reject> {
        if let [only] = draft.carriers.as_slice() {
            let idle = only.field != Field::Page && is_empty_array(only.text);
            return Ok((!idle).then_some(*only));
        }
        let (mut chosen, mut empty) = (None, None);
        for carrier in &draft.carriers {
            match self.probe_carrier(carrier, context.depth) {
                Holds::Event if chosen.is_some() => return Err(Reject::field(Reason::Conflict, carrier.field.name())),
                Holds::Event => chosen = Some(*carrier),
                Holds::Empty => empty = Some(*carrier),
                Holds::Nothing => {}
            }
        }
        Ok(chosen.or(empty))
    }

    fn any_holds(&self, draft: &Draft<'_>, context: &Context<'_>) -> bool {
        draft.carriers.iter().any(|carrier| self.probe_carrier(carrier, context.depth) == Holds::Event)
    }

    fn probe_carrier(&self, carrier: &Carrier<'_>, depth: u8) -> Holds {
        if depth >= MOST_NEST {
            return Holds::Nothing;
        }
        match self.probe(carrier.text, depth + 1) {
            Holds::Empty if carrier.field != Field::Page && is_empty_array(carrier.text) => Holds::Nothing,
            holds @ (Holds::Nothing | Holds::Empty | Holds::Event) => holds,
        }
    }

    /// Looks whether a value holds events, without giving any.
    fn probe(&self, text: &str, depth: u8) -> Holds {
        match text.trim_ascii_start().as_bytes().first() {
            Some(b'{') => Draft::read(text).map_or(Holds::Nothing, |draft| self.probe_object(&draft, depth)),
            Some(b'[') => match rows(text) {
                Ok(rows) => self.probe_rows(rows, depth),
                Err(_) => Holds::Nothing,
            },
            Some(b'"') => self.unescape(text).map_or(Holds::Nothing, |inner| match inner.trim_ascii_start() {
                inner if inner.starts_with(['{', '[']) => self.probe(inner, depth),
                _ => Holds::Nothing,
            }),
            _ => Holds::Nothing,
        }
    }

    fn probe_rows<'t>(&self, rows: impl Iterator<Item = &'t str>, depth: u8) -> Holds {
        let mut holds = Holds::Empty;
        for row in rows {
            if self.probe(row, depth) == Holds::Event {
                return Holds::Event;
            }
            holds = Holds::Nothing;
        }
        holds
    }

    fn probe_object(&self, draft: &Draft<'_>, depth: u8) -> Holds {
        if row::is_row(draft) || push::shape(draft).is_some() {
            return Holds::Event;
        }
        let held = draft.carriers.iter().map(|carrier| self.probe_carrier(carrier, depth));
        held.reduce(|a, b| if a == Holds::Nothing || b == Holds::Event { b } else { a }).unwrap_or(Holds::Nothing)
    }

    /// The rows of a page. The page is read to its end first, so that a broken one gives nothing at all; a row that is
    /// refused then costs only itself.
    fn page<'t>(&self, text: &'t str, context: &Context<'t>, each: Each<'_, 't>) -> Result<(), Reject> {
        let rows = rows(text)?;
        if rows.clone().count() > self.limits.events {
            return Err(Reject::limit(Reason::TooMany, self.limits.events));
        }
        rows.for_each(|row| self.row(row, context, each));
        Ok(())
    }

    /// One row of a page that was read to its end.
    pub(super) fn row<'t>(&self, row: &'t str, context: &Context<'t>, each: Each<'_, 't>) {
        let nested = row.starts_with('[');
        let given = if nested { Err(Reject::missing("event")) } else { self.value(row, context, each) };
        if let Err(reject) = given {
            each(&mut Err(reject));
        }
    }

    /// JSON inside a string.
    fn string<'t>(&self, text: &'t str, context: &Context<'t>, each: Each<'_, 't>) -> Result<(), Reject> {
        let inner = self.unescape(text)?;
        if !inner.trim_ascii_start().starts_with(['{', '[']) {
            return Err(Reject::missing("event"));
        }
        self.value(&inner, context, &mut |event| each(&mut taken(event).map(Event::into_owned)))
    }

    fn unescape(&self, text: &str) -> Result<String, Reject> {
        let inner = span::unescape(text).map_err(|error| Reject::syntax(&error, text))?;
        guard::depth(&inner, self.limits.depth)?;
        Ok(inner)
    }

    /// Claims about the storage at the configured place of this object.
    fn configured_storage<'t>(&self, text: &'t str) -> Result<Option<Claims<'t>>, Reject> {
        let Some(path) = &self.envelope.enrichment else { return Ok(None) };
        path.find(text)?.map(claims).transpose()
    }
}

fn claims(text: &str) -> Result<Claims<'_>, Reject> {
    let mut claims = Claims::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde::de::DeserializeSeed::deserialize(ClaimsSeed(&mut claims), &mut deserializer)
        .map_err(|error| Reject::syntax(&error, text))?;
    match (claims.clash, claims.wrong) {
        (true, _) => Err(Reject::field(Reason::Conflict, Field::Enrichment.name())),
        (false, true) => Err(Reject::field(Reason::BadField, Field::Enrichment.name())),
        (false, false) => Ok(claims),
    }
}

/// A text at a configured place.
fn path_text(raw: &str) -> Result<Option<Text<'_>>, Reject> {
    let scalar = Path::scalar(raw)?;
    scalar.text().map_err(|_| Reject::field(Reason::BadField, Field::Tenant.name()))
}

/// The rows of a page that was read to its end.
fn rows(text: &str) -> Result<impl Iterator<Item = &str> + Clone, Reject> {
    serde_json::from_str::<Skip>(text).map_err(|error| Reject::syntax(&error, text))?;
    Ok(span::elements(text))
}

/// Whether the body of an answer says that the call failed.
fn is_error(draft: &Draft<'_>) -> bool {
    draft.number(Field::Error).is_some_and(|code| code != 0) || draft.number(Field::Success) == Some(0)
}

fn is_empty_array(text: &str) -> bool {
    text.strip_prefix('[').is_some_and(|rest| rest.trim_ascii_start().starts_with(']'))
}

/// A scalar at the root: good JSON without event, or no JSON.
fn no_event(text: &str) -> Reject {
    match serde_json::from_str::<Skip>(text) {
        Ok(_) => Reject::missing("event"),
        Err(error) => Reject::syntax(&error, text),
    }
}
