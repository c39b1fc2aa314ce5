//! What an object says, however it was read: as rows and push events are made of it.

use smallvec::SmallVec;

use super::field::{Field, Fields};
use super::part::{Agent, Checked};
use super::reject::Reject;
use super::value::Ids;
use crate::domain::event::{COUNTERPARTS_INLINE, Counterpart, Id, Storage, Text};

/// Those of an event.
pub(super) type Counterparts<'a> = SmallVec<[Counterpart<'a>; COUNTERPARTS_INLINE]>;

/// What an object says.
pub(super) trait Said<'a> {
    /// Whether any of the fields has a value.
    fn has(&self, fields: Fields) -> bool;

    /// Refuses the object if one of these fields clashes or has a wrong type.
    ///
    /// # Errors
    /// [`Reason::Conflict`](super::Reason::Conflict) before [`Reason::BadField`](super::Reason::BadField).
    fn check(&self, decisive: Fields) -> Result<(), Reject>;

    /// Fields of a row are written with underscores.
    fn is_snake(&self) -> bool;

    /// A code, flag, time or size.
    fn number(&self, field: Field) -> Option<i64>;

    /// An identifier.
    fn id(&self, field: Field) -> Option<Id<'a>>;

    /// A text.
    fn text(&self, field: Field) -> Option<Text<'a>>;

    /// The text of the first field that has one.
    fn either_text(&self, field: Field, other: Field) -> Option<Text<'a>> {
        self.text(field).or_else(|| self.text(other))
    }

    /// The ids of people, without the empty ones.
    fn ids(&self, field: Field) -> Ids<'a>;

    /// The first of the ids of people, and whether there are more.
    fn single(&self, field: Field) -> (Option<Id<'a>>, bool);

    /// What is claimed about the storage.
    fn storage(&self) -> Storage<'a>;

    /// Whether all that it says is borrowed from the message: none of its texts had an escape.
    fn is_borrowed(&self) -> bool {
        false
    }

    /// Whether a field holds what may be an event.
    fn carries(&self, field: Field) -> bool;

    /// `EventType` with a capital, as the HTTP callback writes.
    fn is_capital(&self) -> bool;

    /// The event type stands in `headers`, as in a Stream frame.
    fn is_framed(&self) -> bool;

    /// Those of a push event.
    fn members(&self) -> &[Counterpart<'a>];

    /// Files that were checked before they are sent.
    fn files(&self) -> &[Checked<'a>];

    /// Apps that were authorised.
    fn agents(&self) -> &[Agent<'a>];

    /// Adds receivers, then members; they are gone then.
    fn take_parties(&mut self, all: &mut Counterparts<'a>);
}
