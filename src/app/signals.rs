//! SIGTERM and SIGINT stop after the batch in hand; a second one ends at once. SIGHUP reloads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::service::{say_if_stale, show_loaded};
use super::{supervisor, wire};
use crate::config::Config;
use crate::metrics::{Metrics, Part};
use crate::pipeline::world::World;
use crate::settings::Settings;

/// Exit code after a second signal: 128 + SIGINT, as shells have it.
const ENDED_AT_ONCE: i32 = 130;

/// Sets `stop` on SIGTERM and SIGINT.
///
/// # Errors
/// The system refuses a handler.
pub fn stop_on_signals(stop: &Arc<AtomicBool>) -> std::io::Result<()> {
    for signal in [SIGTERM, SIGINT] {
        // the order matters: the second signal finds the flag set
        flag::register_conditional_shutdown(signal, ENDED_AT_ONCE, Arc::clone(stop))?;
        flag::register(signal, Arc::clone(stop))?;
    }
    Ok(())
}

/// Reloads what verdicts depend on, on SIGHUP: parsed, checked and swapped whole; a bad one keeps the last good and says so.
/// What is taken up at a start alone, and differs from what the service was `started` with, is named in the log.
///
/// # Errors
/// The system refuses the handler or the thread.
pub fn reload_on_signal(
    config: PathBuf,
    started: Config,
    world: Arc<ArcSwap<World>>,
    metrics: Arc<Metrics>,
) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGHUP])?;
    let reload = move || {
        for _ in signals.forever() {
            supervisor::reloading();
            match fresh(&config) {
                Ok((fresh, settings)) => {
                    tracing::info!(policy = %fresh.policy.digest, geo = %fresh.geo.digest(), "reloaded");
                    show_loaded(&metrics, &fresh, &settings);
                    say_if_stale(&fresh, &settings);
                    // whom it tells is settled at the start
                    let tells = world.load().tells();
                    world.store(Arc::new(fresh.telling(tells)));
                    say_what_waits(&started, &settings.config);
                }
                Err((part, error)) => {
                    metrics.load_failed();
                    metrics.condition().load_refused(part);
                    tracing::error!("reload refused, the last good configuration stays in force: {error:#}");
                }
            }
            supervisor::ready();
        }
    };
    std::thread::Builder::new().name("reload".to_owned()).spawn(reload)?;
    Ok(())
}

/// The configuration as it is now, and the world that follows from it; or which part is at fault.
fn fresh(config: &Path) -> Result<(World, Settings), (Part, anyhow::Error)> {
    let settings = super::load(config).map_err(|error| (Part::Configuration, error))?;
    let world = wire::world(&settings).map_err(|error| (Part::Databases, error))?;
    Ok((world, settings))
}

fn say_what_waits(started: &Config, now: &Config) {
    let sections = waiting(started, now).join(", ");
    if !sections.is_empty() {
        tracing::warn!(sections, "changed, but taken up at the next start alone");
    }
}

/// The sections that a reload leaves as they were at the start, of which something has changed. All others are taken up.
fn waiting(started: &Config, now: &Config) -> Vec<&'static str> {
    // which verdicts leave a record is a rule, and taken up
    let mut evidence = now.evidence.clone();
    evidence.record.clone_from(&started.evidence.record);
    let differs = [
        ("kafka", started.kafka != now.kafka),
        ("source", started.source != now.source),
        ("dead_letters", started.dead_letters != now.dead_letters),
        ("batch", started.batch != now.batch),
        ("workers", started.workers != now.workers),
        ("evidence", started.evidence != evidence),
        ("retention", started.retention != now.retention),
        ("outbox", started.outbox != now.outbox),
        ("channels", started.channels != now.channels),
        ("admin", started.admin != now.admin),
        ("log", started.log != now.log),
    ];
    differs.into_iter().filter_map(|(section, differs)| differs.then_some(section)).collect()
}
