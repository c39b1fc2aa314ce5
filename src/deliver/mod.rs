//! From what is owed to what is told: lease, cut to the audience, render, send, note the outcome.
//!
//! Each channel has a courier of its own thread and its own connection, so one that hangs delays no other. Personal data
//! leave through [`View`] alone: a channel is never given a finding, only what its audience may see of it.
//!
//! This room never reads the source or the evidence, and never drops a notice silently.

pub mod audience;
pub mod calendar;
pub mod channel;
pub mod composer;
pub mod courier;
mod health;
pub mod keyring;
pub mod letter;
mod notice;
pub mod pseudonym;
pub mod render;
pub mod sample;
mod statement;
mod states;
mod view;

pub use audience::{Audience, Field, Form};
pub use calendar::Quiet;
pub use channel::{Channel, Messenger, SendError, Way};
pub use composer::{Composer, Inhibition, Pace, Rules};
pub use courier::{Courier, Running};
pub use letter::Letter;
pub use notice::{Notice, Step};
pub use statement::Statement;
pub use states::Checkpoints;
pub use view::{LONGEST, View};
