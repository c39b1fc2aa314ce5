//! Sections of a channel that say where and how it tells, one for each kind of receiver.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::secret::SecretRef;

/// `[channels.mail]`: the server, and from whom to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// The server's name: `"smtp.example.com"`.
    pub server: String,
    /// Its port. Default: 587 with `starttls`, 465 with `tls`, 25 with `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `"starttls"` (default; the server must offer it), `"tls"`, or `"none"` for a relay on this machine, which then gets no
    /// password.
    pub security: String,
    /// Authorities that are trusted, PEM. Default: those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// User, where the server asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Password: `"file:/path"`, `"env:NAME"` or `"cred:name"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// Sender: `"harbourwatch <harbourwatch@example.com>"`.
    pub from: String,
    /// Recipients: `["dpo@example.com"]`.
    pub to: Vec<String>,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            server: String::new(),
            port: None,
            security: "starttls".into(),
            ca: None,
            username: None,
            password: None,
            from: String::new(),
            to: Vec::new(),
        }
    }
}

/// `[channels.http]`: where requests go. Certificates are always verified, redirects are not followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The address, where it holds no secret: `"https://alertmanager.example.com"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The address by reference, where it holds a token, as webhooks of chats do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_from: Option<SecretRef>,
    /// Authorities that are trusted, PEM. Default: those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The client's certificate with its chain, PEM, where the receiver asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// Its key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// A proxy: `"http://proxy.example.com:3128"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Longest time for a request and its answer, in s, 1 to 300. Default 30.
    pub timeout_s: u64,
    /// Whether the address may be a loopback or link-local one. Default `false`: what writes a webhook's address may not reach
    /// this machine's own services or a cloud's metadata.
    pub allow_local: bool,
    /// Whether `http:` without encryption is allowed. Default `false`.
    pub allow_plaintext: bool,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            url: None,
            url_from: None,
            ca: None,
            cert: None,
            key: None,
            proxy: None,
            timeout_s: 30,
            allow_local: false,
            allow_plaintext: false,
        }
    }
}

/// `[channels.dingtalk]`: how the robot is secured. Its address, which holds its token, is `http.url_from`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dingtalk {
    /// Signing secret (`SEC…`), where the robot asks for a signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// A word that the robot demands in each message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword: Option<String>,
}

/// `[channels.webhook]`: the signing secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Secrets (`whsec_` and 24 to 64 bytes in base64). All of them sign, so that one is replaced without a gap: add the new
    /// one, give it to the receiver, remove the old one.
    pub secrets: Vec<SecretRef>,
}

/// `[channels.syslog]`: the receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Syslog {
    /// Host and port: `"siem.example.com:6514"`.
    pub address: String,
    /// Whether the connection is not encrypted. Default `false`: TLS.
    pub plaintext: bool,
    /// Authorities that are trusted, PEM. Default: those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The client's certificate with its chain, PEM, where the receiver asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// Its key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// `[channels.splunk]`: token and index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Splunk {
    /// The collector's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
    /// Index. Default: the token's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// Source type. Default `"ocsf"`.
    pub sourcetype: String,
}

impl Default for Splunk {
    fn default() -> Self {
        Self { token: None, index: None, sourcetype: "ocsf".into() }
    }
}

/// `[channels.elastic]`: key and data stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elastic {
    /// API key in the encoded form, where the server asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<SecretRef>,
    /// Data stream. Default `"logs-harbourwatch.finding-default"`.
    pub stream: String,
}

impl Default for Elastic {
    fn default() -> Self {
        Self { api_key: None, stream: "logs-harbourwatch.finding-default".into() }
    }
}

/// `[channels.alertmanager]`: token and repetition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alertmanager {
    /// Bearer token, where a proxy asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
    /// How often an alert is sent again, in s, 10 to 3600; it ends after four times as long without. Default 60.
    pub repeat_s: u64,
    /// For how many hours after its last change an alert is sent again unless it is acknowledged, 1 to 720. Default 24.
    pub hours: u64,
}

impl Default for Alertmanager {
    fn default() -> Self {
        Self { token: None, repeat_s: 60, hours: 24 }
    }
}
