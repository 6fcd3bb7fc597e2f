//! Any bytes, behind one of options, as a delimited protobuf exposition: it is read or refused with a position, labels can be read
//! of all that is read, native histograms have the buckets that their spans say, and what keeps classic histograms gives no fewer
//! entries than what converts them.

#![no_main]

use ferroalloy_model::MetricKind;
use ferroalloy_model::histogram::{BucketSpan, Counts, Histogram};
use libfuzzer_sys::fuzz_target;
use scrape::parse::{Entry, Format, Options, Parser, Protocol, SeriesLabels, WithParser};

fuzz_target!(|input: &[u8]| {
    let Some((bits, body)) = input.split_first() else {
        return;
    };
    let format = Protocol::named("PrometheusProto")
        .ok()
        .and_then(Protocol::format)
        .expect("registered");
    let options = Options {
        type_and_unit_labels: bits & 1 != 0,
        ignore_native: bits & 2 != 0,
        convert_classic: bits & 4 != 0,
        ..Options::default()
    };
    let without = read(format, body, options);
    let with = read(
        format,
        body,
        Options {
            keep_classic: true,
            ..options
        },
    );
    assert!(without <= with);
});

fn read(format: &Format, body: &[u8], options: Options) -> usize {
    format
        .parse(body, options, ReadAll(body.len()))
        .expect("registered")
}

struct ReadAll(usize);

impl WithParser for ReadAll {
    type Output = usize;

    fn with<'a, P: Parser<'a>>(self, mut parser: P) -> usize {
        let (mut labels, mut exemplars) = (SeriesLabels::new(), Vec::new());
        let mut entries = 0;
        loop {
            match parser.advance() {
                Ok(true) => entries += 1,
                Ok(false) => break,
                Err(error) => {
                    assert!(error.position().is_some());
                    assert!(
                        matches!(parser.advance(), Ok(false)),
                        "there is nothing behind an error"
                    );
                    break;
                }
            }
            assert!(parser.offset() <= self.0);
            let histogram = match parser.entry() {
                Entry::Sample(_) => false,
                Entry::Histogram(_) => true,
                _ => continue,
            };
            parser
                .labels(MetricKind::Histogram, &mut labels)
                .expect("it was read before");
            exemplars.clear();
            parser.exemplars(&mut exemplars);
            assert_eq!(parser.has_exemplars(), !exemplars.is_empty());
            let taken = parser.take_histogram();
            assert_eq!(taken.is_some(), histogram);
            if let Some(histogram) = taken {
                check(&histogram);
            }
        }
        entries
    }
}

fn check(histogram: &Histogram) {
    let (positive, negative) = match &histogram.counts {
        Counts::Integer {
            positive, negative, ..
        } => (positive.len(), negative.len()),
        Counts::Float {
            positive, negative, ..
        } => (positive.len(), negative.len()),
    };
    let length = |spans: &[BucketSpan]| spans.iter().map(|span| span.length as usize).sum::<usize>();
    assert_eq!(
        (
            length(&histogram.positive_spans),
            length(&histogram.negative_spans)
        ),
        (positive, negative)
    );
}
