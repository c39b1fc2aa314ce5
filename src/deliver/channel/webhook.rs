//! Any receiver of Standard Webhooks 1.0.0: one request for each notice, signed, with the notice's id as `webhook-id`.

use super::http::{Http, Options};
use super::{Channel, SendError, each};
use crate::deliver::audience::Audience;
use crate::deliver::notice::Notice;
use crate::deliver::render::Context;
use crate::deliver::render::webhook::{Data, Secret, body, signatures, statement_body};
use crate::deliver::statement::Statement;
use crate::outbox;
use crate::secret::SecretRef;

/// Posts signed notices.
#[derive(Debug)]
pub struct Webhook {
    audience: Audience,
    http: Http,
    /// Each signs; a receiver needs to know one of them.
    secrets: Vec<SecretRef>,
    data: Data,
    context: Context,
}

impl Webhook {
    /// A channel that signs with all of `secrets`, so that one can be replaced without a gap.
    pub fn new(audience: Audience, options: Options, secrets: Vec<SecretRef>, data: Data, context: Context) -> Self {
        Self { audience, http: Http::new(options), secrets, data, context }
    }

    fn secrets(&self) -> Result<Vec<Secret>, SendError> {
        let read = |reference: &SecretRef| {
            let secret = reference.resolve().map_err(|error| SendError::Transient(error.to_string()))?;
            let unfit = || {
                SendError::Transient(format!(
                    "{reference}: no signing secret; write whsec_ and 24 to 64 bytes in base64"
                ))
            };
            Secret::parse(secret.reveal()).ok_or_else(unfit)
        };
        self.secrets.iter().map(read).collect()
    }

    fn post(&mut self, notice: &Notice) -> Result<(), SendError> {
        self.put(&notice.id, &body(notice, &self.context, self.data))
    }

    fn put(&mut self, id: &str, body: &str) -> Result<(), SendError> {
        let seconds = outbox::wall_clock() / 1_000;
        let (signature, timestamp) = (signatures(&self.secrets()?, id, seconds, body), seconds.to_string());
        let headers = [
            ("content-type", "application/json"),
            ("webhook-id", id),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
        ];
        self.http.post("", &headers, body)?.body().map(drop)
    }
}

impl Channel for Webhook {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>> {
        each(notices, |notice| self.post(notice))
    }

    fn state(&mut self, statement: &Statement) -> Result<bool, SendError> {
        self.put(&statement.id, &statement_body(statement, &self.context, self.data)).map(|()| true)
    }

    fn preview(&self, notice: &Notice) -> String {
        let (shown, id) = (self.http.shown(), &notice.id);
        let body = body(notice, &self.context, self.data);
        format!("POST {shown}\nwebhook-id: {id}\nwebhook-signature: (made when sent)\n\n{body}\n")
    }
}
