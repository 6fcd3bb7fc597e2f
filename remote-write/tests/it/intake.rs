//! What a writer sends is what a receiver makes of it, and what it sends on.

use std::time::Duration;

use ferroalloy_model::Receiver as _;
use remote_write::{Endpoint, Intake, Limits, Version, decode_v1, decode_v2, proto};

use crate::receiver::{OK, Receiver};
use crate::versions::{WRITTEN_ALL, everything};
use crate::{endpoint, writer};

async fn sent(version: Version, batches: &[ferroalloy_model::Batch]) -> Vec<u8> {
    let mut receiver = Receiver::start(move |_| if version == Version::V2 { WRITTEN_ALL } else { OK }).await;
    let writer = writer([Endpoint {
        version,
        ..endpoint(&receiver.url())
    }]);
    for batch in batches {
        drop(writer.accept(batch));
    }
    assert_eq!(writer.shutdown(Duration::from_secs(30)).await, 0);
    receiver.next().await.body
}

#[tokio::test]
async fn what_comes_in_goes_out() {
    let (intake, limits) = (Intake::new("test"), Limits::default());
    let body = sent(Version::V2, &[everything(-53, 100_000)]).await;
    let request = decode_v2(&body, &limits).unwrap();
    let received = intake.v2(&request);
    assert_eq!(
        (received.samples, received.histograms, received.exemplars),
        (1, 1, 1)
    );
    assert!(received.refused.is_none());
    let mut again = Vec::new();
    // One batch at a time: which of them comes first does not matter.
    for batch in &received.batches {
        let body = sent(Version::V2, std::slice::from_ref(batch)).await;
        again.extend(describe(&decode_v2(&body, &limits).unwrap()));
    }
    let mut before = describe(&request);
    before.sort();
    again.sort();
    assert_eq!(again, before);

    let body = sent(Version::V1, &[everything(3, 100_000)]).await;
    let received = intake.v1(&decode_v1(&body, &limits).unwrap()).unwrap();
    assert_eq!(
        (received.samples, received.histograms, received.exemplars),
        (1, 1, 1)
    );
}

/// Each point and exemplar of a request in words.
fn describe(request: &proto::v2::Request) -> Vec<String> {
    let mut words = Vec::new();
    for series in &request.timeseries {
        let labels = request.labels(&series.labels_refs).unwrap();
        words.extend(series.samples.iter().map(|sample| format!("{labels} {sample:?}")));
        words.extend(
            series
                .histograms
                .iter()
                .map(|histogram| format!("{labels} {histogram:?}")),
        );
        for exemplar in &series.exemplars {
            let of_it = request.labels(&exemplar.labels_refs).unwrap();
            words.push(format!(
                "{labels} {of_it} {} {}",
                exemplar.value, exemplar.timestamp
            ));
        }
    }
    words
}

#[test]
fn unsound_series_are_refused_by_name() {
    let label = |name: &str, value: &str| proto::Label {
        name: name.into(),
        value: value.into(),
    };
    for (labels, wrong) in [
        (vec![label("a", "1")], "the series {a=\"1\"} has no name"),
        (
            vec![label("__name__", "m"), label("a", "")],
            "without name or value",
        ),
        (
            vec![label("b", "1"), label("__name__", "m")],
            "not in order of name",
        ),
        (
            vec![label("__name__", "m"), label("a", "1"), label("a", "2")],
            "repeated or not in order",
        ),
    ] {
        let request = proto::WriteRequest {
            timeseries: vec![proto::TimeSeries {
                labels,
                ..Default::default()
            }],
            ..Default::default()
        };
        let error = Intake::new("test").v1(&request).unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
    }
    let request = proto::v2::Request {
        symbols: ["", "__name__", "m"].map(str::to_owned).to_vec(),
        timeseries: [vec![1, 2], vec![1, 7]]
            .map(|labels_refs| proto::v2::TimeSeries {
                labels_refs,
                samples: vec![proto::v2::Sample {
                    value: 1.0,
                    timestamp: 1,
                    start_timestamp: 0,
                }],
                ..Default::default()
            })
            .to_vec(),
    };
    let received = Intake::new("test").v2(&request);
    assert_eq!((received.samples, received.batches.len()), (1, 1));
    assert!(received.refused.unwrap().to_string().contains("symbols"));
}
