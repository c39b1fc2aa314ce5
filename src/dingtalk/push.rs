//! Push events in their four shapes: Stream frame, flattened by a collector on the SDK, HTTP callback, SyncHTTP/RDS row.
//!
//! All four are a head (whose, when, which type) and a body; the HTTP callback has both in one object. A field is taken
//! from the body first.

use std::marker::PhantomData;

use smallvec::SmallVec;

use super::codes;
use super::draft::Draft;
use super::envelope::{Context, Each};
use super::field::{Field, Fields};
use super::part::{Agent, Checked};
use super::reject::{Reason, Reject};
use super::said::Said;
use super::value::{Ids, since_epoch};
use crate::domain::event::{Act, App, Counterpart, Event, Id, Personal, Shape, Text};

/// Whoever has an event type and one of these is a push event even if the type is in no table.
const MARKS: Fields = Fields::of(&[Field::EventId, Field::Born, Field::Corp]);

/// Fields of a push event on which a verdict, a place or the identity of the event rests.
const DECISIVE: Fields = Fields::of(&[
    Field::EventType,
    Field::SyncAction,
    Field::BizType,
    Field::EventId,
    Field::Born,
    Field::Corp,
    Field::Tenant,
    Field::Dentry,
    Field::Space,
    Field::Workspace,
    Field::Conversation,
    Field::Operator,
    Field::OperatorUnion,
    Field::User,
    Field::Union,
    Field::AppCode,
    Field::AppId,
    Field::AppName,
    Field::Type,
    Field::Receivers,
    Field::Members,
    Field::Files,
    Field::Apps,
    Field::Enrichment,
    Field::Data,
    Field::BizData,
]);

/// Which shape of push event an object is, if it is one.
pub(super) fn shape<'a>(draft: &impl Said<'a>) -> Option<Shape> {
    let typed = draft.has(Fields::of(&[Field::EventType]));
    if draft.carries(Field::BizData) && draft.has(Fields::of(&[Field::BizType, Field::Corp])) {
        return Some(Shape::Rds);
    }
    if draft.has(Fields::of(&[Field::SyncAction])) {
        return Some(Shape::Rds);
    }
    if !typed || !(draft.is_framed() || draft.has(MARKS) || is_tabled(draft)) {
        return None;
    }
    Some(match (draft.is_framed(), draft.is_capital()) {
        (true, _) => Shape::Stream,
        (false, true) => Shape::Http,
        (false, false) => Shape::Flattened,
    })
}

/// Whether it is certain that the object is DingTalk's and not an envelope that happens to look like it.
pub(super) fn is_known<'a>(draft: &impl Said<'a>, shape: Shape) -> bool {
    shape == Shape::Rds || is_tabled(draft)
}

fn is_tabled<'a>(draft: &impl Said<'a>) -> bool {
    draft.text(Field::EventType).is_some_and(|name| codes::push(&name).is_some())
}

/// The text of the body, where it stands apart from the head.
///
/// # Errors
/// [`Reason::Conflict`] if there are two, [`Reason::BadField`] if it is an array.
pub(super) fn body<'a>(head: &Draft<'a>) -> Result<Option<&'a str>, Reject> {
    let mut bodies = head.carriers.iter().filter(|carrier| matches!(carrier.field, Field::Data | Field::BizData));
    let Some(body) = bodies.next() else { return Ok(None) };
    match (bodies.next(), body.text.starts_with('[')) {
        (Some(second), _) => Err(Reject::field(Reason::Conflict, second.field.name())),
        (None, true) => Err(Reject::field(Reason::BadField, body.field.name())),
        (None, false) => Ok(Some(body.text)),
    }
}

/// The head of a push event and what is around it.
pub(super) struct Frame<'x, 't, H> {
    pub(super) shape: Shape,
    pub(super) head: &'x H,
    pub(super) context: &'x Context<'t>,
    /// Bound on the records in one event.
    pub(super) most: usize,
}

/// Gives the event; one per checked file or authorised app if it lists several. Nothing was given if it fails.
///
/// # Errors
/// [`Reason::Conflict`], [`Reason::BadField`], [`Reason::TooMany`]; [`Reason::NoEvent`] if no type is told.
pub(super) fn events<'t: 'b, 'b>(
    frame: &Frame<'_, 't, impl Said<'t>>,
    body: Option<&impl Said<'b>>,
    each: Each<'_, 'b>,
) -> Result<(), Reject> {
    frame.head.check(DECISIVE)?;
    body.map_or(Ok(()), |body| body.check(DECISIVE))?;
    let both = Both { frame, body, lives: PhantomData };
    let common = both.event()?;
    let (files, agents) = (both.files(), both.agents());
    if files.len().max(agents.len()) > frame.most {
        return Err(Reject::limit(Reason::TooMany, frame.most));
    }
    for file in files.iter() {
        each(&mut Ok(of_file(common.clone(), file)));
    }
    for Agent(app) in agents.iter() {
        each(&mut Ok(Event { app: Some(app.clone()), ..common.clone() }));
    }
    if files.is_empty() && agents.is_empty() {
        each(&mut Ok(common));
    }
    Ok(())
}

/// The event of one file that was checked before it is sent; who receives it is the conversation.
fn of_file<'b>(mut event: Event<'b>, file: &Checked<'b>) -> Event<'b> {
    let conversation =
        Counterpart { id: file.conversation.clone().map(Personal::new), kind: None, ..Counterpart::default() };
    event.counterparts.clear();
    event.counterparts.push(conversation);
    event.resource = file.file.clone().map(Personal::new);
    event.biz_id = file.request.clone();
    if file.user.is_some() {
        event.actor.user_id = file.user.clone().map(Personal::new);
    }
    event
}

struct Both<'x, 't, 'b, H, B> {
    frame: &'x Frame<'x, 't, H>,
    body: Option<&'x B>,
    lives: PhantomData<&'b ()>,
}

impl<'t: 'b, 'b, H: Said<'t>, B: Said<'b>> Both<'_, 't, 'b, H, B> {
    fn text(&self, field: Field) -> Option<Text<'b>> {
        self.body.and_then(|body| body.text(field)).or_else(|| self.frame.head.text(field))
    }

    fn id(&self, field: Field) -> Option<Id<'b>> {
        self.body.and_then(|body| body.id(field)).or_else(|| self.frame.head.id(field))
    }

    fn number(&self, field: Field) -> Option<i64> {
        self.body.and_then(|body| body.number(field)).or_else(|| self.frame.head.number(field))
    }

    /// The event type. Told twice, it must be the same.
    fn name(&self) -> Result<Text<'b>, Reject> {
        let head = self.frame.head.text(Field::EventType);
        let body = self.body.and_then(|body| body.text(Field::EventType));
        let synced = self.text(Field::SyncAction);
        let numbered = self.number(Field::BizType).and_then(codes::by_biz_type).map(|row| Text::Borrowed(row.name));
        let mut names = [synced, head, body].into_iter().flatten();
        let Some(name) = names.next() else { return numbered.ok_or(Reject::missing(Field::EventType.name())) };
        if names.any(|other| other != name) {
            return Err(Reject::field(Reason::Conflict, Field::EventType.name()));
        }
        Ok(name)
    }

    /// When it happened: as the channel says, else as the body says.
    fn time(&self) -> Option<i64> {
        let told = [Field::Born, Field::Stamp, Field::Operated].into_iter().find_map(|field| self.number(field));
        // The id of an SyncHTTP/RDS row is the time in ms.
        told.or_else(|| match (self.frame.shape, self.frame.head.id(Field::Biz)) {
            (Shape::Rds, Some(Id::Number(number))) => since_epoch(i64::try_from(number).ok()?),
            _ => None,
        })
    }

    fn event(&self) -> Result<Event<'b>, Reject> {
        let mut event = Event::new(self.frame.shape, Act::Push(self.name()?));
        event.tenant = self.frame.context.tenant_of(self.frame.head).or_else(|| self.text(Field::Corp));
        event.event_id = self.text(Field::EventId);
        event.biz_id = self.id(Field::Dentry);
        event.time = self.time();
        event.address = self.text(Field::Address).map(Personal::new);
        event.extension = self.text(Field::Extension);
        event.space = self.id(Field::Space).or_else(|| self.id(Field::Conversation));
        event.workspace = self.id(Field::Workspace);
        event.storage = self.frame.context.storage_of(self.frame.head);
        event.detail = self.body.map_or_else(|| self.frame.head.text(Field::Type), |body| body.text(Field::Type));
        event.success = self.number(Field::Success).map(|flag| flag != 0);
        event.app = self.app();
        self.people(&mut event);
        Ok(event)
    }

    fn app(&self) -> Option<App<'b>> {
        let app =
            App { code: self.id(Field::AppCode).or_else(|| self.id(Field::AppId)), name: self.text(Field::AppName) };
        (app != App::default()).then_some(app)
    }

    /// Who acted, and whom it concerns. `userId` and `unionId` are one or the other: an array, or any beside an
    /// operator, names those concerned; a single one without an operator acted.
    fn people(&self, event: &mut Event<'b>) {
        let operator = self.id(Field::Operator);
        let operator_union = self.text(Field::OperatorUnion);
        let operated = operator.is_some() || operator_union.is_some();
        let (user, users) = split(self.ids(Field::User), operated);
        let (union, unions) = split(self.ids(Field::Union), operated);
        event.actor.user_id = operator.or(user).map(Personal::new);
        event.actor.union_id = operator_union.or(union.map(into_text)).map(Personal::new);
        // As many of both: the same people under two ids. Else outsiders, who have no staff id, may be among them.
        let outsiders = if unions.len() == users.len() { People::new() } else { unions };
        event.counterparts.extend(users.into_iter().chain(outsiders).map(concerned));
        event.counterparts.extend(self.members());
    }

    fn ids(&self, field: Field) -> Ids<'b> {
        match self.body.map(|body| body.ids(field)) {
            Some(ids) if !ids.items.is_empty() => ids,
            Some(_) | None => {
                let Ids { items, array } = self.frame.head.ids(field);
                let items: &[Id<'b>] = &items;
                Ids { items: items.iter().cloned().collect(), array }
            }
        }
    }

    /// What the body lists, then what the head does.
    fn all<T: Clone>(of_body: Option<&[T]>, of_head: &[T]) -> Vec<T> {
        of_body.unwrap_or_default().iter().chain(of_head).cloned().collect()
    }

    fn members(&self) -> Vec<Counterpart<'b>> {
        Self::all(self.body.map(|body| body.members()), self.frame.head.members())
    }

    fn files(&self) -> Vec<Checked<'b>> {
        Self::all(self.body.map(|body| body.files()), self.frame.head.files())
    }

    fn agents(&self) -> Vec<Agent<'b>> {
        Self::all(self.body.map(|body| body.agents()), self.frame.head.agents())
    }
}

/// Who acted, and who is concerned.
fn split<'b>(mut ids: Ids<'b>, operated: bool) -> (Option<Id<'b>>, People<'b>) {
    if ids.array || operated {
        return (None, ids.items);
    }
    (ids.items.pop(), People::new())
}

type People<'b> = SmallVec<[Id<'b>; 1]>;

fn concerned(id: Id<'_>) -> Counterpart<'_> {
    Counterpart {
        id: Some(Personal::new(id)),
        kind: codes::member_type("USER"),
        member: true,
        ..Counterpart::default()
    }
}

fn into_text(id: Id<'_>) -> Text<'_> {
    match id {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string().into(),
    }
}
