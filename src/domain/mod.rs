//! What harbourwatch is about, in plain values: events, places, legs, safeguards, verdicts, findings.
//!
//! This room never does I/O, never reads a clock, never logs, and knows nothing of JSON, Kafka, HTTP or files. Everything
//! here is a pure function of its arguments, so the same input, policy and databases give the same verdict for ever.

mod bits;
pub mod calendar;
pub mod estate;
pub mod event;
pub mod finding;
pub mod flow;
pub mod hex;
pub mod hooks;
pub mod judge;
pub mod map;
pub mod party;
pub mod place;
pub mod policy;
pub mod position;
pub mod safeguard;
pub mod sensitive;
pub mod severity;
pub mod short;
pub mod territory;
pub mod trace;
pub mod verdict;
