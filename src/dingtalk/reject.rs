//! Why input is no event. Carries names of fields and places in the text, never a value of the input.

use std::fmt;

/// Class of a rejection; the label of a metric and of the dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Not JSON (RFC 8259).
    NotJson,
    /// Not UTF-8 (RFC 8259 §8.1).
    InvalidUtf8,
    /// Nested deeper than [`super::Limits::depth`].
    TooDeep,
    /// Longer than [`super::Limits::bytes`].
    TooLarge,
    /// Good JSON that holds no audit row and no push event.
    NoEvent,
    /// A decisive field, or the event itself, is given twice with different values.
    Conflict,
    /// A decisive field has a type or a form that it cannot have.
    BadField,
    /// More events than [`super::Limits::events`].
    TooMany,
}

impl Reason {
    /// All reasons, in declaration order.
    pub const ALL: [Self; 8] = [
        Self::NotJson,
        Self::InvalidUtf8,
        Self::TooDeep,
        Self::TooLarge,
        Self::NoEvent,
        Self::Conflict,
        Self::BadField,
        Self::TooMany,
    ];

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::NoEvent => "no_event",
            Self::Conflict => "conflict",
            Self::BadField => "bad_field",
            Self::TooMany => "too_many",
        }
    }
}

/// Where in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Field by DingTalk's name.
    Field(&'static str),
    /// Byte offset in the message, behind a byte order mark; for a row of a page or for JSON inside a string, the offset in that row or string.
    Offset(usize),
    /// The bound that was passed.
    Limit(usize),
    /// What was looked for and not found.
    Missing(&'static str),
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, "field {name}"),
            Self::Offset(offset) => write!(f, "byte {offset}"),
            Self::Limit(limit) => write!(f, "limit {limit}"),
            Self::Missing(what) => write!(f, "no {what}"),
        }
    }
}

/// One rejected event, or a whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Why.
    pub reason: Reason,
    /// Where.
    pub detail: Detail,
}

impl Reject {
    /// A message that the source had to cut after `kept` bytes.
    pub const fn cut(kept: usize) -> Self {
        Self::limit(Reason::TooLarge, kept)
    }

    pub(super) const fn field(reason: Reason, name: &'static str) -> Self {
        Self { reason, detail: Detail::Field(name) }
    }

    pub(super) const fn limit(reason: Reason, limit: usize) -> Self {
        Self { reason, detail: Detail::Limit(limit) }
    }

    pub(super) const fn missing(what: &'static str) -> Self {
        Self { reason: Reason::NoEvent, detail: Detail::Missing(what) }
    }

    pub(super) const fn not_json(offset: usize) -> Self {
        Self { reason: Reason::NotJson, detail: Detail::Offset(offset) }
    }

    /// A syntax error of `text`. The parser's own message is dropped: it may quote the input.
    pub(super) fn syntax(error: &serde_json::Error, text: &str) -> Self {
        let before: usize = text.split('\n').take(error.line().saturating_sub(1)).map(|line| line.len() + 1).sum();
        Self::not_json((before + error.column().saturating_sub(1)).min(text.len()))
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.name(), self.detail)
    }
}
