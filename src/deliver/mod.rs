//! From what is owed to what is told: lease, cut to the audience, render, send, note the outcome.
//!
//! Each channel has a courier of its own thread and its own connection, so one that hangs delays no other. Personal data
//! leave through [`audience::View`] alone: a channel is never given a finding, only what its audience may see of it.
//!
//! This room never reads the source or the evidence, and never drops a notice silently.

pub mod audience;
pub mod channel;
pub mod courier;
pub mod render;

pub use audience::{Audience, Field, View};
pub use channel::{Channel, Message, SendError};
pub use courier::{Courier, Running};
