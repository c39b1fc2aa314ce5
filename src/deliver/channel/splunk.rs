//! Splunk's HTTP Event Collector: several OCSF events in one request.

use super::http::{Http, Options};
use super::{Channel, SendError, authorised, together};
use crate::deliver::audience::Audience;
use crate::deliver::notice::Notice;
use crate::deliver::render::Context;
use crate::deliver::render::splunk::{self, Filing, envelope};
use crate::deliver::statement::Statement;
use crate::secret::SecretRef;

/// Events in a request; about 500 kB.
const MOST: usize = 64;

/// Where the collector takes JSON events.
const PATH: &str = "/services/collector/event";

/// Posts events to a collector.
#[derive(Debug)]
pub struct Splunk {
    audience: Audience,
    http: Http,
    token: SecretRef,
    filing: Filing,
    context: Context,
}

impl Splunk {
    /// A channel to the collector at the address of `options`, without a path.
    pub fn new(audience: Audience, options: Options, token: SecretRef, filing: Filing, context: Context) -> Self {
        Self { audience, http: Http::new(options), token, filing, context }
    }

    fn body(&self, notices: &[Notice]) -> String {
        notices.iter().map(|notice| envelope(notice, &self.context, &self.filing) + "\n").collect()
    }

    fn post(&mut self, notices: &[Notice]) -> Result<(), SendError> {
        self.put(&self.body(notices))
    }

    fn put(&mut self, body: &str) -> Result<(), SendError> {
        let authorisation = authorised("Splunk", &self.token)?;
        let headers = [("content-type", "application/json"), ("authorization", authorisation.as_str())];
        self.http.post(PATH, &headers, body)?.body().map(drop)
    }
}

impl Channel for Splunk {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn most(&self) -> usize {
        MOST
    }

    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>> {
        together(notices, |notices| self.post(notices))
    }

    fn state(&mut self, statement: &Statement) -> Result<bool, SendError> {
        self.put(&(splunk::statement(statement, &self.context, &self.filing) + "\n")).map(|()| true)
    }

    fn preview(&self, notice: &Notice) -> String {
        let body = self.body(std::slice::from_ref(notice));
        format!("POST {}\nauthorization: Splunk [secret]\n\n{body}", self.http.shown())
    }
}
