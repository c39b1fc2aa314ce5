//! A copy in a folder, such as a mounted share. Objects are files; what is there is compared by its digest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::disk::Disk;
use super::super::error::EvidenceError;
use super::super::ship::digest_of;
use super::{Content, Place};

/// A folder.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    disk: Disk,
}

impl Folder {
    /// A folder, made at need.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), disk: Disk::new(true, None) }
    }
}

impl Place for Folder {
    fn shown(&self) -> String {
        self.dir.display().to_string()
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, EvidenceError> {
        let path = self.dir.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EvidenceError::disk("read", &path, error)),
        }
    }

    fn has(&self, name: &str, content: Content) -> Result<bool, EvidenceError> {
        let path = self.dir.join(name);
        let same_length = path.metadata().is_ok_and(|file| file.len() == content.bytes);
        Ok(same_length && digest_of(&path, None)? == content)
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        let path = self.dir.join(name);
        path.parent().map_or(Ok(()), |above| self.disk.create_dir(above))?;
        self.disk.replace(&path, bytes)?;
        if digest_of(&path, None)? == Content::of(bytes) {
            return Ok(());
        }
        let why = io::Error::other("what was read back is not what was written");
        Err(EvidenceError::disk("copy to", &path, why))
    }

    fn names(&self, below: &str) -> Result<Vec<String>, EvidenceError> {
        let (mut open, mut found) = (vec![self.dir.join(below)], Vec::new());
        open.retain(|dir| dir.is_dir());
        while let Some(dir) = open.pop() {
            for file in fs::read_dir(&dir).map_err(|error| EvidenceError::disk("list", &dir, error))?.flatten() {
                let path = file.path();
                if path.is_dir() { open.push(path) } else { found.push(self.name(&path)) }
            }
        }
        Ok(found)
    }

    fn remove(&mut self, name: &str) -> Result<(), EvidenceError> {
        self.disk.remove(&self.dir.join(name))
    }
}

impl Folder {
    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.dir).unwrap_or(path).to_string_lossy().into_owned()
    }
}
