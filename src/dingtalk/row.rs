//! File operation records (`ListAuditLog`, `GET /v1.0/exclusive/fileAuditLogs`; legacy `/topapi/cspace/auditlog/list`).

use super::Given;
use super::envelope::Context;
use super::field::{Field, Fields};
use super::reject::{Reason, Reject};
use super::said::{Counterparts, Said};
use crate::domain::event::{Act, Actor, Counterpart, Event, Personal, Shape};

/// An object is a row if it has an action code and at least one of these.
const MARKS: Fields = Fields::of(&[
    Field::Biz,
    Field::Created,
    Field::User,
    Field::OperatorName,
    Field::RealName,
    Field::Address,
    Field::Module,
    Field::Resource,
    Field::Space,
]);

/// Fields of a row on which a verdict, a place or the identity of the event rests. One that clashes or is malformed
/// rejects the row; any other is dropped.
pub(super) const DECISIVE: Fields = Fields::of(&[
    Field::Action,
    Field::Module,
    Field::ReceiverType,
    Field::Created,
    Field::Biz,
    Field::Space,
    Field::Workspace,
    Field::Previous,
    Field::ReceiverId,
    Field::OrgName,
    Field::Resource,
    Field::Url,
    Field::ReceiverName,
    Field::Corp,
    Field::Tenant,
    Field::User,
    Field::Union,
    Field::Address,
    Field::Receivers,
    Field::Members,
    Field::Enrichment,
]);

/// Whether the object is a file operation record.
pub(super) fn is_row<'a>(draft: &impl Said<'a>) -> bool {
    draft.has(Fields::of(&[Field::Action])) && draft.has(MARKS)
}

/// Why an object without an event in it is no row: its action, if it has the other fields of one.
pub(super) fn excuse<'a>(draft: &impl Said<'a>) -> Reject {
    if !draft.has(MARKS) {
        return Reject::missing("event");
    }
    draft.check(Fields::of(&[Field::Action])).err().unwrap_or(Reject::missing(Field::Action.name()))
}

/// Gives the event of a row, where it was made: an event is large, and handing it back would copy it. Nothing was given if
/// it fails.
///
/// # Errors
/// [`Reason::Conflict`], [`Reason::BadField`] for a decisive field.
#[inline(always)]
pub(super) fn give<'a>(
    draft: &mut impl Said<'a>,
    context: &Context<'a>,
    each: &mut (impl FnMut(&mut Given<'a>) + ?Sized),
) -> Result<(), Reject> {
    draft.check(DECISIVE)?;
    let (user, more) = draft.single(Field::User);
    if more {
        return Err(Reject::field(Reason::BadField, Field::User.name()));
    }
    let union_id = draft.single(Field::Union).0.map(|id| Personal::new(id.to_string().into()));
    let is_borrowed = draft.is_borrowed() && union_id.is_none();
    let name = draft.either_text(Field::RealName, Field::OperatorName);
    let mut given = Ok(Event {
        shape: if draft.is_snake() { Shape::LegacyRow } else { Shape::AuditRow },
        act: Act::Audit(draft.number(Field::Action).unwrap_or_default()),
        tenant: context.tenant_of(draft),
        event_id: None,
        biz_id: draft.id(Field::Biz),
        time: draft.number(Field::Created),
        actor: Actor { user_id: user.map(Personal::new), union_id, name: name.map(Personal::new) },
        address: draft.text(Field::Address).map(Personal::new),
        org: draft.text(Field::OrgName),
        module: draft.number(Field::Module),
        platform: draft.number(Field::Platform),
        status: draft.number(Field::Status),
        resource: draft.text(Field::Resource).map(Personal::new),
        extension: draft.text(Field::Extension),
        size: draft.number(Field::Size).and_then(|size| u64::try_from(size).ok()),
        space: draft.id(Field::Space),
        workspace: draft.id(Field::Workspace),
        previous_workspace: draft.id(Field::Previous),
        url: draft.text(Field::Url),
        storage: context.storage_of(draft),
        app: None,
        detail: None,
        success: None,
        counterparts: Counterparts::new(),
    });
    if let Ok(event) = &mut given {
        counterparts(draft, &mut event.counterparts);
    }
    each(&mut given);
    // looking at each text for memory to be given back takes longer than making the event
    if is_borrowed && given.as_ref().is_ok_and(Event::is_inline) {
        std::mem::forget(given);
    }
    Ok(())
}

/// Receivers of the list, then the row's own receiver, then members.
#[inline(always)]
fn counterparts<'a>(draft: &mut impl Said<'a>, all: &mut Counterparts<'a>) {
    draft.take_parties(all);
    if draft.has(OWN) {
        add_own(all, own(draft));
    }
    if all.len() > 1 {
        // Stable: the order within receivers and within members stays.
        all.sort_by_key(|counterpart| counterpart.member);
    }
}

/// Fields by which a row names a receiver of its own.
const OWN: Fields = Fields::of(&[Field::ReceiverId, Field::ReceiverName, Field::ReceiverType]);

fn own<'a>(draft: &impl Said<'a>) -> Counterpart<'a> {
    Counterpart {
        id: draft.id(Field::ReceiverId).map(Personal::new),
        name: draft.text(Field::ReceiverName).map(Personal::new),
        kind: draft.number(Field::ReceiverType),
        ..Counterpart::default()
    }
}

/// Adds the row's own receiver, unless the list has it already, then without its id.
#[inline(always)]
fn add_own<'a>(all: &mut Counterparts<'a>, own: Counterpart<'a>) {
    // 0 is also what collectors write for no receiver; any other kind is somebody without a name
    let said = own.id.is_some() || own.name.is_some();
    let kind = own.kind.is_some_and(|kind| kind != 0) && all.iter().all(|other| other.member);
    if !said && !kind {
        return;
    }
    let listed = all.iter_mut().find(|other| {
        let same_id = other.id.is_none() || own.id.is_none() || other.id == own.id;
        !other.member && other.name == own.name && other.kind == own.kind && same_id
    });
    match listed {
        Some(listed) => listed.id = own.id.or(listed.id.take()),
        None => all.push(own),
    }
}
