//! Peers that misbehave: none may hang the client, fill its memory, or pass for an answer.

use tokio::net::TcpListener;

use crate::server::{Answer, Server, ok};
use crate::{LIMIT, client, get};

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client()
        .send(&get(&format!("http://{address}/?token=t0p")), LIMIT)
        .await
        .unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!(
            "http://{address}/?token=xxxxx: cannot connect to {address}: "
        )),
        "{text}"
    );
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let mut server =
        Server::start(|_| Answer::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), &[b'x'; 8192])).await;
    let mut body = Vec::new();
    let error = client()
        .send_into(&get(&server.url("/")), 100_000, &mut body)
        .await
        .unwrap_err();
    assert!(error.is_body_limit(), "{error:?}");
    assert_eq!(body.len(), 100_000);
    assert_eq!(server.closed.recv().await, Some(0), "the connection is closed");
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_whole() {
    let server = Server::start(|_| Answer::Keep(ok("12345"))).await;
    assert_eq!(
        client().send(&get(&server.url("/")), 5).await.unwrap().body.len(),
        5
    );
    assert!(
        client()
            .send(&get(&server.url("/")), 4)
            .await
            .unwrap_err()
            .is_body_limit()
    );
}

#[tokio::test]
async fn endless_headers() {
    let server = Server::start(|_| {
        Answer::Endless(
            b"HTTP/1.1 200 OK\r\n".to_vec(),
            b"X-More: and more, and more, and more\r\n",
        )
    })
    .await;
    let error = client().send(&get(&server.url("/")), LIMIT).await.unwrap_err();
    assert!(error.to_string().contains("not HTTP"), "{error}");
}

#[tokio::test]
async fn a_body_cut_short() {
    for cut in [
        "Content-Length: 10\r\n\r\nfour",
        "Transfer-Encoding: chunked\r\n\r\n9\r\nfour",
    ] {
        let server =
            Server::start(move |_| Answer::Close(format!("HTTP/1.1 200 OK\r\n{cut}").into_bytes())).await;
        let error = client().send(&get(&server.url("/")), LIMIT).await.unwrap_err();
        assert!(error.is_closed(), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_not_http() {
    let server = Server::start(|_| Answer::Close(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())).await;
    let error = client().send(&get(&server.url("/")), LIMIT).await.unwrap_err();
    assert!(error.to_string().contains("the response is not HTTP"), "{error}");
}

#[tokio::test]
async fn a_request_given_up_takes_its_connection_with_it() {
    let mut server = Server::start(|_| Answer::Hang).await;
    let client = client();
    let url = server.url("/");
    let request = tokio::spawn(async move { client.send(&get(&url), LIMIT).await.map(drop) });
    server.next().await;
    request.abort();
    assert_eq!(server.closed.recv().await, Some(0));
}
