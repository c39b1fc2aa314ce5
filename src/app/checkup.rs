//! What a running service looks after beside its work: room on its disks, and its own evidence, verified again and again
//! so that damage is known within a day and not at the next audit. Reads only; stops nothing, mends nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::evidence::{VerifyOptions, VerifyReport, verify};
use crate::metrics::{Folder, Metrics, Verified};
use crate::recorder::{Folders, now_ms};

/// How often disks are looked at.
const LOOK: Duration = Duration::from_secs(15);

/// How long to wait before evidence that looks wrong is read again: it is written while it is read.
const AGAIN: Duration = Duration::from_secs(5);

/// What to look after.
#[derive(Debug)]
pub struct Checkup {
    /// Evidence and state.
    pub folders: Folders,
    /// How long between two verifications; `None`: the evidence is not verified.
    pub every: Option<Duration>,
    /// Where figures go.
    pub metrics: Arc<Metrics>,
}

impl Checkup {
    /// Starts a thread that lives as long as the process. The first verification is at once.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(self) -> std::io::Result<()> {
        std::thread::Builder::new().name("checkup".to_owned()).spawn(move || self.go_on())?;
        Ok(())
    }

    fn go_on(&self) {
        let mut last: Option<Instant> = None;
        loop {
            self.look_at_disks();
            if self.every.is_some_and(|every| last.is_none_or(|last| last.elapsed() >= every)) && self.verify() {
                last = Some(Instant::now());
            }
            std::thread::sleep(LOOK);
        }
    }

    fn look_at_disks(&self) {
        for (folder, path) in [(Folder::Evidence, &self.folders.evidence), (Folder::State, &self.folders.state)] {
            match room(path) {
                Ok(room) => self.metrics.condition().disk(folder, room.free, room.size),
                Err(error) => tracing::warn!(folder = folder.name(), %error, "cannot tell the room on the disk"),
            }
        }
    }

    /// Whether there was evidence to verify.
    fn verify(&self) -> bool {
        let dir = &self.folders.evidence;
        if !dir.join("checkpoint").exists() {
            return false;
        }
        let report = confirmed(dir);
        let sound = report.is_sound();
        self.metrics.condition().verified(Verified { sound, took: report.took.as_secs_f64(), at: now_ms() });
        if sound {
            tracing::info!(records = report.records, "the evidence was verified and is sound");
        }
        for breach in &report.breaches {
            tracing::error!(%breach, "the evidence was verified and is NOT sound; see the runbook");
        }
        true
    }
}

/// What is wrong twice in succession is wrong.
fn confirmed(dir: &Path) -> VerifyReport {
    let read = || verify(dir, &VerifyOptions::default()).unwrap_or_default();
    let report = read();
    if report.is_sound() {
        return report;
    }
    std::thread::sleep(AGAIN);
    read()
}

/// Room on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What this process may still use.
    pub free: u64,
    /// All of it.
    pub size: u64,
}

/// Room where `path` lies.
///
/// # Errors
/// The path is not there, or the system does not say.
pub fn room(path: &PathBuf) -> std::io::Result<Room> {
    let told = rustix::fs::statvfs(path)?;
    Ok(Room { free: told.f_bavail * told.f_frsize, size: told.f_blocks * told.f_frsize })
}
