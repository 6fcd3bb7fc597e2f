//! TLS: whom the client believes, what it shows of itself, and which files it reads.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use ferroalloy_http_client::{Client, Config, ErrorKind, TlsConfig, TlsVersion};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::server::{Answer, ok, serve};
use crate::{LIMIT, get};

struct Identity {
    pem: String,
    key_pem: String,
    der: CertificateDer<'static>,
    key: Vec<u8>,
}

fn identity(name: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    Identity {
        pem: certificate.pem(),
        key_pem: key.serialize_pem(),
        der: certificate.der().clone(),
        key: key.serialize_der(),
    }
}

/// What the server shows, and whose clients it takes.
fn server_config(server: &Identity, client: Option<&Identity>) -> Arc<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match client {
        Some(client) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(client.der.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server.key.clone()));
    Arc::new(builder.with_single_cert(vec![server.der.clone()], key).unwrap())
}

async fn start(config: Arc<Mutex<Arc<ServerConfig>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tell, _seen) = mpsc::unbounded_channel();
        for connection in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let config = config.lock().unwrap().clone();
            let tell = tell.clone();
            tokio::spawn(async move {
                if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                    serve(stream, connection, &|_: &_| Answer::Close(ok("secret")), &tell).await;
                }
            });
        }
    });
    address
}

async fn ask(address: SocketAddr, tls: TlsConfig) -> Result<u16, ferroalloy_http_client::Error> {
    let client = Client::new(&Config {
        tls,
        ..Config::default()
    })?;
    client
        .send(&get(&format!("https://{address}/")), LIMIT)
        .await
        .map(|response| response.status.as_u16())
}

#[tokio::test]
async fn whom_to_believe() {
    let server = identity("metrics.example");
    let address = start(Arc::new(Mutex::new(server_config(&server, None)))).await;
    let trusting = TlsConfig {
        ca_pem: Some(server.pem.clone()),
        ..TlsConfig::default()
    };
    let named = TlsConfig {
        server_name: Some("metrics.example".into()),
        ..trusting.clone()
    };
    assert_eq!(ask(address, named.clone()).await.unwrap(), 200);
    assert_eq!(
        ask(
            address,
            TlsConfig {
                min_version: Some(TlsVersion::Tls13),
                ..named
            }
        )
        .await
        .unwrap(),
        200
    );
    assert_eq!(
        ask(
            address,
            TlsConfig {
                insecure_skip_verify: true,
                ..TlsConfig::default()
            }
        )
        .await
        .unwrap(),
        200
    );

    let wrong_name = ask(address, trusting).await.unwrap_err();
    assert!(
        wrong_name.kind() == ErrorKind::Tls && wrong_name.is_connect(),
        "{wrong_name:?}"
    );
    let other = TlsConfig {
        ca_pem: Some(identity("metrics.example").pem),
        server_name: Some("metrics.example".into()),
        ..TlsConfig::default()
    };
    assert_eq!(ask(address, other).await.unwrap_err().kind(), ErrorKind::Tls);
}

#[tokio::test]
async fn a_client_certificate() {
    let (server, client) = (identity("localhost"), identity("agent"));
    let address = start(Arc::new(Mutex::new(server_config(&server, Some(&client))))).await;
    let without = TlsConfig {
        insecure_skip_verify: true,
        ..TlsConfig::default()
    };
    ask(address, without.clone()).await.unwrap_err();
    let with = TlsConfig {
        cert_pem: Some(client.pem),
        key_pem: Some(client.key_pem.as_str().into()),
        ..without
    };
    assert_eq!(ask(address, with).await.unwrap(), 200);
}

#[tokio::test]
async fn a_replaced_ca_file_is_read_again() {
    let (old, new) = (identity("localhost"), identity("localhost"));
    let current = Arc::new(Mutex::new(server_config(&old, None)));
    let address = start(current.clone()).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let tls = TlsConfig {
        ca_file: Some(file.path().into()),
        server_name: Some("localhost".into()),
        ..TlsConfig::default()
    };
    let client = Client::new(&Config {
        tls,
        ..Config::default()
    })
    .unwrap();
    let request = get(&format!("https://{address}/"));

    let empty = client.send(&request, LIMIT).await.unwrap_err();
    assert!(
        empty.is_credentials() && empty.to_string().contains("no certificate in it"),
        "{empty}"
    );
    fs::write(file.path(), &old.pem).unwrap();
    client.send(&request, LIMIT).await.unwrap();
    *current.lock().unwrap() = server_config(&new, None);
    assert_eq!(
        client.send(&request, LIMIT).await.unwrap_err().kind(),
        ErrorKind::Tls
    );
    fs::write(file.path(), &new.pem).unwrap();
    client.send(&request, LIMIT).await.unwrap();
}
