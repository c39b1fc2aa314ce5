//! Tests of the sources: what goes in comes out once, in order, under the same position.

// the helpers around the tests are tests too
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod generate;
mod replay;

use harbourwatch::domain::position::Lane;
use harbourwatch::pipeline::batch::{Batch, Limits};
use harbourwatch::pipeline::ports::{Grounded, Polled, Reached, Source, SourceError};
use sha2::{Digest, Sha256};

/// One message as a source gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    lane: Lane,
    offset: u64,
    bytes: Vec<u8>,
    cut: u64,
}

/// All that a source gives, and the error that it ends with, if it does.
fn drain(source: &mut impl Source, limits: &Limits) -> (Vec<Taken>, Option<String>) {
    let (mut taken, mut batch) = (Vec::new(), Batch::default());
    loop {
        batch.clear();
        match source.poll(&mut batch, limits, &mut Grounded) {
            Ok(Polled::Filled) => assert!(!batch.is_empty(), "filled with nothing"),
            Ok(Polled::Idle) => assert!(batch.is_empty(), "messages in an idle batch"),
            Ok(Polled::End) => return (taken, None),
            Err(SourceError::Fatal(why)) => return (taken, Some(why)),
            Err(SourceError::Transient(why)) => panic!("{why}"),
        }
        assert!(batch.messages().len() <= limits.messages);
        taken.extend(batch.messages().iter().map(|message| Taken {
            lane: source.lanes()[message.lane.0 as usize].clone(),
            offset: message.offset,
            bytes: batch.payload(message).to_vec(),
            cut: message.cut,
        }));
    }
}

/// What the evidence would say after these messages of one lane.
fn reached(taken: &[Taken]) -> Reached {
    let last = taken.last().expect("a message");
    let hash = Sha256::digest(&last.bytes);
    let last_digest = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Reached { lane: last.lane.clone(), next: last.offset + 1, last_digest }
}

/// Limits that cut batches small.
fn small() -> Limits {
    Limits { messages: 3, bytes: 200, message_bytes: 4096, wait_ms: 20 }
}
