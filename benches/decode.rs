//! Bytes → events, for work on the decoder: `cargo bench --bench decode`. The table with all ways is `--bench table`.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod lab;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use harbourwatch::dingtalk::{Decoder, Scratch};
use lab::ruler::keep;

fn decode(criterion: &mut Criterion) {
    let corpus = lab::corpus::days(7, 20_000);
    let (decoder, mut scratch) = (Decoder::default(), Scratch::default());
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(corpus.bytes() as u64)).sample_size(20);
    group.bench_function("20,000 events", |bencher| {
        bencher.iter(|| {
            corpus
                .messages()
                .for_each(|message| keep(decoder.decode_with(&mut scratch, message, &mut |_, event| keep(event))));
        });
    });
}

criterion_group!(benches, decode);
criterion_main!(benches);
