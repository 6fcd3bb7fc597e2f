//! Any bytes as a body in the Prometheus text format: entries borrow from the body, their series parse again on their own,
//! and the fast path for known series reads what the slow path read.

#![no_main]

use ferroalloy_model::MetricKind;
use libfuzzer_sys::fuzz_target;
use scrape::parse::{Entry, Parser, SeriesLabels, TextParser, parse_series};

fuzz_target!(|body: &[u8]| {
    let mut parser = TextParser::new(body);
    let mut labels = SeriesLabels::new();
    let mut again = SeriesLabels::new();
    let mut last_kind = MetricKind::Unknown;
    let mut last_offset = 0;
    loop {
        let entry = match parser.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(
                    matches!(parser.next_entry(), Ok(None)),
                    "there is nothing behind an error"
                );
                break;
            }
        };
        match entry {
            Entry::Type { kind, .. } => last_kind = kind,
            Entry::Help { metric, text } => {
                assert!(metric.unescape().len() <= metric.raw().len());
                assert!(text.unescape().len() <= text.raw().len());
            }
            Entry::Sample(sample) => {
                assert!(sample.offset >= last_offset);
                last_offset = sample.offset;
                assert_eq!(sample.raw, &body[sample.offset..sample.offset + sample.raw.len()]);
                if parser.labels(last_kind, &mut labels).is_ok() {
                    parse_series(sample.raw, last_kind, &mut again).expect("it parsed before");
                    assert!(labels.iter().eq(again.iter()) && labels.name() == again.name());
                }
                let taken = parser.section(sample.offset, body.len()).take(sample.raw.len());
                let taken = taken.expect("a known series is taken");
                assert_eq!(
                    (taken.value.to_bits(), taken.timestamp),
                    (sample.value.to_bits(), sample.timestamp)
                );
            }
            _ => {}
        }
        assert!(parser.offset() <= body.len());
    }
});
