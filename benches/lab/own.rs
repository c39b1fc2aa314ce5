//! The program's own way, as the pipeline goes it.

use std::time::Duration;

use harbourwatch::pipeline::dedupe::Dedupe;
use harbourwatch::pipeline::tally::{Counts, Joined, Tally};
use harbourwatch::pipeline::work::{Slice, work};
use harbourwatch::pipeline::world::World;

use super::TASK;
use super::corpus::Corpus;
use super::others::Outcome;
use super::ruler::time;

/// One pass over the corpus, batch after batch, with a window of duplicates that is full. Making the window is not timed.
pub fn classify(world: &World, corpus: &Corpus, window: &Dedupe, slice: &mut Slice) -> (Duration, Outcome) {
    let mut tally = Tally::new(window.clone(), &[]);
    let mut sum = Outcome::default();
    let took = time(|| {
        for batch in &corpus.batches {
            let all = 0..batch.messages().len();
            work(world, batch, all, TASK, &corpus.lanes, slice);
            let slices = std::slice::from_mut(&mut *slice);
            let (report, counts) = tally.join(Joined { batch, lanes: &corpus.lanes, slices }, None);
            add(&mut sum, &counts);
            std::hint::black_box(report);
        }
    });
    (took, sum)
}

fn add(sum: &mut Outcome, counts: &Counts) {
    for (flow, volume) in &counts.flows {
        *sum.flows.entry(*flow).or_default() += volume.legs;
    }
    sum.judged += counts.judged;
    sum.rejected += counts.rejected.values().sum::<u64>();
    sum.duplicate += counts.duplicate;
    sum.records += counts.records;
}

/// Fingerprints of events that were there before, as many as the window holds.
pub fn earlier() -> Vec<u128> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u128;
    let next = |_| {
        state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(0x5851_f42d_4c95_7f2d);
        state ^ state >> 64
    };
    (0..1 << 20).map(next).collect()
}
