//! Which partitions are ours, how far each was handed over, and where each begins when it comes to us. Pure bookkeeping: talks
//! to nobody.

use std::collections::HashMap;

use super::events::Partition;
use crate::domain::position::{Lane, LaneId};
use crate::pipeline::batch::Resume;
use crate::pipeline::ports::Reached;
use crate::pipeline::report::GapReason;
use crate::source::Mark;

/// What the group knows of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GroupOffset {
    /// First offset that no member has committed.
    pub(super) next: u64,
    /// Whose evidence stood behind that commit.
    pub(super) by: String,
}

/// Where a partition begins when it comes to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Nobody has read it yet: as configured.
    Fresh,
    /// At this offset.
    At(u64),
}

/// A partition, ours or once ours.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) lane: LaneId,
    pub(super) partition: Partition,
    /// Whether it is ours now.
    pub(super) owned: bool,
    /// First offset that was not handed over; `None`: nothing is known.
    pub(super) next: Option<u64>,
    /// How far the evidence is, and the last message there.
    pub(super) mark: Option<Mark>,
    /// Set from the assignment until the first message that is handed over.
    resume: Option<Resume>,
    /// The message before `next` is read again, to see that the topic is still the same.
    is_checked: bool,
    /// The topic is not the one that was recorded: nothing of it is handed over.
    is_other: bool,
    /// Time of the last message handed over, ms since the epoch.
    pub(super) latest: Option<i64>,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// Hand it over; the batch must first learn of this.
    Hand(Option<Resume>),
    /// It is recorded already, or not ours.
    Pass,
    /// The topic is not the one that was recorded.
    Changed,
}

/// All partitions seen.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    pub(super) lanes: Vec<Lane>,
    pub(super) slots: Vec<Slot>,
    known: HashMap<Partition, usize>,
    marks: HashMap<Lane, Mark>,
    /// Appended to topic names in the evidence, for a topic that was made anew under its old name.
    epoch: String,
}

impl Lanes {
    /// Goes on from what is recorded.
    pub(super) fn new(reached: &[Reached], epoch: &str) -> Self {
        let mark = |at: &Reached| (at.lane.clone(), Mark { next: at.next, last_digest: at.last_digest.clone() });
        Self { marks: reached.iter().map(mark).collect(), epoch: epoch.to_owned(), ..Self::default() }
    }

    /// The lane of a partition.
    fn lane(&self, (topic, partition): &Partition) -> Lane {
        let mark = if self.epoch.is_empty() { String::new() } else { format!("@{}", self.epoch) };
        Lane { topic: format!("{topic}{mark}"), partition: *partition }
    }

    /// The topic of a lane.
    pub(super) fn topic(&self, lane: &Lane) -> String {
        let mark = format!("@{}", self.epoch);
        let plain = if self.epoch.is_empty() { None } else { lane.topic.strip_suffix(&mark) };
        plain.unwrap_or(&lane.topic).to_owned()
    }

    /// The slot of a partition, made if it is new.
    pub(super) fn slot(&mut self, partition: &Partition) -> usize {
        if let Some(at) = self.known.get(partition) {
            return *at;
        }
        let lane = self.lane(partition);
        let mark = self.marks.remove(&lane);
        let at = self.slots.len();
        let slot = Slot {
            lane: LaneId(at as u32),
            partition: partition.clone(),
            owned: false,
            next: mark.as_ref().map(|mark| mark.next),
            mark,
            resume: None,
            is_checked: true,
            is_other: false,
            latest: None,
        };
        self.lanes.push(lane);
        self.slots.push(slot);
        self.known.insert(partition.clone(), at);
        at
    }

    /// The slot of a partition that is ours.
    pub(super) fn owned(&self, partition: &Partition) -> Option<usize> {
        self.known.get(partition).copied().filter(|at| self.slots[*at].owned)
    }

    /// Takes a partition over: decides where it begins. The evidence wins where it is ahead of the group. Where the group
    /// is ahead, another member has the records between; if it was this very log that committed them, the log has lost
    /// its end and they are read again.
    pub(super) fn assign(&mut self, partition: &Partition, group: Option<&GroupOffset>, instance: &str) -> Start {
        let at = self.slot(partition);
        let slot = &mut self.slots[at];
        slot.owned = true;
        let away = group.filter(|group| group.by != instance && slot.next.is_none_or(|next| group.next > next));
        if let Some(group) = away {
            slot.next = Some(group.next);
            slot.resume = Some(Resume { lane: slot.lane, at: group.next, why: GapReason::Elsewhere });
            slot.is_checked = true;
        } else if slot.next.is_none()
            && let Some(group) = group
        {
            // our own commit, and a log that knows nothing of the partition: it was lost, and begins again from the start
            tracing::warn!(topic = %partition.0, partition = partition.1, committed = group.next,
                "the evidence has no record of this partition although this log committed it; it is read from its start");
        }
        if slot.resume.is_none() {
            slot.is_checked = slot.mark.as_ref().is_none_or(|mark| mark.next == 0 || Some(mark.next) != slot.next);
        }
        match slot.next {
            None => Start::Fresh,
            // the last recorded message is read once more
            Some(next) if !slot.is_checked => Start::At(next - 1),
            Some(next) => Start::At(next),
        }
    }

    /// Gives a partition away.
    pub(super) fn revoke(&mut self, partition: &Partition) -> Option<LaneId> {
        let at = self.owned(partition)?;
        let slot = &mut self.slots[at];
        (slot.owned, slot.resume) = (false, None);
        Some(slot.lane)
    }

    /// Has a partition begin further on.
    pub(super) fn skip_to(&mut self, at: usize, next: u64, why: GapReason) {
        let slot = &mut self.slots[at];
        slot.resume = Some(Resume { lane: slot.lane, at: next, why });
        (slot.next, slot.is_checked) = (Some(next), true);
    }

    /// Reads on without a look at the last recorded message, which the broker has no more.
    pub(super) fn leave_unchecked(&mut self, at: usize) {
        self.slots[at].is_checked = true;
    }

    /// What to do with a message of a partition.
    pub(super) fn take(&mut self, at: usize, offset: u64, payload: &[u8], timestamp: Option<i64>) -> Take {
        let slot = &mut self.slots[at];
        if !slot.owned {
            return Take::Pass;
        }
        if slot.is_other {
            return Take::Changed;
        }
        if !slot.is_checked {
            let mark = slot.mark.as_ref().filter(|mark| offset < mark.next);
            slot.is_checked = true;
            if mark.is_some_and(|mark| mark.is_broken_by(offset, payload)) {
                slot.is_other = true;
                return Take::Changed;
            }
        }
        if slot.next.is_some_and(|next| offset < next) {
            return Take::Pass;
        }
        slot.next = Some(offset + 1);
        slot.latest = timestamp.or(slot.latest);
        Take::Hand(slot.resume.take())
    }

    /// Everything below is recorded.
    pub(super) fn recorded(&mut self, reached: &Reached) -> Option<&Slot> {
        let at = self.lanes.iter().position(|lane| *lane == reached.lane)?;
        let slot = &mut self.slots[at];
        slot.mark = Some(Mark { next: reached.next, last_digest: reached.last_digest.clone() });
        Some(slot)
    }

    /// Partitions that are ours.
    pub(super) fn all_owned(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "me";

    fn partition() -> Partition {
        ("audit".to_owned(), 3)
    }

    fn group(next: u64, by: &str) -> Option<GroupOffset> {
        Some(GroupOffset { next, by: by.to_owned() })
    }

    fn lanes(next: Option<u64>) -> Lanes {
        let lane = Lane { topic: "audit".to_owned(), partition: 3 };
        let last_digest = crate::source::digest(b"last", 16);
        let reached: Vec<_> = next.map(|next| Reached { lane, next, last_digest }).into_iter().collect();
        Lanes::new(&reached, "")
    }

    #[test]
    fn the_evidence_wins_where_it_is_ahead_and_the_group_where_it_is() {
        let start = |evidence, group: Option<GroupOffset>| lanes(evidence).assign(&partition(), group.as_ref(), ME);
        assert_eq!(start(None, None), Start::Fresh);
        assert_eq!(start(None, group(7, "other")), Start::At(7));
        // the message before is read again to see whether the topic is still the same
        assert_eq!(start(Some(10), group(7, "other")), Start::At(9));
        assert_eq!(start(Some(10), None), Start::At(9));
        assert_eq!(start(Some(0), None), Start::At(0));
        assert_eq!(start(Some(10), group(15, "other")), Start::At(15));
        // our own commits beyond our evidence: the log lost its end, so the events are read again
        assert_eq!(start(Some(10), group(15, ME)), Start::At(9));
        assert_eq!(start(None, group(15, ME)), Start::Fresh);
    }

    #[test]
    fn a_partition_that_was_away_says_so_with_its_first_message_and_once() {
        let mut lanes = lanes(Some(10));
        assert_eq!(lanes.assign(&partition(), group(15, "other").as_ref(), ME), Start::At(15));
        let resume = Resume { lane: LaneId(0), at: 15, why: GapReason::Elsewhere };
        assert_eq!(lanes.take(0, 14, b"", None), Take::Pass);
        assert_eq!(lanes.take(0, 16, b"", Some(5)), Take::Hand(Some(resume)));
        assert_eq!(lanes.take(0, 17, b"", None), Take::Hand(None));
        assert_eq!(lanes.slots[0].latest, Some(5));
    }

    #[test]
    fn what_was_handed_over_is_not_taken_again_when_a_partition_comes_back() {
        let mut lanes = lanes(None);
        lanes.assign(&partition(), None, ME);
        assert_eq!(lanes.take(0, 0, b"", None), Take::Hand(None));
        assert_eq!(lanes.take(0, 1, b"", None), Take::Hand(None));
        assert_eq!(lanes.revoke(&partition()), Some(LaneId(0)));
        assert_eq!(lanes.take(0, 2, b"", None), Take::Pass, "not ours any more");
        // not committed in time, so the group still stands at 0
        assert_eq!(lanes.assign(&partition(), group(0, "other").as_ref(), ME), Start::At(2));
        assert_eq!(lanes.take(0, 1, b"", None), Take::Pass);
        assert_eq!(lanes.take(0, 2, b"", None), Take::Hand(None));
    }

    #[test]
    fn a_topic_that_was_made_anew_under_its_old_name_is_noticed() {
        let mut same = lanes(Some(10));
        same.assign(&partition(), None, ME);
        assert_eq!(same.take(0, 9, b"last", None), Take::Pass);
        assert_eq!(same.take(0, 10, b"", None), Take::Hand(None));
        let mut other = lanes(Some(10));
        other.assign(&partition(), None, ME);
        assert_eq!(other.take(0, 9, b"another", None), Take::Changed);
        assert_eq!(other.take(0, 10, b"", None), Take::Changed, "nothing of another topic is handed over");
        // the last recorded message was compacted or deleted: nothing to compare
        let mut gone = lanes(Some(10));
        gone.assign(&partition(), None, ME);
        assert_eq!(gone.take(0, 12, b"", None), Take::Hand(None));
    }

    #[test]
    fn an_epoch_gives_a_topic_other_lanes_and_comes_off_again() {
        let mut lanes = Lanes::new(&[], "2");
        let at = lanes.slot(&partition());
        let lane = lanes.lanes[at].clone();
        assert_eq!(lane.topic, "audit@2");
        assert_eq!(lanes.topic(&lane), "audit");
    }
}
