//! TestErrorHandling, TestNetworkErrors: what goes wrong on the way is said and outlived.

use std::time::Duration;

use ferroalloy_model::Receiver as _;
use remote_write::{Config, ErrorKind, Version};

use super::wire::Request;
use super::{VERSIONS, endpoint_of, taken, writer};
use crate::receiver::{Answer, Receiver};
use crate::source::Source;
use crate::{config, endpoint, failing};

#[tokio::test]
async fn a_receiver_that_is_gone_and_comes_back() {
    for version in VERSIONS {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let writer = writer([endpoint_of(version, &format!("http://{address}/api/v1/write"))]);
        drop(writer.accept(&Source::new("m", 2).at(7)));
        assert!(failing(&writer).await.contains("refused"));
        let mut receiver = Receiver::at(address, move |_| taken(version)).await;
        assert_eq!(Request::read(&receiver.next().await).series("m_1").value(), 7.0);
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let writer = writer([endpoint("http://receiver.invalid:9/api/v1/write")]);
    drop(writer.accept(&Source::new("m", 1).at(1)));
    let why = failing(&writer).await;
    assert!(why.contains("cannot connect to receiver.invalid:9"), "{why}");
    assert_eq!(
        writer.shutdown(Duration::ZERO).await,
        1,
        "it is not lost, but waits"
    );
}

#[tokio::test]
async fn a_bad_scheme_is_refused_before_anything_is_sent() {
    for url in ["ftp://h/", "/write", "h:9090", "http://"] {
        let error = config([endpoint(url)]).validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}: {error}");
    }
    Config::default().validate().unwrap();
}

#[tokio::test]
async fn a_connection_that_is_cut_is_made_again() {
    for version in VERSIONS {
        // Says that there are ten bytes, and leaves after two.
        let mut receiver = Receiver::start(move |request| match request.index {
            0 => Answer::Status(200, "Content-Length: 10\r\nConnection: close\r\n", "no"),
            _ => taken(version),
        })
        .await;
        let writer = writer([endpoint_of(version, &receiver.url())]);
        drop(writer.accept(&Source::new("m", 1).at(1)));
        let first = receiver.next().await;
        assert_eq!(receiver.next().await.body, first.body);
    }
}

#[tokio::test]
async fn the_receivers_words_are_told() {
    let receiver = Receiver::start(|_| Answer::Status(500, "", "ingester\nis out of <memory>")).await;
    let writer = writer([endpoint_of(Version::V2, &receiver.url())]);
    drop(writer.accept(&Source::new("m", 1).at(1)));
    let why = failing(&writer).await;
    assert!(why.ends_with("answers 500: ingester is out of <memory>"), "{why}");
}
