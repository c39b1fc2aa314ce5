//! No input panics the decoder; it says the same twice; a second reader agrees; legs can be planned for whatever it gives.
//!
//! `cargo +nightly fuzz run decode`

#![no_main]

use harbourwatch::dingtalk::{Decoder, Reject, legs};
use harbourwatch::domain::event::Event;
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/decode/oracle.rs"]
mod oracle;

fn decode(bytes: &[u8]) -> Vec<Result<Event<'_>, Reject>> {
    let mut results = Vec::new();
    let count = Decoder::default().decode(bytes, &mut |_, result| results.push(result));
    assert_eq!(count as usize, results.len());
    results
}

fuzz_target!(|bytes: &[u8]| {
    let results = decode(bytes);
    assert_eq!(results, decode(bytes));
    for event in results.iter().flatten() {
        legs::plan(event, &mut |_| {});
    }
    oracle::agree(bytes, &results);
});
