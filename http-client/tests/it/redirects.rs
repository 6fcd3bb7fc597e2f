//! Redirects: followed, counted, and trusted no further than the host.

use ferroalloy_http_client::{Client, Config, Redirects};

use crate::server::{Answer, Server, ok, redirect};
use crate::{LIMIT, client, get, post};

fn with_secrets(follow_redirects: Redirects) -> Client {
    let config = Config {
        bearer_token: Some("t0p".into()),
        http_headers: vec![("X-Key".into(), vec!["s3cret".into()])],
        follow_redirects,
        ..Config::default()
    };
    Client::new(&config).unwrap()
}

#[tokio::test]
async fn on_the_same_host_everything_goes_along() {
    let mut server = Server::start(|seen| {
        Answer::Keep(if seen.head.starts_with("GET /old ") {
            redirect(302, "new")
        } else {
            ok("here")
        })
    })
    .await;
    let response = with_secrets(Redirects::SameHost)
        .send(&get(&server.url("/old")), LIMIT)
        .await
        .unwrap();
    assert_eq!(&response.body[..], b"here");
    server.next().await;
    let seen = server.next().await;
    assert!(seen.head.starts_with("GET /new ") && seen.head.contains("t0p") && seen.head.contains("s3cret"));
    assert_eq!((seen.connection, seen.index), (0, 1));
}

#[tokio::test]
async fn to_another_host_go_no_secrets() {
    let mut other = Server::on("[::1]:0", |_| Answer::Keep(ok("there"))).await;
    let location = other.url("/");
    let server = Server::start(move |_| Answer::Keep(redirect(307, &location))).await;
    with_secrets(Redirects::Any)
        .send(&get(&server.url("/")), LIMIT)
        .await
        .unwrap();
    let seen = other.next().await;
    assert!(
        !seen.head.contains("t0p") && !seen.head.contains("s3cret"),
        "{}",
        seen.head
    );

    let error = with_secrets(Redirects::SameHost)
        .send(&get(&server.url("/")), LIMIT)
        .await
        .unwrap_err();
    assert!(
        error.is_redirect() && error.to_string().contains("another host"),
        "{error}"
    );
    let response = with_secrets(Redirects::Never)
        .send(&get(&server.url("/")), LIMIT)
        .await
        .unwrap();
    assert_eq!(response.status.as_u16(), 307);
}

#[tokio::test]
async fn ten_at_most() {
    let mut server = Server::start(|_| Answer::Keep(redirect(301, "/"))).await;
    let error = client().send(&get(&server.url("/")), LIMIT).await.unwrap_err();
    assert!(error.is_redirect(), "{error:?}");
    assert_eq!(std::iter::from_fn(|| server.seen.try_recv().ok()).count(), 11);
}

#[tokio::test]
async fn a_body_goes_along_or_nowhere() {
    let mut server = Server::start(|seen| {
        Answer::Keep(match seen.head.split(' ').nth(1) {
            Some("/308") => redirect(308, "/new"),
            Some("/302") => redirect(302, "/new"),
            _ => ok("taken"),
        })
    })
    .await;
    let response = client()
        .send(&post(&server.url("/308"), b"data"), LIMIT)
        .await
        .unwrap();
    assert_eq!(&response.body[..], b"taken");
    server.next().await;
    assert_eq!(server.next().await.body, b"data");
    let response = client()
        .send(&post(&server.url("/302"), b"data"), LIMIT)
        .await
        .unwrap();
    assert_eq!(
        response.status.as_u16(),
        302,
        "a redirect that loses the body is not followed"
    );
}
