//! TLS of the server, with the certificates that are in the files now.

use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, fs};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::arguments::{ClientAuth, MinVersion, Tls};
use crate::error::Error;

/// What new connections are served with.
pub(super) struct Certificates {
    arguments: Tls,
    current: Mutex<Current>,
}

struct Current {
    material: Material,
    config: Arc<ServerConfig>,
}

/// The PEM texts that a connection depends on.
#[derive(PartialEq)]
struct Material {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Certificates {
    pub(super) fn read(arguments: &Tls) -> Result<Self, Error> {
        let material = Material::read(arguments)?;
        let config = Arc::new(material.config(arguments)?);
        Ok(Self {
            arguments: arguments.clone(),
            current: Mutex::new(Current { material, config }),
        })
    }

    /// For a new connection. What is in the files now is used, unless it cannot be: then what was good last still is, since a certificate and
    /// its key cannot be replaced in one step.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        let read = Material::read(&self.arguments);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let renewed = read.and_then(|material| {
            if material == current.material {
                return Ok(());
            }
            let config = Arc::new(material.config(&self.arguments)?);
            *current = Current { material, config };
            Ok(())
        });
        if let Err(error) = renewed {
            tracing::warn!(
                err = crate::error::chain(&error),
                "the certificates that were good last are used on"
            );
        }
        Arc::clone(&current.config)
    }
}

impl Material {
    fn read(tls: &Tls) -> Result<Self, Error> {
        let needed = |inline: Option<&str>, file: Option<&String>| {
            inline.map_or_else(
                || from_file(file.map_or("", String::as_str)),
                |pem| Ok(pem.as_bytes().to_vec()),
            )
        };
        let key = tls.key_pem.as_ref().map(river_syntax::Secret::expose);
        let client_ca = match (&tls.client_ca, &tls.client_ca_file) {
            (None, None) => None,
            (inline, file) => Some(needed(inline.as_deref(), file.as_ref())?),
        };
        Ok(Self {
            cert: needed(tls.cert_pem.as_deref(), tls.cert_file.as_ref())?,
            key: needed(key, tls.key_file.as_ref())?,
            client_ca,
        })
    }

    fn config(&self, tls: &Tls) -> Result<ServerConfig, Error> {
        let unusable = |what: &str, error: &dyn fmt::Display| Error::new(format!("tls: {what}: {error}"));
        let versions: &[&SupportedProtocolVersion] = match tls.min_version {
            Some(MinVersion::Tls13 | MinVersion::Version13) => &[&version::TLS13],
            _ => &[&version::TLS12, &version::TLS13],
        };
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(|error| unusable("min_version", &error))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let what = "the clients' certificates";
                let mut roots = RootCertStore::empty();
                for certificate in certificates(pem, what)? {
                    roots.add(certificate).map_err(|error| unusable(what, &error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match tls.client_auth_type {
                    ClientAuth::IfGiven => verifier.allow_unauthenticated(),
                    _ => verifier,
                };
                builder.with_client_cert_verifier(verifier.build().map_err(|error| unusable(what, &error))?)
            }
        };
        let chain = certificates(&self.cert, "the certificate")?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| unusable("the key", &error))?;
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| unusable("the certificate", &error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn from_file(path: &str) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| Error::caused(format_args!("cannot read {path}"), error))
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match parsed {
        Ok(parsed) if parsed.is_empty() => Err(Error::new(format!("tls: {what}: there is none"))),
        Ok(parsed) => Ok(parsed),
        Err(error) => Err(Error::new(format!("tls: {what}: {error}"))),
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}
