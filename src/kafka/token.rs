//! `OAUTHBEARER` by command: a program of the operator prints a token, and is asked again before the token expires. The token
//! is passed to the client and kept nowhere.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;
use serde::Deserialize;
use thiserror::Error;

/// How long the program may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Most bytes that it may print.
const MOST: u64 = 64 << 10;

/// What the program prints: a bare JWT, or this object.
#[derive(Deserialize)]
struct Printed {
    token: String,
    /// Ms since the epoch.
    expires_at_ms: Option<i64>,
    principal: Option<String>,
}

/// The claims of a JWT (RFC 7519 §4.1) that are read.
#[derive(Deserialize)]
struct Claims {
    /// Seconds since the epoch.
    exp: Option<f64>,
    sub: Option<String>,
}

/// Why there is no token. Never carries what the program printed.
#[derive(Debug, Error)]
pub(super) enum TokenError {
    #[error("kafka.sasl.token_command: {0} cannot be run: {1}")]
    Run(String, std::io::Error),
    #[error("kafka.sasl.token_command: {0} ended with {1}")]
    Status(String, std::process::ExitStatus),
    #[error("kafka.sasl.token_command: {0} did not end within 30 seconds")]
    Slow(String),
    #[error(
        "kafka.sasl.token_command: {0} printed neither a JWT nor {{\"token\", \"expires_at_ms\", \"principal\"}} with an expiry"
    )]
    Unreadable(String),
    #[error("kafka.sasl.token_command is empty")]
    Missing,
}

/// Runs the command and reads its token.
pub(super) fn fetch(principal: &str, command: &[String]) -> Result<OAuthToken, TokenError> {
    let [program, arguments @ ..] = command else { return Err(TokenError::Missing) };
    let printed = run(program, arguments)?;
    read(principal, printed.trim()).ok_or_else(|| TokenError::Unreadable(program.clone()))
}

fn run(program: &str, arguments: &[String]) -> Result<String, TokenError> {
    let failed = |error| TokenError::Run(program.to_owned(), error);
    let mut child =
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let Some(out) = child.stdout.take() else { return Err(TokenError::Unreadable(program.to_owned())) };
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        out.take(MOST).read_to_string(&mut text).map(|_| text)
    });
    let until = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => break status,
            None if Instant::now() > until => {
                child.kill().and_then(|()| child.wait()).map_err(failed)?;
                return Err(TokenError::Slow(program.to_owned()));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    if !status.success() {
        return Err(TokenError::Status(program.to_owned(), status));
    }
    reader.join().ok().and_then(Result::ok).ok_or_else(|| TokenError::Unreadable(program.to_owned()))
}

fn read(principal: &str, printed: &str) -> Option<OAuthToken> {
    let object = serde_json::from_str::<Printed>(printed).ok();
    let (token, expires_at_ms, named) = match object {
        Some(object) => (object.token, object.expires_at_ms, object.principal),
        None => (printed.to_owned(), None, None),
    };
    let claims = claims(&token);
    let expiry = claims.as_ref().and_then(|claims| claims.exp).map(|seconds| (seconds * 1000.0) as i64);
    let lifetime_ms = expires_at_ms.or(expiry).filter(|at| *at > now_ms())?;
    let subject = claims.and_then(|claims| claims.sub);
    let given = (!principal.is_empty()).then(|| principal.to_owned());
    Some(OAuthToken { token, principal_name: given.or(named).or(subject).unwrap_or_default(), lifetime_ms })
}

fn claims(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.", part("{\"alg\":\"none\"}"), part(claims))
    }

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_bare_jwt_names_its_own_expiry_and_principal() {
        let token = jwt("{\"sub\":\"hw\",\"exp\":4102444800}");
        let read = fetch("", &shell(&format!("echo {token}"))).unwrap();
        assert_eq!((read.lifetime_ms, read.principal_name.as_str()), (4_102_444_800_000, "hw"));
        assert_eq!(fetch("other", &shell(&format!("echo {token}"))).unwrap().principal_name, "other");
    }

    #[test]
    fn an_object_may_carry_an_opaque_token() {
        let script = "echo '{\"token\":\"opaque\",\"expires_at_ms\":4102444800000,\"principal\":\"hw\"}'";
        assert_eq!(fetch("", &shell(script)).unwrap().token, "opaque");
    }

    #[test]
    fn an_expired_token_garbage_and_a_failing_program_are_refused_without_repeating_what_was_printed() {
        let expired = jwt("{\"exp\":1000}");
        for script in
            [format!("echo {expired}"), "echo s3cret-value".to_owned(), "echo s3cret-value; exit 3".to_owned()]
        {
            let error = fetch("", &shell(&script)).err().unwrap().to_string();
            assert!(!error.contains("s3cret") && !error.contains(&expired), "{error}");
        }
        assert!(matches!(fetch("", &["/nowhere/token".to_owned()]), Err(TokenError::Run(..))));
        assert!(matches!(fetch("", &[]), Err(TokenError::Missing)));
    }
}
