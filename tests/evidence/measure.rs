//! What a batch costs in syncs. For figures in time and bytes: `cargo bench --bench evidence`.

use super::*;
use harbourwatch::evidence::disk::{Fate, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Syncs that one small batch costs once the log runs: segment, journal, checkpoint, directory.
const SYNCS: usize = 4;

#[test]
fn a_batch_costs_four_syncs() {
    let room = Room::new();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let faults = Faults::new(move |step, _| {
        counter.fetch_add(usize::from(matches!(step, Step::Sync | Step::SyncDir)), Ordering::SeqCst);
        Fate::Done
    });
    let options = Options { faults: Some(faults), segment_bytes: 1 << 20, ..room.options() };
    let mut log = Log::open(&room.archive(), &options).unwrap();
    put(&mut log, 0, 1).unwrap();
    for (from, next) in [(1, 2), (2, 300), (300, 1000)] {
        count.store(0, Ordering::SeqCst);
        put(&mut log, from, next).unwrap();
        assert_eq!(count.load(Ordering::SeqCst), SYNCS);
    }
}
