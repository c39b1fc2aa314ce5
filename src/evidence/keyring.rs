//! Keys of subjects: one for each subject, month of recording and retention class. They lie in the state folder, never in
//! the archive, so that no copy of the archive, on a medium that cannot forget, keeps what must be erased.
//!
//! A key is on the medium before the first record under it, and gone from every page of the file after it was erased: pages
//! are overwritten (`secure_delete`), and no write-ahead log keeps older ones. The file names no subject: rows are found by
//! the keyed tag of the subject's id.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::deed::{Deed, Deletion, KeyId};
use super::disk::{Disk, private_file};
use super::entry::Entry;
use super::error::EvidenceError;
use super::keys::{TagKey, fill_random};
use super::personal::SubjectKey;
use super::reader;
use super::retention::Class;
use super::segment::Month;
use crate::domain::hex::hex;

/// Subjects whose keys are found without their tag.
const MOST_HELD: usize = 1 << 16;

/// Tag of a subject.
type Tag = [u8; 16];

const VERSION: i64 = 1;

const SCHEMA: &str = "
PRAGMA secure_delete = ON;
PRAGMA journal_mode = DELETE;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS meta (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    version INTEGER NOT NULL,
    swept INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS keys (
    id BLOB PRIMARY KEY,
    tag BLOB NOT NULL,
    month TEXT NOT NULL,
    class TEXT NOT NULL,
    key BLOB NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS by_tag ON keys (month, tag, class);
INSERT OR IGNORE INTO meta VALUES (1, 1, 0);
";

/// The keys of the subjects of one log.
#[derive(Debug)]
pub struct Keyring {
    path: PathBuf,
    connection: Connection,
    /// Keys of subjects seen lately.
    held: HashMap<(String, Class), SubjectKey>,
    /// Keys of the month in hand.
    known: HashMap<(Tag, Class), SubjectKey>,
    month: Option<Month>,
    /// Made since the last [`Keyring::commit`].
    fresh: Vec<Fresh>,
}

#[derive(Debug)]
struct Fresh {
    tag: Tag,
    month: Month,
    class: Class,
    key: SubjectKey,
}

/// A key without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub id: KeyId,
    /// Month of recording.
    pub month: Month,
    /// Class of the records.
    pub class: Class,
    /// Tag of the subject, in hex.
    pub tag: String,
}

impl Keyring {
    /// Opens the file, or makes it with mode 0600 if `create`.
    ///
    /// # Errors
    /// The file is absent without `create`, not ours, or of a newer version.
    pub fn open(path: &Path, create: bool) -> Result<Self, EvidenceError> {
        if !create && !path.exists() {
            let text = format!(
                "the subject keys {} are missing; restore them from a copy, or begin new ones with `harbourwatch keys init`: what was sealed before then stays unreadable",
                path.display()
            );
            return Err(EvidenceError::Key(text));
        }
        let opened = connect(path).map_err(|error| EvidenceError::disk("open the subject keys", path, error))?;
        let (held, known) = (HashMap::new(), HashMap::new());
        Ok(Self { path: path.to_owned(), connection: opened, held, known, month: None, fresh: Vec::new() })
    }

    /// The key of a subject for records of `month` and `class`; made if there is none. One that is made exists on the
    /// medium only after [`Keyring::commit`].
    pub(super) fn key(
        &mut self,
        tag: &TagKey,
        subject: &str,
        month: Month,
        class: Class,
    ) -> Result<SubjectKey, EvidenceError> {
        if self.month != Some(month) {
            self.known = self.of_month(month)?;
            self.held.clear();
            self.month = Some(month);
        }
        let name = (subject.to_owned(), class);
        if let Some(key) = self.held.get(&name) {
            return Ok(key.clone());
        }
        let tag = tag.bytes(subject);
        let key = match self.known.get(&(tag, class)) {
            Some(key) => key.clone(),
            None => self.make(tag, month, class)?,
        };
        if self.held.len() >= MOST_HELD {
            self.held.clear();
        }
        self.held.insert(name, key.clone());
        Ok(key)
    }

    /// All keys of a month: nobody else makes any, so that one which is not here does not exist.
    fn of_month(&self, month: Month) -> Result<HashMap<(Tag, Class), SubjectKey>, EvidenceError> {
        let read = || -> rusqlite::Result<HashMap<_, _>> {
            let mut select = self.connection.prepare_cached("SELECT tag, class, key FROM keys WHERE month = ?1")?;
            let rows = select.query_map([month.to_string()], |row| {
                let class = Class::parse(row.get_ref(1)?.as_str()?);
                Ok(((row.get::<_, Tag>(0)?, class), SubjectKey::new(row.get(2)?)))
            })?;
            let known = rows.filter_map(|row| row.map(|((tag, class), key)| Some(((tag, class?), key))).transpose());
            known.collect()
        };
        let mut known = read().map_err(|error| self.unreadable(error))?;
        let fresh = self.fresh.iter().filter(|fresh| fresh.month == month);
        known.extend(fresh.map(|fresh| ((fresh.tag, fresh.class), fresh.key.clone())));
        Ok(known)
    }

    fn make(&mut self, tag: Tag, month: Month, class: Class) -> Result<SubjectKey, EvidenceError> {
        let mut bytes = [0; 32];
        fill_random(&mut bytes)?;
        let key = SubjectKey::new(bytes);
        self.known.insert((tag, class), key.clone());
        self.fresh.push(Fresh { tag, month, class, key: key.clone() });
        Ok(key)
    }

    /// Brings new keys to the medium. Must be done before a record under one of them is.
    pub(super) fn commit(&mut self, disk: &Disk) -> Result<(), EvidenceError> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        let (connection, fresh) = (&mut self.connection, &self.fresh);
        disk.keys(&self.path, || insert(connection, fresh).map_err(io::Error::other))?;
        self.fresh.clear();
        Ok(())
    }

    /// Destroys what a deed says is destroyed; other deeds say nothing to it. Doing it again changes nothing.
    pub(super) fn obey(&mut self, disk: &Disk, deed: &Deed) -> Result<(), EvidenceError> {
        match deed {
            Deed::Erased { keys, .. } => self.destroy(disk, |transaction| remove(transaction, keys)),
            Deed::Deleted(Deletion::Keys { month, class, kept, .. }) => {
                let (month, class) = (month.to_string(), class.clone());
                self.destroy(disk, |transaction| remove_month(transaction, &month, &class, kept))
            }
            Deed::Deleted(Deletion::Segment { .. } | Deletion::Tiles { .. })
            | Deed::Acknowledged { .. }
            | Deed::Accessed { .. }
            | Deed::Held { .. }
            | Deed::Rotated(_) => Ok(()),
        }
    }

    fn destroy(
        &mut self,
        disk: &Disk,
        delete: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), EvidenceError> {
        self.month = None; // read again what is left
        let connection = &mut self.connection;
        let act = || {
            let transaction = connection.transaction()?;
            delete(&transaction)?;
            transaction.commit()
        };
        disk.keys(&self.path, || act().map_err(io::Error::other))
    }

    /// Destroys again what the log says was destroyed, in case the file was restored from an older copy or the process
    /// ended between the promise and the deed.
    pub(super) fn sweep(&mut self, disk: &Disk, dir: &Path, size: u64) -> Result<(), EvidenceError> {
        let swept: u64 = self
            .connection
            .query_row("SELECT swept FROM meta", [], |row| row.get::<_, i64>(0))
            .map_err(|error| self.unreadable(error))?
            .cast_unsigned();
        let mut deeds = Vec::new();
        reader::entries(dir, swept.min(size), size, |_, entry| {
            if let Entry::Deed { deed, .. } = entry {
                deeds.push(deed);
            }
        })?;
        deeds.iter().try_for_each(|deed| self.obey(disk, deed))?;
        self.swept(disk, size)
    }

    /// Notes that the deeds below `size` are done.
    pub(super) fn swept(&mut self, disk: &Disk, size: u64) -> Result<(), EvidenceError> {
        let connection = &self.connection;
        let note = || connection.execute("UPDATE meta SET swept = ?1", [size.cast_signed()]).map(drop);
        disk.keys(&self.path, || note().map_err(io::Error::other))
    }

    /// The key of a name, if it is still there.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn find(&self, id: KeyId) -> Result<Option<SubjectKey>, EvidenceError> {
        let find = || {
            let mut select = self.connection.prepare_cached("SELECT key FROM keys WHERE id = ?1")?;
            select.query_row([id.0], |row| row.get::<_, [u8; 32]>(0)).optional()
        };
        Ok(find().map_err(|error| self.unreadable(error))?.map(SubjectKey::new))
    }

    /// The keys of a subject, oldest month first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_subject(&self, tag: &TagKey, subject: &str) -> Result<Vec<Held>, EvidenceError> {
        self.list("SELECT id, month, class, tag FROM keys WHERE tag = ?1 ORDER BY month, class", [tag.bytes(subject)])
    }

    /// All keys, oldest month first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn all(&self) -> Result<Vec<Held>, EvidenceError> {
        self.list("SELECT id, month, class, tag FROM keys ORDER BY month, class", [])
    }

    fn list(&self, sql: &str, of: impl rusqlite::Params) -> Result<Vec<Held>, EvidenceError> {
        let read = || -> rusqlite::Result<Vec<Option<Held>>> {
            let mut select = self.connection.prepare_cached(sql)?;
            let rows = select.query_map(of, |row| {
                let (month, class): (String, String) = (row.get(1)?, row.get(2)?);
                let (id, tag) = (KeyId(row.get(0)?), hex(&row.get::<_, Tag>(3)?));
                let held = month.parse().ok().zip(Class::parse(&class));
                Ok(held.map(|(month, class)| Held { id, month, class, tag }))
            })?;
            rows.collect()
        };
        Ok(read().map_err(|error| self.unreadable(error))?.into_iter().flatten().collect())
    }

    fn unreadable(&self, error: rusqlite::Error) -> EvidenceError {
        EvidenceError::disk("use the subject keys", &self.path, io::Error::other(error))
    }
}

fn connect(path: &Path) -> io::Result<Connection> {
    // SQLite gives its side files the mode of the main one.
    private_file().append(true).create(true).open(path)?;
    let connection = Connection::open(path).map_err(io::Error::other)?;
    connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(io::Error::other)?;
    connection.execute_batch(SCHEMA).map_err(io::Error::other)?;
    let version: i64 =
        connection.query_row("SELECT version FROM meta", [], |row| row.get(0)).map_err(io::Error::other)?;
    if version == VERSION { Ok(connection) } else { Err(io::Error::other("they are of a newer version")) }
}

fn insert(connection: &mut Connection, fresh: &[Fresh]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO keys VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for Fresh { tag, month, class, key } in fresh {
            insert.execute(params![key.id().0, tag, month.to_string(), class.name(), key.bytes()])?;
        }
    }
    transaction.commit()
}

fn remove(transaction: &Transaction<'_>, keys: &[KeyId]) -> rusqlite::Result<()> {
    let mut delete = transaction.prepare_cached("DELETE FROM keys WHERE id = ?1")?;
    keys.iter().try_for_each(|id| delete.execute([id.0]).map(drop))
}

fn remove_month(transaction: &Transaction<'_>, month: &str, class: &str, kept: &[KeyId]) -> rusqlite::Result<()> {
    let mut select = transaction.prepare_cached("SELECT id FROM keys WHERE month = ?1 AND class = ?2")?;
    let ids = select.query_map([month, class], |row| row.get(0).map(KeyId))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let gone: Vec<KeyId> = ids.into_iter().filter(|id| !kept.contains(id)).collect();
    remove(transaction, &gone)
}
