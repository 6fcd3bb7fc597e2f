//! What goes over the wire, and what comes back.

use ferroalloy_http_client::{BasicAuth, Client, Config};
use http::HeaderValue;

use crate::server::{Answer, Server, ok};
use crate::{LIMIT, client, get, post};

#[tokio::test]
async fn a_get_and_a_post() {
    let mut server = Server::start(|_| Answer::Keep(ok("hello"))).await;
    let client = client();
    let mut body = b"left over".to_vec();
    let mut request = get(&server.url("/metrics?a=b"));
    request
        .headers
        .insert("accept", HeaderValue::from_static("text/plain"));
    let response = client.send_into(&request, LIMIT, &mut body).await.unwrap();
    assert_eq!(
        (response.status.as_u16(), body.as_slice()),
        (200, b"hello".as_slice())
    );
    let seen = server.next().await;
    let host = server.address;
    assert_eq!(
        seen.head,
        format!("GET /metrics?a=b HTTP/1.1\r\naccept: text/plain\r\nhost: {host}\r\n\r\n")
    );

    let response = client
        .send(&post(&server.url("/write"), b"data"), LIMIT)
        .await
        .unwrap();
    assert_eq!(&response.body[..], b"hello");
    let seen = server.next().await;
    assert!(seen.head.starts_with("POST /write HTTP/1.1\r\n"));
    assert_eq!(seen.body, b"data");
    assert_eq!(
        (seen.connection, seen.index),
        (0, 1),
        "the connection is used again"
    );
}

#[tokio::test]
async fn credentials_and_configured_headers() {
    let mut server = Server::start(|_| Answer::Keep(ok(""))).await;
    let config = Config {
        basic_auth: Some(BasicAuth {
            username: "u".into(),
            password: Some("p".into()),
            password_file: None,
        }),
        http_headers: vec![("X-Scope-OrgID".into(), vec!["one".into(), "two".into()])],
        ..Config::default()
    };
    let url = server.url("").replace("http://", "http://ignored:user@");
    Client::new(&config)
        .unwrap()
        .send(&get(&url), LIMIT)
        .await
        .unwrap();
    let head = server.next().await.head;
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains("\r\nx-scope-orgid: one\r\nx-scope-orgid: two\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nauthorization: Basic dTpw\r\n"), "{head}");
    assert!(!head.contains("ignored"), "{head}");
}

#[tokio::test]
async fn chunked_and_compressed_bodies_come_as_they_are() {
    let mut answer =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    answer.extend_from_slice(b"3\r\n\x1f\x8b\x00\r\n2\r\nxy\r\n0\r\n\r\n");
    let server = Server::start(move |_| Answer::Keep(answer.clone())).await;
    let response = client().send(&get(&server.url("/")), LIMIT).await.unwrap();
    assert_eq!(&response.body[..], b"\x1f\x8b\x00xy");
    assert_eq!(response.headers["content-encoding"], "gzip");
}

#[tokio::test]
async fn either_family_of_localhost() {
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let server = Server::on(at, |_| Answer::Keep(ok("here"))).await;
        let port = server.address.port();
        let response = client()
            .send(&get(&format!("http://localhost:{port}/")), LIMIT)
            .await
            .unwrap();
        assert_eq!(&response.body[..], b"here");
        let response = client().send(&get(&server.url("/")), LIMIT).await.unwrap();
        assert_eq!(&response.body[..], b"here");
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_asked() {
    let error = client().send(&get("ftp://u:p@h/"), LIMIT).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ftp://u:xxxxx@h/: unsupported protocol scheme \"ftp\""
    );
    assert!(error.is_config());
}
