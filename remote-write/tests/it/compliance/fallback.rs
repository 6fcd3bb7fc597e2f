//! TestFallbackBehavior, TestNoFallbackOn2xx.

use ferroalloy_model::Receiver as _;
use remote_write::Version;

use super::wire::Request;
use super::{ALL_WRITTEN, endpoint_of, writer};
use crate::receiver::{Answer, OK, Receiver};
use crate::source::Source;
use crate::versions::everything;

#[tokio::test]
async fn a_415_leads_to_1_0_with_the_same_samples() {
    let mut receiver = Receiver::start(|request| {
        if request.is_v2() {
            Answer::Status(415, "", "unsupported media type")
        } else {
            OK
        }
    })
    .await;
    let writer = writer([endpoint_of(Version::V2, &receiver.url())]);
    drop(writer.accept(&everything(3, 100_000)));
    let first = Request::read(&receiver.next().await);
    let second = Request::read(&receiver.next().await);
    assert_eq!((first.version, second.version), (Version::V2, Version::V1));
    assert_eq!(second.header("content-type"), "application/x-protobuf");
    assert_eq!(second.header("x-prometheus-remote-write-version"), "0.1.0");
    for name in ["requests_total", "latency"] {
        let (one, other) = (first.series(name), second.series(name));
        assert_eq!(one.labels, other.labels);
        assert_eq!(one.exemplars, other.exemplars);
        let values = |series: &super::wire::Series| -> Vec<(i64, f64)> {
            let samples = series.samples.iter();
            samples.map(|sample| (sample.timestamp, sample.value)).collect()
        };
        assert_eq!(values(one), values(other));
        let histograms = |series: &super::wire::Series| -> Vec<_> {
            let histograms = series.histograms.iter();
            histograms
                .map(|histogram| (histogram.timestamp, histogram.to_model().unwrap()))
                .collect()
        };
        assert_eq!(histograms(one), histograms(other));
    }
    // It stays with what the receiver knows.
    drop(writer.accept(&Source::new("m", 1).at(5)));
    assert_eq!(Request::read(&receiver.next().await).version, Version::V1);
}

#[tokio::test]
async fn a_2xx_with_counts_leads_to_no_fallback() {
    let mut receiver = Receiver::start(|_| ALL_WRITTEN).await;
    let writer = writer([endpoint_of(Version::V2, &receiver.url())]);
    for timestamp in 1..4 {
        drop(writer.accept(&Source::new("m", 1).at(timestamp)));
        assert_eq!(Request::read(&receiver.next().await).version, Version::V2);
    }
}

#[tokio::test]
async fn a_2xx_without_counts_is_of_a_receiver_that_read_nothing() {
    let mut receiver = Receiver::start(|_| OK).await;
    let writer = writer([endpoint_of(Version::V2, &receiver.url())]);
    drop(writer.accept(&Source::new("m", 2).at(1)));
    assert_eq!(Request::read(&receiver.next().await).version, Version::V2);
    let second = Request::read(&receiver.next().await);
    assert_eq!((second.version, second.series.len()), (Version::V1, 2));
}

#[tokio::test]
async fn other_failures_lead_to_no_fallback() {
    for status in [400, 404, 429, 500] {
        let mut receiver = Receiver::start(move |request| match request.index {
            0 => Answer::Status(status, "", "no"),
            _ => ALL_WRITTEN,
        })
        .await;
        let mut endpoint = endpoint_of(Version::V2, &receiver.url());
        endpoint.queue.bisect_refused = false;
        let writer = writer([endpoint]);
        drop(writer.accept(&Source::new("m", 1).at(1)));
        receiver.next().await;
        if status == 404 {
            // Repeated slowly; a new configuration hurries it.
            let mut config = crate::config([endpoint_of(Version::V2, &receiver.url())]);
            config.endpoints[0].remote_timeout = std::time::Duration::from_secs(9);
            let _kept = writer.reconfigure(config).unwrap();
        }
        drop(writer.accept(&Source::new("n", 1).at(1)));
        assert_eq!(
            Request::read(&receiver.next().await).version,
            Version::V2,
            "{status}"
        );
    }
}
