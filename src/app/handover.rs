//! How a command brings a deed into the evidence log: by itself while no service holds the log, through the inbox of the
//! state folder otherwise. Never waits without an end, and never shows anything itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::{channels, service, wire};
use crate::evidence::archive::Archive;
use crate::evidence::keys::subjects_path;
use crate::evidence::recipients;
use crate::evidence::{Deed, Detail, EvidenceError, Filing, Inbox};
use crate::recorder::{Folders, Ledger, OpenError};
use crate::settings::{EXAMPLE_BANK, Settings};

/// How long a command waits for the service to take a deed over.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);

/// Where an instance keeps its evidence, and how it writes there.
pub struct Desk {
    settings: Settings,
    folders: Folders,
}

/// What became of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the published log.
    Done,
    /// It is on disk, and the writer has not taken it over yet. It will be recorded.
    Waiting,
}

impl Desk {
    /// The desk of a configuration, or of the folder that `--data` named with it.
    ///
    /// # Errors
    /// The configuration has faults.
    pub fn of(config: &Path, data: Option<&PathBuf>) -> anyhow::Result<Self> {
        let settings = super::load(config)?;
        let folders = service::folders(&settings, data);
        Ok(Self { settings, folders })
    }

    /// The desk of a service that has its settings already.
    pub fn at(settings: Settings, folders: Folders) -> Self {
        Self { settings, folders }
    }

    /// The desk of a data folder whose configuration is not at hand, such as the demo's. Only where frames are not encrypted:
    /// what is recorded there must be for the same readers.
    ///
    /// # Errors
    /// There is no evidence log, or its frames are encrypted.
    pub fn beside(data: &Path) -> anyhow::Result<Self> {
        let mut settings: Settings = EXAMPLE_BANK.parse()?;
        let folders = service::folders(&settings, Some(&data.to_owned()));
        let archive = Archive::open(&folders.evidence, None)?;
        let key = wire::signing_key(&folders);
        let open = recipients::are_none(&key)?;
        anyhow::ensure!(open, "frames of {} are encrypted; name the configuration with --config", data.display());
        settings.evidence.origin.clone_from(&archive.checkpoint().origin);
        settings.evidence.subject_keys = subjects_path(&key).exists();
        settings.evidence.recipients.clear();
        settings.channels.clear();
        settings.dead_letter_topic = None;
        settings.organisation.clear();
        Ok(Self { settings, folders })
    }

    /// Where evidence and state live.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The configuration.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Records a deed: by itself, or through the service that holds the log.
    ///
    /// # Errors
    /// There is no evidence log, it is not ours to write, or the disk refuses.
    pub fn record(&self, filing: &Filing) -> anyhow::Result<Recorded> {
        let log = &self.folders.evidence;
        anyhow::ensure!(log.join("checkpoint").exists(), "{} is no evidence folder; name its --data", log.display());
        self.refuse_strangers()?;
        let slip = Inbox::new(&self.folders.state).submit(log, filing)?;
        let begun = Instant::now();
        while slip.exists() {
            // whoever gets the ledger takes the inbox along: this command, or the service that holds it
            if let Some(mut ledger) = self.ledger()? {
                ledger.flush()?;
                ledger.close()?;
            } else if begun.elapsed() > PATIENCE {
                return Ok(Recorded::Waiting);
            } else {
                std::thread::sleep(LOOK);
            }
        }
        anyhow::ensure!(!slip.with_extension("bad").exists(), "the log refused to record this; nothing was done");
        Ok(Recorded::Done)
    }

    /// Records that somebody looks at evidence, before anything is shown.
    ///
    /// # Errors
    /// As [`Desk::record`]; also if the service does not take the deed over in time: what is not recorded is not shown.
    pub fn record_before_showing(&self, filing: &Filing) -> anyhow::Result<()> {
        match self.record(filing)? {
            Recorded::Done => Ok(()),
            Recorded::Waiting => bail!(
                "the service has not recorded this access within {} s, so nothing is shown; look at its log",
                PATIENCE.as_secs()
            ),
        }
    }

    /// The ledger, unless a service holds it.
    fn ledger(&self) -> anyhow::Result<Option<Ledger>> {
        match wire::ledger(&self.settings, &self.folders, &channels::specs(&self.settings)) {
            Ok(ledger) => Ok(Some(ledger)),
            Err(error) if is_locked(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Files made by another user would lock the service out.
    fn refuse_strangers(&self) -> anyhow::Result<()> {
        use std::os::unix::fs::MetadataExt;
        let owner = |path: &Path| std::fs::metadata(path).map(|found| found.uid()).ok();
        let state = &self.folders.state;
        let (theirs, ours) = (owner(state), owner(Path::new("/proc/self")));
        if let (Some(theirs), Some(ours)) = (theirs, ours)
            && theirs != ours
        {
            bail!("{} belongs to user id {theirs}; run this command as that user, not as {ours}", state.display());
        }
        Ok(())
    }
}

fn is_locked(error: &anyhow::Error) -> bool {
    let locked = |error: &EvidenceError| matches!(error, EvidenceError::Locked(_));
    match error.downcast_ref::<OpenError>() {
        Some(OpenError::Evidence(error)) => locked(error),
        Some(OpenError::State(_) | OpenError::Folder { .. }) | None => false,
    }
}

/// A deed with its detail, which must be a JSON object.
///
/// # Errors
/// The detail is too long.
pub fn filing(detail: &Value, deed: impl FnOnce([u8; 32]) -> Deed) -> anyhow::Result<Filing> {
    let detail = Detail::new(detail.to_string())?;
    Filing::with(detail, deed).context("the reason is too long; say it in fewer words")
}
