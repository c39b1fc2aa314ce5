//! The keys of pseudonyms: a new one each quarter of the Hong Kong calendar, one ring for each group of readers, so that two
//! of them cannot join what they know. Old keys stay while findings of their time can be looked up, and then go for good.
//!
//! A ring is a file for its owner alone, or is derived from a secret where several instances must give the same pseudonyms.
//! Keys are never logged and never leave this module but as a [`Key`], which does not print.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::pseudonym::Key;
use crate::domain::finding::HKT_OFFSET_MS;

/// Why a key is not to be had.
#[derive(Debug, Error)]
pub enum KeyringError {
    /// The file.
    #[error("pseudonym keys {path}: {source}; check that the folder exists and is writable")]
    File {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in the file.
    #[error("pseudonym keys {0}: a line is not `<id> <key>`; restore the file from a backup")]
    Corrupt(PathBuf),
    /// No randomness.
    #[error("pseudonym keys: the system gave no random bytes")]
    Random,
}

/// The keys of one group of readers.
#[derive(Debug)]
pub struct Keyring {
    /// Name of the group, in the keys' ids.
    name: String,
    keeper: Keeper,
    known: Mutex<BTreeMap<String, Key>>,
}

enum Keeper {
    File(PathBuf),
    Secret(Vec<u8>),
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Secret(_) => f.write_str("Secret"),
        }
    }
}

impl Keyring {
    /// A ring in a file, which is made with its first key.
    pub fn in_file(name: &str, path: &Path) -> Self {
        Self { name: name.to_owned(), keeper: Keeper::File(path.to_owned()), known: Mutex::default() }
    }

    /// A ring derived from a secret. Its keys can be had again as long as the secret is kept.
    pub fn of_secret(name: &str, secret: &[u8]) -> Self {
        Self { name: name.to_owned(), keeper: Keeper::Secret(secret.to_vec()), known: Mutex::default() }
    }

    /// The key for findings that were first recorded at `at` (ms since the epoch). A finding keeps its key through all its
    /// changes, so a reader can follow it.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn at(&self, at: i64) -> Result<Key, KeyringError> {
        let id = format!("{}-{}", self.name, quarter(at));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.get(&id) {
            return Ok(key.clone());
        }
        let key = match &self.keeper {
            Keeper::Secret(secret) => Key::derived(&id, secret),
            Keeper::File(path) => draw(path, &id)?,
        };
        known.insert(id, key.clone());
        Ok(key)
    }

    /// The key of an id; `None` if it was never there or is destroyed.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn named(&self, id: &str) -> Result<Option<Key>, KeyringError> {
        match &self.keeper {
            Keeper::Secret(secret) => Ok(id.starts_with(&format!("{}-", self.name)).then(|| Key::derived(id, secret))),
            Keeper::File(path) => match File::open(path) {
                Ok(mut file) => Ok(read(path, &mut file)?.remove(id).map(|secret| Key::new(id, secret))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(KeyringError::File { path: path.clone(), source }),
            },
        }
    }

    /// Destroys the keys of quarters that ended before `before` (ms since the epoch); returns how many. Pseudonyms of that
    /// time can then be turned back by nobody. Keys of a secret are not touched: the secret must go.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn forget(&self, before: i64) -> Result<usize, KeyringError> {
        let Keeper::File(path) = &self.keeper else { return Ok(0) };
        let fault = |source| KeyringError::File { path: path.clone(), source };
        let Ok(mut file) = OpenOptions::new().read(true).write(true).open(path) else { return Ok(0) };
        file.lock().map_err(fault)?;
        let keys = read(path, &mut file)?;
        let oldest = format!("{}-{}", self.name, quarter(before));
        let kept: Vec<_> = keys.iter().filter(|(id, _)| **id >= oldest).collect();
        let gone = keys.len() - kept.len();
        if gone > 0 {
            // Overwritten in place, so that no copy is left beside it.
            let text: String = kept.iter().map(|(id, secret)| line(id, secret)).collect();
            file.seek(SeekFrom::Start(0)).map_err(fault)?;
            file.write_all(text.as_bytes()).and_then(|()| file.set_len(text.len() as u64)).map_err(fault)?;
            file.sync_all().map_err(fault)?;
            self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| *id >= oldest);
        }
        Ok(gone)
    }
}

/// The key of the id, drawn now if there is none. The file is locked meanwhile: a command may do the same.
fn draw(path: &Path, id: &str) -> Result<Key, KeyringError> {
    let fault = |source| KeyringError::File { path: path.to_owned(), source };
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(fault)?;
    file.lock().map_err(fault)?;
    if let Some(secret) = read(path, &mut file)?.remove(id) {
        return Ok(Key::new(id, secret));
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|_| KeyringError::Random)?;
    file.write_all(line(id, &secret).as_bytes()).and_then(|()| file.sync_all()).map_err(fault)?;
    Ok(Key::new(id, secret))
}

fn line(id: &str, secret: &[u8; 32]) -> String {
    format!("{id} {}\n", STANDARD.encode(secret))
}

fn read(path: &Path, file: &mut File) -> Result<BTreeMap<String, [u8; 32]>, KeyringError> {
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|source| KeyringError::File { path: path.to_owned(), source })?;
    let parse = |line: &str| {
        let (id, secret) = line.split_once(' ')?;
        Some((id.to_owned(), STANDARD.decode(secret).ok()?.try_into().ok()?))
    };
    let keys = text.lines().map(|line| parse(line).ok_or_else(|| KeyringError::Corrupt(path.to_owned())));
    keys.collect()
}

/// `2026q4`, in the Hong Kong calendar.
fn quarter(at: i64) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at.saturating_add(HKT_OFFSET_MS)).unwrap_or_default();
    let date = jiff::tz::Offset::UTC.to_datetime(stamp).date();
    format!("{:04}q{}", date.year(), (date.month() - 1) / 3 + 1)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::deliver::pseudonym::Domain;

    /// 23 November 2026, 09:30 in Hong Kong.
    const NOW: i64 = 1_795_397_400_000;
    const DAY: i64 = 86_400_000;

    fn ring() -> (tempfile::TempDir, Keyring) {
        let folder = tempfile::tempdir().unwrap();
        let ring = Keyring::in_file("soc", &folder.path().join("soc.keys"));
        (folder, ring)
    }

    #[test]
    fn quarters_change_at_midnight_in_hong_kong() {
        let new_year = 1_798_732_800_000; // 2027-01-01T00:00:00 in Hong Kong is 16:00 UTC the day before
        assert_eq!((quarter(new_year - 1), quarter(new_year)), ("2026q4".into(), "2027q1".into()));
    }

    #[test]
    fn a_key_is_drawn_once_and_found_again() {
        let (folder, ring) = ring();
        let key = ring.at(NOW).unwrap();
        assert_eq!(key.id(), "soc-2026q4");
        let again = Keyring::in_file("soc", &folder.path().join("soc.keys"));
        assert_eq!(again.at(NOW + DAY).unwrap(), key);
        assert_eq!(again.named("soc-2026q4").unwrap(), Some(key.clone()));
        assert_eq!(again.named("soc-2020q1").unwrap(), None);
        let next = again.at(NOW + 60 * DAY).unwrap();
        assert_ne!(next.pseudonym(Domain::Person, "t", "1"), key.pseudonym(Domain::Person, "t", "1"));
        let mode = std::fs::metadata(folder.path().join("soc.keys")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn readers_of_two_rings_cannot_join_what_they_know() {
        let (folder, ring) = ring();
        let other = Keyring::in_file("auditor", &folder.path().join("auditor.keys"));
        let of = |ring: &Keyring| ring.at(NOW).unwrap().pseudonym(Domain::Person, "t", "1");
        let tag = |pseudonym: &str| pseudonym.rsplit(':').next().unwrap().to_owned();
        assert_ne!(tag(&of(&ring)), tag(&of(&other)));
        let secret = |name| Keyring::of_secret(name, b"a secret that two instances share");
        assert_eq!(of(&secret("soc")), of(&secret("soc")));
        assert_ne!(tag(&of(&secret("soc"))), tag(&of(&secret("auditor"))));
    }

    #[test]
    fn forgotten_keys_are_gone_for_good() {
        let (folder, ring) = ring();
        let old = ring.at(NOW - 400 * DAY).unwrap();
        let young = ring.at(NOW).unwrap();
        assert_eq!(ring.forget(NOW - 30 * DAY).unwrap(), 1);
        assert_eq!(ring.named(old.id()).unwrap(), None);
        assert_eq!(ring.named(young.id()).unwrap(), Some(young));
        assert_ne!(ring.at(NOW - 400 * DAY).unwrap(), old, "it is drawn anew");
        assert_eq!(std::fs::read_to_string(folder.path().join("soc.keys")).unwrap().lines().count(), 2);
    }

    #[test]
    fn a_file_that_is_no_keyring_is_refused() {
        let (folder, ring) = ring();
        std::fs::write(folder.path().join("soc.keys"), "garbage\n").unwrap();
        assert!(matches!(ring.at(NOW), Err(KeyringError::Corrupt(_))));
    }
}
