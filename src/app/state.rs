//! The state of a service, opened by a command beside it: settings, folders and the outbox's queue.

use std::path::PathBuf;

use super::ConfigOption;
use super::handover::Desk;
use crate::outbox::Queue;
use crate::recorder::Folders;
use crate::settings::{Channel, Settings};

/// Which service.
#[derive(Debug, clap::Args)]
pub struct StateOption {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigOption,
    /// Folder that `--data` named when the service was started.
    #[arg(long)]
    pub data: Option<PathBuf>,
}

/// What commands work on.
pub struct State {
    /// Where deeds are recorded.
    pub desk: Desk,
    /// The outbox.
    pub queue: Queue,
}

impl State {
    /// The configuration.
    pub fn settings(&self) -> &Settings {
        self.desk.settings()
    }

    /// Where evidence and state live.
    pub fn folders(&self) -> &Folders {
        self.desk.folders()
    }
}

impl StateOption {
    /// Opens the state, which must be there.
    ///
    /// # Errors
    /// Bad configuration, or no state.
    pub fn open(&self) -> anyhow::Result<State> {
        let desk = Desk::of(&self.config.config, self.data.as_ref())?;
        let path = desk.folders().state.join("state.db");
        anyhow::ensure!(path.exists(), "no state database at {}; name the folder with --data", path.display());
        let queue = Queue::open(&path)?;
        Ok(State { desk, queue })
    }
}

/// The channel of an id.
///
/// # Errors
/// There is none; the text names those that there are.
pub fn channel<'a>(settings: &'a Settings, id: &str) -> anyhow::Result<&'a Channel> {
    let known = || settings.channels.iter().map(|channel| channel.spec.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = settings.channels.iter().find(|channel| channel.spec.name == id);
    found.ok_or_else(|| anyhow::anyhow!("no channel {id:?} in the configuration; it has: {}", known()))
}
