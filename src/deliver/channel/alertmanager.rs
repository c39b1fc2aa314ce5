//! Prometheus Alertmanager, API v2. An alert fires as long as it is sent again, which the outbox does until the finding is
//! acknowledged or has been quiet for long enough.

use super::http::{Http, Options};
use super::{Channel, SendError, authorised, together};
use crate::deliver::audience::Audience;
use crate::deliver::notice::Notice;
use crate::deliver::render::Context;
use crate::deliver::render::alertmanager::{alert, alerts};
use crate::outbox;
use crate::secret::SecretRef;

/// Alerts in a request.
const MOST: usize = 256;

/// Where version 2 of the API takes alerts.
const PATH: &str = "/api/v2/alerts";

/// Posts alerts.
#[derive(Debug)]
pub struct Alertmanager {
    audience: Audience,
    http: Http,
    token: Option<SecretRef>,
    repeat_ms: i64,
    context: Context,
}

impl Alertmanager {
    /// A channel to the Alertmanager at the address of `options`, without a path; alerts are sent again every `repeat_ms`.
    pub fn new(
        audience: Audience,
        options: Options,
        token: Option<SecretRef>,
        repeat_ms: i64,
        context: Context,
    ) -> Self {
        Self { audience, http: Http::new(options), token, repeat_ms, context }
    }

    fn body(&self, notices: &[Notice]) -> String {
        let now = outbox::wall_clock();
        let each: Vec<_> = notices.iter().map(|notice| alert(notice, &self.context, now, self.repeat_ms)).collect();
        alerts(&each)
    }

    fn post(&mut self, notices: &[Notice]) -> Result<(), SendError> {
        let body = self.body(notices);
        let token = self.token.as_ref().map(|token| authorised("Bearer", token)).transpose()?;
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(token.as_deref().map(|token| ("authorization", token)));
        self.http.post(PATH, &headers, &body)?.body().map(drop)
    }
}

impl Channel for Alertmanager {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn most(&self) -> usize {
        MOST
    }

    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>> {
        together(notices, |notices| self.post(notices))
    }

    fn preview(&self, notice: &Notice) -> String {
        format!("POST {}{PATH}\n\n{}\n", self.http.shown(), self.body(std::slice::from_ref(notice)))
    }
}
