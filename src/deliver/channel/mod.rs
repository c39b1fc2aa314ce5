//! The ways out. A channel sends one message and says how that went; waiting and trying again are the courier's.

mod file;
mod kafka;
mod terminal;

use thiserror::Error;

use super::audience::{Audience, View};

pub use file::File;
pub use kafka::Kafka;
pub use terminal::Terminal;

/// One notice, cut to the channel's audience.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Stable key of the notice; the same at every try, so that a receiver can drop repetitions.
    pub id: String,
    /// What the audience sees.
    pub view: View,
}

/// Why a message was not taken. The texts carry no value of the message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// May pass.
    #[error("{0}")]
    Transient(String),
    /// Will not pass for this message.
    #[error("{0}")]
    Permanent(String),
}

/// A way out.
pub trait Channel: Send + std::fmt::Debug {
    /// Key in the configuration.
    fn name(&self) -> &str;

    /// Who reads it.
    fn audience(&self) -> Audience;

    /// Sends one message; returns when the receiver has it.
    ///
    /// # Errors
    /// [`SendError::Transient`] is tried again, [`SendError::Permanent`] is not.
    fn send(&mut self, message: &Message) -> Result<(), SendError>;
}
