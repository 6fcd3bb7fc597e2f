//! TestSampleOrdering: samples of a series come in order of time, within a request and over many.

use std::collections::HashMap;

use ferroalloy_model::Receiver as _;

use super::pushed::{NOW, Pushed};
use super::wire::Request;
use super::{VERSIONS, endpoint_of, sent, taken, writer};
use crate::receiver::Receiver;
use crate::source::Source;

#[tokio::test]
async fn explicit_timestamps_of_one_series_ascend() {
    for version in VERSIONS {
        let mut pushed = Pushed::new();
        let slot = pushed.series(&[("__name__", "m")]);
        let batch = (0..3)
            .fold(pushed, |pushed, n| {
                pushed.sample(slot, NOW + i64::from(n), f64::from(n))
            })
            .batch();
        let request = sent(version, &batch).await;
        let times: Vec<i64> = request
            .series
            .iter()
            .flat_map(|series| &series.samples)
            .map(|sample| sample.timestamp)
            .collect();
        assert_eq!(times, [NOW, NOW + 1, NOW + 2]);
    }
}

#[tokio::test]
async fn requests_ascend_in_every_series() {
    for version in VERSIONS {
        let mut receiver = Receiver::start(move |_| taken(version)).await;
        let mut endpoint = endpoint_of(version, &receiver.url());
        endpoint.queue.max_samples_per_send = 7;
        let writer = writer([endpoint]);
        let sources = [Source::new("a", 5), Source::new("b", 3)];
        for timestamp in 1..=20 {
            for source in &sources {
                drop(writer.accept(&source.at(timestamp)));
            }
        }
        let mut newest: HashMap<String, i64> = HashMap::new();
        let mut left = 20 * 8;
        while left > 0 {
            for series in Request::read(&receiver.next().await).series {
                for sample in &series.samples {
                    let before = newest.insert(series.name().to_owned(), sample.timestamp);
                    assert!(before.is_none_or(|before| before < sample.timestamp));
                    left -= 1;
                }
            }
        }
    }
}
