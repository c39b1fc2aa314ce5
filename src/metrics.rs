//! What operators see of the process. One struct; labels are enums or bounded lists, never a person, a file or an id.
//!
//! The pipeline keeps plain counters of its own and calls in once per batch, so that counting costs the hot path nothing.
//! Names follow the Prometheus conventions: prefix, base units, `_total` on counters.

#[macro_use]
mod labels;
mod condition;
mod delivery;
mod family;
mod kafka;

use std::collections::BTreeSet;
use std::sync::Mutex;

use prometheus::process_collector::ProcessCollector;
use prometheus::{Registry, TextEncoder};
use thiserror::Error;

use crate::domain::flow::FlowKind;
use crate::domain::verdict::{Severity, Verdict};
pub use condition::{ConditionMetrics, Folder, Part, Retained, Verified};
pub use delivery::{DeliveryMetrics, HELD};
pub use family::Family;
use family::{Book, ConditionFamilies, DeliveryFamilies, Families, KafkaFamilies};
pub use kafka::{KafkaMetrics, Moved};
use labels::Places;
pub use labels::{EventOutcome, NotificationOutcome, Stage, Step};

/// Rejection reasons with a label of their own; the table of reasons is shorter.
const MOST_REASONS: usize = 40;

/// A metric could not be made or written; a defect of the program, found at start.
#[derive(Debug, Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// What the labels are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Revision of the source that the program was built from, if known.
    pub revision: String,
    /// Places that get a label of their own beyond the fixed ones, ISO alpha-2, at most 40.
    pub places: Vec<String>,
    /// Names of the channels.
    pub channels: Vec<String>,
}

/// What is in force since the last load, for [`Metrics::loaded`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Name and date of the pack of legal facts.
    pub pack: String,
    /// SHA-256 of policy and pack, lower-case hex.
    pub policy: String,
    /// Build time of the oldest geolocation database, ms since the epoch.
    pub geo_built: Option<i64>,
    /// Time of the load, ms since the epoch.
    pub at: i64,
}

/// All metrics of the process. Cheap to share, safe from every thread.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    catalogue: Vec<Family>,
    families: Families,
    condition: ConditionMetrics,
    kafka: KafkaMetrics,
    delivery: DeliveryMetrics,
    places: Places,
    reasons: Mutex<BTreeSet<&'static str>>,
}

impl Metrics {
    /// Makes all metrics, with the series of closed label sets at 0 so that rates see the first event.
    ///
    /// # Errors
    /// A name or label is malformed or used twice.
    pub fn new(scope: &Scope) -> Result<Self, MetricsError> {
        let registry = Book::default();
        let families = Families::new(&registry)?;
        let kafka = KafkaMetrics::new(KafkaFamilies::new(&registry)?);
        let delivery = DeliveryMetrics::new(DeliveryFamilies::new(&registry)?, scope);
        let condition = ConditionMetrics::new(ConditionFamilies::new(&registry)?);
        registry.add("gauge", ProcessCollector::for_self())?;
        let ((registry, catalogue), places) = (registry.close(), Places::new(&scope.places));
        let reasons = Mutex::default();
        let metrics = Self { registry, catalogue, families, condition, kafka, delivery, places, reasons };
        metrics.pre_create(scope);
        Ok(metrics)
    }

    fn pre_create(&self, scope: &Scope) {
        let families = &self.families;
        families.build_info.with_label_values(&[env!("CARGO_PKG_VERSION"), scope.revision.as_str()]).set(1);
        for verdict in Verdict::ALL {
            for kind in FlowKind::ALL {
                families.verdicts.with_label_values(&[verdict.name(), kind.name()]);
            }
            for severity in Severity::ALL {
                families.findings.with_label_values(&[severity.name(), verdict.name()]);
            }
        }
        for outcome in EventOutcome::ALL {
            families.events.with_label_values(&[outcome.name()]);
        }
        for channel in &scope.channels {
            self.outbox(channel, 0, 0, 0);
            for outcome in NotificationOutcome::ALL {
                families.notifications.with_label_values(&[channel.as_str(), outcome.name()]);
            }
        }
    }

    /// Every family there is, also those without a series yet, in order of names.
    pub fn catalogue(&self) -> Vec<&Family> {
        let mut families: Vec<_> = self.catalogue.iter().collect();
        families.sort_unstable_by_key(|family| &family.name);
        families
    }

    /// What concerns the condition of the process and of what it keeps.
    pub fn condition(&self) -> &ConditionMetrics {
        &self.condition
    }

    /// What concerns Kafka.
    pub fn kafka(&self) -> &KafkaMetrics {
        &self.kafka
    }

    /// What concerns channels.
    pub fn delivery(&self) -> &DeliveryMetrics {
        &self.delivery
    }

    /// Events that came in. Equal to the sum of [`Metrics::events`] at every batch's end.
    pub fn received(&self, n: u64) {
        self.families.received.inc_by(n);
    }

    /// Events by what became of them.
    pub fn events(&self, outcome: EventOutcome, n: u64) {
        self.families.events.with_label_values(&[outcome.name()]).inc_by(n);
    }

    /// Rejected events by reason; a reason beyond the bound counts as `other`.
    pub fn rejected(&self, reason: &'static str, n: u64) {
        let mut reasons = self.reasons.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = reasons.contains(reason) || (reasons.len() < MOST_REASONS && reasons.insert(reason));
        drop(reasons);
        if !known {
            self.families.label_overflow.inc_by(n);
        }
        self.families.rejected.with_label_values(&[if known { reason } else { "other" }]).inc_by(n);
    }

    /// Events whose action or type is in no table.
    pub fn unclassified(&self, n: u64) {
        self.families.unclassified.inc_by(n);
    }

    /// Legs by verdict, kind and places (codes as of `Location::label`), with the bytes that events state.
    pub fn flow(&self, verdict: Verdict, kind: FlowKind, origin: [u8; 2], destination: [u8; 2], n: u64, bytes: u64) {
        let (from, to) = (self.place(&origin, n), self.place(&destination, n));
        self.families.verdicts.with_label_values(&[verdict.name(), kind.name()]).inc_by(n);
        self.families.flows.with_label_values(&[verdict.name(), from, to, kind.name()]).inc_by(n);
        self.families.flow_bytes.with_label_values(&[verdict.name(), to]).inc_by(bytes);
    }

    fn place<'a>(&self, code: &'a [u8; 2], n: u64) -> &'a str {
        self.places.label(code).unwrap_or_else(|| {
            self.families.label_overflow.inc_by(n);
            "other"
        })
    }

    /// Records that went into findings.
    pub fn findings(&self, severity: Severity, verdict: Verdict, n: u64) {
        self.families.findings.with_label_values(&[severity.name(), verdict.name()]).inc_by(n);
    }

    /// Age of the newest event of a batch when its evidence was on disk, in seconds.
    pub fn event_age(&self, seconds: f64) {
        self.families.event_age.observe(seconds);
    }

    /// A whole batch, from poll to commit.
    pub fn batch(&self, seconds: f64, events: u64) {
        self.families.batch_seconds.observe(seconds);
        // Exact up to 2^53 events, far beyond any batch.
        self.families.batch_events.observe(events as f64);
    }

    /// A part of the work on a batch.
    pub fn step(&self, step: Step, seconds: f64) {
        self.families.step_seconds.with_label_values(&[step.name()]).observe(seconds);
    }

    /// Notices owed by a channel: how many, how long the oldest has waited in ms, how many were given up.
    pub fn outbox(&self, channel: &str, pending: u64, oldest_ms: i64, dead: u64) {
        self.families.outbox_pending.with_label_values(&[channel]).set(signed(pending));
        self.families.outbox_oldest.with_label_values(&[channel]).set(seconds(oldest_ms));
        self.families.outbox_dead.with_label_values(&[channel]).set(signed(dead));
    }

    /// A try to deliver a notice.
    pub fn notification(&self, channel: &str, outcome: NotificationOutcome) {
        self.families.notifications.with_label_values(&[channel, outcome.name()]).inc();
    }

    /// Evidence that was published: records added, size of the log, time of the checkpoint in ms since the epoch.
    pub fn archived(&self, records: u64, tree_size: u64, at: i64) {
        self.families.archive_records.inc_by(records);
        self.families.archive_tree_size.set(signed(tree_size));
        self.families.archive_checkpoint.set(seconds(at));
    }

    /// Something that must happen again and again has happened, at `at` ms since the epoch.
    pub fn success(&self, stage: Stage, at: i64) {
        self.families.last_success.with_label_values(&[stage.name()]).set(seconds(at));
    }

    /// Fingerprints held to know duplicates by.
    pub fn dedupe_window(&self, n: u64) {
        self.families.dedupe_window.set(signed(n));
    }

    /// Policy and databases were loaded; what was in force before is shown no more.
    pub fn loaded(&self, loaded: &Loaded) {
        let families = &self.families;
        families.rules_info.reset();
        families.rules_info.with_label_values(&[loaded.pack.as_str(), loaded.policy.as_str()]).set(1);
        families.reload_successful.set(1);
        families.reload_success.set(seconds(loaded.at));
        if let Some(built) = loaded.geo_built {
            families.geo_data.set(seconds(built));
        }
    }

    /// A load failed and the last good state stays in force.
    pub fn load_failed(&self) {
        self.families.reload_successful.set(0);
    }

    /// All metrics in Prometheus's text format 0.0.4.
    ///
    /// # Errors
    /// A family cannot be written.
    pub fn render(&self) -> Result<String, MetricsError> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Ms to seconds; exact to the ms for any date.
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}
