//! Whom the encrypted channels trust and how they show themselves. Certificates are always verified; there is no switch.
//! Files are read when a connection is made, so that renewed ones are taken up without a restart.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// Authorities and the client's own certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Authorities that are trusted, PEM; `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// The client's certificate with its chain, and its key, both PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why there can be no encrypted connection.
#[derive(Debug, Error)]
pub enum TrustError {
    /// A file is not there or is no PEM.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody is trusted.
    #[error("the system has no certificate authorities; install ca-certificates or name a `ca` file")]
    Nobody,
    /// Certificate and key do not fit.
    #[error("client certificate: {0}")]
    Unfit(rustls::Error),
}

impl Trust {
    /// The authorities.
    ///
    /// # Errors
    /// There are none.
    pub fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, TrustError> {
        let found = match &self.ca {
            Some(path) => certificates(path)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        if found.is_empty() { Err(TrustError::Nobody) } else { Ok(found) }
    }

    /// The client's certificate with its chain, and its key as PEM.
    ///
    /// # Errors
    /// A file is unreadable.
    pub fn identity(&self) -> Result<Option<Identity>, TrustError> {
        let Some((chain, key)) = &self.identity else { return Ok(None) };
        let read = std::fs::read(key);
        let pem = read.map_err(|error| TrustError::File { path: key.clone(), why: error.to_string() })?;
        Ok(Some((certificates(chain)?, pem)))
    }

    /// A client's configuration: TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// Nobody is trusted, or certificate and key do not fit.
    pub fn client(&self) -> Result<Arc<ClientConfig>, TrustError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.authorities()?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(TrustError::Unfit)?.with_root_certificates(roots);
        Ok(Arc::new(match self.identity()? {
            Some((chain, key)) => {
                let unfit = |_| TrustError::Unfit(rustls::Error::General("the key is no PEM".to_owned()));
                let key = PrivateKeyDer::from_pem_slice(&key).map_err(unfit)?;
                builder.with_client_auth_cert(chain, key).map_err(TrustError::Unfit)?
            }
            None => builder.with_no_client_auth(),
        }))
    }
}

/// A certificate with its chain, and its key as PEM.
pub type Identity = (Vec<CertificateDer<'static>>, Vec<u8>);

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found = found.map_err(|error| fault(path, &error))?;
    if found.is_empty() {
        return Err(TrustError::File { path: path.to_owned(), why: "holds no certificate in PEM".to_owned() });
    }
    Ok(found)
}

fn fault(path: &Path, error: &rustls::pki_types::pem::Error) -> TrustError {
    TrustError::File { path: path.to_owned(), why: format!("cannot be read as PEM ({error})") }
}
