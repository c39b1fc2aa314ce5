//! What all benches share: the corpus, the ways of others, the ruler. Nothing here is part of the program.
//!
//! A way of others is what a competent engineer writes with well-known parts, for the same input and the same outcome:
//! every run first checks that each way extracts the same fields and comes to the same verdicts.

#![allow(dead_code, clippy::unwrap_used)]

pub mod corpus;
pub mod fields;
pub mod legs;
pub mod others;
pub mod own;
pub mod place;
pub mod ruler;
pub mod typed;
pub mod untyped;

use std::sync::Arc;

use harbourwatch::app::wire;
use harbourwatch::pipeline::fingerprint::FingerprintKey;
use harbourwatch::pipeline::work::Task;
use harbourwatch::pipeline::world::World;
use harbourwatch::settings::{EXAMPLE_BANK, Settings};

/// What workers are asked for in every bench.
pub const TASK: Task = Task { key: FingerprintKey([7; 16]), lines: false };

/// The world of the example bank.
pub fn bank() -> Arc<World> {
    let settings = EXAMPLE_BANK.parse::<Settings>().unwrap();
    Arc::new(wire::world(&settings).unwrap())
}

/// The same with a decoder of its own.
pub fn bank_with(kernel: Option<harbourwatch::dingtalk::Kernel>) -> Arc<World> {
    let settings = EXAMPLE_BANK.parse::<Settings>().unwrap();
    let mut world = wire::world(&settings).unwrap();
    world.decoder = world.decoder.with_kernel(kernel);
    Arc::new(world)
}
