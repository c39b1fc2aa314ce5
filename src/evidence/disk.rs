//! Every change of the archive on disk goes through [`Disk`], so that each step can be made to fail in a test. It never
//! reads, and it knows nothing of what the bytes mean.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use super::error::EvidenceError;

/// Files that are synced at the same time, where there are many.
const SYNCS_AT_ONCE: usize = 8;

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A directory is made.
    CreateDir,
    /// Bytes are put at the end of a file.
    Append,
    /// A file is written whole.
    Write,
    /// A file reaches the medium.
    Sync,
    /// A directory reaches the medium.
    SyncDir,
    /// A file takes another's place.
    Rename,
    /// A file goes.
    Remove,
    /// A file is cut.
    Truncate,
    /// Rows of the index are committed.
    Index,
    /// Subject keys are made or destroyed.
    Keys,
}

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Done and said so.
    Done,
    /// Not done, an error said.
    Lost,
    /// Done, yet an error said.
    Kept,
    /// Half of the bytes written, an error said. As [`Fate::Lost`] for steps without bytes.
    Torn,
}

/// Decides the fate of each step: the seam for tests of recovery. Production has none.
#[derive(Clone)]
pub struct Faults(Arc<Decide>);

type Decide = dyn Fn(Step, &Path) -> Fate + Send + Sync;

impl Faults {
    /// Asks `decide` before each step.
    pub fn new(decide: impl Fn(Step, &Path) -> Fate + Send + Sync + 'static) -> Self {
        Self(Arc::new(decide))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}

/// The way to the medium.
#[derive(Clone, Debug)]
pub struct Disk {
    sync: bool,
    faults: Option<Faults>,
}

type Outcome = Result<(), EvidenceError>;

impl Disk {
    /// `sync` false only pretends to sync, for tests of other things.
    pub fn new(sync: bool, faults: Option<Faults>) -> Self {
        Self { sync, faults }
    }

    /// Makes a directory and its parents, mode 0700.
    pub(super) fn create_dir(&self, path: &Path) -> Outcome {
        if path.is_dir() {
            return Ok(());
        }
        self.step(Step::CreateDir, "create", path, |_| private_dir().create(path))
    }

    /// Appends and syncs.
    pub(super) fn append(&self, path: &Path, bytes: &[u8]) -> Outcome {
        let mut file = None;
        self.step(Step::Append, "append to", path, |half| {
            let mut opened = private_file().append(true).create(true).open(path)?;
            opened.write_all(if half { &bytes[..bytes.len() / 2] } else { bytes })?;
            file = Some(opened);
            Ok(())
        })?;
        self.sync_step(Step::Sync, path, || file.map_or(Ok(()), |file| file.sync_data()))
    }

    /// Writes a whole file without syncing it.
    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> Outcome {
        self.step(Step::Write, "write", path, |half| write_whole(path, bytes, half).map(drop))
    }

    /// Replaces a file so that a crash leaves the old or the new one: write beside, sync, rename, sync the directory.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> Outcome {
        let beside = path.with_extension("tmp");
        self.write(&beside, bytes)?;
        self.sync(&beside)?;
        self.step(Step::Rename, "replace", path, |_| fs::rename(&beside, path))?;
        path.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    /// Syncs a file written before.
    pub(super) fn sync(&self, path: &Path) -> Outcome {
        self.sync_step(Step::Sync, path, || File::open(path)?.sync_all())
    }

    /// Syncs files written before, several at the same time: a medium has more than one thing to do then, and a file system
    /// with a journal writes it once for many.
    pub(super) fn sync_all<'p>(&self, paths: impl IntoIterator<Item = &'p PathBuf>) -> Outcome {
        let paths: Vec<_> = paths.into_iter().collect();
        // faults are dealt out one after another
        let at_once = if self.faults.is_some() || !self.sync { 1 } else { SYNCS_AT_ONCE };
        let share = paths.len().div_ceil(at_once).max(1);
        let sync = |share: &[&PathBuf]| share.iter().try_for_each(|path| self.sync(path));
        if at_once == 1 || paths.len() <= at_once {
            return sync(&paths);
        }
        thread::scope(|scope| {
            let threads: Vec<_> = paths.chunks(share).map(|share| scope.spawn(move || sync(share))).collect();
            let all = threads.into_iter().map(|one| one.join().unwrap_or_else(|why| std::panic::resume_unwind(why)));
            // all of them end before an error is told
            all.collect::<Vec<_>>().into_iter().collect()
        })
    }

    /// Syncs a directory: names in it are on the medium.
    pub(super) fn sync_dir(&self, path: &Path) -> Outcome {
        self.sync_step(Step::SyncDir, path, || File::open(path)?.sync_all())
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, path: &Path) -> Outcome {
        self.step(Step::Remove, "remove", path, |_| match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        })
    }

    /// Cuts a file to `length` bytes and syncs it.
    pub(super) fn truncate(&self, path: &Path, length: u64) -> Outcome {
        self.step(Step::Truncate, "cut", path, |_| OpenOptions::new().write(true).open(path)?.set_len(length))?;
        self.sync(path)
    }

    /// Commits rows of the index.
    pub(super) fn index(&self, path: &Path, commit: impl FnOnce() -> io::Result<()>) -> Outcome {
        self.step(Step::Index, "write the index", path, |_| commit())
    }

    /// Makes or destroys subject keys.
    pub(super) fn keys(&self, path: &Path, commit: impl FnOnce() -> io::Result<()>) -> Outcome {
        self.step(Step::Keys, "write the subject keys", path, |_| commit())
    }

    fn sync_step(&self, step: Step, path: &Path, act: impl FnOnce() -> io::Result<()>) -> Outcome {
        self.step(step, "sync", path, |_| if self.sync { act() } else { Ok(()) })
    }

    fn step(&self, step: Step, what: &'static str, path: &Path, act: impl FnOnce(bool) -> io::Result<()>) -> Outcome {
        let fate = self.faults.as_ref().map_or(Fate::Done, |faults| faults.0(step, path));
        let bytes = matches!(step, Step::Append | Step::Write);
        let done = match fate {
            Fate::Done => act(false),
            Fate::Lost => Err(injected()),
            Fate::Kept => act(false).and(Err(injected())),
            Fate::Torn if bytes => act(true).and(Err(injected())),
            Fate::Torn => Err(injected()),
        };
        done.map_err(|error| EvidenceError::disk(what, path, error))
    }
}

fn injected() -> io::Error {
    io::Error::other("injected fault")
}

fn write_whole(path: &Path, bytes: &[u8], half: bool) -> io::Result<File> {
    let mut file = private_file().write(true).create(true).truncate(true).open(path)?;
    file.write_all(if half { &bytes[..bytes.len() / 2] } else { bytes })?;
    Ok(file)
}

/// Open options for files that only the owner reads.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn private_dir() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
