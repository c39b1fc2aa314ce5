//! Slack's incoming webhooks and the webhooks of Teams' workflows. Neither knows repetitions, so the letter's id stands in the
//! message; neither may see personal data.

use super::http::{Http, Options};
use super::{Messenger, SendError};
use crate::deliver::audience::Audience;
use crate::deliver::letter::Letter;
use crate::deliver::render::Context;
use crate::deliver::render::letter::{Sheet, sheets, slack, teams};
use crate::deliver::render::officer::Languages;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Slack: Block Kit.
    Slack,
    /// Teams: an Adaptive Card.
    Teams,
}

/// Posts letters to a chat.
#[derive(Debug)]
pub struct Chat {
    service: Service,
    http: Http,
    languages: Languages,
    context: Context,
}

impl Chat {
    /// A channel to the webhook at the address of `options`.
    pub fn new(service: Service, options: Options, languages: Languages, context: Context) -> Self {
        Self { service, http: Http::new(options), languages, context }
    }

    fn body(&self, letter: &Letter) -> String {
        let sheets: Vec<Sheet> = sheets(letter, self.languages, &self.context);
        match self.service {
            Service::Slack => slack::message(&sheets).to_string(),
            Service::Teams => teams::message(&sheets).to_string(),
        }
    }
}

impl Messenger for Chat {
    fn audience(&self) -> Audience {
        Audience::Chat
    }

    fn post(&mut self, letter: &Letter) -> Result<(), SendError> {
        let body = self.body(letter);
        self.http.post("", &[("content-type", "application/json")], &body)?.body().map(drop)
    }

    fn preview(&self, letter: &Letter) -> String {
        format!("POST {}\n\n{}\n", self.http.shown(), self.body(letter))
    }
}
