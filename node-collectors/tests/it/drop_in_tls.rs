//! The example `node_exporter` with a web config file: who may ask, and over which connections. Certificates are made anew each time.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use crate::exporter::{Running, get};

/// The hash of `U*U`, from the test vectors of the first implementation of bcrypt.
const HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const FILES: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// Signs certificates.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self {
            certificate: params.self_signed(&key).unwrap(),
            issuer: Issuer::new(params, key),
        }
    }

    fn sign(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Writes a new certificate of a server with its key.
    fn equip(&self, folder: &Path) {
        let (certificate, key) = self.sign();
        fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
        fs::write(folder.join("server.crt"), certificate.pem()).unwrap();
    }

    fn client(&self) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        Client {
            roots: Arc::new(roots),
            versions: vec![&TLS13, &TLS12],
            certificate: None,
        }
    }
}

/// Who asks.
struct Client {
    roots: Arc<RootCertStore>,
    versions: Vec<&'static SupportedProtocolVersion>,
    certificate: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
}

impl Client {
    fn with(mut self, (certificate, key): (rcgen::Certificate, KeyPair)) -> Self {
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        self.certificate = Some((certificate.der().clone(), key.into()));
        self
    }

    fn of(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self
    }

    /// Head and body of an answer to a scrape.
    fn scrape(&self, exporter: &Running, headers: &str) -> io::Result<(String, Vec<u8>)> {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(Arc::clone(&self.roots));
        let config = match &self.certificate {
            Some((certificate, key)) => builder
                .with_client_auth_cert(vec![certificate.clone()], key.clone_key())
                .unwrap(),
            None => builder.with_no_client_auth(),
        };
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(&exporter.address)?;
        get(StreamOwned::new(connection, stream), "/metrics", headers)
    }
}

/// The exporter with a file of this text, which names files in the folder.
fn start(folder: &Path, text: &str) -> Running {
    let path = folder.join("web.yml");
    fs::write(&path, text).unwrap();
    Running::start(&[
        "--collector.disable-defaults",
        "--collector.loadavg",
        &format!("--web.config.file={}", path.display()),
    ])
}

fn authorization(user_and_password: &str) -> String {
    format!(
        "Authorization: Basic {}\r\n",
        BASE64_STANDARD.encode(user_and_password)
    )
}

fn is_metrics((head, body): &(String, Vec<u8>)) -> bool {
    head.starts_with("HTTP/1.1 200 ") && String::from_utf8_lossy(body).contains("\nnode_load1 ")
}

#[test]
fn passwords_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.equip(folder.path());
    let headers = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n";
    let exporter = start(
        folder.path(),
        &format!("{FILES}{headers}basic_auth_users:\n  alice: {HASH}\n"),
    );
    let client = authority.client();
    let right = client.scrape(&exporter, &authorization("alice:U*U")).unwrap();
    assert!(
        is_metrics(&right) && right.0.contains("x-frame-options: deny"),
        "{}",
        right.0
    );
    for wrong in [
        "",
        &*authorization("alice:U*V"),
        &authorization("bob:U*U"),
        "Authorization: Basic !\r\n",
        "Authorization: Bearer U*U\r\n",
    ] {
        let (head, body) = client.scrape(&exporter, wrong).unwrap();
        assert!(head.starts_with("HTTP/1.1 401 "), "{wrong}: {head}");
        assert!(head.contains("www-authenticate: Basic"), "{head}");
        assert_eq!(body, b"Unauthorized\n");
    }
}

#[test]
fn passwords_without_tls() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = start(folder.path(), &format!("basic_auth_users:\n  alice: {HASH}\n"));
    assert!(is_metrics(&exporter.get("/metrics", &authorization("alice:U*U"))));
    for target in ["/metrics", "/", "/other"] {
        let (head, _) = exporter.get(target, &authorization("alice:"));
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    }
}

#[test]
fn a_port_with_tls_answers_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.equip(folder.path());
    let exporter = start(folder.path(), &format!("{FILES}  min_version: TLS13\n"));
    let mut stream = TcpStream::connect(&exporter.address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // It may be told so, or not.
    let _ = stream.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("200"), "{answer:?}");
    assert!(authority.client().of(&TLS12).scrape(&exporter, "").is_err());
    assert!(Authority::new().client().scrape(&exporter, "").is_err());
    let modern = authority.client().of(&TLS13);
    assert!(is_metrics(&modern.scrape(&exporter, "").unwrap()));
    // The next connection has the new certificate.
    let next = Authority::new();
    next.equip(folder.path());
    assert!(modern.scrape(&exporter, "").is_err());
    assert!(is_metrics(&next.client().scrape(&exporter, "").unwrap()));
}

#[test]
fn clients_are_verified_as_the_file_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.equip(folder.path());
    let of_clients = Authority::new();
    fs::write(folder.path().join("clients.crt"), of_clients.certificate.pem()).unwrap();
    for (kind, needs_one) in [
        ("RequireAndVerifyClientCert", true),
        ("VerifyClientCertIfGiven", false),
    ] {
        let exporter = start(
            folder.path(),
            &format!("{FILES}  client_auth_type: {kind}\n  client_ca_file: clients.crt\n"),
        );
        for version in [&TLS12, &TLS13] {
            let client = || authority.client().of(version);
            let known = client().with(of_clients.sign()).scrape(&exporter, "").unwrap();
            assert!(is_metrics(&known), "{}", known.0);
            let unknown = client().with(authority.sign()).scrape(&exporter, "");
            assert!(unknown.is_err(), "{kind}: {unknown:?}");
            let none = client().scrape(&exporter, "");
            assert_eq!(none.is_err(), needs_one, "{kind}: {none:?}");
        }
    }
}
