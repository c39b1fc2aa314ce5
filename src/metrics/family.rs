//! The families: names, help, labels, buckets.

use std::cell::RefCell;

use prometheus::core::Collector;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

type Made<T> = Result<T, prometheus::Error>;

/// A family as operators may ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Full name.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Names of its labels, `le` of a histogram left out.
    pub labels: Vec<String>,
    /// What it says.
    pub help: String,
}

/// Event ages: from live traffic to a backlog of hours.
const AGES: [f64; 11] = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0];
/// Work on a batch.
const WORK: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0];
/// Events of a batch.
const SIZES: [f64; 9] = [1.0, 10.0, 100.0, 500.0, 1_000.0, 4_000.0, 8_000.0, 16_000.0, 64_000.0];

macro_rules! families {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $make:ident($($arg:expr),+ $(,)?);)+ }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name { $(pub(super) $field: $type),+ }

        impl $name {
            /// Makes and registers all of them.
            pub(super) fn new(make: &Book) -> Made<Self> {
                Ok(Self { $($field: make.$make($($arg),+)?),+ })
            }
        }
    };
}

families! {
    /// Families of every process.
    Families {
    build_info: IntGaugeVec = ints(
        "build_info",
        "Version and source revision of the program; always 1.",
        &["version", "revision"],
    );
    rules_info: IntGaugeVec = ints(
        "rules_info",
        "Pack of legal facts and digest of the policy in force; always 1.",
        &["version", "sha256"],
    );
    reload_successful: IntGauge = int(
        "config_last_reload_successful",
        "Whether the last load of policy and databases succeeded.",
    );
    reload_success: Gauge = gauge("config_last_reload_success_timestamp_seconds", "Time of the last successful load.");
    geo_data: Gauge = gauge("geo_data_timestamp_seconds", "Build time of the oldest geolocation database in use.");
    received: IntCounter = counter(
        "events_received_total",
        "Events that came in; the sum of harbourwatch_events_total over its outcomes.",
    );
    events: IntCounterVec = counters("events_total", "Events by what became of them.", &["outcome"]);
    rejected: IntCounterVec = counters("rejected_total", "Input that is no audit event, by reason.", &["reason"]);
    unclassified: IntCounter = counter("unclassified_total", "Events whose action code or type is in no table.");
    verdicts: IntCounterVec = counters(
        "verdicts_total",
        "Legs judged, by verdict and kind of flow; every series exists from the start.",
        &["verdict", "kind"],
    );
    flows: IntCounterVec = counters(
        "flows_total",
        "Legs judged, by verdict, places and kind of flow.",
        &["verdict", "origin", "destination", "kind"],
    );
    flow_bytes: IntCounterVec = counters(
        "flow_bytes_total",
        "Bytes of the legs judged, as far as events state them.",
        &["verdict", "destination"],
    );
    label_overflow: IntCounter = counter("label_overflow_total", "Counts that went under the label value other.");
    findings: IntCounterVec = counters(
        "finding_records_total",
        "Records that went into findings, by severity and verdict.",
        &["severity", "verdict"],
    );
    event_age: Histogram = histogram("event_age_seconds", "Age of the newest event of a batch when its evidence was on disk.", &AGES);
    batch_seconds: Histogram = histogram("batch_seconds", "Time from poll to commit of a batch.", &WORK);
    batch_events: Histogram = histogram("batch_events", "Events of a batch.", &SIZES);
    step_seconds: HistogramVec = histograms(
        "processing_seconds",
        "Time of a step of the work on a batch.",
        &["step"], &WORK,
    );
    outbox_pending: IntGaugeVec = ints("outbox_pending", "Notices owed.", &["channel"]);
    outbox_oldest: GaugeVec = gauges("outbox_oldest_seconds", "Age of the oldest notice owed.", &["channel"]);
    outbox_dead: IntGaugeVec = ints("outbox_dead", "Notices given up and kept on file.", &["channel"]);
    notifications: IntCounterVec = counters(
        "notifications_total",
        "Tries to deliver a notice.",
        &["channel", "outcome"],
    );
    archive_records: IntCounter = counter("archive_records_total", "Records added to the evidence.");
    archive_tree_size: IntGauge = int("archive_tree_size", "Entries of the published evidence log.");
    archive_checkpoint: Gauge = gauge("archive_checkpoint_timestamp_seconds", "Time of the published checkpoint.");
    last_success: GaugeVec = gauges("last_success_timestamp_seconds", "When each stage last succeeded.", &["stage"]);
    dedupe_window: IntGauge = int("dedupe_window_events", "Fingerprints held to know duplicates by.");
    }
}

families! {
    /// Families about the condition of the process and of what it keeps.
    ConditionFamilies {
    reload_failures: IntCounterVec = counters(
        "config_reload_failures_total",
        "Loads that were refused, by the part at fault; the last good state stayed in force.",
        &["part"],
    );
    geo_max_age: Gauge = gauge(
        "geo_data_max_age_seconds",
        "Age from which a geolocation database is stale, as configured.",
    );
    safeguards: GaugeVec = gauges(
        "safeguard_valid_until_timestamp_seconds",
        "When a safeguard of the register ends, by its id; those without an end are left out.",
        &["safeguard"],
    );
    verified: GaugeVec = gauges(
        "archive_last_verify_timestamp_seconds",
        "When the service last verified its own evidence; absent until it has.",
        &[],
    );
    verify_sound: IntGaugeVec = ints(
        "archive_last_verify_successful",
        "Whether nothing was wrong with the evidence when it was last verified; absent until it was.",
        &[],
    );
    verify_seconds: GaugeVec = gauges(
        "archive_last_verify_duration_seconds",
        "How long the last verification took; absent until there was one.",
        &[],
    );
    verify_failures: IntCounter = counter(
        "archive_verify_failures_total",
        "Verifications that found something wrong with the evidence.",
    );
    disk_free: GaugeVec = gauges(
        "disk_free_bytes",
        "Free space where the folder lies, as the process may use it.",
        &["folder"],
    );
    disk_size: GaugeVec = gauges(
        "disk_size_bytes",
        "Size of the file system where the folder lies.",
        &["folder"],
    );
    retention_due: IntGauge = int(
        "retention_due_records",
        "Records that are past their term and not held, and wait to be deleted or to lose their personal fields.",
    );
    retention_held: IntGauge = int(
        "retention_held_records",
        "Records that are past their term and kept by a legal hold.",
    );
    retention_deleted: IntCounter = counter(
        "retention_deleted_records_total",
        "Records that retention by the service deleted, or whose personal fields it destroyed.",
    );
    retention_ran: GaugeVec = gauges(
        "retention_last_run_timestamp_seconds",
        "When retention was last looked after to its end; absent until it was.",
        &[],
    );
    }
}

families! {
    /// Families of a process that reads from or writes to Kafka.
    KafkaFamilies {
    lag: IntGaugeVec = ints(
        "kafka_consumer_lag",
        "Records that were not taken yet, by partition of this instance.",
        &["topic", "partition"],
    );
    lag_seconds: GaugeVec = gauges(
        "kafka_consumer_lag_seconds",
        "Age of the last record taken while there is lag, by partition of this instance; 0 without lag.",
        &["topic", "partition"],
    );
    assigned: IntGauge = int("kafka_assigned_partitions", "Partitions of this instance.");
    rebalances: IntCounterVec = counters(
        "kafka_rebalances_total",
        "Changes of the assignment, by what happened.",
        &["event"],
    );
    commits: IntCounterVec = counters(
        "kafka_commits_total",
        "Partitions whose offset was committed, or not, by outcome.",
        &["outcome"],
    );
    errors: IntCounterVec = counters("kafka_errors_total", "Errors that the client told, by cause.", &["cause"]);
    verdict_lines: IntCounter = counter("kafka_verdict_lines_total", "Verdicts told to stream users, in committed transactions.");
    lost: IntCounter = counter("kafka_lost_records_total", "Records that the broker deleted before they were read.");
    stalls: IntCounter = counter("kafka_stalls_total", "Partitions that had lag and gave nothing, and were looked after.");
    clients: IntCounter = counter("kafka_clients_total", "Clients made, the first one included.");
    queue_messages: IntGauge = int("kafka_fetch_queue_messages", "Messages that the client holds ready.");
    queue_bytes: IntGauge = int("kafka_fetch_queue_bytes", "Bytes that the client holds ready.");
    round_trip: Gauge = gauge(
        "kafka_broker_round_trip_seconds",
        "99th percentile of the round trip to the slowest broker.",
    );
    dead_letters: IntCounterVec = counters(
        "dead_letters_total",
        "Rejected records kept as dead letters, by where.",
        &["to"],
    );
    }
}

families! {
    /// Families about telling findings.
    DeliveryFamilies {
    held: IntGaugeVec = ints(
        "outbox_held",
        "Findings held back, to be counted in a message to come.",
        &["channel"],
    );
    counted: IntCounterVec = counters(
        "findings_held_back_total",
        "Findings that were held back and counted in a message, by why.",
        &["channel", "reason"],
    );
    up: IntGaugeVec = ints(
        "channel_open",
        "1 while messages go to the channel; 0 once its receiver said that it is gone, until an operator opens it.",
        &["channel"],
    );
    cut: IntCounterVec = counters(
        "notification_values_cut_total",
        "Values of messages that were shortened to a limit.",
        &["channel"],
    );
    }
}

/// Makes families under the common prefix, and keeps book of them.
#[derive(Debug, Default)]
pub(super) struct Book {
    registry: Registry,
    families: RefCell<Vec<Family>>,
}

impl Book {
    /// Registers a collector whose families are all of one kind.
    pub(super) fn add(&self, kind: &'static str, collector: impl Collector + 'static) -> Made<()> {
        let families = collector.desc().into_iter().map(|desc| Family {
            name: desc.fq_name.clone(),
            kind,
            labels: desc.variable_labels.clone(),
            help: desc.help.clone(),
        });
        self.families.borrow_mut().extend(families);
        self.registry.register(Box::new(collector))
    }

    /// The registry, and what is in it.
    pub(super) fn close(self) -> (Registry, Vec<Family>) {
        (self.registry, self.families.into_inner())
    }

    fn register<T: Collector + Clone + 'static>(&self, kind: &'static str, made: Made<T>) -> Made<T> {
        let family = made?;
        self.add(kind, family.clone())?;
        Ok(family)
    }

    fn counter(&self, name: &str, help: &str) -> Made<IntCounter> {
        self.register("counter", IntCounter::with_opts(opts(name, help)))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Made<IntCounterVec> {
        self.register("counter", IntCounterVec::new(opts(name, help), labels))
    }

    fn int(&self, name: &str, help: &str) -> Made<IntGauge> {
        self.register("gauge", IntGauge::with_opts(opts(name, help)))
    }

    fn ints(&self, name: &str, help: &str, labels: &[&str]) -> Made<IntGaugeVec> {
        self.register("gauge", IntGaugeVec::new(opts(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> Made<Gauge> {
        self.register("gauge", Gauge::with_opts(opts(name, help)))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Made<GaugeVec> {
        self.register("gauge", GaugeVec::new(opts(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Made<Histogram> {
        let common = HistogramOpts { common_opts: opts(name, help), buckets: buckets.to_vec() };
        self.register("histogram", Histogram::with_opts(common))
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Made<HistogramVec> {
        let common = HistogramOpts { common_opts: opts(name, help), buckets: buckets.to_vec() };
        self.register("histogram", HistogramVec::new(common, labels))
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("harbourwatch")
}
