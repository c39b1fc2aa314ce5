//! What goes wrong between the client and the brokers, in words that say what to do. librdkafka gives codes and free text;
//! both are read here, once.

use std::fmt;

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// No broker answers. Passes when one comes back.
    Unreachable,
    /// User, password or token are not accepted.
    WrongCredentials,
    /// The brokers do not offer this SASL mechanism.
    WrongMechanism,
    /// The broker's certificate is not trusted, or is another host's.
    UntrustedBroker,
    /// The broker does not accept our certificate, or wants one.
    UntrustedClient,
    /// The port speaks TLS and we do not, or the reverse.
    WrongProtocol,
    /// The user may not read or write this topic.
    TopicNotAuthorised,
    /// The user may not join this group.
    GroupNotAuthorised,
    /// The user may not use transactions or idempotence.
    ClusterNotAuthorised,
    /// There is no such topic.
    NoSuchTopic,
    /// Another process has the same `instance_id` or transactional id.
    Fenced,
    /// The message is larger than the topic takes.
    TooLarge,
    /// Other members of the group use another assignor or protocol.
    OtherProtocol,
    /// Something else; passes or shows again.
    Other,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 14] = [
        Self::Unreachable,
        Self::WrongCredentials,
        Self::WrongMechanism,
        Self::UntrustedBroker,
        Self::UntrustedClient,
        Self::WrongProtocol,
        Self::TopicNotAuthorised,
        Self::GroupNotAuthorised,
        Self::ClusterNotAuthorised,
        Self::NoSuchTopic,
        Self::Fenced,
        Self::TooLarge,
        Self::OtherProtocol,
        Self::Other,
    ];

    /// What a code says by itself.
    pub(super) fn of_code(code: Code) -> Self {
        cause(code, "")
    }

    /// Stable lower-case name, for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::WrongCredentials => "wrong_credentials",
            Self::WrongMechanism => "wrong_mechanism",
            Self::UntrustedBroker => "untrusted_broker",
            Self::UntrustedClient => "untrusted_client",
            Self::WrongProtocol => "wrong_protocol",
            Self::TopicNotAuthorised => "topic_not_authorised",
            Self::GroupNotAuthorised => "group_not_authorised",
            Self::ClusterNotAuthorised => "cluster_not_authorised",
            Self::NoSuchTopic => "no_such_topic",
            Self::Fenced => "fenced",
            Self::TooLarge => "too_large",
            Self::OtherProtocol => "other_protocol",
            Self::Other => "other",
        }
    }

    /// Whether waiting helps. What an operator must mend is said and ends the process, at start at once.
    pub fn passes(self) -> bool {
        matches!(self, Self::Unreachable | Self::TooLarge | Self::Other)
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Unreachable => "check kafka.brokers, the network and whether the brokers run",
            Self::WrongCredentials => {
                "wrong user, password or token: check kafka.sasl, and that the user exists for this mechanism"
            }
            Self::WrongMechanism => "the brokers do not offer this mechanism: check kafka.sasl.mechanism",
            Self::UntrustedBroker => {
                "the broker's certificate is not trusted or names another host: check kafka.tls.ca and kafka.brokers"
            }
            Self::UntrustedClient => {
                "the broker refuses our certificate or wants one: check kafka.tls.cert and kafka.tls.key"
            }
            Self::WrongProtocol => {
                "one side speaks TLS and the other does not: check the port and whether [kafka.tls] belongs there"
            }
            Self::TopicNotAuthorised => {
                "grant this user READ and DESCRIBE on the topic (WRITE for topics that are written)"
            }
            Self::GroupNotAuthorised => "grant this user READ on the group",
            Self::ClusterNotAuthorised => {
                "grant this user WRITE on the transactional id and IDEMPOTENT_WRITE on the cluster"
            }
            Self::NoSuchTopic => "the topic does not exist: create it, or correct its name",
            Self::Fenced => {
                "another process uses the same instance_id: give each instance its own, and stop the other one"
            }
            Self::TooLarge => "raise max.message.bytes of the topic",
            Self::OtherProtocol => "members of the group use another assignor or protocol: set the same on all",
            Self::Other => "see the broker's log",
        }
    }
}

/// A cause and what the client said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong.
    pub cause: Cause,
    /// The client's own words; hosts, topics and codes, no secret.
    pub said: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kafka: {}; {}", self.said, self.cause.remedy())
    }
}

impl std::error::Error for Trouble {}

impl Trouble {
    /// From an error of the client, with the text that came along, if any.
    pub fn of(error: &KafkaError, text: &str) -> Self {
        let said = if let KafkaError::ClientConfig(_, what, key, _) = error {
            // the client would repeat the value, which may be a secret
            format!("{key}: {what}")
        } else if text.is_empty() {
            error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string())
        } else {
            text.to_owned()
        };
        let cause = error.rdkafka_error_code().map_or(Cause::Other, |code| cause(code, &said));
        Self { cause, said }
    }

    /// Whether it only says that there is no connection, not why.
    pub(super) fn is_vague(&self) -> bool {
        self.cause == Cause::Unreachable && self.said.contains("brokers are down")
    }

    /// From a code that came with a message or a partition.
    pub fn of_code(code: Code, about: &str) -> Self {
        let said = format!("{about}: {code}");
        Self { cause: cause(code, &said), said }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "two hundred codes of another program; those that an operator can mend"
)]
fn cause(code: Code, text: &str) -> Cause {
    match code {
        Code::Authentication | Code::SaslAuthenticationFailed => authentication(text),
        Code::UnsupportedSASLMechanism | Code::IllegalSASLState => Cause::WrongMechanism,
        Code::SSL => tls(text),
        Code::TopicAuthorizationFailed => Cause::TopicNotAuthorised,
        Code::GroupAuthorizationFailed => Cause::GroupNotAuthorised,
        Code::ClusterAuthorizationFailed | Code::TransactionalIdAuthorizationFailed => Cause::ClusterNotAuthorised,
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::InvalidTopic => Cause::NoSuchTopic,
        Code::FencedInstanceId
        | Code::UnreleasedInstanceId
        | Code::InvalidProducerEpoch
        | Code::Fenced
        | Code::ProducerFenced => Cause::Fenced,
        Code::MessageSizeTooLarge | Code::InvalidMessageSize => Cause::TooLarge,
        Code::InconsistentGroupProtocol => Cause::OtherProtocol,
        Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut => {
            transport(text)
        }
        _ => Cause::Other,
    }
}

fn authentication(text: &str) -> Cause {
    let text = text.to_ascii_lowercase();
    if text.contains("unsupported") || text.contains("mechanism handshake") || text.contains("not enabled") {
        Cause::WrongMechanism
    } else {
        Cause::WrongCredentials
    }
}

fn tls(text: &str) -> Cause {
    let text = text.to_ascii_lowercase();
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if holds(&["wrong version number", "connecting to a plaintext", "packet length too long", "unknown protocol"]) {
        Cause::WrongProtocol
    } else if holds(&["alert", "client certificate", "certificate required", "private key", "bad certificate"]) {
        Cause::UntrustedClient
    } else if holds(&[
        "certificate verify failed",
        "verify error",
        "hostname mismatch",
        "ca certificate",
        "self-signed",
    ]) {
        Cause::UntrustedBroker
    } else {
        Cause::Unreachable
    }
}

/// A broker that speaks TLS to a client that does not, and the reverse, shows as a connection that ends at once.
fn transport(text: &str) -> Cause {
    let text = text.to_ascii_lowercase();
    let by_protocol = text.contains("might be caused by") && text.contains("security.protocol");
    if by_protocol || text.contains("ssl handshake failed: disconnected") {
        Cause::WrongProtocol
    } else if text.contains("alert") && text.contains("certificate") {
        // TLS 1.3: the broker looks at our certificate when the handshake is over for us
        Cause::UntrustedClient
    } else {
        Cause::Unreachable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(code: Code, text: &str) -> Cause {
        Trouble::of(&KafkaError::Global(code), text).cause
    }

    #[test]
    fn the_client_s_words_become_a_cause() {
        let sasl = "sasl_ssl://b:9093/bootstrap: SASL authentication error: Authentication failed during authentication \
                    due to invalid credentials with SASL mechanism SCRAM-SHA-256";
        assert_eq!(global(Code::Authentication, sasl), Cause::WrongCredentials);
        let mechanism = "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported \
                         mechanisms: SCRAM-SHA-256";
        assert_eq!(global(Code::Authentication, mechanism), Cause::WrongMechanism);
        let verify = "ssl://b:9093/bootstrap: SSL handshake failed: certificate verify failed: self-signed certificate in \
                      certificate chain";
        assert_eq!(global(Code::SSL, verify), Cause::UntrustedBroker);
        assert_eq!(global(Code::AllBrokersDown, "1/1 brokers are down"), Cause::Unreachable);
        let late = "ssl://b:9093/bootstrap: Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: SSL \
                    alert number 42 (after 0ms in state APIVERSION_QUERY)";
        assert_eq!(global(Code::BrokerTransportFailure, late), Cause::UntrustedClient);
        assert!(Cause::Unreachable.passes() && !Cause::NoSuchTopic.passes());
    }

    #[test]
    fn a_refused_property_is_named_without_its_value() {
        use rdkafka::types::RDKafkaConfRes::RD_KAFKA_CONF_INVALID;
        let error = KafkaError::ClientConfig(
            RD_KAFKA_CONF_INVALID,
            "Invalid value".to_owned(),
            "sasl.password".to_owned(),
            "hunter2".to_owned(),
        );
        let text = Trouble::of(&error, "").to_string();
        assert!(text.contains("sasl.password") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn names_of_causes_are_told_apart() {
        let names: std::collections::BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
        assert_eq!(names.len(), Cause::ALL.len());
    }
}
