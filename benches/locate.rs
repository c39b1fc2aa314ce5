//! Addresses and hosts → places, for work on the atlas: `cargo bench --bench locate`. The table with all ways is
//! `--bench table`.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod lab;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use harbourwatch::dingtalk::Decoder;
use lab::ruler::keep;

fn locate(criterion: &mut Criterion) {
    let (world, corpus) = (lab::bank(), lab::corpus::days(7, 20_000));
    let (mut addresses, mut hosts) = (Vec::new(), Vec::new());
    for message in corpus.messages() {
        Decoder::default().decode(message, &mut |_, event| {
            let Ok(event) = event else { return };
            addresses.push(event.address.map(|address| address.reveal().to_string()));
            hosts.extend(event.storage.hosts.iter().map(|host| host.to_string()));
        });
    }
    let mut group = criterion.benchmark_group("locate");
    group.throughput(Throughput::Elements(addresses.len() as u64)).sample_size(20);
    group.bench_function("address fields", |bencher| {
        bencher.iter(|| addresses.iter().for_each(|address| keep(world.geo.address(address.as_deref()))));
    });
    group.throughput(Throughput::Elements(hosts.len() as u64));
    group.bench_function("storage URLs", |bencher| {
        bencher.iter(|| hosts.iter().for_each(|host| keep(world.geo.host(host))));
    });
}

criterion_group!(benches, locate);
criterion_main!(benches);
