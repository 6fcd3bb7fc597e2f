//! TestTimestampEncoding, and `start_timestamp`.

use remote_write::Version;

use super::pushed::{NOW, Pushed};
use super::{VERSIONS, sent};

async fn arrives(timestamp: i64) {
    for version in VERSIONS {
        let mut pushed = Pushed::new();
        let slot = pushed.series(&[("__name__", "m")]);
        let request = sent(version, &pushed.sample(slot, timestamp, 1.0).batch()).await;
        assert_eq!(request.series("m").samples[0].timestamp, timestamp, "{version:?}");
    }
}

macro_rules! timestamps {
    ($($name:ident: $value:expr,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                arrives($value).await;
            }
        )*
    };
}

timestamps! {
    milliseconds: NOW,
    future_timestamp: NOW + 86_400_000,
    past_timestamp: NOW - 86_400_000,
    zero_timestamp: 0,
    before_1970: -1,
    int64_max: i64::MAX,
    int64_min: i64::MIN,
}

#[tokio::test]
async fn start_timestamp_is_of_2_0_alone() {
    for (version, expected) in [(Version::V1, 0), (Version::V2, NOW - 60_000)] {
        let mut pushed = Pushed::new();
        let slot = pushed.series(&[("__name__", "m_total")]);
        let batch = pushed.sample(slot, NOW, 5.0).since(NOW - 60_000).batch();
        let request = sent(version, &batch).await;
        assert_eq!(request.series("m_total").samples[0].start_timestamp, expected);
    }
}

#[tokio::test]
async fn a_start_at_the_epoch_is_not_an_unset_one() {
    let mut pushed = Pushed::new();
    let slot = pushed.series(&[("__name__", "m_total")]);
    let request = sent(Version::V2, &pushed.sample(slot, NOW, 5.0).since(0).batch()).await;
    assert_eq!(request.series("m_total").samples[0].start_timestamp, 1);
}
