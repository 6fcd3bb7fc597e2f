//! Connections that are kept: used again, found dead, renewed, given up.

use std::time::Duration;

use crate::server::{Answer, Server, ok};
use crate::{LIMIT, client, get, post};

#[tokio::test]
async fn a_get_on_a_connection_that_was_just_closed_is_sent_again() {
    // The first connection answers once, and closes on the second request without a byte of an answer.
    let mut server = Server::start(|seen| match (seen.connection, seen.index) {
        (0, 1) => Answer::Close(Vec::new()),
        _ => Answer::Keep(ok("x")),
    })
    .await;
    let client = client();
    for expected in [(0, 0), (0, 1)] {
        client.send(&get(&server.url("/")), LIMIT).await.unwrap();
        let seen = server.next().await;
        assert_eq!((seen.connection, seen.index), expected);
    }
    assert_eq!(server.next().await.connection, 1);
}

#[tokio::test]
async fn a_post_that_may_have_arrived_is_not_sent_again() {
    let server = Server::start(|seen| match seen.index {
        0 => Answer::Keep(ok("x")),
        _ => Answer::Close(Vec::new()),
    })
    .await;
    let client = client();
    client.send(&post(&server.url("/"), b"one"), LIMIT).await.unwrap();
    let error = client
        .send(&post(&server.url("/"), b"two"), LIMIT)
        .await
        .unwrap_err();
    assert!(error.is_closed(), "{error:?}");
}

#[tokio::test]
async fn a_fresh_connection_that_closes_is_an_error() {
    let mut server = Server::start(|_| Answer::Close(Vec::new())).await;
    let error = client().send(&get(&server.url("/")), LIMIT).await.unwrap_err();
    assert!(error.is_closed(), "{error:?}");
    server.next().await;
    assert!(server.seen.is_empty(), "one try only");
}

#[tokio::test]
async fn a_connection_that_the_peer_closes_after_the_answer_is_not_used() {
    let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx".to_vec();
    let mut server = Server::start(move |_| Answer::Close(answer.clone())).await;
    let client = client();
    for expected in 0..3 {
        client.send(&post(&server.url("/"), b"x"), LIMIT).await.unwrap();
        assert_eq!(server.next().await.connection, expected);
    }
}

#[tokio::test]
async fn after_a_suspend_connections_are_new() {
    let mut server = Server::start(|_| Answer::Keep(ok("x"))).await;
    let client = client();
    client.send(&get(&server.url("/")), LIMIT).await.unwrap();
    client.drop_idle();
    assert_eq!(server.closed.recv().await, Some(0));
    // One that is in use while the pool is renewed is not taken back either.
    let reply = client.open(&get(&server.url("/"))).await.unwrap();
    client.drop_idle();
    reply.read_into(LIMIT, &mut Vec::new()).await.unwrap();
    assert_eq!(server.closed.recv().await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_any_more_is_given_up() {
    let mut gone = Server::start(|_| Answer::Keep(ok("x"))).await;
    let mut other = Server::start(|_| Answer::Keep(ok("x"))).await;
    let client = client();
    client.send(&get(&gone.url("/")), LIMIT).await.unwrap();
    // It outlives an interval of a minute.
    tokio::time::advance(Duration::from_mins(1)).await;
    client.send(&get(&gone.url("/")), LIMIT).await.unwrap();
    for index in 0..2 {
        assert_eq!(gone.next().await.index, index, "of one connection");
    }
    for _ in 0..4 {
        tokio::time::advance(Duration::from_secs(30)).await;
        client.send(&get(&other.url("/")), LIMIT).await.unwrap();
        assert_eq!(other.next().await.connection, 0);
    }
    assert_eq!(gone.closed.recv().await, Some(0));
}
