//! Partitions come and go, between two batches.

use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{Consumer as _, RebalanceProtocol};
use rdkafka::topic_partition_list::Offset;

use super::Kafka;
use super::events::{Partition, Rebalance};
use super::lanes::{GroupOffset, Slot, Start};
use super::options::Begin;
use crate::kafka::{REQUEST, Trouble};
use crate::metrics::Moved;
use crate::pipeline::ports::{InFlight, SourceError};
use crate::pipeline::report::GapReason;

impl Kafka {
    /// Carries out what the group decided. What fails for a passing reason is carried out at the next turn.
    pub(super) fn rebalance(&mut self, flight: &mut dyn InFlight) -> Result<(), SourceError> {
        while let Some((_, rebalance)) = self.client.events().rebalance() {
            let carried_out = match rebalance {
                Rebalance::Assign(partitions) => self.assign(&partitions),
                Rebalance::Revoke(partitions) => self.revoke(&partitions, flight),
            };
            match carried_out {
                Ok(()) => self.client.events().done(),
                Err(SourceError::Transient(why)) => {
                    tracing::warn!(%why, "rebalance not carried out yet");
                    return Ok(());
                }
                Err(fatal @ SourceError::Fatal(_)) => return Err(fatal),
            }
        }
        Ok(())
    }

    fn assign(&mut self, partitions: &[Partition]) -> Result<(), SourceError> {
        let group = self.group_offsets(partitions)?;
        // a list of our own: one with the leader epochs of old commits would have later offsets taken for truncated
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for (partition, group) in partitions.iter().zip(&group) {
            let mut start = self.lanes.assign(partition, group.as_ref(), &self.options.instance);
            if start == Start::Fresh && self.options.begin == Begin::Latest {
                start = self.begin_at_the_end(partition)?;
            }
            self.catch_up(partition, group.as_ref());
            list.add_partition_offset(&partition.0, partition.1, offset(start)).map_err(transient)?;
        }
        self.route(&list);
        let consumer = self.client.consumer();
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(&list),
            RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(&list),
        }
        .map_err(transient)?;
        tracing::info!(partitions = partitions.len(), "partitions assigned");
        self.metrics.kafka().moved(Moved::Assigned);
        self.client.events().reports.works();
        (self.began, self.refused, self.handles) = (true, None, std::collections::HashMap::new());
        self.show_progress();
        self.ready.release();
        Ok(())
    }

    /// Owes the group what the evidence has beyond it: a commit that a lost assignment or a kill has swallowed.
    fn catch_up(&mut self, partition: &Partition, group: Option<&GroupOffset>) {
        let at = self.lanes.slot(partition);
        let slot = &self.lanes.slots[at];
        let recorded = slot.mark.as_ref().map(|mark| mark.next);
        if let Some(next) = recorded.filter(|next| group.is_none_or(|group| group.next < *next)) {
            self.commits.owe(slot, next);
        }
    }

    /// Begins at what the partition's end is now, and commits that: otherwise what comes between this assignment and the next
    /// one would be passed over.
    fn begin_at_the_end(&mut self, partition: &Partition) -> Result<Start, SourceError> {
        let ends = self.client.consumer().fetch_watermarks(&partition.0, partition.1, REQUEST).map_err(transient)?;
        let end = u64::try_from(ends.1).unwrap_or_default();
        let at = self.lanes.slot(partition);
        self.lanes.skip_to(at, end, GapReason::Skipped);
        self.commits.owe(&self.lanes.slots[at], end);
        Ok(Start::At(end))
    }

    /// What the group has committed, in the order of the partitions.
    fn group_offsets(&self, partitions: &[Partition]) -> Result<Vec<Option<GroupOffset>>, SourceError> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for (topic, partition) in partitions {
            list.add_partition(topic, *partition);
        }
        let list = self.client.consumer().committed_offsets(list, REQUEST).map_err(transient)?;
        let offset = |(topic, partition): &Partition| {
            let found = list.find_partition(topic, *partition)?;
            found.error().is_ok().then_some(())?;
            let next =
                u64::try_from(found.offset().to_raw().filter(|_| matches!(found.offset(), Offset::Offset(_)))?).ok()?;
            Some(GroupOffset { next, by: found.metadata().to_owned() })
        };
        Ok(partitions.iter().map(offset).collect())
    }

    /// Gives partitions away: first lets the batches land that are judged or on their way to the disk, and commits them.
    fn revoke(&mut self, partitions: &[Partition], flight: &mut dyn InFlight) -> Result<(), SourceError> {
        if self.client.consumer().assignment_lost() {
            // the group has given them to others already, who begin at the last commit
            tracing::warn!(partitions = partitions.len(), "partitions lost: no sign of life reached the group in time");
            self.metrics.kafka().moved(Moved::Lost);
        } else {
            self.settle(flight, self.options.patience())?;
            self.metrics.kafka().moved(Moved::Revoked);
        }
        self.give_up(partitions)
    }

    /// Waits for what is on its way, and commits everything that is recorded.
    pub(super) fn settle(&mut self, flight: &mut dyn InFlight, patience: Duration) -> Result<(), SourceError> {
        use crate::pipeline::ports::Source as _;
        let durable = flight.wait(patience, &|rejected| self.describe(rejected));
        durable.map_or(Ok(()), |durable| self.commit(durable))?;
        if flight.is_aloft() {
            tracing::warn!("the recorder takes long; partitions are given up before their last batch is committed");
        }
        self.commits.send_now(&self.client, &self.lanes, &self.options, patience.min(REQUEST));
        self.commits.answers(self.client.events().take_commits(), &self.lanes, &self.metrics);
        Ok(())
    }

    fn give_up(&mut self, partitions: &[Partition]) -> Result<(), SourceError> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(&partition.0, partition.1);
            if let Some(lane) = self.lanes.revoke(partition) {
                self.commits.forget(lane);
            }
        }
        let consumer = self.client.consumer();
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(&list),
            RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
        }
        .map_err(transient)?;
        tracing::info!(partitions = partitions.len(), "partitions given up");
        self.show_progress();
        Ok(())
    }

    /// Gives up partitions that wait too long for a recorder that is stuck, so that the group is not held up. Their batch is
    /// not committed; whoever gets them begins at the last commit.
    pub(super) fn let_go_of_the_overdue(&mut self) {
        let Some((since, Rebalance::Revoke(partitions))) = self.client.events().rebalance() else { return };
        if since.elapsed() < self.options.patience() {
            return;
        }
        tracing::warn!(partitions = partitions.len(), "the recorder is stuck; partitions are given up uncommitted");
        self.metrics.kafka().moved(Moved::Lost);
        match self.give_up(&partitions) {
            Ok(()) => self.client.events().done(),
            Err(error) => tracing::warn!(%error, "partitions not given up"),
        }
    }

    /// Deals with partitions whose offset the broker does not have.
    pub(super) fn bring_back(&mut self) -> Result<(), SourceError> {
        while let Some(at) = self.adrift.last().copied() {
            match self.out_of_range(at) {
                Ok(()) => drop(self.adrift.pop()),
                Err(SourceError::Transient(why)) => {
                    tracing::warn!(%why, "partition not brought back yet");
                    return Ok(());
                }
                Err(fatal @ SourceError::Fatal(_)) => return Err(fatal),
            }
        }
        Ok(())
    }

    /// Takes no more messages while the recorder takes long, where polling would bring them.
    pub(super) fn pause(&mut self) {
        if self.paused {
            return;
        }
        let consumer = self.client.consumer();
        let paused = consumer.assignment().and_then(|ours| consumer.pause(&ours));
        self.paused = paused.is_ok();
        if let Err(error) = paused {
            tracing::debug!(%error, "partitions not paused");
        }
    }

    /// Takes messages again.
    pub(super) fn resume(&mut self) -> Result<(), SourceError> {
        if self.paused {
            let consumer = self.client.consumer();
            consumer.assignment().and_then(|ours| consumer.resume(&ours)).map_err(transient)?;
            self.paused = false;
        }
        Ok(())
    }

    /// The broker has no more, or not yet, the offset that we want.
    fn out_of_range(&mut self, at: usize) -> Result<(), SourceError> {
        let slot = self.lanes.slots[at].clone();
        let (topic, partition) = (&slot.partition.0, slot.partition.1);
        let ends = self.client.consumer().fetch_watermarks(topic, partition, REQUEST).map_err(transient)?;
        let (low, high) = (u64::try_from(ends.0).unwrap_or(0), u64::try_from(ends.1).unwrap_or(0));
        let next = slot.next.unwrap_or(low);
        if next > high {
            return Err(SourceError::Fatal(self.changed(at)));
        }
        if next < low {
            tracing::error!(
                topic,
                partition,
                from = next,
                to = low,
                "records were deleted before they were read: they are lost"
            );
            self.metrics.kafka().lost(low - next);
            self.lanes.skip_to(at, low, GapReason::Retention);
        } else {
            // only the record before the first that we want is gone
            self.lanes.leave_unchecked(at);
        }
        self.fetch_again(at, next.max(low))
    }

    /// Has the client fetch a partition from where it stands, or from `otherwise` where nothing was handed over yet. Assigned
    /// anew rather than sought: a partition whose offset was out of range cannot be sought.
    pub(super) fn fetch_again(&self, at: usize, otherwise: u64) -> Result<(), SourceError> {
        let consumer = self.client.consumer();
        let slot = &self.lanes.slots[at];
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => {
                let list = places(std::iter::once(slot), (slot, otherwise))?;
                consumer.incremental_unassign(&list).map_err(transient)?;
                self.route(&list);
                consumer.incremental_assign(&list).map_err(transient)
            }
            RebalanceProtocol::Eager | RebalanceProtocol::None => {
                let list = places(self.lanes.all_owned(), (slot, otherwise))?;
                consumer.unassign().map_err(transient)?;
                self.route(&list);
                consumer.assign(&list).map_err(transient)
            }
        }
    }

    /// Routes messages of all our partitions to the fetcher once more. An assignment that ends takes its route away when the
    /// client gets to it, which may be after the next one was routed; messages then wait where nobody takes them, and are
    /// handed on by this.
    pub(super) fn route_again(&self) {
        if let Some(fetcher) = self.client.held() {
            self.lanes.all_owned().for_each(|slot| fetcher.route(&slot.partition.0, slot.partition.1));
        }
    }

    /// Routes messages of these partitions to the fetcher. An assignment that ends takes the route with it.
    fn route(&self, list: &TopicPartitionList) {
        if let Some(fetcher) = self.client.held() {
            list.elements().iter().for_each(|one| fetcher.route(one.topic(), one.partition()));
        }
    }
}

/// Where each of these partitions stands; `otherwise` for a slot of which nothing was handed over yet.
fn places<'s>(
    slots: impl Iterator<Item = &'s Slot>,
    (slot, otherwise): (&Slot, u64),
) -> Result<TopicPartitionList, SourceError> {
    let mut list = TopicPartitionList::new();
    for one in slots {
        let next = one.next.or((one.lane == slot.lane).then_some(otherwise));
        let place = offset(next.map_or(Start::Fresh, Start::At));
        list.add_partition_offset(&one.partition.0, one.partition.1, place).map_err(transient)?;
    }
    Ok(list)
}

fn offset(start: Start) -> Offset {
    match start {
        Start::At(next) => Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX)),
        Start::Fresh => Offset::Beginning,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn transient(error: rdkafka::error::KafkaError) -> SourceError {
    SourceError::Transient(Trouble::of(&error, "").to_string())
}
