//! SIGTERM and SIGINT stop after the batch in hand; a second one ends at once. SIGHUP reloads.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::service::show_loaded;
use super::wire;
use crate::metrics::Metrics;
use crate::pipeline::world::World;

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
            match super::load(&config).and_then(|settings| wire::world(&settings)) {
                Ok(fresh) => {
                    tracing::info!(policy = %fresh.policy.digest, geo = %fresh.geo.digest(), "reloaded");
                    show_loaded(&metrics, &fresh);
                    world.store(Arc::new(fresh));
                }
                Err(error) => {
                    metrics.load_failed();
                    tracing::error!("reload refused, the last good configuration stays in force: {error:#}");
                }
            }
        }
    };
    std::thread::Builder::new().name("reload".to_owned()).spawn(reload)?;
    Ok(())
}
