//! TestSampleEncoding, and the cases of `encoding_cases`: values arrive bit by bit.

use super::pushed::{NOW, Pushed, one};
use super::{VERSIONS, sent};

async fn arrives(value: f64) {
    for version in VERSIONS {
        let request = sent(version, &one("m", value)).await;
        let sample = request.series("m").samples[0];
        assert_eq!(
            (sample.value.to_bits(), sample.timestamp),
            (value.to_bits(), NOW),
            "{version:?} {value}"
        );
    }
}

macro_rules! values {
    ($($name:ident: $value:expr,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                arrives($value).await;
            }
        )*
    };
}

values! {
    float_value: 101.13,
    integer_value: 42.0,
    zero_value: 0.0,
    negative_zero: -0.0,
    negative_value: -273.15,
    positive_infinity: f64::INFINITY,
    negative_infinity: f64::NEG_INFINITY,
    nan_value: f64::from_bits(0x7ff8_0000_0000_0001),
    stale_nan: f64::from_bits(0x7ff0_0000_0000_0002),
    nan_with_another_payload: f64::from_bits(0x7ff8_dead_beef_0003),
    large_value: f64::MAX,
    small_value: f64::MIN_POSITIVE,
    smallest_value: f64::from_bits(1),
    scientific_notation: 1.234_567_89e-300,
    precision: 0.1 + 0.2,
    beyond_exact_integers: 9_007_199_254_740_993.0,
}

#[tokio::test]
async fn multiple_samples() {
    for version in VERSIONS {
        let mut pushed = Pushed::new();
        let slots: Vec<u32> = (0..5)
            .map(|n| pushed.series(&[("__name__", &format!("m{n}"))]))
            .collect();
        let batch = slots
            .iter()
            .fold(pushed, |pushed, slot| pushed.sample(*slot, NOW, f64::from(*slot)))
            .batch();
        let request = sent(version, &batch).await;
        for slot in slots {
            assert_eq!(request.series(&format!("m{slot}")).value(), f64::from(slot));
        }
    }
}

#[tokio::test]
async fn job_and_instance_labels_present() {
    for version in VERSIONS {
        let request = sent(version, &one("m", 1.0)).await;
        let series = request.series("m");
        assert_eq!(
            (series.label("instance"), series.label("job")),
            (Some("h:1"), Some("test"))
        );
    }
}
