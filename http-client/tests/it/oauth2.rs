//! OAuth 2 against a server that gives tokens and one that wants them.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferroalloy_http_client::{Client, Config, OAuth2, ProxyConfig};

use crate::server::{Answer, Seen, Server, ok};
use crate::{LIMIT, get, post};

/// Gives the tokens `t1`, `t2`, … for an hour each.
async fn tokens() -> Server {
    let given = AtomicUsize::new(0);
    Server::start(move |_| {
        let n = given.fetch_add(1, Ordering::Relaxed) + 1;
        Answer::Keep(ok(&format!(
            r#"{{"access_token":"t{n}","token_type":"bearer","expires_in":3600}}"#
        )))
    })
    .await
}

fn with(oauth2: OAuth2) -> Client {
    Client::new(&Config {
        oauth2: Some(oauth2),
        ..Config::default()
    })
    .unwrap()
}

fn ann(tokens: &Server) -> OAuth2 {
    OAuth2 {
        client_id: "ann".into(),
        client_secret: Some("hunter2".into()),
        token_url: tokens.url("/token"),
        ..OAuth2::default()
    }
}

fn unauthorized() -> Vec<u8> {
    b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nstale".to_vec()
}

fn authorization(seen: &Seen) -> &str {
    let mut lines = seen.head.lines();
    lines
        .find_map(|line| line.strip_prefix("authorization: "))
        .unwrap()
}

#[tokio::test]
async fn a_token_is_asked_for_once() {
    let (mut tokens, mut server) = (tokens().await, Server::start(|_| Answer::Keep(ok(""))).await);
    let client = with(OAuth2 {
        client_id: "a:n n".into(),
        scopes: vec!["read".into(), "write".into()],
        endpoint_params: vec![("audience".into(), "https://m/".into())],
        ..ann(&tokens)
    });
    let requests = (0..4).map(|_| {
        let (client, request) = (client.clone(), get(&server.url("/")));
        tokio::spawn(async move { client.send(&request, LIMIT).await })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap().unwrap().status, 200);
        assert_eq!(authorization(&server.next().await), "Bearer t1");
    }
    let asked = tokens.next().await;
    assert!(
        asked.head.starts_with("POST /token HTTP/1.1\r\n"),
        "{}",
        asked.head
    );
    // RFC 6749, section 2.3.1: both are encoded before they are joined.
    assert_eq!(authorization(&asked), "Basic YSUzQW4rbjpodW50ZXIy");
    assert_eq!(
        asked.body,
        b"grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fm%2F"
    );
    assert!(
        asked
            .head
            .contains("content-type: application/x-www-form-urlencoded\r\n")
    );
    assert!(tokens.seen.try_recv().is_err(), "one token for all");
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_request_repeated() {
    let mut tokens = tokens().await;
    let revoked = Arc::new(AtomicUsize::new(0));
    let good = revoked.clone();
    let mut server = Server::start(move |seen| {
        let stale = authorization(seen) == format!("Bearer t{}", good.load(Ordering::Relaxed));
        Answer::Keep(if stale { unauthorized() } else { ok("data") })
    })
    .await;
    let client = with(ann(&tokens));
    let request = post(&server.url("/write"), b"samples");
    client.send(&request, LIMIT).await.unwrap();
    assert_eq!(authorization(&server.next().await), "Bearer t1");

    revoked.store(1, Ordering::Relaxed);
    let response = client.send(&request, LIMIT).await.unwrap();
    assert_eq!(&response.body[..], b"data");
    assert_eq!(authorization(&server.next().await), "Bearer t1");
    let repeated = server.next().await;
    assert_eq!(
        (authorization(&repeated), repeated.body.as_slice()),
        ("Bearer t2", b"samples".as_slice())
    );
    assert_eq!(
        (repeated.connection, repeated.index),
        (0, 2),
        "the connection is kept"
    );
    for _ in 0..2 {
        tokens.next().await;
    }
    assert!(tokens.seen.try_recv().is_err());
}

#[tokio::test]
async fn a_server_that_refuses_every_token_is_believed() {
    let mut tokens = tokens().await;
    let mut server = Server::start(|_| Answer::Keep(unauthorized())).await;
    let client = with(ann(&tokens));
    let response = client.send(&get(&server.url("/")), LIMIT).await.unwrap();
    assert_eq!(response.status, 401);
    server.next().await;
    assert!(
        server.seen.try_recv().is_err(),
        "a new token is not asked for again"
    );
    tokens.next().await;
    let response = client.send(&get(&server.url("/")), LIMIT).await.unwrap();
    assert_eq!(response.status, 401);
    for expected in ["Bearer t1", "Bearer t2"] {
        assert_eq!(authorization(&server.next().await), expected);
    }
    assert!(server.seen.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_token_is_given_up_before_its_end() {
    let (mut tokens, mut server) = (tokens().await, Server::start(|_| Answer::Keep(ok(""))).await);
    let client = with(ann(&tokens));
    for (later, expected) in [(0, "Bearer t1"), (3_580, "Bearer t1"), (15, "Bearer t2")] {
        tokio::time::advance(Duration::from_secs(later)).await;
        client.send(&get(&server.url("/")), LIMIT).await.unwrap();
        assert_eq!(authorization(&server.next().await), expected);
    }
    for _ in 0..2 {
        tokens.next().await;
    }
    assert!(tokens.seen.try_recv().is_err());
}

#[tokio::test]
async fn a_changed_secret_is_read_again() {
    let mut tokens = tokens().await;
    let server = Server::start(|seen| {
        Answer::Keep(match seen.index {
            1 => unauthorized(),
            _ => ok(""),
        })
    })
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let client = with(OAuth2 {
        client_secret: None,
        client_secret_file: Some(file.path().into()),
        ..ann(&tokens)
    });
    for (secret, expected) in [("one", "Basic YW5uOm9uZQ=="), ("two", "Basic YW5uOnR3bw==")] {
        fs::write(file.path(), format!("{secret}\n")).unwrap();
        client.send(&get(&server.url("/")), LIMIT).await.unwrap();
        assert_eq!(authorization(&tokens.next().await), expected);
    }
    let path = file.path().to_owned();
    drop(file);
    let again = Server::start(|_| Answer::Keep(unauthorized())).await;
    let error = client.send(&get(&again.url("/")), LIMIT).await.unwrap_err();
    assert!(
        error.is_credentials() && error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_wants_the_secret_in_the_body() {
    let mut tokens = Server::start(|seen| {
        if seen.head.contains("authorization:") {
            let body = r#"{"error":"invalid_client"}"#;
            let head = format!(
                "HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            return Answer::Keep(head.into_bytes());
        }
        Answer::Keep(ok(r#"{"access_token":"t","expires_in":1}"#))
    })
    .await;
    let mut server = Server::start(|_| Answer::Keep(ok(""))).await;
    let client = with(ann(&tokens));
    client.send(&get(&server.url("/")), LIMIT).await.unwrap();
    assert_eq!(authorization(&server.next().await), "Bearer t");
    assert!(tokens.next().await.head.contains("authorization: Basic"));
    assert_eq!(
        tokens.next().await.body,
        b"grant_type=client_credentials&client_id=ann&client_secret=hunter2"
    );
}

#[tokio::test]
async fn no_token() {
    let mut tokens = Server::start(|_| {
        let body = r#"{"error":"invalid_client","error_description":"no such client"}"#;
        let head = format!(
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Answer::Keep(head.into_bytes())
    })
    .await;
    let mut server = Server::start(|_| Answer::Keep(ok(""))).await;
    let client = with(ann(&tokens));
    let error = client.send(&get(&server.url("/m")), LIMIT).await.unwrap_err();
    assert!(error.is_credentials());
    assert_eq!(
        error.to_string(),
        format!(
            "{}: cannot get a token from {}: 401 Unauthorized: invalid_client: no such client",
            server.url("/m"),
            tokens.url("/token")
        )
    );
    assert!(!format!("{error:?}{client:?}").contains("hunter2"));
    assert!(server.seen.try_recv().is_err(), "nothing is sent without one");
    for _ in 0..2 {
        tokens.next().await;
    }
    assert!(tokens.seen.try_recv().is_err(), "each way is tried once");
}

#[tokio::test]
async fn tokens_have_a_proxy_of_their_own() {
    let mut proxy = tokens().await;
    let mut server = Server::start(|_| Answer::Keep(ok(""))).await;
    let client = with(OAuth2 {
        token_url: "http://id.example/token".into(),
        proxy: ProxyConfig {
            url: Some(proxy.url("").parse().unwrap()),
            ..ProxyConfig::default()
        },
        ..ann(&proxy)
    });
    client.send(&get(&server.url("/")), LIMIT).await.unwrap();
    assert_eq!(authorization(&server.next().await), "Bearer t1");
    let head = proxy.next().await.head;
    assert!(
        head.starts_with("POST http://id.example/token HTTP/1.1\r\n"),
        "{head}"
    );
}

#[test]
fn what_a_token_cannot_be_asked_with() {
    let refused = |token_url: &str| {
        let config = Config {
            oauth2: Some(OAuth2 {
                client_id: "ann".into(),
                token_url: token_url.into(),
                ..OAuth2::default()
            }),
            ..Config::default()
        };
        Client::new(&config).unwrap_err().to_string()
    };
    assert_eq!(
        refused("/token"),
        "oauth2 token_url cannot be asked: the URL has no scheme"
    );
    assert_eq!(
        refused("http://a b/"),
        "oauth2 token_url is not a URL: invalid uri character"
    );
}
