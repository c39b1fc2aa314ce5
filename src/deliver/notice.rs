//! One finding as a feed tells it.

use super::view::View;

/// What happened to the finding since the feed heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The feed hears of it for the first time.
    Created,
    /// Its totals or its severity changed; a notice always carries the totals, so one that stands for several changes
    /// leaves nothing out.
    Updated,
    /// Nothing changed, but the feed must hear of it again to keep it.
    Repeated,
    /// Somebody took it in hand.
    Acknowledged,
}

/// A finding cut to the channel's audience, with what is needed to know it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Stable key; the same at every try, so that a receiver can drop repetitions.
    pub id: String,
    /// What the audience sees.
    pub view: View,
    /// What happened.
    pub step: Step,
    /// Made up by an operator to try the channel.
    pub test: bool,
}

impl Notice {
    /// A notice of a finding's first revision, as most are.
    pub fn created(id: String, view: View) -> Self {
        Self { id, view, step: Step::Created, test: false }
    }
}
