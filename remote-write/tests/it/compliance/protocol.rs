//! TestProtocolCompliance, TestHTTPMethod, TestContentTypeNegotiation, TestRemoteWrite1Configuration.
//!
//! That the method is POST, and that a body is a snappy block of one message, is asked of every request by [`super::wire`].

use remote_write::Version;

use super::pushed::one;
use super::{VERSIONS, sent, sent_with};

#[tokio::test]
async fn content_type_names_the_message() {
    let request = sent(Version::V1, &one("m", 1.0)).await;
    assert_eq!(request.header("content-type"), "application/x-protobuf");
    let request = sent(Version::V2, &one("m", 1.0)).await;
    assert_eq!(
        request.header("content-type"),
        "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    );
}

#[tokio::test]
async fn content_encoding_snappy() {
    for version in VERSIONS {
        let request = sent(version, &one("m", 1.0)).await;
        assert_eq!(request.header("content-encoding"), "snappy");
    }
}

#[tokio::test]
async fn version_header_value() {
    for (version, expected) in [(Version::V1, "0.1.0"), (Version::V2, "2.0.0")] {
        let request = sent(version, &one("m", 1.0)).await;
        assert_eq!(request.header("x-prometheus-remote-write-version"), expected);
    }
}

#[tokio::test]
async fn user_agent_present() {
    for version in VERSIONS {
        let request = sent(version, &one("m", 1.0)).await;
        assert_eq!(request.header("user-agent"), "test/1.0");
    }
}

#[tokio::test]
async fn the_protocols_headers_are_not_to_be_overridden() {
    for name in [
        "Content-Encoding",
        "content-type",
        "X-Prometheus-Remote-Write-Version",
        "User-Agent",
        "Authorization",
        "Host",
    ] {
        let mut config = crate::config([crate::endpoint("http://localhost/")]);
        config.endpoints[0].headers = vec![(name.into(), "mine".into())];
        let error = config.validate().unwrap_err().to_string();
        assert!(error.to_lowercase().contains(&name.to_lowercase()), "{error}");
    }
    for version in VERSIONS {
        let request = sent_with(version, &one("m", 1.0), |config| {
            config.endpoints[0].headers = vec![("X-Scope-OrgID".into(), "team".into())];
        })
        .await;
        assert_eq!(request.header("x-scope-orgid"), "team");
    }
}
