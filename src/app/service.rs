//! Everything around one pipeline: evidence and state opened, couriers and admin server started, the run, and the drain.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use arc_swap::ArcSwap;

use super::channels::{self, Screen};
use super::housekeeping::Housekeeping;
use super::supervisor::Pulse;
use super::wire::{self, DEDUPE_WINDOW};
use crate::admin::{Admin, Latch, Readiness};
use crate::deliver::Running;
use crate::domain::finding::{DAY_MS, HKT_OFFSET_MS};
use crate::evidence::Note;
use crate::evidence::entry::Life;
use crate::metrics::{EventOutcome, Loaded, Metrics, Scope, Stage, Step};
use crate::outbox::Queue;
use crate::pipeline::crew::Crew;
use crate::pipeline::dedupe::Dedupe;
use crate::pipeline::fingerprint::FingerprintKey;
use crate::pipeline::ports::{Durable, Reached, RecordError, Recorder, Seal, Source};
use crate::pipeline::report::{BatchReport, InForce};
use crate::pipeline::tally::Tally;
use crate::pipeline::work::Task;
use crate::pipeline::world::World;
use crate::pipeline::{Run, Seen};
use crate::recorder::{Folders, Ledger, now_ms};
use crate::settings::Settings;

/// How long the drain waits for couriers to tell what is due, in all.
const DRAIN: Duration = Duration::from_secs(10);

/// How long the drain waits for a channel that takes nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a service is started.
#[derive(Clone, Debug)]
pub struct Way {
    /// Where evidence and state live.
    pub folders: Folders,
    /// Whether to serve probes and metrics.
    pub admin: bool,
    /// Whether standard output belongs to verdict lines; notices for the terminal then go to standard error.
    pub verdicts: bool,
}

/// A pipeline with all that it needs.
pub struct Service {
    world: Arc<ArcSwap<World>>,
    ledger: Ledger,
    crew: Crew,
    tally: Tally,
    metrics: Arc<Metrics>,
    assigned: Latch,
    admin: Option<Admin>,
    couriers: Vec<Running>,
    channels: Vec<String>,
    state: PathBuf,
    stop: Arc<AtomicBool>,
    pulse: Arc<Pulse>,
    settings: Settings,
}

/// Folders as configured, or below `data`.
pub fn folders(settings: &Settings, data: Option<&PathBuf>) -> Folders {
    match data {
        Some(data) => Folders { evidence: data.join("evidence"), state: data.join("state") },
        None => Folders { evidence: settings.evidence.dir.clone(), state: settings.outbox.clone() },
    }
}

impl Service {
    /// Opens and starts everything but the source.
    ///
    /// # Errors
    /// Databases, folders, address or threads are not to be had; the text says which and what to do.
    pub fn start(settings: Settings, way: &Way) -> anyhow::Result<Self> {
        let channels = channels::specs(&settings);
        let names: Vec<_> = channels.iter().map(|channel| channel.name.clone()).collect();
        let metrics = Arc::new(Metrics::new(&Scope { channels: names.clone(), ..Scope::default() })?);
        let readiness = Readiness::default();
        let (recorded, assigned) = (readiness.latch("evidence"), readiness.latch("source"));
        let admin = if way.admin { Some(Admin::start(settings.admin, Arc::clone(&metrics), readiness)?) } else { None };
        let world = Arc::new(ArcSwap::from_pointee(wire::world(&settings)?));
        show_loaded(&metrics, &world.load(), &settings);
        let ledger = wire::ledger(&settings, &way.folders, &channels)?;
        recorded.release();
        let reached = ledger.reached()?;
        let tally = Tally::new(Dedupe::new(DEDUPE_WINDOW, ledger.outbox().fingerprints(DEDUPE_WINDOW)?), &reached);
        let crew = Crew::start(wire::workers(&settings)).context("worker threads")?;
        let state = way.folders.state.clone();
        let screen = if way.verdicts { Screen::Err } else { Screen::Out };
        let couriers = channels::couriers(&settings, &way.folders, screen, &world, &metrics, way.admin)?;
        let (stop, pulse, channels) = (Arc::default(), Arc::default(), names);
        Ok(Self {
            world,
            ledger,
            crew,
            tally,
            metrics,
            assigned,
            admin,
            couriers,
            channels,
            state,
            stop,
            pulse,
            settings,
        })
    }

    /// How far each lane is recorded.
    ///
    /// # Errors
    /// The state database cannot be read.
    pub fn reached(&self) -> anyhow::Result<Vec<Reached>> {
        Ok(self.ledger.reached()?)
    }

    /// Set it to stop after the batch in hand.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Beats as long as the pipeline turns.
    pub fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// The generation in force, for a reload to replace.
    pub fn world(&self) -> Arc<ArcSwap<World>> {
        Arc::clone(&self.world)
    }

    /// The configuration that it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The metrics.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// The address of the admin server.
    pub fn address(&self) -> Option<std::net::SocketAddr> {
        self.admin.as_ref().map(Admin::address)
    }

    /// The state database.
    pub fn state(&self) -> PathBuf {
        self.state.join("state.db")
    }

    /// Readiness waits for it until the source gives events.
    pub fn source_latch(&self) -> Latch {
        self.assigned.clone()
    }

    /// The ledger, for reading findings and totals.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Runs the source through until it ends or a stop is asked for.
    ///
    /// # Errors
    /// The pipeline stopped without commit.
    pub fn run<S: Source>(
        &mut self,
        source: &mut S,
        lines: bool,
        onlooker: &mut impl FnMut(&Seen<'_>) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.ledger.note(Note::Life { life: Life::Start, version });
        let pulse = &*self.pulse;
        let world = || {
            pulse.beat();
            self.world.load_full()
        };
        let key = FingerprintKey(self.ledger.outbox().dedupe_key());
        let run = Run { world: &world, limits: self.settings.batch, task: Task { key, lines }, stop: &self.stop };
        let dead_letters_to = if self.settings.dead_letter_topic.is_some() { "topic" } else { "file" };
        let (ledger, metrics) = (&mut self.ledger, &*self.metrics);
        let housekeeping = Housekeeping::new(&self.settings, &self.state);
        let mut noting = Noting { ledger, noted: InForce::default(), metrics, dead_letters_to, housekeeping, pulse };
        let mut shown = Ok(());
        let (metrics, stop) = (&self.metrics, &self.stop);
        run.through(source, &mut noting, &mut self.crew, &mut self.tally, &mut |seen| {
            count(metrics, seen);
            if shown.is_ok() {
                shown = onlooker(seen);
            }
            if shown.is_err() {
                // nobody reads on: stop after this batch, whose evidence is complete
                stop.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        })?;
        Ok(shown?)
    }

    /// Publishes the end of the run, lets couriers tell what is due, and stops everything.
    ///
    /// # Errors
    /// The end could not be recorded.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.ledger.note(Note::Life { life: Life::Stop, version });
        self.ledger.flush()?;
        self.drain()?;
        self.couriers.into_iter().for_each(Running::stop);
        if let Some(admin) = self.admin {
            admin.stop();
        }
        self.ledger.close()?;
        Ok(())
    }

    /// Waits until nothing is due to be told, within a bound. What remains goes out at the next start.
    fn drain(&self) -> anyhow::Result<()> {
        let queue = Queue::open(&self.state())?;
        let begun = Instant::now();
        for channel in &self.channels {
            let (mut left, mut moved) = (queue.backlog(channel, now_ms())?.due, Instant::now());
            while left > 0 && moved.elapsed() < PATIENCE && begun.elapsed() < DRAIN {
                std::thread::sleep(Duration::from_millis(20));
                let now = queue.backlog(channel, now_ms())?.due;
                if now < left {
                    (left, moved) = (now, Instant::now());
                }
            }
        }
        Ok(())
    }
}

/// Notes in the evidence which policy and databases judged, whenever they change.
struct Noting<'a> {
    ledger: &'a mut Ledger,
    noted: InForce,
    metrics: &'a Metrics,
    /// Label of where dead letters go.
    dead_letters_to: &'static str,
    housekeeping: Housekeeping,
    pulse: &'a Pulse,
}

impl Recorder for Noting<'_> {
    fn record(&mut self, report: &BatchReport, seal: Seal) -> Result<Durable, RecordError> {
        if self.noted != report.in_force {
            for (what, digest) in [("policy", &report.in_force.policy), ("geo", &report.in_force.geo)] {
                self.ledger.note(Note::Config { what: what.to_owned(), digest: digest.clone() });
            }
            self.noted.clone_from(&report.in_force);
        }
        let durable = self.ledger.record(report, seal)?;
        self.metrics.kafka().dead_letters(self.dead_letters_to, report.rejected.len() as u64);
        let now = now_ms();
        self.metrics.archived(report.records.len() as u64, self.ledger.size(), now);
        self.metrics.success(Stage::Archive, now);
        for finding in &report.findings {
            let verdict = crate::domain::verdict::Verdict::parse(finding.key.verdict);
            verdict.into_iter().for_each(|verdict| self.metrics.findings(finding.severity, verdict, finding.count));
        }
        self.housekeeping.do_if_due(self.ledger, now);
        self.pulse.beat();
        Ok(durable)
    }

    fn idle(&mut self) -> Result<(), RecordError> {
        self.housekeeping.do_if_due(self.ledger, now_ms());
        self.pulse.beat();
        self.ledger.idle()
    }
}

/// Tells metrics what is in force.
pub fn show_loaded(metrics: &Metrics, world: &World, settings: &Settings) {
    let policy = &world.policy;
    metrics.loaded(&Loaded {
        pack: policy.pack.id.clone(),
        policy: policy.digest.clone(),
        geo_built: world.geo.built(),
        at: now_ms(),
    });
    metrics.condition().geo_max_age(settings.database_max_age_days);
    let ends = policy.safeguards.iter().filter_map(|safeguard| Some((&*safeguard.id, midnight(safeguard.until?))));
    metrics.condition().safeguards(ends);
}

/// An old database places addresses where they no longer are; whoever reads the log should know.
pub fn say_if_stale(world: &World, settings: &Settings) {
    let allowed = settings.database_max_age_days;
    let days = world.geo.built().map_or(0, |built| now_ms().saturating_sub(built) / DAY_MS);
    if days > i64::from(allowed) {
        tracing::warn!(days, allowed, "the oldest geolocation database is stale; name a newer file in [geo] databases");
    }
}

/// Begin of a day of the Hong Kong calendar, in ms since the epoch.
fn midnight(day: i32) -> i64 {
    i64::from(day) * DAY_MS - HKT_OFFSET_MS
}

fn count(metrics: &Metrics, seen: &Seen<'_>) {
    let counts = seen.counts;
    metrics.received(counts.received);
    metrics.events(EventOutcome::Judged, counts.judged);
    metrics.events(EventOutcome::Rejected, counts.rejected.values().sum());
    metrics.events(EventOutcome::Duplicate, counts.duplicate);
    counts.rejected.iter().for_each(|(reason, n)| metrics.rejected(reason, *n));
    metrics.unclassified(counts.unclassified);
    for (flow, volume) in &counts.flows {
        metrics.flow(flow.verdict, flow.kind, flow.origin, flow.destination, volume.legs, volume.bytes);
    }
    let now = now_ms();
    if counts.latest > 0 {
        metrics.event_age((now - counts.latest).max(0) as f64 / 1000.0);
    }
    metrics.step(Step::Judge, seen.judging.as_secs_f64());
    metrics.step(Step::Record, seen.recording.as_secs_f64());
    metrics.batch((seen.judging + seen.recording).as_secs_f64(), counts.received);
    metrics.dedupe_window(seen.window as u64);
    metrics.success(Stage::Consume, now);
    metrics.success(Stage::Commit, now);
}
