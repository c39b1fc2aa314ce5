//! What operators see of Kafka: lag, assignment, commits, errors. Labels are the operator's topics and partitions of this
//! instance, and closed sets.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::family::KafkaFamilies;

/// What happened to the assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Partitions came.
    Assigned,
    /// Partitions were given up in order.
    Revoked,
    /// Partitions were lost before they could be given up.
    Lost,
    /// We had the group share out partitions that nobody owned.
    Forced,
}

impl Moved {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Assigned, Self::Revoked, Self::Lost, Self::Forced];

    /// The label's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Revoked => "revoked",
            Self::Lost => "lost",
            Self::Forced => "forced",
        }
    }
}

/// Metrics about Kafka. Without Kafka they stay at 0.
#[derive(Debug)]
pub struct KafkaMetrics {
    families: KafkaFamilies,
    /// Series of lag that exist.
    shown: Mutex<BTreeSet<(String, i32)>>,
}

impl KafkaMetrics {
    pub(super) fn new(families: KafkaFamilies) -> Self {
        for moved in Moved::ALL {
            families.rebalances.with_label_values(&[moved.name()]);
        }
        for outcome in ["ok", "refused"] {
            families.commits.with_label_values(&[outcome]);
        }
        for to in ["file", "topic"] {
            families.dead_letters.with_label_values(&[to]);
        }
        Self { families, shown: Mutex::default() }
    }

    /// Lag of a partition: records, and age of the last record taken in ms.
    pub fn lag(&self, topic: &str, partition: i32, records: u64, behind_ms: i64) {
        let number = partition.to_string();
        let labels = [topic, number.as_str()];
        self.families.lag.with_label_values(&labels).set(super::signed(records));
        self.families.lag_seconds.with_label_values(&labels).set(super::seconds(behind_ms));
        self.shown().insert((topic.to_owned(), partition));
    }

    /// Drops the lag of partitions that are not ours any more.
    pub fn keep_lag(&self, ours: &[(&str, i32)]) {
        let mut shown = self.shown();
        shown.retain(|(topic, partition)| {
            let kept = ours.contains(&(topic.as_str(), *partition));
            if !kept {
                self.drop_lag(topic, *partition);
            }
            kept
        });
    }

    /// Drops all of it.
    pub fn forget_lag(&self) {
        self.keep_lag(&[]);
    }

    fn drop_lag(&self, topic: &str, partition: i32) {
        let number = partition.to_string();
        let labels = [topic, number.as_str()];
        // a series that is not there is as good as dropped
        drop(self.families.lag.remove_label_values(&labels));
        drop(self.families.lag_seconds.remove_label_values(&labels));
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, BTreeSet<(String, i32)>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Partitions of this instance.
    pub fn assigned(&self, n: u64) {
        self.families.assigned.set(super::signed(n));
    }

    /// The assignment changed.
    pub fn moved(&self, what: Moved) {
        self.families.rebalances.with_label_values(&[what.name()]).inc();
    }

    /// Offsets of partitions that the group took.
    pub fn committed(&self, n: u64) {
        self.families.commits.with_label_values(&["ok"]).inc_by(n);
    }

    /// Offsets of partitions that the group refused; they are committed again.
    pub fn commit_refused(&self, n: u64) {
        self.families.commits.with_label_values(&["refused"]).inc_by(n);
    }

    /// Lines that stream users were told.
    pub fn verdict_lines(&self, n: u64) {
        self.families.verdict_lines.inc_by(n);
    }

    /// Errors that the client told; `cause` is of a closed set.
    pub fn errors(&self, cause: &'static str, n: u64) {
        self.families.errors.with_label_values(&[cause]).inc_by(n);
    }

    /// Records that the broker deleted before they were read.
    pub fn lost(&self, n: u64) {
        self.families.lost.inc_by(n);
    }

    /// A partition with lag gave nothing.
    pub fn stalled(&self) {
        self.families.stalls.inc();
    }

    /// A client was made.
    pub fn client_made(&self) {
        self.families.clients.inc();
    }

    /// The client's own figures: messages and bytes held ready, round trip in microseconds.
    pub fn client(&self, messages: u64, bytes: u64, round_trip_us: i64) {
        self.families.queue_messages.set(super::signed(messages));
        self.families.queue_bytes.set(super::signed(bytes));
        self.families.round_trip.set(round_trip_us as f64 / 1e6);
    }

    /// Rejected records that were kept; `to` is `file` or `topic`.
    pub fn dead_letters(&self, to: &'static str, n: u64) {
        self.families.dead_letters.with_label_values(&[to]).inc_by(n);
    }
}
