//! Values written down as they are shown to people, without a text of their own in between.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer};

use crate::domain::event::{Act, Event, Id};

/// Serialised by its [`Display`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<T>(pub(super) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What was done, as records say it.
pub(super) struct Done<'e>(pub(super) &'e Act<'e>);

impl Display for Done<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Act::Audit(code) => write!(f, "action {code}"),
            Act::Push(kind) => f.write_str(kind),
        }
    }
}

/// The actor's id; nothing where there is none.
pub(super) enum Who<'e> {
    User(&'e Id<'e>),
    Union(&'e str),
    Nobody,
}

impl<'e> Who<'e> {
    pub(super) fn of(event: &'e Event<'_>) -> Self {
        let union_id = || event.actor.union_id.as_ref().map_or(Self::Nobody, |id| Self::Union(id.reveal()));
        event.actor.user_id.as_ref().map_or_else(union_id, |id| Self::User(id.reveal()))
    }
}

impl Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Union(id) => f.write_str(id),
            Self::Nobody => Ok(()),
        }
    }
}

/// A time in ms since the epoch, in UTC; nothing where no calendar has it.
pub(super) struct Utc(pub(super) i64);

impl Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        jiff::Timestamp::from_millisecond(self.0).map_or(Ok(()), |time| write!(f, "{time:.3}"))
    }
}
