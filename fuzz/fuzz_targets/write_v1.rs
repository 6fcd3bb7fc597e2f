//! Any bytes as a remote write 1.0 message: what is decoded is decoded the same after it was encoded again, and its histograms become ones
//! of the model that come back as they were.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message;
use remote_write::proto::{self, Histogram};
use remote_write::{Limits, decode_v1};

fuzz_target!(|message: &[u8]| {
    let body = snap::raw::Encoder::new()
        .compress_vec(message)
        .expect("it is short");
    let Ok(request) = decode_v1(&body, &Limits::default()) else {
        return;
    };
    let again = proto::WriteRequest::decode(&*request.encode_to_vec()).expect("it was written by prost");
    // Texts tell NaNs apart no better than numbers do, but they compare equal. prost leaves a negative zero out, as it does a zero.
    let text = |message: &dyn std::fmt::Debug| format!("{message:?}").replace("-0.0", "0.0");
    assert_eq!(text(&again), text(&request));
    for series in &request.timeseries {
        for histogram in &series.histograms {
            if let Ok(model) = histogram.to_model() {
                let back = Histogram::from(&model);
                assert_eq!(back.positive_deltas, histogram.positive_deltas);
                assert_eq!(
                    (back.schema, back.negative_spans),
                    (histogram.schema, histogram.negative_spans.clone())
                );
            }
        }
    }
});
