//! The whole way: bytes → verdicts, counters and, for the flagged, records and findings.

use harbourwatch::dingtalk::Kernel;
use harbourwatch::pipeline::dedupe::Dedupe;
use harbourwatch::pipeline::work::{Slice, work};

use crate::lab::TASK;
use crate::lab::corpus::{self, Corpus};
use crate::lab::others::{A, B, C, Other, Way};
use crate::lab::own;
use crate::lab::ruler::{Row, Table, Variant, rounds, time};

const WAYS: [(&str, Way); 3] = [
    ("a Value + std parse + maxminddb + with_label_values", A),
    ("b typed serde_json, simdutf8 + maxminddb + cached handles", B),
    ("c sonic-rs typed + own atlas + local counters", C),
];

pub fn tables() -> Vec<Table> {
    [1, 10, 100].map(at_share).into_iter().chain([workers()]).collect()
}

/// Bytes to verdicts by one thread and by several, each with its share of every batch, as the pipeline cuts them.
fn workers() -> Table {
    let world = crate::lab::bank();
    let corpus = corpus::flagged(&world, 7, corpus::EVENTS, 1);
    let mut variants: Vec<Variant<'_>> = Vec::new();
    for count in [1, 2] {
        let mut slices: Vec<Slice> = (0..count).map(|_| Slice::default()).collect();
        let (world, corpus) = (&world, &corpus);
        let mut pass = move || {
            std::thread::scope(|scope| {
                for (at, slice) in slices.iter_mut().enumerate() {
                    scope.spawn(move || {
                        for batch in &corpus.batches {
                            let all = batch.messages().len();
                            let range = all * at / count..all * (at + 1) / count;
                            work(world, batch, range, TASK, &corpus.lanes, slice);
                        }
                    });
                }
            });
        };
        variants.push((format!("{count} workers"), Box::new(move || time(&mut pass))));
    }
    let rows = rounds(&mut variants, 7);
    let title = format!("classify: by worker threads, without the tally, 1 % recorded, {} events", corpus.events);
    Table { title, unit: "event", count: corpus.events as f64, bytes: corpus.bytes() as f64, against: vec![0], rows }
}

fn at_share(flagged: u64) -> Table {
    let world = crate::lab::bank();
    let corpus = corpus::flagged(&world, 7, corpus::EVENTS, flagged);
    let earlier = own::earlier();
    let window = Dedupe::new(1 << 20, earlier.iter().copied());
    let mut slice = Slice::default();
    let (_, expected) = own::classify(&world, &corpus, &window, &mut slice);
    let mut variants: Vec<Variant<'_>> = Vec::new();
    for (name, way) in WAYS {
        let outcome = Other::new(way, &world, &earlier).run(&corpus);
        assert_eq!(outcome, expected, "{name} comes to something else");
        let (world, corpus, earlier) = (&world, &corpus, &earlier);
        let pass = move || {
            let mut other = Other::new(way, world, earlier);
            time(|| drop(other.run(corpus)))
        };
        variants.push((name.to_owned(), Box::new(pass)));
    }
    let kernels = Kernel::ALL.into_iter().filter(|kernel| kernel.is_there());
    for kernel in kernels {
        let (world, mut slice, corpus, window) =
            (crate::lab::bank_with(Some(kernel)), Slice::default(), &corpus, &window);
        let pass = move || own::classify(&world, corpus, window, &mut slice).0;
        variants.push((format!("own, scanner by {kernel:?}"), Box::new(pass)));
    }
    // what is mostly there is measured best
    let rows = rounds(&mut variants, if flagged == 1 { 15 } else { 7 });
    table(flagged, &corpus, rows)
}

fn table(flagged: u64, corpus: &Corpus, rows: Vec<Row>) -> Table {
    Table {
        title: format!(
            "classify: {flagged} % recorded, {} events, {:.0} bytes in the mean",
            corpus.events,
            corpus.mean()
        ),
        unit: "event",
        count: corpus.events as f64,
        bytes: corpus.bytes() as f64,
        against: vec![0, 1, 2],
        rows,
    }
}
