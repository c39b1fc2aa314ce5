//! An archive with the keys that go with it, as far as they are here.

use std::path::{Path, PathBuf};

use crate::evidence::archive::{Archive, Opened, numbers_of};
use crate::evidence::index::Row;
use crate::evidence::keyring::Keyring;
use crate::evidence::keys::{TagKey, subjects_path, tag_path};
use crate::evidence::search::Sought;
use crate::evidence::{EvidenceError, VerifyOptions, VerifyReport, verify};
use crate::recorder::Folders;

use super::super::wire;
use super::near::Near;

/// An archive to look into.
#[derive(Debug)]
pub struct Source {
    archive: Archive,
    keyring: Option<Keyring>,
    tag: Option<TagKey>,
    /// Keeps a copy that was brought here as long as it is read.
    _near: Option<Near>,
}

/// A record of one of several archives.
#[derive(Clone, Debug)]
pub struct Found {
    /// Number of the archive.
    pub source: usize,
    /// Its row in the index.
    pub row: Row,
}

impl Source {
    /// The archive of an instance with its keys.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn of(folders: &Folders, identity: Option<&str>) -> anyhow::Result<Self> {
        let signing = wire::signing_key(folders);
        let (ring, tag) = (subjects_path(&signing), tag_path(&signing));
        let keyring = ring.exists().then(|| Keyring::open(&ring, false)).transpose()?;
        let tag = tag.exists().then(|| TagKey::open(&tag, false)).transpose()?;
        Ok(Self { archive: Archive::open(&folders.evidence, identity)?, keyring, tag, _near: None })
    }

    /// A shipped copy of the archive of an instance, with the keys that the instance has.
    ///
    /// # Errors
    /// It cannot be opened, or is one of another log.
    pub fn copy(place: &Path, folders: &Folders, identity: Option<&str>) -> anyhow::Result<Self> {
        let near = Near::of(place)?;
        let folders = Folders { evidence: near.dir().to_owned(), state: folders.state.clone() };
        Ok(Self { _near: Some(near), ..Self::of(&folders, identity)? })
    }

    /// A data folder, an evidence folder alone, or a copy in a bucket.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn at(dir: &Path, identity: Option<&str>) -> anyhow::Result<Self> {
        let near = Near::of(dir)?;
        let below = |name: &str| near.dir().join(name);
        let evidence = if below("evidence").is_dir() { below("evidence") } else { near.dir().to_owned() };
        let folders = Folders { evidence, state: below("state") };
        Ok(Self { _near: Some(near), ..Self::of(&folders, identity)? })
    }

    /// The archive.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The subject keys, if they are here.
    pub fn keyring(&self) -> Option<&Keyring> {
        self.keyring.as_ref()
    }

    /// The tag of a subject, if the tag key is here.
    pub fn tag(&self, subject: &str) -> Option<String> {
        self.tag.as_ref().map(|tag| tag.tag(subject))
    }

    /// The tag key, if it is here.
    pub fn tag_key(&self) -> Option<&TagKey> {
        self.tag.as_ref()
    }

    /// Name of the log.
    pub fn origin(&self) -> &str {
        &self.archive.checkpoint().origin
    }

    /// Rows that meet the conditions and are of `subject`, if one is named.
    ///
    /// # Errors
    /// The index or the keys cannot be read, or a person is sought where no key leads to one.
    pub fn find(&self, sought: &Sought, subject: Option<&str>) -> anyhow::Result<Vec<Row>> {
        let mut sought = sought.clone();
        if let Some(subject) = subject {
            let tag = self.tag.as_ref();
            let tag =
                tag.ok_or_else(|| anyhow::anyhow!("{} has no tag key; a person cannot be found in it", self.origin()))?;
            sought.subjects = Some(numbers_of(subject, tag, self.keyring.as_ref())?);
        }
        Ok(self.archive.find(&sought)?)
    }

    /// Opens records, with their personal fields if `personal`.
    ///
    /// # Errors
    /// See [`Archive::records`].
    pub fn open(
        &self,
        rows: &[Row],
        personal: bool,
        each: impl FnMut(Opened) -> Result<(), EvidenceError>,
    ) -> Result<(), EvidenceError> {
        self.archive.records(rows, self.keyring.as_ref().filter(|_| personal), each)
    }

    /// Verifies the archive.
    ///
    /// # Errors
    /// The verifier cannot work.
    pub fn verify(&self) -> Result<VerifyReport, EvidenceError> {
        verify(self.archive.dir(), &VerifyOptions::default())
    }

    /// Where it lies.
    pub fn dir(&self) -> PathBuf {
        self.archive.dir().to_owned()
    }
}

/// Rows of all archives in order of time; a record that several have is there once. Also says how many were left out so.
///
/// # Errors
/// See [`Source::find`].
pub fn find_all(sources: &[Source], sought: &Sought, subject: Option<&str>) -> anyhow::Result<(Vec<Found>, usize)> {
    let mut all = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let rows = source.find(sought, subject)?;
        all.extend(rows.into_iter().map(|row| Found { source: number, row }));
    }
    all.sort_by(|a, b| (a.row.at, &a.row.id, a.source).cmp(&(b.row.at, &b.row.id, b.source)));
    let before = all.len();
    // The same id at another time is another event: instances may read sources of the same name.
    all.dedup_by(|next, kept| (next.row.at, &next.row.id) == (kept.row.at, &kept.row.id));
    let twice = before - all.len();
    Ok((all, twice))
}
