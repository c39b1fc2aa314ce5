//! A connection to a receiver, by name: TCP, and TLS over it. Sends nothing that a receiver would take for a message.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::tls::Trust;

/// A connection to the first of the host's addresses that answers, with a bound on every wait.
///
/// # Errors
/// The name is not known, or nobody answers; the text is the system's.
pub fn tcp(host: &str, port: u16, patience: Duration) -> Result<TcpStream, String> {
    let addresses = (host, port).to_socket_addrs().map_err(|_| "its name is not known".to_owned())?;
    let mut last = "its name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(tcp) => {
                let set = tcp.set_read_timeout(Some(patience)).and_then(|()| tcp.set_write_timeout(Some(patience)));
                return set.map(|()| tcp).map_err(|error| error.to_string());
            }
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

/// TLS over a connection, not yet agreed on: that happens with the first bytes.
///
/// # Errors
/// Nobody is trusted, or the name is none.
pub fn tls(host: &str, tcp: TcpStream, trust: &Trust) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
    let config = trust.client().map_err(|error| error.to_string())?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| "its name is no host name".to_owned())?;
    let session = ClientConnection::new(config, name).map_err(|error| format!("TLS: {error}"))?;
    Ok(StreamOwned::new(session, tcp))
}

/// Whether a receiver answers, and by TLS is whom its name says.
///
/// # Errors
/// It does not, or is not.
pub fn try_out(host: &str, port: u16, trust: Option<&Trust>, patience: Duration) -> Result<(), String> {
    let tcp = tcp(host, port, patience)?;
    let Some(trust) = trust else { return Ok(()) };
    let mut stream = tls(host, tcp, trust)?;
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|error| format!("TLS: {error}"))?;
    }
    Ok(())
}
