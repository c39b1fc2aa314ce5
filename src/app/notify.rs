//! `notify test`: sends a message that is marked as a test by a channel, at once and past the outbox.

use std::io::Write;

use clap::Subcommand;

use super::channels::{self, Screen};
use super::state;
use super::{ConfigOption, Outcome, service};
use crate::deliver::{Letter, Notice, SendError, Step, View, Way, sample};
use crate::outbox::{Body, Kind};
use crate::recorder::now_ms;
use crate::settings::{Channel, Settings};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with a channel.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Send a message that is marked as a test, and say what the receiver answered.
    Test {
        #[command(flatten)]
        #[allow(missing_docs)]
        config: ConfigOption,
        /// Folder that `--data` named when the service was started, for the keys of pseudonyms.
        #[arg(long)]
        data: Option<std::path::PathBuf>,
        /// Id of the channel.
        channel: String,
    },
}

/// Runs the command.
///
/// # Errors
/// Bad configuration or an unknown channel.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let What::Test { config, data, channel } = &options.what;
    let settings = super::load(&config.config)?;
    let channel = state::channel(&settings, channel)?;
    let folder = service::folders(&settings, data.as_ref()).state;
    let sent = send(&settings, channel, &folder)?;
    let mut out = std::io::stdout().lock();
    let name = &channel.spec.name;
    match sent {
        Ok(()) => writeln!(out, "{name}: the receiver took the test message")?,
        Err(why) => {
            writeln!(out, "{name}: not taken: {why}")?;
            return Ok(Outcome::Failed);
        }
    }
    Ok(Outcome::Done)
}

fn send(settings: &Settings, channel: &Channel, folder: &std::path::Path) -> anyhow::Result<Result<(), SendError>> {
    let now = now_ms();
    match channels::way(settings, channel, Screen::Out)? {
        Way::People(mut messenger) => {
            let body = Body { thread: "test".to_owned(), at: now, ..Body::default() };
            let id = format!("test-{now}");
            Ok(messenger.post(&Letter::of(&id, Kind::Test, &body, channel.audience, &|_| None)))
        }
        Way::Feed(mut feed) => {
            let finding = sample::finding(now);
            let ring = channels::keyring(settings, channel, folder)?;
            if ring.is_some() {
                std::fs::create_dir_all(folder)?;
            }
            let key = ring.map(|ring| ring.at(now)).transpose()?;
            let view = View::with_key(&finding, channel.audience, key.as_ref());
            let notice = Notice { id: finding.notice_id(), view, step: Step::Created, test: true };
            let unanswered = || Err(SendError::Transient("no answer".to_owned()));
            Ok(feed.send(std::slice::from_ref(&notice)).pop().unwrap_or_else(unanswered))
        }
    }
}
