//! `health`: asks a running service whether it is ready, so that container engines and units need no other program.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;

use super::{ConfigOption, Outcome};

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Longest answer that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigOption,
    /// Address of the service's admin server; overrides the configuration.
    #[arg(long)]
    pub address: Option<SocketAddr>,
    /// Ask only whether the process answers, not whether it is ready.
    #[arg(long)]
    pub live: bool,
}

/// Runs the command: 0 if it is ready, 1 if not, or if nobody answers.
///
/// # Errors
/// The configuration has faults, or the service does not answer.
pub fn run(options: &Options) -> anyhow::Result<Outcome> {
    let address = match options.address {
        Some(address) => address,
        None => super::load(&options.config.config)?.admin,
    };
    let path = if options.live { "/live" } else { "/ready" };
    let answer = ask(reachable(address), path).with_context(|| format!("no answer from http://{address}{path}"))?;
    writeln!(std::io::stdout().lock(), "{}", answer.body.trim_end())?;
    Ok(if answer.good { Outcome::Done } else { Outcome::Failed })
}

/// Whether a service at the address is ready, and what it says.
///
/// # Errors
/// Nobody answers.
pub(super) fn state(address: SocketAddr) -> anyhow::Result<(bool, String)> {
    let answer = ask(reachable(address), "/ready")?;
    Ok((answer.good, answer.body.trim_end().to_owned()))
}

/// A service that listens on every address answers on the loopback address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}

struct Answer {
    good: bool,
    body: String,
}

fn ask(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.take(LONGEST).read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let good = head.split_whitespace().nth(1) == Some("200");
    Ok(Answer { good, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_asked_on_loopback() {
        for (told, asked) in
            [("0.0.0.0:9464", "127.0.0.1:9464"), ("[::]:9464", "[::1]:9464"), ("10.1.2.3:80", "10.1.2.3:80")]
        {
            assert_eq!(reachable(told.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
