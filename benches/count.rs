//! One stage over a small fixed corpus, again and again, for a profiler or an instruction counter to look at:
//!
//! ```text
//! cargo bench --bench count -- classify 20             # decode, classify, fast; rounds
//! cargo bench --bench count -- classify 9 200000       # with more events than a cache holds
//! cargo bench --bench count -- classify 9 5000 100     # with so many of a hundred recorded, one otherwise
//! HARBOURWATCH_KERNEL=avx2 cargo bench --bench count   # portable, sse2, avx2, avx512; none: the ordinary way alone
//! ```

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout)]

mod lab;

use std::time::Duration;

use harbourwatch::dingtalk::{Decoder, Kernel, Scratch};
use harbourwatch::pipeline::dedupe::Dedupe;
use harbourwatch::pipeline::work::Slice;
use lab::ruler::keep;

/// Events of the corpus, unless told otherwise.
const EVENTS: u64 = 5_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let stage = arguments.first().map_or("classify", String::as_str);
    let rounds = arguments.get(1).map_or(1, |rounds| rounds.parse().unwrap());
    let events = arguments.get(2).map_or(EVENTS, |events| events.parse().unwrap());
    let recorded = arguments.get(3).map_or(1, |recorded| recorded.parse().unwrap());
    match stage {
        "events" => println!("{}", lab::corpus::days(7, events).events),
        "decode" => decode(rounds, events),
        "fast" => fast(events),
        "classify" => classify(rounds, events, recorded),
        other => panic!("no stage {other}"),
    }
}

fn kernel() -> Option<Kernel> {
    let name = std::env::var("HARBOURWATCH_KERNEL").unwrap_or_else(|_| "avx512".to_owned());
    Kernel::ALL.into_iter().find(|kernel| format!("{kernel:?}").eq_ignore_ascii_case(&name))
}

fn decode(rounds: u32, events: u64) {
    let corpus = lab::corpus::days(7, events);
    let (decoder, mut scratch) = (Decoder::default().with_kernel(kernel()), Scratch::default());
    let mut pass = || {
        for message in corpus.messages() {
            decoder.show(&mut scratch, message, &mut |_, given| keep(given));
        }
    };
    report(corpus.events, rounds, &mut || lab::ruler::time(&mut pass));
}

/// How many messages the fast way decides about, and some of the others.
fn fast(events: u64) {
    let corpus = lab::corpus::days(7, events);
    let (decoder, mut scratch) = (Decoder::default().with_kernel(kernel()), Scratch::default());
    let mut is_slow = |message: &&[u8]| {
        decoder.decode_with(&mut scratch, message, &mut |_, event| keep(event));
        !scratch.was_fast()
    };
    let slow: Vec<&[u8]> = corpus.messages().filter(|message| is_slow(message)).collect();
    slow.iter().step_by(slow.len() / 10 + 1).for_each(|message| println!("{}", String::from_utf8_lossy(message)));
    println!("{} of {} the ordinary way", slow.len(), corpus.messages().count());
}

fn classify(rounds: u32, events: u64, recorded: u64) {
    let world = lab::bank_with(kernel());
    let corpus = lab::corpus::flagged(&world, 7, events, recorded);
    let (window, mut slice) = (Dedupe::new(1 << 20, lab::own::earlier()), Slice::default());
    report(corpus.events, rounds, &mut || lab::own::classify(&world, &corpus, &window, &mut slice).0);
}

fn report(events: u64, rounds: u32, each: &mut dyn FnMut() -> Duration) {
    let took: Duration = (0..rounds).map(|_| each()).sum();
    println!("{:.1} ns/event", took.as_nanos() as f64 / (f64::from(rounds) * events as f64));
}
