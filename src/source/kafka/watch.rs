//! Looks after the client: partitions that have something and give nothing, certificates that changed on disk.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use rdkafka::consumer::Consumer as _;

use super::Kafka;
use super::client::Client;
use super::events::Partition;
use super::health::Progress;
use super::options::Options;
use super::rebalance::transient;
use crate::admin::{Assigned, PartitionState};
use crate::domain::position::LaneId;
use crate::kafka::now_ms;
use crate::metrics::Moved;
use crate::pipeline::ports::{InFlight, SourceError};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// The patience with partitions without owner is doubled at most so many times: 64 times one to two session time-outs.
const MOST_DOUBLED: u32 = 6;

/// After so long, joining again counts as the first time.
const FORGIVEN: Duration = Duration::from_secs(2 * 3600);

/// What tells one version of a file from another.
type Version = Option<(SystemTime, u64)>;

/// Memory of the last looks.
#[derive(Debug)]
pub(super) struct Watch {
    looked: Instant,
    files: Vec<(PathBuf, Version)>,
    files_looked: Instant,
    moved: HashMap<LaneId, (Option<u64>, Instant, u32)>,
    /// When we last left the group and joined it again for partitions without owner, and how often in a row.
    rejoined: Option<(Instant, u32)>,
}

impl Watch {
    pub(super) fn new(options: &Options) -> Self {
        let now = Instant::now();
        Self { looked: now, files: versions(options), files_looked: now, moved: HashMap::new(), rejoined: None }
    }

    /// Whether certificates changed since the last look.
    fn is_renewed(&mut self, options: &Options) -> bool {
        if self.files_looked.elapsed() < options.renew_every {
            return false;
        }
        self.files_looked = Instant::now();
        let now = versions(options);
        // a file that is missing is just being replaced
        let is_whole = now.iter().all(|(_, version)| version.is_some());
        let is_renewed = is_whole && now != self.files;
        if is_renewed {
            self.files = now;
        }
        is_renewed
    }

    /// For how long a lane stands at `next`, and how often it was helped since it last moved.
    fn stands(&mut self, lane: LaneId, next: Option<u64>) -> (Duration, u32) {
        let known = self.moved.entry(lane).or_insert((next, Instant::now(), 0));
        if known.0 != next {
            *known = (next, Instant::now(), 0);
        }
        (known.1.elapsed(), known.2)
    }

    /// A lane without lag stands where it should: time runs from when there is something to give.
    fn rests(&mut self, lane: LaneId, next: Option<u64>) {
        self.moved.insert(lane, (next, Instant::now(), 0));
    }

    /// Whether a lane has given nothing for so long, or not since it was helped.
    fn is_stalled(&self, lane: LaneId, stall: Duration) -> bool {
        self.moved.get(&lane).is_some_and(|(_, since, helped)| *helped > 0 || since.elapsed() > stall)
    }

    /// How long partitions may be without owner: twice as long each time that joining again was of no use, since it moves our
    /// own partitions too.
    fn ownerless_patience(&self, options: &Options) -> Duration {
        let times = self.rejoined.map_or(0, |(_, times)| times.min(MOST_DOUBLED));
        options.ownerless_patience() * (1 << times)
    }

    fn rejoined(&mut self) {
        let before = self.rejoined.filter(|(when, _)| when.elapsed() < FORGIVEN).map_or(0, |(_, times)| times);
        self.rejoined = Some((Instant::now(), before + 1));
    }

    fn helped(&mut self, lane: LaneId) {
        self.moved.entry(lane).and_modify(|(_, since, times)| (*since, *times) = (Instant::now(), *times + 1));
    }
}

impl Kafka {
    /// Once a second: renews routes, shows how far partitions are, helps those that are stuck, takes up new certificates.
    pub(super) fn look_after(&mut self, flight: &mut dyn InFlight) -> Result<(), SourceError> {
        if self.watch.looked.elapsed() < EVERY {
            return Ok(());
        }
        self.watch.looked = Instant::now();
        self.route_again();
        self.show_progress();
        if self.watch.is_renewed(&self.options) {
            tracing::info!("certificates changed on disk; connecting anew");
            return self.renew(flight);
        }
        if let Some(partitions) = self.client.board.take_ownerless(self.watch.ownerless_patience(&self.options)) {
            return self.rejoin(&partitions);
        }
        match self.stuck() {
            Some((at, 0)) => self.help(at),
            Some((at, _)) => {
                let (topic, partition) = &self.lanes.slots[at].partition;
                tracing::error!(
                    topic,
                    partition,
                    "still nothing from this partition although it has lag; connecting anew"
                );
                self.watch.moved.clear();
                self.renew(flight)
            }
            None => Ok(()),
        }
    }

    /// Tells the board how far our partitions are.
    pub(super) fn show_progress(&mut self) {
        let positions = self.client.consumer().position().ok();
        let at = |(topic, partition): &(String, i32)| {
            let found = positions.as_ref()?.find_partition(topic, *partition)?;
            u64::try_from(found.offset().to_raw()?).ok()
        };
        let now = now_ms();
        let progress = |slot: &super::lanes::Slot| Progress {
            // markers of transactions are passed without a message
            next: slot.next.max(at(&slot.partition)),
            latest: slot.latest.unwrap_or(now),
            partition: slot.partition.clone(),
        };
        let shown: Vec<_> = self.lanes.all_owned().map(progress).collect();
        self.show_assignment(&shown, false);
        self.client.board.show(shown);
    }

    /// Shows operators which partitions are ours and how they fare; `is_held`: the recorder takes long.
    fn show_assignment(&self, progress: &[Progress], is_held: bool) {
        let assigned = |(slot, one): (&super::lanes::Slot, &Progress)| {
            let lag = self.client.board.lag(&slot.partition);
            let is_stalled = self.watch.is_stalled(slot.lane, self.options.stall);
            let (topic, partition) = slot.partition.clone();
            Assigned { topic, partition, state: PartitionState::of(lag, is_stalled, is_held), next: one.next, lag }
        };
        self.ready.show(self.lanes.all_owned().zip(progress).map(assigned).collect());
    }

    /// The same while the recorder takes long, once a second.
    pub(super) fn show_held(&mut self) {
        if self.watch.looked.elapsed() >= EVERY {
            self.watch.looked = Instant::now();
            let progress = |slot: &super::lanes::Slot| Progress {
                next: slot.next,
                latest: slot.latest.unwrap_or_default(),
                partition: slot.partition.clone(),
            };
            let progress: Vec<_> = self.lanes.all_owned().map(progress).collect();
            self.show_assignment(&progress, true);
        }
    }

    /// A partition that has lag and has not moved for too long, and how often it was helped.
    fn stuck(&mut self) -> Option<(usize, u32)> {
        let owned: Vec<_> = self.lanes.all_owned().map(|slot| (slot.lane, slot.next, slot.partition.clone())).collect();
        owned.into_iter().find_map(|(lane, next, partition)| {
            if self.client.board.lag(&partition).is_none_or(|lag| lag == 0) {
                self.watch.rests(lane, next);
                return None;
            }
            let (stands, helped) = self.watch.stands(lane, next);
            (stands > self.options.stall).then_some((lane.0 as usize, helped))
        })
    }

    /// Has the client fetch a partition anew from where it stands.
    fn help(&mut self, at: usize) -> Result<(), SourceError> {
        let slot = &self.lanes.slots[at];
        let (topic, partition) = &slot.partition;
        tracing::warn!(topic, partition, "this partition has lag and gives nothing; fetching it anew");
        self.metrics.kafka().stalled();
        self.watch.helped(slot.lane);
        self.fetch_again(at, 0)
    }

    /// Has the group share out what nobody owns. Our own partitions are taken away in order before, at the next turn.
    fn rejoin(&mut self, partitions: &[Partition]) -> Result<(), SourceError> {
        let (topic, partition) = partitions.first().map_or(("", -1), |(topic, partition)| (topic, *partition));
        tracing::warn!(
            topic,
            partition,
            partitions = partitions.len(),
            "nobody owns these partitions; leaving the group and joining it again has them shared out"
        );
        self.watch.rejoined();
        self.metrics.kafka().moved(Moved::Forced);
        self.client.rejoin(&self.options).map_err(transient)
    }

    /// Another client in place of this one, with what is on disk now. What is recorded is committed first.
    pub(super) fn renew(&mut self, flight: &mut dyn InFlight) -> Result<(), SourceError> {
        self.settle(flight, self.options.patience())?;
        self.reopen()
    }

    /// Another client in place of this one.
    pub(super) fn reopen(&mut self) -> Result<(), SourceError> {
        // the new one first: if it cannot be made, the old one goes on
        let client = match Client::open(&self.options, &self.metrics) {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "no new client; the old one goes on");
                return Ok(());
            }
        };
        let owned: Vec<_> = self.lanes.all_owned().map(|slot| slot.partition.clone()).collect();
        owned.iter().filter_map(|partition| self.lanes.revoke(partition)).for_each(|lane| self.commits.forget(lane));
        self.handles.clear();
        std::mem::replace(&mut self.client, client).close();
        Ok(())
    }
}

fn versions(options: &Options) -> Vec<(PathBuf, Version)> {
    let files = options.connection.tls.iter().flat_map(crate::kafka::Tls::files);
    files.map(|path| (path.clone(), version(path))).collect()
}

fn version(path: &PathBuf) -> Version {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}
