//! Which partitions a source has, as `/ready` shows them. Names and numbers of the operator's own topics; nothing of events.

use serde::Serialize;

/// A partition of this instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assigned {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// How it fares.
    pub state: State,
    /// First offset that was not taken; `null` before the first message.
    pub next: Option<u64>,
    /// Records that were not taken, as of the last look; `null` before the first look.
    pub lag: Option<u64>,
}

/// How a partition fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It came to us, and its end is not known yet.
    Assigned,
    /// It has lag and gives records.
    Reading,
    /// Everything was taken.
    CaughtUp,
    /// It has lag and has given nothing for `source.kafka.stall_s`.
    Stalled,
    /// Nothing is taken: the recorder has not finished the batch before.
    Held,
}

impl State {
    /// From what is known of a partition.
    pub fn of(lag: Option<u64>, is_stalled: bool, is_held: bool) -> Self {
        match lag {
            _ if is_held => Self::Held,
            None => Self::Assigned,
            Some(0) => Self::CaughtUp,
            Some(_) if is_stalled => Self::Stalled,
            Some(_) => Self::Reading,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_stalled_only_where_it_has_something_to_give() {
        assert_eq!(State::of(None, true, false), State::Assigned);
        assert_eq!(State::of(Some(0), true, false), State::CaughtUp);
        assert_eq!(State::of(Some(3), false, false), State::Reading);
        assert_eq!(State::of(Some(3), true, false), State::Stalled);
        assert_eq!(State::of(Some(3), true, true), State::Held);
    }
}
