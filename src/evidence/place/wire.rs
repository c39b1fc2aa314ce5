//! How the bucket is spoken to: over the HTTP client and the TLS that the rest of the program uses. Each call blocks its
//! thread; it is the thread of a command that does one thing after another.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body::Body as _;
use md5::{Digest as _, Md5};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody,
    HttpService,
};
use ureq::Agent;
use ureq::http::{self, HeaderValue};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Longest answer, in bytes: a segment is at most 64 MiB and a batch.
const ANSWER: u64 = 1 << 30;

const CONNECT: Duration = Duration::from_secs(10);

/// Longest time for one object, there or back.
const TRANSFER: Duration = Duration::from_secs(600);

/// Makes the client.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let authorities = rustls_native_certs::load_native_certs().certs;
        let authorities: Vec<_> =
            authorities.iter().map(|one| Certificate::from_der(one.as_ref()).to_owned()).collect();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&authorities))
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("harbourwatch/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(TRANSFER))
            .build();
        Ok(HttpClient::new(Client(config.into())))
    }
}

#[derive(Debug)]
struct Client(Agent);

type Answer<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Client {
    fn call<'a, 'b>(&'a self, request: HttpRequest) -> Answer<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(std::future::ready(self.send(request)))
    }
}

impl Client {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut head, body) = request.into_parts();
        let bytes = gathered(body)?;
        if !bytes.is_empty() {
            // a bucket with object lock wants it, beside the SHA-256 that is signed
            let sum = STANDARD.encode(Md5::digest(&bytes));
            head.headers.insert("content-md5", HeaderValue::from_str(&sum).map_err(unfit)?);
        }
        let answer = if bytes.is_empty() {
            self.0.run(http::Request::from_parts(head, ()))
        } else {
            self.0.run(http::Request::from_parts(head, bytes))
        };
        let (head, mut body) = answer.map_err(failed)?.into_parts();
        let bytes = body.with_config().limit(ANSWER).read_to_vec().map_err(failed)?;
        Ok(HttpResponse::from_parts(head, HttpResponseBody::from(bytes)))
    }
}

fn unfit(error: http::header::InvalidHeaderValue) -> HttpError {
    HttpError::new(HttpErrorKind::Request, error)
}

/// A body as one piece; all of it is in memory already.
fn gathered(mut body: HttpRequestBody) -> Result<Vec<u8>, HttpError> {
    let (mut bytes, mut context) = (Vec::with_capacity(body.content_length()), Context::from_waker(Waker::noop()));
    while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut context) {
        bytes.extend_from_slice(frame?.data_ref().map_or(&[], |data| data.as_ref()));
    }
    Ok(bytes)
}

fn failed(error: ureq::Error) -> HttpError {
    let kind = if matches!(error, ureq::Error::Timeout(_)) {
        HttpErrorKind::Timeout
    } else if matches!(error, ureq::Error::ConnectionFailed | ureq::Error::HostNotFound) {
        HttpErrorKind::Connect
    } else if matches!(error, ureq::Error::Io(_)) {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error)
}
