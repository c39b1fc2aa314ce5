//! A file that grows by one line per notice, for shippers that follow files. Opened anew for each batch, so the file may be
//! rotated at any time. Never rewrites what is there.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::{Channel, SendError};
use crate::deliver::audience::Audience;
use crate::deliver::notice::Notice;
use crate::deliver::render::{Context, Format, checkpoint};
use crate::deliver::statement::Statement;

/// Notices written at a time.
const MOST: usize = 64;

/// Appends lines to a file of mode 0600.
#[derive(Debug)]
pub struct File {
    audience: Audience,
    path: PathBuf,
    format: Format,
    context: Context,
}

impl File {
    /// A channel that appends lines of harbourwatch's own form to `path`, which is made at the first notice.
    pub fn new(audience: Audience, path: PathBuf) -> Self {
        Self { audience, path, format: Format::Finding, context: Context::default() }
    }

    /// The same in another form.
    #[must_use]
    pub fn in_format(mut self, format: Format, context: Context) -> Self {
        (self.format, self.context) = (format, context);
        self
    }

    fn lines(&self, notices: &[Notice]) -> String {
        notices.iter().map(|notice| self.format.line(notice, &self.context).0 + "\n").collect()
    }

    fn trouble(&self, error: &std::io::Error) -> SendError {
        let path = self.path.display();
        SendError::Transient(format!("cannot append to {path}: {error}; check space and permissions"))
    }

    fn append(&self, lines: &str) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        let end = file.seek(SeekFrom::End(0))?;
        let mut bytes = Vec::with_capacity(lines.len() + 1);
        if is_torn(&mut file, end)? {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(lines.as_bytes());
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line would stay before the next try's whole one; if this fails too, the next try ends the line.
            file.set_len(end)?;
        }
        written
    }
}

/// Whether the file ends inside a line, as after a power cut.
fn is_torn(file: &mut std::fs::File, end: u64) -> std::io::Result<bool> {
    let Some(last) = end.checked_sub(1) else { return Ok(false) };
    let mut byte = [0u8];
    file.seek(SeekFrom::Start(last))?;
    file.read_exact(&mut byte)?;
    Ok(byte != *b"\n")
}

impl Channel for File {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn most(&self) -> usize {
        MOST
    }

    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>> {
        let sent = self.append(&self.lines(notices)).map_err(|error| self.trouble(&error));
        vec![sent; notices.len()]
    }

    fn state(&mut self, statement: &Statement) -> Result<bool, SendError> {
        let line = checkpoint::line(self.format, statement, &self.context) + "\n";
        self.append(&line).map(|()| true).map_err(|error| self.trouble(&error))
    }

    fn preview(&self, notice: &Notice) -> String {
        self.lines(std::slice::from_ref(notice))
    }
}
