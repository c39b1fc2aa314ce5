//! The order of things: batch → decode → legs → locate → judge → tally → record → commit.
//!
//! This room owns the ports [`ports::Source`] and [`ports::Recorder`] and knows nothing of what stands behind them.

pub mod batch;
pub mod ports;
pub mod report;
