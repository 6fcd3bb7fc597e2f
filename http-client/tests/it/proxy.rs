//! Through proxies: what they are told, what they are not, and what their refusals look like.

use ferroalloy_http_client::{BasicAuth, Client, Config, ErrorKind, ProxyConfig};

use crate::server::{Answer, Server, ok, redirect};
use crate::{LIMIT, get, post};

fn through(url: &str) -> Config {
    Config {
        proxy: ProxyConfig {
            url: Some(url.parse().unwrap()),
            ..ProxyConfig::default()
        },
        ..Config::default()
    }
}

#[tokio::test]
async fn a_plain_request_is_passed_on_by_the_proxy() {
    let mut proxy = Server::start(|_| Answer::Keep(ok("by proxy"))).await;
    let mut config = through(&proxy.url("").replace("http://", "http://ann:o%20p@"));
    config.proxy.no_proxy = "other.example".into();
    config.basic_auth = Some(BasicAuth {
        username: "u".into(),
        password: Some("p".into()),
        password_file: None,
    });
    let client = Client::new(&config).unwrap();

    let response = client
        .send(&get("http://metrics.example/m?x=y"), LIMIT)
        .await
        .unwrap();
    assert_eq!(&response.body[..], b"by proxy");
    assert_eq!(
        proxy.next().await.head,
        "GET http://metrics.example/m?x=y HTTP/1.1\r\nauthorization: Basic dTpw\r\nhost: metrics.example\r\n\
         proxy-authorization: Basic YW5uOm8gcA==\r\n\r\n"
    );
    client
        .send(&post("http://metrics.example/m", b"data"), LIMIT)
        .await
        .unwrap();
    let seen = proxy.next().await;
    assert_eq!(seen.body, b"data");
    assert_eq!(
        (seen.connection, seen.index),
        (0, 1),
        "the connection is used again"
    );

    let mut direct = Server::start(|_| Answer::Keep(ok("direct"))).await;
    let response = client.send(&get(&direct.url("/m")), LIMIT).await.unwrap();
    assert_eq!(&response.body[..], b"direct");
    let head = direct.next().await.head;
    assert!(
        head.starts_with("GET /m HTTP/1.1\r\n") && !head.contains("proxy-"),
        "{head}"
    );
}

#[tokio::test]
async fn a_redirect_away_from_the_proxy_does_not_tell_its_password() {
    let mut direct = Server::start(|_| Answer::Keep(ok("there"))).await;
    let there = direct.url("/there");
    let proxy = Server::start(move |_| Answer::Keep(redirect(302, &there))).await;
    let mut config = through(&proxy.url("").replace("http://", "http://u:p@"));
    config.proxy.no_proxy = "none.example".into();
    let client = Client::new(&config).unwrap();
    client.send(&get("http://metrics.example/"), LIMIT).await.unwrap();
    let head = direct.next().await.head;
    assert!(!head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::new(&through(&format!("http://u:hunter2@{address}"))).unwrap();
    let error = client
        .send(&get("http://metrics.example/"), LIMIT)
        .await
        .unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("http://metrics.example/: cannot connect to {address}: ")),
        "{text}"
    );
    assert!(!format!("{error:?}{client:?}").contains("hunter2"));
}

#[cfg(feature = "tls")]
mod tunnels {
    use std::net::SocketAddr;
    use std::sync::{Arc, Mutex};

    use ferroalloy_http_client::TlsConfig;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::tls::{Identity, identity, server_config, start};

    /// A proxy that leads every tunnel to one address.
    struct Tunnels {
        address: SocketAddr,
        heads: UnboundedReceiver<String>,
    }

    impl Tunnels {
        async fn to(target: SocketAddr, tls: Option<&Identity>) -> Self {
            let acceptor = tls.map(|identity| TlsAcceptor::from(server_config(identity, None)));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (tell, heads) = mpsc::unbounded_channel();
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (acceptor, tell) = (acceptor.clone(), tell.clone());
                    tokio::spawn(async move {
                        match acceptor {
                            Some(acceptor) => {
                                if let Ok(stream) = acceptor.accept(stream).await {
                                    lead(stream, target, &tell).await;
                                }
                            }
                            None => lead(stream, target, &tell).await,
                        }
                    });
                }
            });
            Self { address, heads }
        }
    }

    async fn lead<S>(mut stream: S, target: SocketAddr, tell: &UnboundedSender<String>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        tell.send(String::from_utf8(head).unwrap()).unwrap();
        let mut onward = TcpStream::connect(target).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 Connection established\r\nVia: proxy\r\n\r\n")
            .await
            .unwrap();
        let _ = copy_bidirectional(&mut stream, &mut onward).await;
    }

    fn trusting(identities: &[&Identity]) -> TlsConfig {
        TlsConfig {
            ca_pem: Some(identities.iter().map(|identity| identity.pem.as_str()).collect()),
            ..TlsConfig::default()
        }
    }

    #[tokio::test]
    async fn tls_goes_through_unread() {
        let server = identity("metrics.example");
        let target = start(Arc::new(Mutex::new(server_config(&server, None)))).await;
        let mut proxy = Tunnels::to(target, None).await;
        let mut config = through(&format!("http://u:p@{}", proxy.address));
        config.tls = trusting(&[&server]);
        config.proxy.connect_headers = vec![("X-Way".into(), vec!["one".into(), "two".into()])];
        config.bearer_token = Some("hunter2".into());
        let client = Client::new(&config).unwrap();

        let response = client
            .send(&get("https://metrics.example/m"), LIMIT)
            .await
            .unwrap();
        assert_eq!(&response.body[..], b"secret");
        assert_eq!(
            proxy.heads.recv().await.unwrap(),
            "CONNECT metrics.example:443 HTTP/1.1\r\nx-way: one\r\nx-way: two\r\nhost: metrics.example:443\r\n\
             proxy-authorization: Basic dTpw\r\n\r\n"
        );
    }

    #[tokio::test]
    async fn a_proxy_that_is_itself_reached_by_tls() {
        let (server, own) = (identity("metrics.example"), identity("localhost"));
        let target = start(Arc::new(Mutex::new(server_config(&server, None)))).await;
        let mut proxy = Tunnels::to(target, Some(&own)).await;
        let mut config = through(&format!("https://localhost:{}", proxy.address.port()));
        config.tls = trusting(&[&server, &own]);
        // The name that is to be verified of the host, not of the proxy.
        config.tls.server_name = Some("metrics.example".into());
        let client = Client::new(&config).unwrap();
        let request = get("https://10.255.255.1:8443/");
        assert_eq!(client.send(&request, LIMIT).await.unwrap().status.as_u16(), 200);
        let head = proxy.heads.recv().await.unwrap();
        assert!(
            head.starts_with("CONNECT 10.255.255.1:8443 HTTP/1.1\r\n"),
            "{head}"
        );

        config.tls = trusting(&[&server]);
        let client = Client::new(&config).unwrap();
        let error = client.send(&request, LIMIT).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
        assert!(
            error.to_string().contains("TLS handshake with localhost:"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn refusals() {
        for (answer, why) in [
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
                "407 Proxy Authentication Required: it wants other credentials",
            ),
            (
                "HTTP/1.1 502 Bad Gateway\r\n\r\nno",
                "it answered 502 Bad Gateway",
            ),
            ("HTTP/1.1 200 OK\r\n\r\ntoo early", "it sent more than an answer"),
            ("SSH-2.0-OpenSSH_9.9\r\n", "invalid HTTP version parsed"),
            ("", "connection closed before message completed"),
        ] {
            let mut proxy = Server::start(move |_| Answer::Close(answer.into())).await;
            let client = Client::new(&through(&proxy.url(""))).unwrap();
            let error = client
                .send(&get("https://metrics.example/"), LIMIT)
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Proxy, "{error:?}");
            assert!(error.is_connect());
            let expected = format!(
                "https://metrics.example/: the proxy {} gives no way to metrics.example:443: {why}",
                proxy.address
            );
            assert!(error.to_string().starts_with(&expected), "{error}");
            assert!(proxy.next().await.head.starts_with("CONNECT "));
        }
    }

    #[tokio::test]
    async fn endless_headers_of_a_proxy() {
        let mut proxy = Server::start(|_| {
            Answer::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X-More: and more, and more\r\n")
        })
        .await;
        let client = Client::new(&through(&proxy.url(""))).unwrap();
        let error = client
            .send(&get("https://metrics.example/"), LIMIT)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error:?}");
        assert_eq!(proxy.closed.recv().await, Some(0), "the connection is closed");
    }
}
