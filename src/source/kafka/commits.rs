//! Offsets owed to the group: what receipts allow, committed now and then, and again where the group refused. A commit that is
//! lost costs nothing but work at the next start, since the evidence wins. Where stream users are told of every event, a commit
//! is a transaction that has the lines too (`tell`).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::Offset;

use super::client::Client;
use super::events::{Committed, Events, Partition};
use super::fetch::membership;
use super::lanes::{Lanes, Slot};
use super::options::Options;
use super::tell::{Outcome, Teller};
use crate::domain::position::{Lane, LaneId};
use crate::metrics::Metrics;

/// What the group is owed.
#[derive(Debug, Default)]
pub(super) struct Commits {
    owed: HashMap<LaneId, u64>,
    sent: Option<Instant>,
}

impl Commits {
    /// A receipt reaches up to `next` in this lane.
    pub(super) fn owe(&mut self, slot: &Slot, next: u64) {
        // what is not ours is not ours to commit: its new owner knows better
        if slot.owned {
            let owed = self.owed.entry(slot.lane).or_default();
            *owed = next.max(*owed);
        }
    }

    /// Owes nothing more for a lane that was given away.
    pub(super) fn forget(&mut self, lane: LaneId) {
        self.owed.remove(&lane);
    }

    /// Commits what is owed, without waiting, if it is time and the last commit is answered.
    pub(super) fn send_due(&mut self, client: &Client, lanes: &Lanes, options: &Options) {
        let is_due = self.sent.is_none_or(|sent| sent.elapsed() >= options.commit_every);
        if !self.owed.is_empty() && is_due && !client.committer().is_busy() {
            self.sent = Some(Instant::now());
            client.committer().send(self.order(client, lanes, options));
        }
    }

    /// Commits what is owed and waits for the answer, at most for `patience`.
    pub(super) fn send_now(&mut self, client: &Client, lanes: &Lanes, options: &Options, patience: Duration) {
        let until = Instant::now() + patience;
        // an older commit must not come after a newer one
        if self.owed.is_empty() || !client.committer().is_free_by(until) {
            return;
        }
        client.committer().send(self.order(client, lanes, options));
        if !client.committer().is_free_by(until) {
            tracing::warn!("no answer to a commit; the evidence is ahead and wins");
        }
    }

    /// Takes the answers in. What was refused stays owed.
    pub(super) fn answers(&mut self, answers: Vec<Committed>, lanes: &Lanes, metrics: &Metrics) {
        let refused = answers.iter().filter_map(|(_, answer)| answer.err()).next();
        if let Some(code) = refused {
            tracing::info!(%code, "commit refused; what is recorded is committed again by whoever has the partition");
        }
        for (partition, answer) in answers {
            match answer {
                Ok(next) => {
                    metrics.kafka().committed(1);
                    let lane = lanes.owned(&partition).map(|at| lanes.slots[at].lane);
                    // more may be owed by now
                    let is_paid = |lane: &LaneId| self.owed.get(lane).is_some_and(|owed| *owed <= next);
                    if let Some(lane) = lane.filter(is_paid) {
                        self.owed.remove(&lane);
                    }
                }
                Err(_) => metrics.kafka().commit_refused(1),
            }
        }
    }

    /// Whether more is owed than goes out, so that no more should be taken in.
    pub(super) fn is_behind(&self, client: &Client) -> bool {
        !self.owed.is_empty() && client.committer().is_behind()
    }

    fn order(&self, client: &Client, lanes: &Lanes, options: &Options) -> Order {
        // before anything else is asked: an answer for a later membership must not serve this one's partitions
        let group = options.verdicts.as_ref().and_then(|_| membership(client.consumer()));
        let place = |(lane, next): (&LaneId, &u64)| {
            let slot = &lanes.slots[lane.0 as usize];
            Place {
                partition: slot.partition.clone(),
                lane: lanes.lanes[lane.0 as usize].clone(),
                next: *next,
                // a start that was chosen has no evidence behind it
                metadata: if slot.mark.is_some() { options.instance.clone() } else { String::new() },
            }
        };
        Order { places: self.owed.iter().map(place).collect(), group }
    }
}

/// One partition of an order.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) partition: Partition,
    pub(super) lane: Lane,
    /// The offset to commit.
    pub(super) next: u64,
    /// Name of the log that stands behind it.
    pub(super) metadata: String,
}

/// Everything that is owed, for the group.
pub(super) struct Order {
    pub(super) places: Vec<Place>,
    /// Our membership, where it is a transaction.
    pub(super) group: Option<ConsumerGroupMetadata>,
}

impl Order {
    fn list(&self) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(self.places.len());
        for Place { partition: (topic, partition), next, metadata, .. } in &self.places {
            let mut one = list.add_partition(topic, *partition);
            one.set_metadata(metadata);
            // an offset of a record is never out of the range of offsets
            if one.set_offset(Offset::Offset(i64::try_from(*next).unwrap_or(i64::MAX))).is_err() {
                tracing::error!(topic, partition, "offset not set");
            }
        }
        list
    }
}

/// Commits on a thread of its own: librdkafka's answer to a commit that is not waited for does not reach us (rust-rdkafka
/// sets no callback for it), and one that is waited for may take as long as an outage.
#[derive(Debug)]
pub(super) struct Committer {
    orders: Sender<Order>,
    busy: Arc<AtomicBool>,
    behind: Arc<AtomicBool>,
}

impl Committer {
    /// Starts the thread, which ends with the committer, when its last commit is answered.
    pub(super) fn start(consumer: Arc<BaseConsumer<Events>>, teller: Option<Teller>) -> std::io::Result<Self> {
        let (orders, inbox) = channel();
        let (busy, behind) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let clerk = Clerk { consumer, teller, busy: Arc::clone(&busy), behind: Arc::clone(&behind) };
        let commit = move || clerk.commit_all(&inbox);
        std::thread::Builder::new().name("kafka-commit".to_owned()).spawn(commit)?;
        Ok(Self { orders, busy, behind })
    }

    fn send(&self, order: Order) {
        self.busy.store(true, Ordering::Release);
        // a thread that is gone leaves the offsets owed, and the evidence wins
        if self.orders.send(order).is_err() {
            self.busy.store(false, Ordering::Release);
        }
    }

    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire)
    }

    fn is_free_by(&self, until: Instant) -> bool {
        while self.is_busy() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        !self.is_busy()
    }
}

/// The thread at work.
struct Clerk {
    consumer: Arc<BaseConsumer<Events>>,
    teller: Option<Teller>,
    busy: Arc<AtomicBool>,
    behind: Arc<AtomicBool>,
}

impl Clerk {
    fn commit_all(mut self, inbox: &Receiver<Order>) {
        for order in inbox {
            let Outcome { answers, is_behind } = match &mut self.teller {
                None => commit(&self.consumer, &order),
                Some(teller) => teller.carry_out(&self.consumer, &order),
            };
            self.consumer.context().answer(answers.into_iter());
            self.behind.store(is_behind, Ordering::Release);
            self.busy.store(false, Ordering::Release);
        }
    }
}

fn commit(consumer: &BaseConsumer<Events>, order: &Order) -> Outcome {
    let failed = consumer.commit(&order.list(), CommitMode::Sync).err();
    let code = failed.map(|error| error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown));
    let answer = |place: &Place| (place.partition.clone(), code.map_or(Ok(place.next), Err));
    Outcome { answers: order.places.iter().map(answer).collect(), is_behind: false }
}
