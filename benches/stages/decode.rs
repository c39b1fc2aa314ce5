//! Bytes → events.

use std::hint::black_box;

use harbourwatch::dingtalk::{Decoder, Kernel, Scratch};

use crate::lab::corpus::{self, Corpus};
use crate::lab::fields;
use crate::lab::others::Read;
use crate::lab::ruler::{Table, keep, rounds, variant};

const WAYS: [(&str, Read); 8] = [
    ("a serde_json::Value", Read::Tree),
    ("b serde_json typed, simdutf8 + from_str", Read::Typed),
    ("c sonic-rs typed", Read::Sonic),
    ("own, the ordinary way alone", Read::Own(None)),
    ("own, portable", Read::Own(Some(Kernel::Portable))),
    ("own, SSE2", Read::Own(Some(Kernel::Sse2))),
    ("own, AVX2", Read::Own(Some(Kernel::Avx2))),
    ("own, AVX-512", Read::Own(Some(Kernel::Avx512))),
];

fn is_there(read: Read) -> bool {
    match read {
        Read::Own(Some(kernel)) => kernel.is_there(),
        Read::Own(None) | Read::Tree | Read::Typed | Read::Sonic => true,
    }
}

fn decoder(read: Read) -> Decoder {
    match read {
        Read::Own(most) => Decoder::default().with_kernel(most),
        Read::Tree | Read::Typed | Read::Sonic => Decoder::default(),
    }
}

/// Reads a corpus and gives the number of events with a sum over what they say.
pub fn sum(read: Read, corpus: &Corpus) -> (u64, u64, u64) {
    let (own, mut scratch) = (decoder(read), Scratch::default());
    let (mut events, mut rejected, mut sum) = (0, 0, 0u64);
    for message in corpus.messages() {
        read.events(&own, &mut scratch, message, &mut |event| match event {
            Some(event) => {
                events += 1;
                sum = sum.wrapping_add(fields::sum(&event));
            }
            None => rejected += 1,
        });
    }
    (events, rejected, sum)
}

pub fn tables() -> Vec<Table> {
    let corpus = corpus::days(7, corpus::EVENTS);
    let expected = sum(Read::Own(None), &corpus);
    let mut variants = vec![
        variant("limit: read and sum", || {
            black_box(corpus.messages().map(read_and_sum).fold(0, u64::wrapping_add));
        }),
        variant("limit: UTF-8 validation (simdutf8)", || {
            black_box(corpus.messages().filter(|message| simdutf8::basic::from_utf8(message).is_ok()).count());
        }),
    ];
    for (name, read) in WAYS.into_iter().filter(|(_, read)| is_there(*read)) {
        assert_eq!(sum(read, &corpus), expected, "{name} reads something else");
        let (own, mut scratch, corpus) = (decoder(read), Scratch::default(), &corpus);
        variants.push(variant(name, move || {
            corpus.messages().for_each(|message| read.events(&own, &mut scratch, message, &mut |event| keep(event)));
        }));
    }
    let rows = rounds(&mut variants, 7);
    vec![Table {
        title: format!("decode: {} events, {:.0} bytes in the mean", corpus.events, corpus.mean()),
        unit: "event",
        count: corpus.events as f64,
        bytes: corpus.bytes() as f64,
        against: vec![2, 3, 4],
        rows,
    }]
}

fn read_and_sum(message: &[u8]) -> u64 {
    let (words, rest) = message.as_chunks::<8>();
    let sum = words.iter().fold(0u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| sum.wrapping_add(u64::from(*byte)))
}
