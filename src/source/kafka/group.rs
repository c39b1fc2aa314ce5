//! What the group says of itself: which partitions nobody owns.
//!
//! A static member that is killed between the two steps of a cooperative rebalance comes back to what it was to keep, and the
//! broker calls no other rebalance for it (KIP-345). What it had given up for another belongs to nobody then, until a member
//! comes or goes. The layout of the bytes is that of Kafka's `ConsumerProtocolSubscription` and `ConsumerProtocolAssignment`.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::groups::{GroupInfo, GroupMemberInfo};

use super::events::{Events, Partition};
use super::options::Protocol;

/// For one answer of a broker.
const PATIENCE: Duration = Duration::from_secs(2);

/// Partitions that members of the group want and none of them has. `None`: the group is about to share out anew, its members
/// speak another protocol, or the brokers do not say.
pub(super) fn ownerless(consumer: &BaseConsumer<Events>, name: &str) -> Option<Vec<Partition>> {
    let list = consumer.fetch_group_list(Some(name), PATIENCE).ok()?;
    let group = list.groups().iter().find(|group| group.name() == name).filter(|group| is_settled(group))?;
    let said: Option<Vec<_>> = group.members().iter().map(said).collect();
    let said = said?;
    let wanted: BTreeSet<_> = said.iter().flat_map(|member| &member.topics).copied().collect();
    let owned: HashSet<_> = said.iter().flat_map(|member| &member.owned).copied().collect();
    let mut ownerless = Vec::new();
    for topic in wanted {
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).ok()?;
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions()).map(|one| one.id());
        let without = partitions.filter(|partition| !owned.contains(&(topic, *partition)));
        ownerless.extend(without.map(|partition| (topic.to_owned(), partition)));
    }
    Some(ownerless)
}

fn is_settled(group: &GroupInfo) -> bool {
    group.state() == "Stable" && group.protocol() == Protocol::CooperativeSticky.name()
}

/// What one member wants and has.
#[derive(Debug, PartialEq, Eq)]
struct Said<'b> {
    topics: Vec<&'b str>,
    owned: Vec<(&'b str, i32)>,
}

fn said(member: &GroupMemberInfo) -> Option<Said<'_>> {
    Said::read(member.metadata()?, member.assignment()?)
}

impl<'b> Said<'b> {
    fn read(subscription: &'b [u8], assignment: &'b [u8]) -> Option<Self> {
        let mut wants = Bytes::after_version(subscription)?;
        let topics = (0..wants.length()?).map(|_| wants.string()).collect::<Option<Vec<_>>>()?;
        // a member that was given nothing has no bytes
        let mut has = Bytes::after_version(if assignment.is_empty() { &[0; 6] } else { assignment })?;
        let mut owned = Vec::new();
        for _ in 0..has.length()? {
            let topic = has.string()?;
            for _ in 0..has.length()? {
                owned.push((topic, has.number()?));
            }
        }
        Some(Self { topics, owned })
    }
}

/// Reads numbers and texts off the front.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    /// Later versions only add to the end.
    fn after_version(bytes: &'b [u8]) -> Option<Self> {
        bytes.split_first_chunk::<2>().map(|(_, rest)| Self(rest))
    }

    fn number(&mut self) -> Option<i32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i32::from_be_bytes(*number))
    }

    fn length(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn string(&mut self) -> Option<&'b str> {
        let (length, rest) = self.0.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_s_wishes_and_partitions_are_read() {
        // version 1, topics "ab" and "c", no user data, no partitions of before
        let wants = [0, 1, 0, 0, 0, 2, 0, 2, b'a', b'b', 0, 1, b'c', 0, 0, 0, 0, 0, 0, 0, 0];
        // version 0, topic "ab" with 0 and 258, topic "c" with nothing, no user data
        let has = [
            0, 0, 0, 0, 0, 2, 0, 2, b'a', b'b', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1, b'c', 0, 0, 0, 0, 255, 255,
            255, 255,
        ];
        let read = Said::read(&wants, &has);
        assert_eq!(read, Some(Said { topics: vec!["ab", "c"], owned: vec![("ab", 0), ("ab", 258)] }));
        assert_eq!(Said::read(&wants, &[]), Some(Said { topics: vec!["ab", "c"], owned: Vec::new() }));
    }

    #[test]
    fn bytes_that_end_early_or_mean_something_else_are_not_taken_for_an_answer() {
        let wants = [0, 1, 0, 0, 0, 1, 0, 2, b'a', b'b'];
        let has = [0, 0, 0, 0, 0, 1, 0, 2, b'a', b'b', 0, 0, 0, 1, 0, 0, 0, 7];
        assert!(Said::read(&wants, &has).is_some());
        assert!((0..wants.len()).all(|end| Said::read(&wants[..end], &has).is_none()));
        assert!((1..has.len()).all(|end| Said::read(&wants, &has[..end]).is_none()));
        let many = [0, 0, 255, 255, 255, 255];
        assert_eq!(Said::read(&many, &has), None);
        assert_eq!(Said::read(&wants, &[0, 0, 0, 0, 0, 1, 0, 1, 0xff, 0, 0, 0, 0]), None);
    }
}
