//! What TLS is told: roots, the client's own certificate, the server's name.

use std::path::PathBuf;

use super::Secret;

/// TLS options. Files are read again for each new connection, so that a renewed certificate is picked up
/// without a reload; connections are renewed every ten minutes at the latest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsConfig {
    /// Certificates to trust instead of the operating system's, as PEM.
    pub ca_pem: Option<String>,
    /// The same from a file.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate chain, as PEM. Comes with a key.
    pub cert_pem: Option<String>,
    /// The same from a file.
    pub cert_file: Option<PathBuf>,
    /// The client's private key, as PEM (PKCS#8, PKCS#1 or SEC1).
    pub key_pem: Option<Secret>,
    /// The same from a file.
    pub key_file: Option<PathBuf>,
    /// The name to ask for (SNI) and to verify instead of the URL's host.
    pub server_name: Option<String>,
    /// Accept any certificate. The connection is then encrypted, but not authenticated.
    pub insecure_skip_verify: bool,
    /// The lowest version to accept.
    pub min_version: Option<TlsVersion>,
}

/// A version of TLS, as a floor. Versions below 1.2 are never negotiated; naming one asks for nothing more than
/// what is done anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.0 or later.
    Tls10,
    /// TLS 1.1 or later.
    Tls11,
    /// TLS 1.2 or later.
    Tls12,
    /// TLS 1.3 or later.
    Tls13,
}

impl TlsConfig {
    /// The first rule that the options break, in words.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.ca_pem.is_some() && self.ca_file.is_some() {
            return Some("at most one of ca_pem and ca_file must be configured");
        }
        if self.cert_pem.is_some() && self.cert_file.is_some() {
            return Some("at most one of cert_pem and cert_file must be configured");
        }
        if self.key_pem.is_some() && self.key_file.is_some() {
            return Some("at most one of key_pem and key_file must be configured");
        }
        let cert = self.cert_pem.is_some() || self.cert_file.is_some();
        let key = self.key_pem.is_some() || self.key_file.is_some();
        match (cert, key) {
            (true, false) => Some(
                "exactly one of key or key_file must be configured when a client certificate is configured",
            ),
            (false, true) => {
                Some("exactly one of cert or cert_file must be configured when a client key is configured")
            }
            _ => None,
        }
    }
}
