//! TestMetadataEncoding. That references exist is asked of every request by [`super::wire`].

use ferroalloy_model::MetricKind;
use remote_write::Version;
use remote_write::proto::MetricType;

use super::pushed::{NOW, Pushed, one};
use super::{sent, sent_with};

async fn kind_arrives(kind: MetricKind, expected: MetricType) {
    let mut pushed = Pushed::new();
    let slot = pushed.series_of("m", kind, "What it is.", "bytes");
    let request = sent(Version::V2, &pushed.sample(slot, NOW, 1.0).batch()).await;
    let expected = Some((expected, "What it is.".to_owned(), "bytes".to_owned()));
    assert_eq!(request.series("m").metadata, expected);
}

macro_rules! kinds {
    ($($name:ident: $kind:ident,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                kind_arrives(MetricKind::$kind, MetricType::$kind).await;
            }
        )*
    };
}

kinds! {
    counter_type: Counter,
    gauge_type: Gauge,
    histogram_type: Histogram,
    gauge_histogram_type: GaugeHistogram,
    summary_type: Summary,
    info_type: Info,
    state_set_type: StateSet,
    unknown_type: Unknown,
}

#[tokio::test]
async fn empty_help_and_unit_refer_to_the_empty_symbol() {
    let mut pushed = Pushed::new();
    let slot = pushed.series_of("m", MetricKind::Gauge, "", "");
    let request = sent(Version::V2, &pushed.sample(slot, NOW, 1.0).batch()).await;
    let expected = Some((MetricType::Gauge, String::new(), String::new()));
    assert_eq!(request.series("m").metadata, expected);
    assert_eq!(request.symbols, ["", "__name__", "m"]);
}

#[tokio::test]
async fn each_series_of_a_family_has_it() {
    let mut pushed = Pushed::new();
    let a = pushed.series_of("m_sum", MetricKind::Summary, "Help \"with\" ümlaut\n", "");
    let b = pushed.series_of("m_count", MetricKind::Summary, "Help \"with\" ümlaut\n", "");
    let request = sent(
        Version::V2,
        &pushed.sample(a, NOW, 1.0).sample(b, NOW, 1.0).batch(),
    )
    .await;
    for name in ["m_sum", "m_count"] {
        let (kind, help, _) = request.series(name).metadata.clone().unwrap();
        assert_eq!(
            (kind, help.as_str()),
            (MetricType::Summary, "Help \"with\" ümlaut\n")
        );
    }
}

#[tokio::test]
async fn what_is_not_known_is_not_told() {
    let request = sent(Version::V2, &one("m", 1.0)).await;
    assert_eq!(request.series("m").metadata, None);
}

#[tokio::test]
async fn metadata_can_be_switched_off() {
    let mut pushed = Pushed::new();
    let slot = pushed.series_of("m", MetricKind::Counter, "Help.", "s");
    let batch = pushed.sample(slot, NOW, 1.0).batch();
    let request = sent_with(Version::V2, &batch, |config| {
        config.endpoints[0].metadata.send = false;
    })
    .await;
    assert_eq!(request.series("m").metadata, None);
}
