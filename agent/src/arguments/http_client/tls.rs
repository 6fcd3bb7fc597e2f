//! The block `tls_config`.

use ferroalloy_http_client as http_client;
use river_syntax::{Block, Secret};

use super::super::choice;
use super::{path, secret};

/// TLS.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct Tls {
    /// Certificates to trust instead of the system's.
    ca_pem: Option<String>,
    /// A file with them.
    ca_file: Option<String>,
    /// The client's certificate.
    cert_pem: Option<String>,
    /// A file with it.
    cert_file: Option<String>,
    /// The client's key.
    key_pem: Option<Secret>,
    /// A file with it.
    key_file: Option<String>,
    /// The name that the server's certificate must have, where it is not the host's.
    server_name: Option<String>,
    /// Whether any certificate will do.
    #[river(default)]
    insecure_skip_verify: bool,
    /// The oldest TLS version to speak.
    min_version: Option<TlsVersion>,
}

choice! {
    /// Versions of TLS.
    enum TlsVersion {
        /// 1.0 or later; versions below 1.2 are never spoken.
        Tls10 = "TLS10",
        /// 1.1 or later.
        Tls11 = "TLS11",
        /// 1.2 or later.
        Tls12 = "TLS12",
        /// 1.3.
        Tls13 = "TLS13",
    }
}

impl Tls {
    pub(super) fn config(&self) -> http_client::TlsConfig {
        http_client::TlsConfig {
            ca_pem: self.ca_pem.clone(),
            ca_file: path(self.ca_file.as_ref()),
            cert_pem: self.cert_pem.clone(),
            cert_file: path(self.cert_file.as_ref()),
            key_pem: self.key_pem.as_ref().map(secret),
            key_file: path(self.key_file.as_ref()),
            server_name: self.server_name.clone(),
            insecure_skip_verify: self.insecure_skip_verify,
            min_version: self.min_version.map(|version| match version {
                TlsVersion::Tls10 => http_client::TlsVersion::Tls10,
                TlsVersion::Tls11 => http_client::TlsVersion::Tls11,
                TlsVersion::Tls12 => http_client::TlsVersion::Tls12,
                TlsVersion::Tls13 => http_client::TlsVersion::Tls13,
            }),
        }
    }
}
