//! Any bytes as a body in OpenMetrics, under both readings of `_created` lines: entries borrow from the body, and the fast path
//! for known series reads what the slow path read.

#![no_main]

use ferroalloy_model::MetricKind;
use libfuzzer_sys::fuzz_target;
use scrape::parse::{Entry, OpenMetricsParser, Options, Parser, SeriesLabels};

fuzz_target!(|body: &[u8]| {
    let samples = read(body, Options::default());
    let options = Options {
        created_as_start: true,
        type_and_unit_labels: true,
        ..Options::default()
    };
    assert!(
        read(body, options) <= samples,
        "only `_created` lines are left out"
    );
});

/// Reads all there is and returns the number of samples.
fn read(body: &[u8], options: Options) -> usize {
    let mut parser = OpenMetricsParser::with_options(body, options);
    let (mut labels, mut exemplars) = (SeriesLabels::new(), Vec::new());
    let mut samples = 0;
    let mut kind = MetricKind::Unknown;
    loop {
        let entry = match parser.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(error) => {
                assert!(error.position().is_some());
                assert!(
                    matches!(parser.next_entry(), Ok(None)),
                    "there is nothing behind an error"
                );
                break;
            }
        };
        match entry {
            Entry::Type { kind: named, .. } => kind = named,
            Entry::Sample(sample) => {
                samples += 1;
                assert_eq!(sample.raw, &body[sample.offset..sample.offset + sample.raw.len()]);
                parser.labels(kind, &mut labels).expect("it was read before");
                exemplars.clear();
                parser.exemplars(&mut exemplars);
                assert_eq!(exemplars.len(), usize::from(parser.has_exemplars()));
                let mut section = parser.section(sample.offset, body.len());
                let taken = section.take(sample.raw.len()).expect("a known series is taken");
                assert_eq!(
                    (
                        taken.value.to_bits(),
                        taken.timestamp,
                        section.has_exemplars(),
                        section.offset()
                    ),
                    (
                        sample.value.to_bits(),
                        sample.timestamp,
                        parser.has_exemplars(),
                        parser.offset() - sample.offset
                    )
                );
            }
            _ => {}
        }
        assert!(parser.offset() <= body.len());
    }
    samples
}
