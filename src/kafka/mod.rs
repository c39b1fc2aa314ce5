//! What everything that talks to Kafka shares: the connection and its credentials, the settings of the client with their
//! reasons, the words for what goes wrong, the producer. Never decides what is read or written, and never commits.

mod connection;
mod context;
mod probe;
mod producer;
mod properties;
mod reader;
mod token;
mod transaction;
mod trouble;

pub use connection::{ConnectError, Connection, Mechanism, Sasl, Tls};
pub use context::Reports;
pub(crate) use context::log;
pub use probe::Probe;
pub use producer::{Haste, Header, Outgoing, Producer, Round, SendError};
pub use properties::{Refusal, refused};
pub use reader::{ReadError, Reader, Taken};
pub use transaction::{Failed, TIMEOUT as TRANSACTION, Transactions};
pub use trouble::{Cause, Trouble};

/// The time that a request to the brokers may take before it counts as failed.
pub const REQUEST: std::time::Duration = std::time::Duration::from_secs(10);

/// Now, in ms since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
