//! Key files: the signing key, the tag key and the subject keys, all outside the archive, so that a copy of the archive can neither sign
//! nor recognise a subject. Files are made with mode 0600 when a log is created and never overwritten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::disk::Disk;
use super::entry::unhex;
use super::error::EvidenceError;
use super::note::NoteSigner;
use crate::domain::hex::hex;

/// The keys of a writer.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Signs checkpoints.
    pub signer: NoteSigner,
    /// Makes the index searchable by subject without naming one.
    pub tag: TagKey,
}

/// Key of the subject tags in the index. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct TagKey([u8; 32]);

impl std::fmt::Debug for TagKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TagKey")
    }
}

impl Keys {
    /// Reads the signing key at `path` and the tag key at `path` + `.tag`; makes those that are absent if `create`.
    ///
    /// # Errors
    /// A file is unreadable, malformed, absent without `create`, or belongs to a log of another name.
    pub fn open(path: &Path, origin: &str, create: bool) -> Result<Self, EvidenceError> {
        let signing = read_or_make(path, create, || Ok(NoteSigner::new(origin, &random()?)?.secret_text()))?;
        let signer = NoteSigner::parse(&signing)?;
        if signer.verifier().name() != origin {
            let text = format!("the signing key {} belongs to a log of another name", path.display());
            return Err(EvidenceError::Key(text));
        }
        Ok(Self { signer, tag: TagKey::open(&tag_path(path), create)? })
    }
}

/// Makes the key that shall follow the signing key at `path`, if there is none yet, and gives its verifier key. Nothing
/// changes until the log has told of it.
///
/// # Errors
/// The file cannot be made.
pub fn make_next(path: &Path, origin: &str) -> Result<String, EvidenceError> {
    let text = read_or_make(&next_path(path), true, || Ok(NoteSigner::new(origin, &random()?)?.secret_text()))?;
    Ok(NoteSigner::parse(&text)?.verifier().vkey())
}

/// The key that shall follow, if one was made.
pub(super) fn next(path: &Path) -> Result<Option<NoteSigner>, EvidenceError> {
    match fs::read_to_string(next_path(path)) {
        Ok(text) => NoteSigner::parse(&text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EvidenceError::disk("read the key file", &next_path(path), error)),
    }
}

/// Puts the next key in the place of the signing key, which is gone thereby.
pub(super) fn take_next(path: &Path, next: &NoteSigner, disk: &Disk) -> Result<(), EvidenceError> {
    disk.replace(path, format!("{}\n", next.secret_text()).as_bytes())?;
    disk.remove(&next_path(path))
}

fn next_path(path: &Path) -> PathBuf {
    beside(path, ".next")
}

impl TagKey {
    /// Reads a tag key file: 64 hex digits.
    ///
    /// # Errors
    /// The file is unreadable, malformed, or absent without `create`.
    pub fn open(path: &Path, create: bool) -> Result<Self, EvidenceError> {
        let text = read_or_make(path, create, || Ok(hex(&random()?)))?;
        let key = unhex(text.trim_end());
        key.map(Self).ok_or_else(|| EvidenceError::Key(format!("{} is not a tag key of 64 hex digits", path.display())))
    }

    /// Tag of a subject in hex. The same subject has the same tag.
    pub fn tag(&self, subject: &str) -> String {
        hex(&self.bytes(subject))
    }

    /// Tag of a subject: the first 16 bytes of HMAC-SHA256 (RFC 2104).
    pub(super) fn bytes(&self, subject: &str) -> [u8; 16] {
        let mut tag = [0; 16];
        tag.copy_from_slice(&hmac(&self.0, subject.as_bytes())[..16]);
        tag
    }
}

/// Where the tag key lies that goes with a signing key.
pub fn tag_path(signing: &Path) -> PathBuf {
    beside(signing, ".tag")
}

/// Where the holds lie that go with a signing key.
pub fn holds_path(signing: &Path) -> PathBuf {
    beside(signing, ".holds")
}

/// Where the subject keys lie that go with a signing key.
pub fn subjects_path(signing: &Path) -> PathBuf {
    beside(signing, ".subjects")
}

/// A file beside the signing key.
pub(super) fn beside(signing: &Path, end: &str) -> PathBuf {
    let mut name = signing.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// 32 bytes from the system's generator.
fn random() -> Result<[u8; 32], EvidenceError> {
    let mut bytes = [0; 32];
    fill_random(&mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes` from the system's generator.
pub(super) fn fill_random(bytes: &mut [u8]) -> Result<(), EvidenceError> {
    getrandom::fill(bytes).map_err(|error| EvidenceError::Key(format!("the system gives no random bytes: {error}")))
}

fn read_or_make(
    path: &Path,
    create: bool,
    make: impl FnOnce() -> Result<String, EvidenceError>,
) -> Result<String, EvidenceError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && create => {
            let text = make()?;
            let disk = Disk::new(true, None);
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                disk.create_dir(parent)?;
            }
            disk.replace(path, format!("{text}\n").as_bytes())?;
            Ok(text)
        }
        Err(error) => Err(EvidenceError::disk("read the key file", path, error)),
    }
}

/// HMAC-SHA256 for keys of one block or less, as RFC 2104 defines it.
pub(super) fn hmac(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(block, key)| *block ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 §4.2; its 20-byte key is padded with zeros to 32 bytes, which HMAC does anyway.
    #[test]
    fn hmac_agrees_with_rfc_4231() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex(&hmac(&key, b"Hi There")), expected);
    }

    #[test]
    fn keys_are_made_once_private_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/signing.key");
        assert!(Keys::open(&path, "example.hk/log", false).is_err());
        let made = Keys::open(&path, "example.hk/log", true).unwrap();
        let read = Keys::open(&path, "example.hk/log", true).unwrap();
        assert_eq!(made.signer.verifier(), read.signer.verifier());
        assert_eq!(made.tag.tag("u-1"), read.tag.tag("u-1"));
        assert_ne!(made.tag.tag("u-1"), read.tag.tag("u-2"));
        assert!(Keys::open(&path, "example.hk/other", true).is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
