//! TLS: whom the client believes, what it shows of itself, and which files it reads.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ferroalloy_http_client::{Client, Config, ErrorKind, TlsConfig, TlsVersion};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::server::{Answer, ok, serve};
use crate::{LIMIT, get, post};

pub(crate) struct Identity {
    pub(crate) pem: String,
    pub(crate) key_pem: String,
    pub(crate) der: CertificateDer<'static>,
    pub(crate) key: Vec<u8>,
}

pub(crate) fn identity(name: &str) -> Identity {
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
pub(crate) fn server_config(server: &Identity, client: Option<&Identity>) -> Arc<ServerConfig> {
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

pub(crate) async fn start(config: Arc<Mutex<Arc<ServerConfig>>>) -> SocketAddr {
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

#[tokio::test]
async fn a_replaced_certificate_and_key_are_read_again() {
    let (server, old, new) = (identity("localhost"), identity("agent"), identity("agent"));
    let current = Arc::new(Mutex::new(server_config(&server, Some(&old))));
    let address = start(current.clone()).await;
    let (cert, key) = (
        tempfile::NamedTempFile::new().unwrap(),
        tempfile::NamedTempFile::new().unwrap(),
    );
    let write = |identity: &Identity| {
        fs::write(cert.path(), &identity.pem).unwrap();
        fs::write(key.path(), &identity.key_pem).unwrap();
    };
    write(&old);
    let client = Client::new(&Config {
        tls: TlsConfig {
            cert_file: Some(cert.path().into()),
            key_file: Some(key.path().into()),
            insecure_skip_verify: true,
            ..TlsConfig::default()
        },
        ..Config::default()
    })
    .unwrap();
    let request = get(&format!("https://{address}/"));

    client.send(&request, LIMIT).await.unwrap();
    *current.lock().unwrap() = server_config(&server, Some(&new));
    client.send(&request, LIMIT).await.unwrap_err();
    write(&new);
    client.send(&request, LIMIT).await.unwrap();

    fs::write(key.path(), &old.key_pem).unwrap();
    let mixed = client.send(&request, LIMIT).await.unwrap_err();
    assert!(
        mixed.is_credentials()
            && mixed
                .to_string()
                .contains("the client certificate cannot be used"),
        "{mixed}"
    );
}

/// A server of HTTP/2 alone, that answers with the connection's number and the body it got.
async fn start_http2(identity: &Identity) -> SocketAddr {
    let mut config = Arc::unwrap_or_clone(server_config(identity, None));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for connection in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = acceptor.accept(stream).await.unwrap();
            let answer = service_fn(move |request: http::Request<Incoming>| async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                let text = format!("{connection} {} {} {} bytes", head.method, head.uri, body.len());
                Ok::<_, hyper::Error>(http::Response::new(Full::new(Bytes::from(text))))
            });
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}

#[tokio::test]
async fn http2_where_both_want_it() {
    let server = identity("localhost");
    let address = start_http2(&server).await;
    let tls = TlsConfig {
        ca_pem: Some(server.pem.clone()),
        server_name: Some("localhost".into()),
        ..TlsConfig::default()
    };
    let client = Client::new(&Config {
        tls: tls.clone(),
        ..Config::default()
    })
    .unwrap();
    let url = format!("https://{address}/metrics?x=y");
    let expected = |connection: usize, method: &str, bytes: usize| {
        format!("{connection} {method} https://{address}/metrics?x=y {bytes} bytes")
    };
    let response = client.send(&get(&url), LIMIT).await.unwrap();
    assert_eq!(response.body, expected(0, "GET", 0));
    let response = client.send(&post(&url, b"data"), LIMIT).await.unwrap();
    assert_eq!(response.body, expected(0, "POST", 4), "the connection is shared");
    client.drop_idle();
    let response = client.send(&get(&url), LIMIT).await.unwrap();
    assert_eq!(response.body, expected(1, "GET", 0));
    assert!(client.send(&get(&url), 5).await.unwrap_err().is_body_limit());

    let http1 = Client::new(&Config {
        tls,
        enable_http2: false,
        ..Config::default()
    })
    .unwrap();
    assert_eq!(
        http1.send(&get(&url), LIMIT).await.unwrap_err().kind(),
        ErrorKind::Tls
    );
}
