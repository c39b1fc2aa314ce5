//! One HTTPS client for all channels that speak HTTP. It sends a body and says what the answer means: taken, later, refused,
//! gone. It follows no redirect, connects to no loopback or link-local address unless that is allowed, and shows of an address
//! no more than scheme and host: the rest may be a secret. Of an answer's body nothing is told, as it may repeat what was sent.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{Response, StatusCode, Uri};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, Proxy};

use super::SendError;
use super::tls::{Trust, TrustError};
use crate::secret::{SecretError, SecretRef};

/// Longest answer that is read, in bytes.
const ANSWER: u64 = 4 << 20;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Longest time for which a receiver can ask to be left alone, in ms.
const LONGEST_WAIT_MS: i64 = 24 * 3_600_000;

/// Where to send.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// As written.
    Plain(String),
    /// By reference: it holds a token.
    Secret(SecretRef),
}

impl Address {
    /// The address itself, read now if it is kept elsewhere. It may hold a token: what is shown of it is [`Address::shown`].
    ///
    /// # Errors
    /// The secret is not to be had.
    pub fn url(&self) -> Result<String, SecretError> {
        match self {
            Self::Plain(url) => Ok(url.trim().to_owned()),
            Self::Secret(reference) => Ok(reference.resolve()?.reveal().trim().to_owned()),
        }
    }

    /// As people may see it: scheme and host, or the reference where that leads nowhere.
    pub fn shown(&self) -> String {
        match self {
            Self::Plain(url) => shown(url),
            Self::Secret(reference) => self.url().map_or_else(|_| reference.to_string(), |url| shown(&url)),
        }
    }

    /// The reference that it is kept by, if any.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(reference) => Some(reference),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(url) => f.write_str(&shown(url)),
            Self::Secret(reference) => write!(f, "{reference}"),
        }
    }
}

/// How to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where to.
    pub address: Address,
    /// Whom to trust.
    pub trust: Trust,
    /// A proxy, `http://host:port`.
    pub proxy: Option<String>,
    /// Longest time for a request and its answer.
    pub timeout: Duration,
    /// Whether loopback and link-local addresses are allowed.
    pub allow_local: bool,
    /// Whether `http:` without encryption is allowed.
    pub allow_plaintext: bool,
}

/// What came back with 2xx.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    body: Result<Vec<u8>, SendError>,
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The whole body.
    ///
    /// # Errors
    /// The connection ended within it.
    pub fn body(self) -> Result<Vec<u8>, SendError> {
        self.body
    }
}

/// The client of one channel.
pub struct Http {
    options: Options,
    /// Made at need and dropped when it fails, so that renewed certificates are taken up.
    agent: Option<Agent>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("address", &self.options.address).finish_non_exhaustive()
    }
}

impl Http {
    /// A client that connects at the first message.
    pub fn new(options: Options) -> Self {
        Self { options, agent: None }
    }

    /// The address as people may see it.
    pub fn shown(&self) -> String {
        self.options.address.shown()
    }

    /// Sends a body by POST to the address with `suffix` behind it.
    ///
    /// # Errors
    /// See [`SendError`]; the texts name scheme and host alone.
    pub fn post(&mut self, suffix: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, SendError> {
        let address = self.options.address.url();
        let url = address.map_err(|error| SendError::Transient(error.to_string()))? + suffix;
        let place = shown(&url);
        self.check(&url)?;
        if self.agent.is_none() {
            self.agent = Some(self.agent().map_err(|error| SendError::Transient(format!("{place}: {error}")))?);
        }
        let Some(agent) = &self.agent else { return Err(SendError::Transient(place)) };
        let mut request = agent.post(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match request.send(body) {
            Ok(answer) => read(answer, &place),
            Err(error) => {
                self.agent = None;
                Err(SendError::Transient(format!("{place}: {}", cause(&error))))
            }
        }
    }

    fn check(&self, url: &str) -> Result<(), SendError> {
        let parsed: Result<Uri, _> = url.parse();
        match parsed.ok().as_ref().and_then(Uri::scheme_str) {
            Some("https") => Ok(()),
            Some("http") if self.options.allow_plaintext => Ok(()),
            Some("http") => Err(SendError::Transient(format!("{}: not encrypted; use https", shown(url)))),
            Some(_) | None => Err(SendError::Transient("the address is no https URL".to_owned())),
        }
    }

    fn agent(&self) -> Result<Agent, TrustError> {
        let Options { trust, proxy, timeout, allow_local, .. } = &self.options;
        // what is not a proxy's address was refused with the configuration
        let proxy = proxy.as_ref().and_then(|proxy| Proxy::new(proxy).ok());
        let config = Agent::config_builder()
            .tls_config(encryption(trust)?)
            .proxy(proxy)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("harbourwatch/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT.min(*timeout)))
            .timeout_global(Some(*timeout))
            .max_idle_connections(1)
            .build();
        let resolver = Guarded { inner: DefaultResolver::default(), allow_local: *allow_local };
        Ok(Agent::with_parts(config, DefaultConnector::default(), resolver))
    }
}

fn encryption(trust: &Trust) -> Result<TlsConfig, TrustError> {
    let authorities: Vec<_> =
        trust.authorities()?.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned()).collect();
    let identity = match trust.identity()? {
        Some((chain, key)) => {
            let chain: Vec<_> = chain.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned()).collect();
            let unfit = |_| TrustError::Unfit(rustls::Error::General("the key is of no known kind".to_owned()));
            Some(ClientCert::new_with_certs(&chain, PrivateKey::from_pem(&key).map_err(unfit)?))
        }
        None => None,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&authorities)).client_cert(identity);
    Ok(builder.unversioned_rustls_crypto_provider(provider).build())
}

/// A resolver that gives no address that only this machine can mean.
#[derive(Debug)]
struct Guarded {
    inner: DefaultResolver,
    allow_local: bool,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        if !self.allow_local && found.iter().any(|address| is_local(address.ip())) {
            let why = "its name stands for a loopback or link-local address; set allow_local if that is meant";
            return Err(ureq::Error::Io(std::io::Error::new(std::io::ErrorKind::PermissionDenied, why)));
        }
        Ok(found)
    }
}

/// Whether an address means this machine or its link: loopback, link-local (where clouds keep their metadata), unspecified,
/// multicast, broadcast.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.octets().first() == Some(&0)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_local(IpAddr::V4(v4)),
            None => {
                let metadata = v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254];
                v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local() || metadata
            }
        },
    }
}

fn read(mut answer: Response<Body>, place: &str) -> Result<Answer, SendError> {
    let status = answer.status();
    let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let announced = answer.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let body = answer.body_mut().with_config().limit(ANSWER).read_to_vec();
    let ended = |why: &str| SendError::Transient(format!("{place}: answer {status}, then {why}"));
    let body = body.map_err(|error| ended(&cause(&error)));
    let body = body.and_then(|body| match announced {
        Some(length) if (body.len() as u64) < length => Err(ended("its end came too early")),
        Some(_) | None => Ok(body),
    });
    verdict(status, retry_after.as_deref(), place)?;
    Ok(Answer { status: status.as_u16(), body })
}

/// What a status means (Standard Webhooks 1.0.0, "Delivery"): 2xx is success, 410 the end, 408, 425, 429 and 5xx may pass,
/// anything else will not.
fn verdict(status: StatusCode, retry_after: Option<&str>, place: &str) -> Result<(), SendError> {
    let why = format!("{place}: answer {status}");
    match status.as_u16() {
        200..=299 => Ok(()),
        410 => Err(SendError::Gone(why)),
        408 | 425 | 429 | 500..=599 => Err(match retry_after.and_then(wait_ms) {
            Some(wait_ms) => SendError::Later { why, wait_ms },
            None => SendError::Transient(why),
        }),
        300..=399 => Err(SendError::Permanent(format!("{why}; redirects are not followed"))),
        _ => Err(SendError::Permanent(why)),
    }
}

/// `Retry-After` in ms: seconds or an HTTP date (RFC 9110 §10.2.3), bounded.
fn wait_ms(text: &str) -> Option<i64> {
    let wait = match text.trim().parse::<i64>() {
        Ok(seconds) => seconds.saturating_mul(1_000),
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
            date.timestamp().as_millisecond().saturating_sub(crate::outbox::wall_clock())
        }
    };
    (wait > 0).then_some(wait.min(LONGEST_WAIT_MS))
}

/// What went wrong, without the address, which some of the library's texts repeat.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's own list, which grows")]
fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) => "the address is no URL".to_owned(),
        ureq::Error::Http(_) => "the request cannot be formed".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Timeout(_) => "timed out".to_owned(),
        ureq::Error::HostNotFound => "its name is not known".to_owned(),
        ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::BodyExceedsLimit(_) => "the answer is too long".to_owned(),
        ureq::Error::Rustls(error) => format!("TLS: {error}"),
        ureq::Error::Tls(why) => format!("TLS: {why}"),
        ureq::Error::Protocol(_) => "the answer is no HTTP".to_owned(),
        // the rest has to do with what is not used here
        _ => "the connection failed".to_owned(),
    }
}

/// Scheme and host of an address; what follows may be a secret.
pub fn shown(url: &str) -> String {
    let parsed: Result<Uri, _> = url.trim().parse();
    match parsed.ok().as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.host()?, uri.port_u16()))) {
        Some((scheme, host, Some(port))) => format!("{scheme}://{host}:{port}/…"),
        Some((scheme, host, None)) => format!("{scheme}://{host}/…"),
        None => "(no URL)".to_owned(),
    }
}

/// Host and port of an address; `None` if it is no URL of HTTP.
pub fn host(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.trim().parse().ok()?;
    let usual = match uri.scheme_str()? {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    (!host.is_empty()).then(|| (host, uri.port_u16().unwrap_or(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_nothing_secret_is_shown() {
        let url = "https://user:pw@oapi.dingtalk.com/robot/send?access_token=s3cret";
        assert_eq!(shown(url), "https://oapi.dingtalk.com/…");
        assert_eq!(format!("{:?}", Address::Plain(url.into())), "https://oapi.dingtalk.com/…");
        assert_eq!(shown("s3cret token"), "(no URL)");
        assert_eq!(host("https://[::1]:8443/x"), Some(("::1".into(), 8443)));
        assert_eq!(host("ftp://x/"), None);
    }

    #[test]
    fn local_addresses_are_known() {
        for local in [
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "::ffff:127.0.0.1",
            "fd00:ec2::254",
        ] {
            assert!(is_local(local.parse().unwrap()), "{local}");
        }
        for other in ["10.0.0.1", "203.0.113.7", "2001:db8::1", "fd00::1"] {
            assert!(!is_local(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn statuses_have_their_class() {
        let class = |status: u16, after| verdict(StatusCode::from_u16(status).unwrap(), after, "https://x/…");
        assert_eq!(class(204, None), Ok(()));
        assert!(matches!(class(410, None), Err(SendError::Gone(_))));
        for status in [408, 425, 429, 500, 503, 599] {
            assert!(matches!(class(status, None), Err(SendError::Transient(_))), "{status}");
            assert!(matches!(class(status, Some("7")), Err(SendError::Later { wait_ms: 7_000, .. })), "{status}");
        }
        for status in [301, 307, 400, 401, 404, 413, 422] {
            assert!(matches!(class(status, Some("7")), Err(SendError::Permanent(_))), "{status}");
        }
    }

    #[test]
    fn waits_are_seconds_or_dates_and_have_a_bound() {
        assert_eq!(wait_ms("120"), Some(120_000));
        assert_eq!(wait_ms("999999999"), Some(LONGEST_WAIT_MS));
        assert_eq!(wait_ms("-1"), None);
        assert_eq!(wait_ms("soon"), None);
        assert_eq!(wait_ms("Wed, 21 Oct 2015 07:28:00 GMT"), None, "that is over");
        assert_eq!(wait_ms("Fri, 01 Jan 2100 00:00:00 GMT"), Some(LONGEST_WAIT_MS));
    }
}
