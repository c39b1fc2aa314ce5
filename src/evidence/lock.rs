//! The writer's lock on an archive: one process writes, and the next may begin as soon as it has let go.
//!
//! Never waits, and says nothing about who holds it.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::disk::private_file;
use super::error::EvidenceError;

/// Held as long as it lives.
#[derive(Debug)]
pub(super) struct WriterLock(File);

impl WriterLock {
    /// Takes the lock of an archive.
    ///
    /// # Errors
    /// Another writer holds it, or the file cannot be opened.
    pub(super) fn take(dir: &Path) -> Result<Self, EvidenceError> {
        let path = dir.join("lock");
        let open = private_file().read(true).append(true).create(true).open(&path);
        let file = open.map_err(|error| EvidenceError::disk("open", &path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(EvidenceError::Locked(dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(EvidenceError::disk("lock", &path, error)),
        }
    }
}

impl Drop for WriterLock {
    /// Closing alone would not do: a process that is just being started by another thread has the file open as well until
    /// it runs its own program, and the lock would outlive its holder.
    fn drop(&mut self) {
        // the end of the process lets go in any case
        self.0.unlock().ok();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_at_a_time_and_none_that_has_gone() {
        let room = tempfile::tempdir().unwrap();
        let held = WriterLock::take(room.path()).unwrap();
        assert!(matches!(WriterLock::take(room.path()), Err(EvidenceError::Locked(_))));
        let in_a_child = held.0.try_clone().unwrap();
        drop(held);
        WriterLock::take(room.path()).unwrap();
        drop(in_a_child);
    }
}
