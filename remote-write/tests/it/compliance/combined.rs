//! TestCombinedFeatures, TestEdgeCases, TestRobustnessUnderLoad, TestConcurrentRequests.

use ferroalloy_model::{Labels, Receiver as _};
use remote_write::{Endpoint, Version};

use super::pushed::{NOW, Pushed, one};
use super::wire::Request;
use super::{VERSIONS, endpoint_of, sent, sent_with, taken, writer};
use crate::receiver::Receiver;
use crate::source::Source;
use crate::versions::everything;

#[tokio::test]
async fn samples_histograms_exemplars_and_metadata_in_one_request() {
    for version in VERSIONS {
        let request = sent_with(version, &everything(3, NOW), |config| {
            config.external_labels = Labels::from_pairs([("cluster", "c")]);
        })
        .await;
        let (counter, latency) = (request.series("requests_total"), request.series("latency"));
        assert_eq!((counter.value(), counter.exemplars.len()), (7.0, 1));
        assert_eq!((latency.samples.len(), latency.histograms[0].sum), (0, 3.5));
        assert_eq!(
            (counter.label("cluster"), latency.label("cluster")),
            (Some("c"), Some("c"))
        );
        assert_eq!(counter.metadata.is_some(), version == Version::V2);
    }
}

#[tokio::test]
async fn nothing_is_sent_of_nothing() {
    for version in VERSIONS {
        let mut receiver = Receiver::start(move |_| taken(version)).await;
        let writer = writer([endpoint_of(version, &receiver.url())]);
        drop(writer.accept(&Pushed::new().batch()));
        drop(writer.accept(&one("after", 1.0)));
        let request = Request::read(&receiver.next().await);
        assert_eq!(request.series.len(), 1, "an empty scrape is no request");
        assert!(receiver.is_quiet());
    }
}

#[tokio::test]
async fn unicode_everywhere() {
    for version in VERSIONS {
        let mut pushed = Pushed::new();
        let slot = pushed.series(&[("__name__", "温度.celsius"), ("räum", "küche 🍳")]);
        let request = sent(version, &pushed.sample(slot, NOW, 21.5).batch()).await;
        let series = request.series("温度.celsius");
        assert_eq!((series.label("räum"), series.value()), (Some("küche 🍳"), 21.5));
    }
}

#[tokio::test]
async fn many_series() {
    for version in VERSIONS {
        let mut receiver = Receiver::start(move |_| taken(version)).await;
        let writer = writer([endpoint_of(version, &receiver.url())]);
        drop(writer.accept(&Source::new("m", 25_000).at(NOW)));
        let mut left = 25_000;
        while left > 0 {
            let request = Request::read(&receiver.next().await);
            assert!(request.series.len() <= 2_000);
            left -= request.series.len();
        }
    }
}

#[tokio::test]
async fn concurrent_requests_share_no_series() {
    // Sixteen sources at once: each is sent whole, and once.
    for version in VERSIONS {
        let mut receiver = Receiver::start(move |_| taken(version)).await;
        let writer = writer([Endpoint {
            ..endpoint_of(version, &receiver.url())
        }]);
        for n in 0..16 {
            drop(writer.accept(&Source::new(&format!("s{n}"), 10).at(NOW)));
        }
        let mut names = std::collections::BTreeSet::new();
        while names.len() < 160 {
            for series in Request::read(&receiver.next().await).series {
                assert!(
                    names.insert(series.name().to_owned()),
                    "{} came twice",
                    series.name()
                );
            }
        }
    }
}
