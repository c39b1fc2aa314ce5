//! How a command hands a deed to the log while the service holds it: a file in the state folder, taken over by the writer
//! with its next batch. A file is there whole or not at all, and it is removed only when its entry is published; one whose
//! entry is in the log already, because the process ended in between, is removed at the next start and not taken again.
//!
//! This room never writes the log; it only keeps what is to be written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::deed::{Deed, Detail, Filing, HoldId, MOST_DETAIL};
use super::disk::Disk;
use super::entry::Entry;
use super::error::EvidenceError;
use super::keys::fill_random;
use super::reader;

/// Deeds that one batch takes over.
const MOST_AT_ONCE: usize = 256;

/// Longest file that is read: a detail with everything escaped, and its entry.
const MOST_BYTES: u64 = 4 * MOST_DETAIL as u64 + 16 * 1024;

/// Deeds that wait for the writer, in a folder of their own.
#[derive(Clone, Debug)]
pub struct Inbox {
    dir: PathBuf,
    disk: Disk,
}

/// A deed that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    path: PathBuf,
    filing: Filing,
    /// Entries in the log when it was handed over: its own entry cannot be before.
    since: u64,
}

impl Waiting {
    /// The deed.
    pub fn filing(&self) -> &Filing {
        &self.filing
    }
}

/// A file of the inbox.
#[derive(Serialize, Deserialize)]
struct Slip {
    version: u8,
    since: u64,
    /// The entry that is to come, with the time 0.
    entry: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Inbox {
    /// The inbox in the state folder `state`, which must exist. Makes nothing.
    pub fn new(state: &Path) -> Self {
        Self { dir: state.join("inbox"), disk: Disk::new(true, None) }
    }

    /// The same with another way to the medium, for tests.
    #[must_use]
    pub fn through(mut self, disk: Disk) -> Self {
        self.disk = disk;
        self
    }

    /// Hands over a deed; `evidence` is the log's folder. When this returns, the deed is on disk and will be recorded.
    ///
    /// # Errors
    /// The log's checkpoint cannot be read, or the disk refuses.
    pub fn submit(&self, evidence: &Path, filing: &Filing) -> Result<PathBuf, EvidenceError> {
        let since = reader::checkpoint(evidence)?.map_or(0, |checkpoint| checkpoint.size);
        let detail = filing.detail();
        let slip = Slip {
            version: 1,
            since,
            entry: Entry::Deed { at: 0, deed: filing.deed().clone() }.to_string(),
            salt: detail.map(|detail| STANDARD.encode(detail.salt)),
            detail: detail.map(|detail| detail.text.clone()),
        };
        self.disk.create_dir(&self.dir)?;
        let path = self.dir.join(new_name()?);
        let bad = |error: serde_json::Error| EvidenceError::disk("encode", &path, error.into());
        self.disk.replace(&path, &serde_json::to_vec(&slip).map_err(bad)?)?;
        Ok(path)
    }

    /// What waits, oldest first, as much as one batch takes over. A file that cannot be read is set aside as `.bad`: it
    /// must not keep the others waiting.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn waiting(&self) -> Result<Vec<Waiting>, EvidenceError> {
        let paths = self.paths().map_err(|error| EvidenceError::disk("list", &self.dir, error))?;
        let read = |path: PathBuf| match slip(&path) {
            Some((filing, since)) => Some(Waiting { path, filing, since }),
            None => {
                set_aside(&path);
                None
            }
        };
        Ok(paths.into_iter().filter_map(read).take(MOST_AT_ONCE).collect())
    }

    /// Sets aside what cannot be recorded, so that it keeps nothing else waiting.
    pub fn refuse(&self, waiting: &Waiting) {
        set_aside(&waiting.path);
    }

    fn paths(&self) -> io::Result<Vec<PathBuf>> {
        let list = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut paths = list.map(|file| Ok(file?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
        paths.sort();
        Ok(paths)
    }

    /// Removes what is recorded.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn remove(&self, taken: &[Waiting]) -> Result<(), EvidenceError> {
        taken.iter().try_for_each(|waiting| self.disk.remove(&waiting.path))?;
        if taken.is_empty() { Ok(()) } else { self.disk.sync_dir(&self.dir) }
    }

    /// What waits and is recorded already, because the process ended before [`Inbox::remove`]. To be asked at start, by the
    /// holder of the log in `evidence`.
    ///
    /// # Errors
    /// A bundle cannot be read.
    pub fn recorded(&self, evidence: &Path) -> Result<Vec<Waiting>, EvidenceError> {
        let mut waiting = self.waiting()?;
        let Some(since) = waiting.iter().map(|waiting| waiting.since).min() else { return Ok(waiting) };
        let size = reader::checkpoint(evidence)?.map_or(0, |checkpoint| checkpoint.size);
        let mut recorded: Vec<Deed> = Vec::new();
        reader::entries(evidence, since.min(size), size, |_, entry| {
            if let Entry::Deed { deed, .. } = entry {
                recorded.push(deed);
            }
        })?;
        waiting.retain(|waiting| recorded.contains(waiting.filing.deed()));
        Ok(waiting)
    }
}

impl HoldId {
    /// A name of its own.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn random() -> Result<Self, EvidenceError> {
        let mut name = [0; 8];
        fill_random(&mut name)?;
        Ok(Self(name))
    }
}

impl Detail {
    /// A detail with a salt of its own.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new(text: String) -> Result<Self, EvidenceError> {
        let mut salt = [0; 16];
        fill_random(&mut salt)?;
        Ok(Self { salt, text })
    }
}

fn set_aside(path: &Path) {
    tracing::warn!(path = %path.display(), "this is no deed that can be recorded; it is set aside");
    fs::rename(path, path.with_extension("bad")).ok();
}

/// A name that no other file has, and that sorts by time.
fn new_name() -> Result<String, EvidenceError> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let mut tail = [0; 8];
    fill_random(&mut tail)?;
    Ok(format!("{:015}-{}.json", since.as_millis(), crate::domain::hex::hex(&tail)))
}

fn slip(path: &Path) -> Option<(Filing, u64)> {
    if path.metadata().ok()?.len() > MOST_BYTES {
        return None;
    }
    let slip: Slip = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let Some(Entry::Deed { at: 0, deed }) = Entry::parse(&slip.entry) else { return None };
    let detail = match (slip.salt, slip.detail) {
        (Some(salt), Some(text)) => Some(Detail { salt: STANDARD.decode(salt).ok()?.try_into().ok()?, text }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return None,
    };
    Some((Filing::rejoin(deed, detail)?, slip.since)).filter(|_| slip.version == 1)
}
