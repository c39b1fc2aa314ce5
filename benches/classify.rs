//! The whole way at 1 %, 10 % and 100 % recorded, for work on the pipeline: `cargo bench --bench classify`. The table with
//! all ways is `--bench table`.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod lab;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use harbourwatch::pipeline::dedupe::Dedupe;
use harbourwatch::pipeline::work::Slice;

fn classify(criterion: &mut Criterion) {
    let (world, window) = (lab::bank(), Dedupe::new(1 << 20, lab::own::earlier()));
    let mut group = criterion.benchmark_group("classify");
    for flagged in [1, 10, 100] {
        let corpus = lab::corpus::flagged(&world, 7, 20_000, flagged);
        group.throughput(Throughput::Elements(corpus.events)).sample_size(20);
        let mut slice = Slice::default();
        group.bench_function(format!("{flagged} % recorded"), |bencher| {
            bencher.iter_custom(|rounds| {
                (0..rounds).map(|_| lab::own::classify(&world, &corpus, &window, &mut slice).0).sum()
            });
        });
    }
}

criterion_group!(benches, classify);
criterion_main!(benches);
