//! The block `tls` of a server.

use river_syntax::{Block, Secret};

use crate::arguments::choice;
use crate::error::Error;

/// TLS. Files are read again for new connections, so that a renewed certificate needs no reload.
#[derive(Debug, Clone, PartialEq, Block)]
pub(in super::super) struct Tls {
    /// The server's certificate chain.
    pub(in super::super) cert_pem: Option<String>,
    /// A file with it.
    pub(in super::super) cert_file: Option<String>,
    /// The server's key.
    pub(in super::super) key_pem: Option<Secret>,
    /// A file with it.
    pub(in super::super) key_file: Option<String>,
    /// Whether clients show a certificate.
    #[river(default = ClientAuth::None)]
    pub(in super::super) client_auth_type: ClientAuth,
    /// The certificates that clients' ones are signed with.
    pub(in super::super) client_ca: Option<String>,
    /// A file with them.
    pub(in super::super) client_ca_file: Option<String>,
    /// The oldest TLS version to speak.
    pub(in super::super) min_version: Option<MinVersion>,
    /// Without meaning here: none but strong ones are spoken. Taken with a warning.
    cipher_suites: Option<Vec<String>>,
}

choice! {
    /// Whether clients show a certificate.
    pub(in super::super) enum ClientAuth {
        /// They are not asked for one.
        None = "NoClientCert",
        /// One that is shown must be good.
        IfGiven = "VerifyClientCertIfGiven",
        /// They must, and it must be good.
        Required = "RequireAndVerifyClientCert",
        /// Refused: a certificate that is not verified says nothing.
        Requested = "RequestClientCert",
        /// Refused, for the same reason.
        Any = "RequireAnyClientCert",
    }
}

choice! {
    /// Versions of TLS, in either way of writing them.
    pub(in super::super) enum MinVersion {
        /// 1.0 or later; versions below 1.2 are never spoken.
        Tls10 = "TLS10",
        /// 1.1 or later.
        Tls11 = "TLS11",
        /// 1.2 or later.
        Tls12 = "TLS12",
        /// 1.3.
        Tls13 = "TLS13",
        /// 1.0 or later.
        Version10 = "VersionTLS10",
        /// 1.1 or later.
        Version11 = "VersionTLS11",
        /// 1.2 or later.
        Version12 = "VersionTLS12",
        /// 1.3.
        Version13 = "VersionTLS13",
    }
}

impl Tls {
    pub(super) fn check(&self) -> Result<(), Error> {
        let one_of = |inline: bool, file: bool, what: &str| match (inline, file) {
            (true, true) => Err(Error::new(format!(
                "tls: at most one of {what}_pem and {what}_file must be configured"
            ))),
            (false, false) => Err(Error::new(format!(
                "tls: one of {what}_pem and {what}_file must be configured"
            ))),
            _ => Ok(()),
        };
        one_of(self.cert_pem.is_some(), self.cert_file.is_some(), "cert")?;
        one_of(self.key_pem.is_some(), self.key_file.is_some(), "key")?;
        if self.client_ca.is_some() && self.client_ca_file.is_some() {
            return Err(Error::new(
                "tls: at most one of client_ca and client_ca_file must be configured",
            ));
        }
        let given = self.client_ca.is_some() || self.client_ca_file.is_some();
        match self.client_auth_type {
            ClientAuth::Requested | ClientAuth::Any => Err(Error::new(
                "tls: client_auth_type must be NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert: \
                 a certificate that is not verified says nothing",
            )),
            ClientAuth::IfGiven | ClientAuth::Required if !given => Err(Error::new(
                "tls: client_auth_type needs client_ca or client_ca_file",
            )),
            ClientAuth::None if given => Err(Error::new(
                "tls: client_ca and client_ca_file need a client_auth_type that verifies",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn without_meaning(&self) -> impl Iterator<Item = &'static str> {
        self.cipher_suites
            .is_some()
            .then_some("cipher_suites")
            .into_iter()
    }
}
