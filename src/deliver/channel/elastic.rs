//! Elasticsearch's `_bulk` for a data stream. An answer of 200 may hold refusals, so each item's own status is looked at; one
//! that is there already was told before.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::http::{Http, Options};
use super::{Channel, SendError, authorised};
use crate::deliver::audience::Audience;
use crate::deliver::notice::Notice;
use crate::deliver::render::{Context, elastic};
use crate::deliver::statement::Statement;
use crate::secret::SecretRef;

/// Documents in a request; about 500 kB.
const MOST: usize = 128;

/// Asks for statuses alone: the rest of an answer may repeat values.
const FILTER: &str = "/_bulk?filter_path=errors,items.*.status,items.*.error.type";

/// Posts documents to a data stream.
#[derive(Debug)]
pub struct Elastic {
    audience: Audience,
    http: Http,
    key: Option<SecretRef>,
    stream: String,
    context: Context,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    errors: bool,
    #[serde(default)]
    items: Vec<BTreeMap<String, Item>>,
}

#[derive(Clone, Deserialize)]
struct Item {
    status: u16,
    error: Option<Failure>,
}

#[derive(Clone, Deserialize)]
struct Failure {
    r#type: String,
}

impl Elastic {
    /// A channel to the data stream `stream` of the server at the address of `options`, without a path.
    pub fn new(audience: Audience, options: Options, key: Option<SecretRef>, stream: &str, context: Context) -> Self {
        Self { audience, http: Http::new(options), key, stream: stream.to_owned(), context }
    }

    fn body(&self, notices: &[Notice]) -> String {
        notices.iter().map(|notice| elastic::lines(notice, &self.context)).collect()
    }

    fn post(&mut self, notices: &[Notice]) -> Result<Vec<u8>, SendError> {
        self.put(&self.body(notices))
    }

    fn put(&mut self, body: &str) -> Result<Vec<u8>, SendError> {
        let key = self.key.as_ref().map(|key| authorised("ApiKey", key)).transpose()?;
        let mut headers = vec![("content-type", "application/x-ndjson")];
        headers.extend(key.as_deref().map(|key| ("authorization", key)));
        self.http.post(&format!("/{}{FILTER}", self.stream), &headers, body)?.body()
    }
}

impl Channel for Elastic {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn most(&self) -> usize {
        MOST
    }

    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>> {
        match self.post(notices) {
            Ok(body) => outcomes(&body, notices.len()),
            Err(error) => vec![Err(error); notices.len()],
        }
    }

    fn state(&mut self, statement: &Statement) -> Result<bool, SendError> {
        let body = self.put(&elastic::statement(statement, &self.context))?;
        outcomes(&body, 1).into_iter().collect::<Result<(), _>>().map(|()| true)
    }

    fn preview(&self, notice: &Notice) -> String {
        let body = self.body(std::slice::from_ref(notice));
        format!("POST {}\nauthorization: ApiKey [secret]\n\n{body}", self.http.shown())
    }
}

/// One outcome for each document, in their order (Elasticsearch's bulk API answers in the order of the request).
fn outcomes(body: &[u8], sent: usize) -> Vec<Result<(), SendError>> {
    let unclear = |why: &str| vec![Err(SendError::Transient(format!("elastic: {why}"))); sent];
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else { return unclear("the answer is no bulk answer") };
    let items: Vec<Item> = answer.items.into_iter().filter_map(|item| item.into_values().next()).collect();
    match items.len() {
        len if len == sent => items.iter().map(outcome).collect(),
        // the filter leaves nothing of a success on some versions
        0 if !answer.errors => vec![Ok(()); sent],
        _ => unclear("the answer does not say what became of each document"),
    }
}

fn outcome(item: &Item) -> Result<(), SendError> {
    let kind = item.error.as_ref().map(|error| error.r#type.chars().take(60).collect::<String>()).unwrap_or_default();
    let why = || format!("elastic: status {} {kind}", item.status);
    match item.status {
        200..=299 | 409 => Ok(()),
        429 | 500..=599 => Err(SendError::Transient(why())),
        _ => Err(SendError::Permanent(why())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_document_has_its_outcome() {
        let body = br#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}},
            {"create":{"status":429,"error":{"type":"es_rejected_execution_exception"}}},{"create":{"status":400,"error":{"type":"document_parsing_exception"}}}]}"#;
        let outcomes = outcomes(body, 4);
        assert_eq!((&outcomes[0], &outcomes[1]), (&Ok(()), &Ok(())));
        assert!(matches!(&outcomes[2], Err(SendError::Transient(why)) if why.contains("429")));
        assert!(matches!(&outcomes[3], Err(SendError::Permanent(why)) if why.contains("document_parsing_exception")));
    }

    #[test]
    fn an_answer_that_leaves_documents_out_tells_none() {
        for body in [&b"{}"[..], br#"{"errors":false}"#] {
            assert_eq!(outcomes(body, 2), [Ok(()), Ok(())]);
        }
        for body in [&b"<html>"[..], br#"{"errors":true}"#, br#"{"errors":false,"items":[{"create":{"status":201}}]}"#]
        {
            assert!(outcomes(body, 2).iter().all(|one| matches!(one, Err(SendError::Transient(_)))));
        }
    }
}
