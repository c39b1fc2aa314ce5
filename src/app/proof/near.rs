//! Evidence to read, wherever it lies: a folder is read where it is; a copy in a bucket is brought into a folder of its own
//! first, which only this account reads and which is gone when it is done with.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::evidence::place::{Bucket, Place as _};
use crate::evidence::ship::fetch;

/// A folder to read evidence from.
#[derive(Debug)]
pub struct Near {
    dir: PathBuf,
    is_own: bool,
}

impl Near {
    /// Of a folder, or of `s3://BUCKET/PREFIX`.
    ///
    /// # Errors
    /// The bucket cannot be read, holds no archive, or there is no room for it here.
    pub fn of(place: &Path) -> anyhow::Result<Self> {
        let Some(bucket) = place.to_str().filter(|text| text.starts_with("s3://")) else {
            return Ok(Self { dir: place.to_owned(), is_own: false });
        };
        let bucket = Bucket::named(bucket)?;
        let near = Self { dir: new_folder()?, is_own: true };
        fetch(&bucket, &near.dir)?;
        let is_archive = near.dir.join("checkpoint").is_file();
        anyhow::ensure!(is_archive, "{} holds no checkpoint; ship to it first", bucket.shown());
        Ok(near)
    }

    /// Where to read.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Near {
    fn drop(&mut self) {
        if self.is_own
            && let Err(error) = std::fs::remove_dir_all(&self.dir)
        {
            tracing::warn!(folder = %self.dir.display(), %error, "a copy that was brought here could not be removed");
        }
    }
}

/// A new folder below that for temporary files (`TMPDIR`).
fn new_folder() -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    let below = std::env::temp_dir();
    for number in 0_u32.. {
        let dir = below.join(format!("harbourwatch-copy-{}-{number}", std::process::id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("cannot make {}", dir.display())),
        }
    }
    anyhow::bail!("no name is free below {}", below.display())
}
