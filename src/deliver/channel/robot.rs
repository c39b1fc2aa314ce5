//! DingTalk's custom robot (<https://open.dingtalk.com/document/orgapp/custom-robot-access>): signed, at most 20 messages a
//! minute, at most 20,000 bytes, the letter's id as `msgUuid`. Errors come with status 200, so `errcode` alone decides.
//!
//! A message to DingTalk is stored by DingTalk, outside Hong Kong: it has counts and a link, never personal data.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use super::http::{Http, Options};
use super::{Messenger, SendError};
use crate::deliver::audience::Audience;
use crate::deliver::letter::Letter;
use crate::deliver::render::Context;
use crate::deliver::render::letter::{markdown, sheets};
use crate::deliver::render::officer::Languages;
use crate::outbox;
use crate::secret::SecretRef;

/// Largest message, in bytes of JSON.
const LARGEST: usize = 20_000;

/// Messages a minute: two below the limit, which is DingTalk's count and not ours.
const A_MINUTE: usize = 18;
const MINUTE_MS: i64 = 60_000;

/// How long a robot that was too fast is shut out, in ms.
const SHUT_OUT_MS: i64 = 10 * MINUTE_MS;

/// Tries to fit a message, each with nine tenths of the room of the one before.
const FITTINGS: u32 = 30;

/// Posts letters to a group by a robot.
#[derive(Debug)]
pub struct Robot {
    http: Http,
    secret: Option<SecretRef>,
    keyword: Option<String>,
    languages: Languages,
    context: Context,
    /// When messages of the last minute were sent, ms since the epoch.
    sent: VecDeque<i64>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "code")]
    errcode: Option<i64>,
}

/// A number, or a number in quotes as in the documentation's sample.
fn code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok())))
}

impl Robot {
    /// A robot at the address of `options`, which holds its token. `secret` signs; `keyword` is put into each message.
    pub fn new(
        options: Options,
        secret: Option<SecretRef>,
        keyword: Option<String>,
        languages: Languages,
        context: Context,
    ) -> Self {
        Self { http: Http::new(options), secret, keyword, languages, context, sent: VecDeque::new() }
    }

    /// The message, as much of it as fits.
    fn body(&self, letter: &Letter) -> String {
        let sheets = sheets(letter, self.languages, &self.context);
        let mut room = LARGEST;
        let mut body = self.fitted(letter, &markdown::message(&sheets, room));
        for _ in 0..FITTINGS {
            if body.len() <= LARGEST {
                break;
            }
            room = room / 10 * 9;
            body = self.fitted(letter, &markdown::message(&sheets, room));
        }
        body
    }

    fn fitted(&self, letter: &Letter, (title, text): &(String, String)) -> String {
        let text = match &self.keyword {
            Some(keyword) if !text.contains(keyword.as_str()) => format!("{text}\n\n{keyword}"),
            Some(_) | None => text.clone(),
        };
        json!({ "msgtype": "markdown", "markdown": { "title": title, "text": text }, "msgUuid": letter.id }).to_string()
    }

    /// `&timestamp=…&sign=…`, or nothing if the robot asks for no signature.
    fn signature(&self, now: i64) -> Result<String, SendError> {
        let Some(reference) = &self.secret else { return Ok(String::new()) };
        let secret = reference.resolve().map_err(|error| SendError::Transient(error.to_string()))?;
        let sign = sign(secret.reveal().trim(), now);
        Ok(format!("&timestamp={now}&sign={}", sign.unwrap_or_default()))
    }

    /// Keeps below the limit of a minute.
    fn paced(&mut self, now: i64) -> Result<(), SendError> {
        while self.sent.front().is_some_and(|at| *at <= now - MINUTE_MS) {
            self.sent.pop_front();
        }
        match self.sent.front() {
            Some(first) if self.sent.len() >= A_MINUTE => {
                let wait_ms = (first + MINUTE_MS - now).max(1);
                Err(SendError::Later { why: "robot: its messages of this minute are used up".to_owned(), wait_ms })
            }
            Some(_) | None => {
                self.sent.push_back(now);
                Ok(())
            }
        }
    }
}

/// Base64 of HMAC-SHA256 over `timestamp LF secret`, percent-encoded.
fn sign(secret: &str, timestamp: i64) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("{timestamp}\n{secret}").as_bytes());
    let sign = STANDARD.encode(mac.finalize().into_bytes());
    Some(sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"))
}

impl Messenger for Robot {
    fn audience(&self) -> Audience {
        Audience::Chat
    }

    fn post(&mut self, letter: &Letter) -> Result<(), SendError> {
        let now = outbox::wall_clock();
        let (body, signature) = (self.body(letter), self.signature(now)?);
        self.paced(now)?;
        let headers = [("content-type", "application/json; charset=utf-8")];
        let answer = self.http.post(&signature, &headers, &body)?.body()?;
        let unclear = || SendError::Transient("robot: the answer has no errcode".to_owned());
        let answer: Answer = serde_json::from_slice(&answer).map_err(|_| unclear())?;
        verdict(answer.errcode.ok_or_else(unclear)?)
    }

    fn preview(&self, letter: &Letter) -> String {
        format!("POST {}\n\n{}\n", self.http.shown(), self.body(letter))
    }
}

/// What an errcode means. The robot's own text is not repeated: it may quote the message.
fn verdict(code: i64) -> Result<(), SendError> {
    let refused = |what: &str| Err(SendError::Permanent(format!("robot: errcode {code}: {what}")));
    match code {
        0 => Ok(()),
        -1 => Err(SendError::Transient("robot: errcode -1: busy".to_owned())),
        410_100 | 130_101 => {
            let why = format!("robot: errcode {code}: too fast, shut out for ten minutes");
            Err(SendError::Later { why, wait_ms: SHUT_OUT_MS })
        }
        310_000 => refused("security check; look at keyword, clock, signing secret and allowed addresses of the robot"),
        400_013 => refused("the group is dissolved"),
        300_005 | 400_101 => refused("the token is unknown"),
        400_102 => refused("the robot is disabled"),
        400_106 => refused("the robot is not in the group"),
        430_101..=430_104 => refused("the message was taken for unfit"),
        _ => refused("not taken"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac` and `base64` from DingTalk's description.
    #[test]
    fn the_signature_is_dingtalks() {
        let sign = sign("this is secret", 1_700_000_000_000).unwrap();
        assert_eq!(sign, "sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0%3D");
    }

    #[test]
    fn codes_have_their_class() {
        assert_eq!(verdict(0), Ok(()));
        assert!(matches!(verdict(-1), Err(SendError::Transient(_))));
        assert!(matches!(verdict(130_101), Err(SendError::Later { wait_ms: SHUT_OUT_MS, .. })));
        for code in [310_000, 300_005, 400_013, 400_102, 430_103, 40_035, 999] {
            assert!(matches!(verdict(code), Err(SendError::Permanent(why)) if why.contains(&code.to_string())));
        }
    }

    #[test]
    fn a_code_may_stand_in_quotes() {
        for (text, code) in
            [(r#"{"errcode":"0","errmsg":"ok"}"#, Some(0)), (r#"{"errcode":310000}"#, Some(310_000)), ("{}", None)]
        {
            assert_eq!(serde_json::from_str::<Answer>(text).unwrap().errcode, code);
        }
    }
}
