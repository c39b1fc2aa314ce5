//! Legs → decisions, for work on the rules: `cargo bench --bench judge`. The table is `--bench table`.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod lab;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use harbourwatch::domain::trace::Silent;
use lab::ruler::keep;

fn judge(criterion: &mut Criterion) {
    let world = lab::bank();
    let legs = lab::legs::of_days(&world, 20_000);
    let mut group = criterion.benchmark_group("judge");
    group.throughput(Throughput::Elements(legs.len() as u64)).sample_size(20);
    group.bench_function("rules", |bencher| {
        bencher.iter(|| legs.iter().for_each(|(leg, case)| keep(world.policy.judge(leg, case, &mut Silent))));
    });
}

criterion_group!(benches, judge);
criterion_main!(benches);
