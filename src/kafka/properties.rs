//! librdkafka's own properties that an operator may not set, each with the reason and what to use instead. Everything else
//! is passed through as it is.

/// Why a property is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What would break, or who sets it.
    pub why: &'static str,
}

const COMMITS: Refusal = Refusal { why: "offsets are committed when the evidence is on disk, never before" };
const POSITION: Refusal = Refusal { why: "where reading begins is decided by the evidence; see source.kafka.start" };
const GROUP: Refusal = Refusal { why: "set it under [source.kafka]" };
const ACCESS: Refusal =
    Refusal { why: "set it under [kafka], [kafka.tls] or [kafka.sasl], where secrets are references" };
const ACKED: Refusal = Refusal { why: "what is sent counts only when all in-sync replicas have it, once and in order" };
const COMMITTED: Refusal = Refusal { why: "records of aborted transactions are no events" };
const CODE: Refusal = Refusal { why: "it would load foreign code into the process" };
const EOF: Refusal = Refusal { why: "ends of partitions are no events, and reporting them has left partitions stuck" };
const CHECKED: Refusal = Refusal { why: "a record that was damaged on the way must not be judged" };
const OURS: Refusal = Refusal { why: "harbourwatch needs it as it is" };

const REFUSED: [(&str, Refusal); 33] = [
    ("acks", ACKED),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", COMMITS),
    ("auto.offset.reset", POSITION),
    ("bootstrap.servers", ACCESS),
    ("check.crcs", CHECKED),
    ("delivery.report.only.error", ACKED),
    ("enable.auto.commit", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    ("enable.gapless.guarantee", ACKED),
    ("enable.idempotence", ACKED),
    ("enable.partition.eof", EOF),
    ("enable.ssl.certificate.verification", ACCESS),
    ("group.id", GROUP),
    ("group.instance.id", GROUP),
    ("group.protocol", GROUP),
    ("group.remote.assignor", GROUP),
    ("isolation.level", COMMITTED),
    ("log.queue", OURS),
    ("max.in.flight", ACKED),
    ("max.in.flight.requests.per.connection", ACKED),
    ("message.send.max.retries", ACKED),
    ("metadata.broker.list", ACCESS),
    ("offset.store.method", COMMITS),
    ("partition.assignment.strategy", GROUP),
    ("plugin.library.paths", CODE),
    ("queued.max.messages.kbytes", GROUP),
    ("request.required.acks", ACKED),
    ("retries", ACKED),
    ("security.protocol", ACCESS),
    ("session.timeout.ms", GROUP),
    ("statistics.interval.ms", OURS),
    ("transactional.id", ACKED),
];

/// Whether a property must not be set by hand, and why.
pub fn refused(property: &str) -> Option<Refusal> {
    if property.starts_with("ssl.") || property.starts_with("sasl.") {
        return Some(ACCESS);
    }
    REFUSED.iter().find(|(known, _)| *known == property).map(|(_, refusal)| *refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_guarantee_is_refused_with_a_reason_and_the_rest_is_not() {
        for property in ["enable.auto.commit", "ssl.key.location", "sasl.password", "auto.offset.reset", "acks"] {
            assert!(refused(property).is_some_and(|refusal| !refusal.why.is_empty()), "{property}");
        }
        for property in ["fetch.min.bytes", "socket.timeout.ms", "client.rack", "debug", "linger.ms"] {
            assert_eq!(refused(property), None, "{property}");
        }
    }

    #[test]
    fn the_table_is_sorted_so_that_a_reader_finds_a_line() {
        assert!(REFUSED.is_sorted_by(|one, other| one.0 < other.0));
    }
}
