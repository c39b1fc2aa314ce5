//! Where the brokers are and how to be let in. Secrets and certificates are fetched whenever a client is made, so a client
//! that is made again takes up what has changed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rdkafka::ClientConfig;
use thiserror::Error;

use crate::secret::{Secret, SecretError, SecretRef};

/// Brokers, encryption, credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// `host:port` of some brokers; the client learns the others from them.
    pub brokers: Vec<String>,
    /// Encryption; `None`: the connection is in clear.
    pub tls: Option<Tls>,
    /// Credentials; `None`: none, or those of the client certificate.
    pub sasl: Option<Sasl>,
    /// librdkafka's own properties, already checked by [`super::refused`].
    pub properties: BTreeMap<String, String>,
}

/// Encryption of the connection. The broker's certificate and name are always verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of the authorities that are trusted, PEM; `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// The client's certificate, PEM, with its chain.
    pub cert: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
    /// What the key is encrypted with.
    pub key_password: Option<SecretRef>,
}

impl Tls {
    /// The files whose change calls for a new client: librdkafka reads them once.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.ca, &self.cert, &self.key].into_iter().flatten()
    }
}

/// How the client proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sasl {
    /// By which mechanism.
    pub mechanism: Mechanism,
    /// User; for `OAUTHBEARER` the principal, which may be empty if the token names it.
    pub username: String,
    /// Password; none for `OAUTHBEARER`.
    pub password: Option<SecretRef>,
    /// For `OAUTHBEARER`: program and arguments that print a token.
    pub token_command: Vec<String>,
}

/// SASL mechanisms that the client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
    OauthBearer,
}

impl Mechanism {
    /// All mechanisms.
    pub const ALL: [Self; 4] = [Self::Plain, Self::ScramSha256, Self::ScramSha512, Self::OauthBearer];

    /// The name that Kafka has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::OauthBearer => "OAUTHBEARER",
        }
    }

    /// Reads the name in either case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }
}

/// Why no client can be made. Carries no secret.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// A password or key cannot be fetched.
    #[error("kafka: {0}")]
    Secret(#[from] SecretError),
    /// A certificate file cannot be read.
    #[error("kafka.tls: {path}: {source}; check the path and that this user may read it")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// librdkafka refuses a property or a combination.
    #[error("kafka: the client refuses its settings: {0}")]
    Refused(String),
}

impl Connection {
    /// A client configuration with everything that all clients share; each setting with its reason.
    ///
    /// # Errors
    /// A secret or a file is not to be had.
    pub fn client(&self) -> Result<ClientConfig, ConnectError> {
        let mut client = ClientConfig::new();
        // the operator's own first: what follows wins
        for (key, value) in &self.properties {
            client.set(key, value);
        }
        client.set("bootstrap.servers", self.brokers.join(","));
        client.set("security.protocol", self.protocol());
        // connections that a firewall has dropped without a word are noticed
        set_default(&mut client, &self.properties, "socket.keepalive.enable", "true");
        // a broker that comes back is found within seconds, not the default ten
        set_default(&mut client, &self.properties, "reconnect.backoff.max.ms", "5000");
        // names an instance in the broker's log and quota
        set_default(&mut client, &self.properties, "client.id", "harbourwatch");
        if let Some(tls) = &self.tls {
            self.encrypt(tls, &mut client)?;
        }
        if let Some(sasl) = &self.sasl {
            log_in(sasl, &mut client)?;
        }
        Ok(client)
    }

    fn protocol(&self) -> &'static str {
        match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        }
    }

    fn encrypt(&self, tls: &Tls, client: &mut ClientConfig) -> Result<(), ConnectError> {
        // librdkafka's words for a file that is not there are hard to read
        for path in tls.files() {
            std::fs::File::open(path).map_err(|source| ConnectError::File { path: path.clone(), source })?;
        }
        let files =
            [("ssl.ca.location", &tls.ca), ("ssl.certificate.location", &tls.cert), ("ssl.key.location", &tls.key)];
        for (key, path) in files.into_iter().filter_map(|(key, path)| Some((key, path.as_ref()?))) {
            client.set(key, path.to_string_lossy());
        }
        if let Some(password) = resolve(tls.key_password.as_ref())? {
            client.set("ssl.key.password", password.reveal());
        }
        // the name on the broker's certificate must be the one that we asked for
        client.set("ssl.endpoint.identification.algorithm", "https");
        client.set("enable.ssl.certificate.verification", "true");
        Ok(())
    }

    /// Principal and command for tokens, where the mechanism needs them.
    pub(super) fn token_command(&self) -> Option<(&str, &[String])> {
        let sasl = self.sasl.as_ref().filter(|sasl| sasl.mechanism == Mechanism::OauthBearer)?;
        Some((&sasl.username, &sasl.token_command))
    }
}

fn log_in(sasl: &Sasl, client: &mut ClientConfig) -> Result<(), ConnectError> {
    client.set("sasl.mechanism", sasl.mechanism.name());
    match sasl.mechanism {
        Mechanism::Plain | Mechanism::ScramSha256 | Mechanism::ScramSha512 => {
            client.set("sasl.username", &sasl.username);
            if let Some(password) = resolve(sasl.password.as_ref())? {
                client.set("sasl.password", password.reveal());
            }
        }
        Mechanism::OauthBearer => {}
    }
    Ok(())
}

fn resolve(secret: Option<&SecretRef>) -> Result<Option<Secret>, SecretError> {
    secret.map(SecretRef::resolve).transpose()
}

fn set_default(client: &mut ClientConfig, given: &BTreeMap<String, String>, key: &str, value: &str) {
    if !given.contains_key(key) {
        client.set(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_reaches_the_client_and_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "s3cret-value\n").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let sasl = Sasl {
            mechanism: Mechanism::ScramSha512,
            username: "hw".to_owned(),
            password: Some(SecretRef::File(path)),
            token_command: Vec::new(),
        };
        let connection = Connection { brokers: vec!["a:1".to_owned()], sasl: Some(sasl), ..Connection::default() };
        let client = connection.client().unwrap();
        assert_eq!(client.get("sasl.password"), Some("s3cret-value"));
        assert_eq!(client.get("security.protocol"), Some("sasl_plaintext"));
        assert!(!format!("{connection:?}{client:?}").contains("s3cret"));
    }

    #[test]
    fn what_the_operator_sets_stays_and_what_is_missing_is_filled_in() {
        let properties = BTreeMap::from([("client.id".to_owned(), "mine".to_owned())]);
        let connection =
            Connection { brokers: vec!["a:1".to_owned(), "b:2".to_owned()], properties, ..Default::default() };
        let client = connection.client().unwrap();
        assert_eq!(client.get("client.id"), Some("mine"));
        assert_eq!(client.get("bootstrap.servers"), Some("a:1,b:2"));
        assert_eq!(client.get("socket.keepalive.enable"), Some("true"));
    }

    #[test]
    fn a_certificate_that_is_not_there_is_named() {
        let tls = Tls { ca: Some("/nowhere/ca.pem".into()), ..Tls::default() };
        let connection = Connection { tls: Some(tls), ..Connection::default() };
        assert!(connection.client().unwrap_err().to_string().contains("/nowhere/ca.pem"));
    }
}
