//! What the client tells between the lines: its log, its errors, its wish for a token. Both kinds of client, consumer and
//! producer, report here; who owns the client looks in when it suits.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use super::connection::Connection;
use super::token;
use super::trouble::{Cause, Trouble};

/// Errors of one client: counted, and the last one that waiting does not mend is kept until something works again.
#[derive(Debug)]
pub struct Reports {
    counts: [AtomicU64; Cause::ALL.len()],
    lasting: Mutex<Option<(Trouble, Instant)>>,
    last: Mutex<Option<Trouble>>,
    token: Option<(String, Vec<String>)>,
}

impl Reports {
    /// For a client of this connection.
    pub fn new(connection: &Connection) -> Self {
        let token = connection.token_command().map(|(principal, command)| (principal.to_owned(), command.to_vec()));
        Self { counts: Default::default(), lasting: Mutex::default(), last: Mutex::default(), token }
    }

    /// Takes note of an error.
    pub fn note(&self, trouble: Trouble) {
        self.counts[trouble.cause as usize].fetch_add(1, Ordering::Relaxed);
        tracing::debug!(cause = trouble.cause.name(), said = %trouble.said, "kafka client");
        if !trouble.cause.passes() {
            let mut lasting = lock(&self.lasting);
            let since = lasting.as_ref().map_or_else(Instant::now, |(_, since)| *since);
            *lasting = Some((trouble.clone(), since));
        }
        let mut last = lock(&self.last);
        // "all brokers are down" follows on each failure and says less than the failure did
        if !trouble.is_vague() || last.is_none() {
            *last = Some(trouble);
        }
    }

    /// Something worked: what went before is over.
    pub fn works(&self) {
        *lock(&self.lasting) = None;
        *lock(&self.last) = None;
    }

    /// The trouble that waiting does not mend, and for how long there has been such.
    pub fn lasting(&self) -> Option<(Trouble, Duration)> {
        lock(&self.lasting).as_ref().map(|(trouble, since)| (trouble.clone(), since.elapsed()))
    }

    /// The last error, of any kind, since something worked.
    pub fn last(&self) -> Option<Trouble> {
        lock(&self.last).clone()
    }

    /// Errors by cause since the last call.
    pub fn take_counts(&self) -> impl Iterator<Item = (Cause, u64)> {
        let taken = |cause: Cause| (cause, self.counts[cause as usize].swap(0, Ordering::Relaxed));
        Cause::ALL.into_iter().map(taken).filter(|(_, count)| *count > 0)
    }

    /// For the client's `error`.
    pub(crate) fn error(&self, error: &KafkaError, reason: &str) {
        self.note(Trouble::of(error, reason));
    }

    /// For the client's `generate_oauth_token`.
    pub(crate) fn token(&self) -> Result<OAuthToken, Box<dyn Error>> {
        let (principal, command) = self.token.as_ref().ok_or("kafka.sasl.token_command is not set")?;
        token::fetch(principal, command).map_err(|error| {
            tracing::warn!(%error, "no token");
            self.note(Trouble { cause: Cause::WrongCredentials, said: error.to_string() });
            error.into()
        })
    }
}

/// The client's own log. It repeats every lost connection as an error, so nothing of it is louder than a warning here: what
/// matters is in [`Reports`].
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, text: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::warn!(target: "librdkafka", facility, "{text}");
        }
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::debug!(target: "librdkafka", facility, "{text}");
        }
        RDKafkaLogLevel::Debug => tracing::trace!(target: "librdkafka", facility, "{text}"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_trouble_stays_until_something_works_and_passing_ones_are_counted() {
        let reports = Reports::new(&Connection::default());
        let trouble = |cause| Trouble { cause, said: "said".to_owned() };
        reports.note(trouble(Cause::WrongCredentials));
        reports.note(trouble(Cause::Unreachable));
        reports.note(trouble(Cause::Unreachable));
        assert_eq!(reports.lasting().unwrap().0.cause, Cause::WrongCredentials);
        assert_eq!(reports.last().unwrap().cause, Cause::Unreachable);
        let counts: Vec<_> = reports.take_counts().collect();
        assert_eq!(counts, [(Cause::Unreachable, 2), (Cause::WrongCredentials, 1)]);
        assert_eq!(reports.take_counts().count(), 0);
        reports.works();
        assert!(reports.lasting().is_none() && reports.last().is_none());
    }
}
