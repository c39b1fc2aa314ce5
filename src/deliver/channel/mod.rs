//! The ways out. A channel sends and says how that went; waiting and trying again are the courier's.
//!
//! There are two kinds of reader. Machines get one [`Notice`] for each finding and change, by a [`Channel`]. People get
//! [`Letter`]s that gather findings, by a [`Messenger`].

mod alertmanager;
mod chat;
pub mod dial;
mod elastic;
mod file;
pub mod http;
mod kafka;
pub mod mail;
mod robot;
mod splunk;
pub mod syslog;
mod terminal;
pub mod tls;
mod webhook;

use thiserror::Error;

use super::audience::Audience;
use super::letter::Letter;
use super::notice::Notice;
use super::statement::Statement;

use crate::secret::SecretRef;
pub use alertmanager::Alertmanager;
pub use chat::{Chat, Service};
pub use elastic::Elastic;
pub use file::File;
pub use http::Http;
pub use kafka::Kafka;
pub use mail::Mail;
pub use robot::Robot;
pub use splunk::Splunk;
pub use syslog::Syslog;
pub use terminal::Terminal;
pub use webhook::Webhook;

/// Why something was not taken. The texts carry no value of a finding and no secret of the channel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// May pass.
    #[error("{0}")]
    Transient(String),
    /// May pass, but not before so many ms, as the receiver said. Nothing else is sent meanwhile.
    #[error("{why}")]
    Later {
        /// What it said.
        why: String,
        /// For how long it wants to be left alone, in ms.
        wait_ms: i64,
    },
    /// Will not pass for this notice or letter.
    #[error("{0}")]
    Permanent(String),
    /// The receiver is gone for good; nothing more is sent there until an operator opens the channel again.
    #[error("{0}")]
    Gone(String),
}

/// A way to machines.
pub trait Channel: Send + std::fmt::Debug {
    /// Who reads it.
    fn audience(&self) -> Audience;

    /// Most notices that one call takes.
    fn most(&self) -> usize {
        1
    }

    /// Sends notices of different findings; returns when the receiver has them. One answer for each, in their order.
    ///
    /// # Errors
    /// See [`SendError`].
    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>>;

    /// Tells the evidence log's signed checkpoint, as a record of its own; whether this channel does that at all.
    ///
    /// # Errors
    /// See [`SendError`].
    fn state(&mut self, _: &Statement) -> Result<bool, SendError> {
        Ok(false)
    }

    /// What would be sent, without secrets.
    fn preview(&self, notice: &Notice) -> String;
}

/// A way to people.
pub trait Messenger: Send + std::fmt::Debug {
    /// Who reads it.
    fn audience(&self) -> Audience;

    /// Sends a letter; returns when the receiver has it.
    ///
    /// # Errors
    /// See [`SendError`].
    fn post(&mut self, letter: &Letter) -> Result<(), SendError>;

    /// What would be sent, without secrets.
    fn preview(&self, letter: &Letter) -> String;
}

/// One or the other.
#[derive(Debug)]
pub enum Way {
    /// To machines.
    Feed(Box<dyn Channel>),
    /// To people.
    People(Box<dyn Messenger>),
}

impl Way {
    /// Who reads it.
    pub fn audience(&self) -> Audience {
        match self {
            Self::Feed(channel) => channel.audience(),
            Self::People(messenger) => messenger.audience(),
        }
    }
}

/// Sends notices one by one. After a failure that may pass the others are not tried: the receiver is ill.
fn each(notices: &[Notice], mut send: impl FnMut(&Notice) -> Result<(), SendError>) -> Vec<Result<(), SendError>> {
    let mut ill: Option<SendError> = None;
    let mut one = |notice| {
        if let Some(error) = &ill {
            return Err(error.clone());
        }
        let sent = send(notice);
        ill = sent.as_ref().err().filter(|error| !matches!(error, SendError::Permanent(_))).cloned();
        sent
    };
    notices.iter().map(&mut one).collect()
}

/// Sends notices in one call, or one by one if that is refused: then one of them may be to blame, and not the others.
fn together(
    notices: &[Notice],
    mut send: impl FnMut(&[Notice]) -> Result<(), SendError>,
) -> Vec<Result<(), SendError>> {
    match send(notices) {
        Err(SendError::Permanent(_)) if notices.len() > 1 => each(notices, |notice| send(std::slice::from_ref(notice))),
        outcome => vec![outcome; notices.len()],
    }
}

/// The value of an `Authorization` header.
fn authorised(scheme: &str, token: &SecretRef) -> Result<String, SendError> {
    let token = token.resolve().map_err(|error| SendError::Transient(error.to_string()))?;
    Ok(format!("{scheme} {}", token.reveal().trim()))
}
