//! TLS with rustls and ring. No process-wide default is installed; the provider is this client's own.
//!
//! Invariant: a new connection uses the certificates that are in the files now.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::{fmt, fs};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion, version,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::connect::{Io, Stream};
use crate::origin::Origin;
use crate::{Error, ErrorKind, Secret, TlsConfig, TlsVersion};

pub(crate) struct Tls {
    config: TlsConfig,
    http2: bool,
    provider: Arc<CryptoProvider>,
    server_name: Option<ServerName<'static>>,
    /// What the last connection was made with, and from which bytes.
    current: Mutex<Option<(Material, Arc<ClientConfig>)>>,
}

/// The PEM texts that a connection depends on.
#[derive(PartialEq)]
struct Material {
    ca: Option<Vec<u8>>,
    cert: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

/// Accepts every certificate, but still wants the peer to have the certificate's key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

// === impl Tls ===

impl Tls {
    pub(crate) fn new(config: &TlsConfig, http2: bool) -> Result<Self, Error> {
        let server_name = match &config.server_name {
            Some(name) => Some(parse_name(name)?),
            None => None,
        };
        Ok(Self {
            config: config.clone(),
            http2,
            provider: Arc::new(ring::default_provider()),
            server_name,
            current: Mutex::new(None),
        })
    }

    pub(crate) async fn handshake(&self, stream: Box<dyn Io>, origin: &Origin) -> Result<Stream, Error> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => parse_name(&origin.host)?,
        };
        let stream = shake_hands(self.client_config()?, name, stream, origin).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Stream {
            io: Box::new(stream),
            http2,
        })
    }

    /// TLS with a proxy, which has a name of its own and speaks HTTP/1.1.
    pub(crate) async fn handshake_with_proxy(
        &self,
        stream: TcpStream,
        origin: &Origin,
    ) -> Result<Box<dyn Io>, Error> {
        let mut config = ClientConfig::clone(&*self.client_config()?);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = parse_name(&origin.host)?;
        let stream = shake_hands(Arc::new(config), name, stream, origin).await?;
        Ok(Box::new(stream))
    }

    /// The configuration for a new connection: the last one, unless a file has changed since.
    fn client_config(&self) -> Result<Arc<ClientConfig>, Error> {
        let inline = |pem: &Option<String>| pem.as_ref().map(|pem| pem.clone().into_bytes());
        let key = self
            .config
            .key_pem
            .as_ref()
            .map(|key: &Secret| key.expose().as_bytes().to_vec());
        let material = Material {
            ca: inline(&self.config.ca_pem)
                .map_or_else(|| read(self.config.ca_file.as_deref()), |pem| Ok(Some(pem)))?,
            cert: inline(&self.config.cert_pem)
                .map_or_else(|| read(self.config.cert_file.as_deref()), |pem| Ok(Some(pem)))?,
            key: key.map_or_else(|| read(self.config.key_file.as_deref()), |pem| Ok(Some(pem)))?,
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = current.as_ref().filter(|(last, _)| *last == material) {
            return Ok(config.clone());
        }
        let config = Arc::new(self.build(&material)?);
        *current = Some((material, config.clone()));
        Ok(config)
    }

    fn build(&self, material: &Material) -> Result<ClientConfig, Error> {
        let versions: &[&SupportedProtocolVersion] = match self.config.min_version {
            Some(TlsVersion::Tls13) => &[&version::TLS13],
            _ => &[&version::TLS12, &version::TLS13],
        };
        let builder = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(versions)
            .map_err(|error| Error::config(error.to_string()))?;
        let builder = if self.config.insecure_skip_verify {
            let verifier = Arc::new(AnyCertificate(self.provider.clone()));
            builder.dangerous().with_custom_certificate_verifier(verifier)
        } else {
            let roots = match &material.ca {
                Some(pem) => Arc::new(self.roots(pem)?),
                None => system_roots()?,
            };
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, self.provider.clone())
                .build()
                .map_err(|error| credentials(format!("the trusted certificates cannot be used: {error}")))?;
            builder.with_webpki_verifier(verifier)
        };
        let mut config = match (&material.cert, &material.key) {
            (Some(cert), Some(key)) => {
                let chain = certificates(cert, self.config.cert_file.as_deref(), "the client certificate")?;
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
                    credentials(format!(
                        "{}: {error}",
                        place(self.config.key_file.as_deref(), "the client key")
                    ))
                })?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| credentials(format!("the client certificate cannot be used: {error}")))?
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = if self.http2 {
            vec![b"h2".to_vec(), b"http/1.1".to_vec()]
        } else {
            vec![b"http/1.1".to_vec()]
        };
        Ok(config)
    }

    fn roots(&self, pem: &[u8]) -> Result<RootCertStore, Error> {
        let ca_file = self.config.ca_file.as_deref();
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem, ca_file, "the CA certificate")? {
            roots
                .add(certificate)
                .map_err(|error| credentials(format!("{}: {error}", place(ca_file, "the CA certificate"))))?;
        }
        Ok(roots)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("config", &self.config)
            .field("http2", &self.http2)
            .finish_non_exhaustive()
    }
}

async fn shake_hands<S: Io>(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: S,
    origin: &Origin,
) -> Result<TlsStream<S>, Error> {
    let handshake = TlsConnector::from(config).connect(name, stream);
    handshake.await.map_err(|error| {
        let message = format!("TLS handshake with {} failed: {error}", origin.address());
        Error::new(ErrorKind::Tls, message).with_source(error)
    })
}

/// The operating system's roots, read once per process, as the first https connection is made.
fn system_roots() -> Result<Arc<RootCertStore>, Error> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(roots.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found
            .errors
            .first()
            .map_or_else(String::new, |error| format!(": {error}"));
        return Err(credentials(format!(
            "the operating system has no trusted certificates{why}"
        )));
    }
    Ok(ROOTS.get_or_init(|| Arc::new(roots)).clone())
}

fn certificates(pem: &[u8], file: Option<&Path>, what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let parsed = parsed.map_err(|error| credentials(format!("{}: {error}", place(file, what))))?;
    if parsed.is_empty() {
        return Err(credentials(format!(
            "{}: no certificate in it",
            place(file, what)
        )));
    }
    Ok(parsed)
}

fn parse_name(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned())
        .map_err(|error| Error::config(format!("{name:?} is not a server name: {error}")))
}

fn read(path: Option<&Path>) -> Result<Option<Vec<u8>>, Error> {
    path.map(|path| {
        fs::read(path).map_err(|error| {
            credentials(format!("cannot read {}: {error}", path.display())).with_source(error)
        })
    })
    .transpose()
}

fn place(file: Option<&Path>, inline: &str) -> String {
    file.map_or_else(|| inline.to_owned(), |path| path.display().to_string())
}

fn credentials(message: String) -> Error {
    Error::new(ErrorKind::Credentials, message)
}

// === impl AnyCertificate ===

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
