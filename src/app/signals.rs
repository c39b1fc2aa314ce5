//! SIGTERM and SIGINT stop after the batch in hand; a second one ends at once. SIGHUP reloads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::service::show_loaded;
use super::wire;
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

/// Reloads policy, sites and databases on SIGHUP: parsed, checked and swapped whole; a bad one keeps the last good and
/// says so.
///
/// # Errors
/// The system refuses the handler or the thread.
pub fn reload_on_signal(config: PathBuf, world: Arc<ArcSwap<World>>, metrics: Arc<Metrics>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGHUP])?;
    let reload = move || {
        for _ in signals.forever() {
            match fresh(&config) {
                Ok((fresh, settings)) => {
                    tracing::info!(policy = %fresh.policy.digest, geo = %fresh.geo.digest(), "reloaded");
                    show_loaded(&metrics, &fresh, &settings);
                    // whom it tells is settled at the start
                    let tells = world.load().tells();
                    world.store(Arc::new(fresh.telling(tells)));
                }
                Err((part, error)) => {
                    metrics.load_failed();
                    metrics.condition().load_refused(part);
                    tracing::error!("reload refused, the last good configuration stays in force: {error:#}");
                }
            }
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
