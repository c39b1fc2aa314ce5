//! The promises about Kafka, against Apache Kafka itself: one node on loopback, started by `tests/broker/kafka`.
//!
//! `HARBOURWATCH_BROKER=1` runs them (Java 17 and Maven are needed; `.ci/run` does it), `HARBOURWATCH_BROKER=full` runs the long
//! edition of the chaos test: 2,000,000 events. `KAFKA_BOOTSTRAP` names a broker to use instead of one of our own for the
//! tests that need none of their own. Without the first variable each test here says that it was not run.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::string_slice)]

mod access;
mod chaos;
mod feed;
mod instance;
mod join;
mod lifecycle;
mod members;
mod node;
mod poison;
mod verdicts;
