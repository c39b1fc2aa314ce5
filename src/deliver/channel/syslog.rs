//! Syslog by TCP or TLS (RFC 5424, octet counting as of RFC 6587 and RFC 5425). Syslog has no acknowledgement, so each batch has
//! a connection of its own: notices count as told when the receiver, told that no more will come, has read all and closed its
//! end. One that closes early has not.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use super::tls::Trust;
use super::{Channel, SendError, dial};
use crate::deliver::audience::Audience;
use crate::deliver::notice::Notice;
use crate::deliver::render::{Context, Format, checkpoint, syslog};
use crate::deliver::statement::Statement;
use crate::deliver::{Field, View};
use crate::domain::verdict::Severity;

/// Messages in a batch.
const MOST: usize = 256;

/// Longest wait for a connection, a write, or the receiver's end.
const PATIENCE: Duration = Duration::from_secs(15);

/// Most bytes that a receiver may send while its end is waited for; a syslog receiver sends none.
const CHATTER: usize = 64 << 10;

/// Where the receiver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whom to trust; `None` for no encryption.
    pub tls: Option<Trust>,
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Sends messages to a receiver.
#[derive(Debug)]
pub struct Syslog {
    audience: Audience,
    options: Options,
    format: Format,
    context: Context,
}

impl Syslog {
    /// A channel that connects for each batch.
    pub fn new(audience: Audience, options: Options, format: Format, context: Context) -> Self {
        Self { audience, options, format, context }
    }

    fn frame(&self, notice: &Notice) -> Vec<u8> {
        let (text, _) = self.format.line(notice, &self.context);
        let at = notice.view.number(Field::Changed).unwrap_or(0);
        syslog::frame(severity(&notice.view), at, &notice.id, &text, &self.context)
    }

    fn deliver(&self, frames: &[u8]) -> Result<(), String> {
        let Options { host, port, tls } = &self.options;
        let tcp = dial::tcp(host, *port, PATIENCE)?;
        let trouble = |error: std::io::Error| error.to_string();
        let Some(trust) = tls else {
            let mut tcp = tcp;
            tcp.write_all(frames).map_err(trouble)?;
            tcp.shutdown(Shutdown::Write).map_err(trouble)?;
            return await_end(&mut tcp);
        };
        let mut stream = dial::tls(host, tcp, trust)?;
        stream.write_all(frames).map_err(trouble)?;
        stream.conn.send_close_notify();
        stream.flush().map_err(trouble)?;
        stream.sock.shutdown(Shutdown::Write).map_err(trouble)?;
        await_end(&mut stream)
    }
}

/// Waits until the receiver has closed its end in answer to ours.
fn await_end(stream: &mut impl Read) -> Result<(), String> {
    let (mut buffer, mut seen) = ([0_u8; 4_096], 0);
    while seen < CHATTER {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => seen += n,
            // some receivers close without TLS's own farewell
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err("it did not close the connection, so it is open whether it has read all".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Err("it sends instead of closing the connection".to_owned())
}

/// Names are our own; one that a later version wrote is treated with the greater care.
fn severity(view: &View) -> Severity {
    Severity::parse(view.text(Field::Severity)).unwrap_or(Severity::Critical)
}

impl Channel for Syslog {
    fn audience(&self) -> Audience {
        self.audience
    }

    fn most(&self) -> usize {
        MOST
    }

    fn send(&mut self, notices: &[Notice]) -> Vec<Result<(), SendError>> {
        let frames: Vec<u8> = notices.iter().flat_map(|notice| self.frame(notice)).collect();
        let sent = self.deliver(&frames);
        vec![sent.map_err(|why| SendError::Transient(format!("syslog {}: {why}", self.options))); notices.len()]
    }

    fn state(&mut self, statement: &Statement) -> Result<bool, SendError> {
        let text = checkpoint::line(self.format, statement, &self.context);
        let frame = syslog::frame(Severity::Info, statement.at, &statement.id, &text, &self.context);
        let sent = self.deliver(&frame).map(|()| true);
        sent.map_err(|why| SendError::Transient(format!("syslog {}: {why}", self.options)))
    }

    fn preview(&self, notice: &Notice) -> String {
        format!("to {}\n\n{}\n", self.options, String::from_utf8_lossy(&self.frame(notice)))
    }
}
