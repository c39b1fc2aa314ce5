//! Secrets by reference. A configuration never holds a secret, only where it is; the value never prints. Whoever presents a
//! secret fetches it when it does so, so that a changed file is taken up with the next connection.

use std::env;
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// Largest secret, in bytes. A larger file is not what was meant.
const LARGEST: u64 = 64 << 10;

/// Marks errors of this type for the reader, which then shows no value.
pub(crate) const INLINE: &str = "a secret is given by reference only: file:/path, env:NAME or cred:name";

/// Where a secret is kept: `file:/path`, `env:NAME`, or `cred:name` (a file in systemd's `$CREDENTIALS_DIRECTORY`).
#[derive(Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// Contents of a file that others cannot read.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A credential that systemd hands to the service.
    Cred(String),
}

/// A resolved secret. It prints as `[secret]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a secret could not be had. Carries the reference, never a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Not a reference. The text is not repeated: it may be the secret itself.
    #[error("{INLINE}")]
    Inline,
    /// Missing or unreadable.
    #[error("{0}: not there or not readable; create it and let only this user read it")]
    Missing(SecretRef),
    /// Other users can read the file.
    #[error("{0}: other users can read it; run chmod 600 on it")]
    Exposed(SecretRef),
    /// Empty, too large or not UTF-8.
    #[error("{0}: must be UTF-8 text of 1 to 65536 bytes")]
    Unfit(SecretRef),
}

impl Secret {
    /// The value, for whoever presents it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl SecretRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// [`SecretError::Inline`] for anything else.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if is_name(name) => Ok(Self::Env(name.into())),
            Some(("cred", name)) if is_name(name) => Ok(Self::Cred(name.into())),
            Some(_) | None => Err(SecretError::Inline),
        }
    }

    /// Fetches the secret; one line end at its end is dropped.
    ///
    /// # Errors
    /// When it is missing, readable by others, empty, too large or no text.
    pub fn resolve(&self) -> Result<Secret, SecretError> {
        let text = match self {
            Self::File(path) => self.read(path, true)?,
            Self::Env(name) => env::var(name).map_err(|_| SecretError::Missing(self.clone()))?,
            Self::Cred(name) => {
                let dir = env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| SecretError::Missing(self.clone()))?;
                // systemd keeps the directory to the service's own user.
                self.read(&Path::new(&dir).join(name), false)?
            }
        };
        let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() { Err(SecretError::Unfit(self.clone())) } else { Ok(Secret(text.to_owned())) }
    }

    fn read(&self, path: &Path, private: bool) -> Result<String, SecretError> {
        let missing = |_| SecretError::Missing(self.clone());
        let file = fs::File::open(path).map_err(missing)?;
        if private && is_exposed(&file.metadata().map_err(missing)?) {
            return Err(SecretError::Exposed(self.clone()));
        }
        let mut text = String::new();
        let read = file.take(LARGEST + 1).read_to_string(&mut text).map_err(|_| SecretError::Unfit(self.clone()))?;
        if read as u64 > LARGEST { Err(SecretError::Unfit(self.clone())) } else { Ok(text) }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        && !name.contains("..")
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Cred(name) => write!(f, "cred:{name}"),
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_secret_is_refused_and_not_repeated() {
        for text in ["hunter2", "", "env:", "env:a b", "cred:../../etc/passwd", "file:", "https://token@host"] {
            let error = SecretRef::parse(text).unwrap_err();
            assert_eq!(error, SecretError::Inline);
            assert!(["hunter2", "passwd", "token"].iter().all(|part| !error.to_string().contains(part)));
        }
    }

    #[test]
    fn file_is_read_without_its_line_end_and_prints_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "s3cret-value\n").unwrap();
        restrict(&path, 0o600);
        let secret = SecretRef::File(path).resolve().unwrap();
        assert_eq!(secret.reveal(), "s3cret-value");
        assert_eq!(format!("{secret:?}"), "[secret]");
    }

    #[test]
    #[cfg(unix)]
    fn file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "s3cret-value").unwrap();
        restrict(&path, 0o644);
        let error = SecretRef::File(path.clone()).resolve().unwrap_err();
        assert_eq!(error, SecretError::Exposed(SecretRef::File(path)));
        assert!(!error.to_string().contains("s3cret"));
    }

    #[test]
    fn missing_and_empty_are_said_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let reference = SecretRef::File(path.clone());
        assert!(matches!(reference.resolve(), Err(SecretError::Missing(_))));
        fs::write(&path, "\n").unwrap();
        restrict(&path, 0o600);
        assert!(matches!(reference.resolve(), Err(SecretError::Unfit(_))));
    }

    #[cfg(unix)]
    fn restrict(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[cfg(not(unix))]
    fn restrict(_: &Path, _: u32) {}
}
