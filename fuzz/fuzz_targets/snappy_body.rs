//! Any bytes as the body of a remote-write request of either version, snappy block and message: decoded within limits, or refused in words.

#![no_main]

use libfuzzer_sys::fuzz_target;
use remote_write::{Limits, decode_v1, decode_v2};

fuzz_target!(|body: &[u8]| {
    let limits = Limits {
        message_bytes: 1 << 20,
        parts: 10_000,
    };
    match decode_v1(body, &limits) {
        Ok(message) => {
            let labels: usize = message.timeseries.iter().map(|series| series.labels.len()).sum();
            assert!(message.timeseries.len() + labels <= limits.parts);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match decode_v2(body, &limits) {
        Ok(message) => assert!(message.symbols.len() + message.timeseries.len() <= limits.parts),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
