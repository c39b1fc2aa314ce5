//! A file that grows by one JSON line per notice, for shippers that follow files. Opened anew for each notice, so the file
//! may be rotated at any time. Never rewrites what is there.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::{Channel, Message, SendError};
use crate::deliver::audience::Audience;
use crate::deliver::render;

/// Appends JSON lines to a file of mode 0600.
#[derive(Debug)]
pub struct File {
    name: String,
    audience: Audience,
    path: PathBuf,
}

impl File {
    /// A channel that appends to `path`, which is made at the first notice.
    pub fn new(name: &str, audience: Audience, path: PathBuf) -> Self {
        Self { name: name.to_owned(), audience, path }
    }

    fn append(&self, line: &str) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        let end = file.seek(SeekFrom::End(0))?;
        let mut bytes = Vec::with_capacity(line.len() + 2);
        if is_torn(&mut file, end)? {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
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
    fn name(&self) -> &str {
        &self.name
    }

    fn audience(&self) -> Audience {
        self.audience
    }

    fn send(&mut self, message: &Message) -> Result<(), SendError> {
        let line = render::finding::json_line(&message.id, &message.view);
        self.append(&line).map_err(|error| {
            SendError::Transient(format!(
                "cannot append to {}: {error}; check space and permissions",
                self.path.display()
            ))
        })
    }
}
