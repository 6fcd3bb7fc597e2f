//! Properties of the parsers.

use ferroalloy_model::{Families, MetricKind, text};
use proptest::prelude::*;
use scrape::parse::{Entry, Options, Parser, SeriesLabels, TextParser, WithParser, formats, parse_series};

use crate::protobuf::near_protobuf;

fn entries(body: &[u8]) -> usize {
    let mut parser = TextParser::new(body);
    let mut count = 0;
    while let Ok(Some(_)) = parser.next_entry() {
        count += 1;
    }
    count
}

/// Bytes that look enough like an exposition to reach every corner of the parser.
fn near_text() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "# HELP ",
        "# TYPE ",
        "#",
        "m",
        "a_b:c",
        "{",
        "}",
        "=",
        "\"",
        ",",
        " ",
        "\t",
        "\n",
        "\\",
        "1",
        "-1.5e3",
        "NaN",
        "\0",
        "é",
        "histogram",
        " # {a=\"b\"} 1",
        "# EOF\n",
        "# UNIT ",
        "# TYPE m histogram\n",
        "m_bucket{le=\"1\"} 1\n",
        "m_count 1\n",
        "m_created 2\n",
    ]);
    prop::collection::vec(
        prop_oneof![8 => pieces.prop_map(|p| p.as_bytes().to_vec()), 1 => any::<u8>().prop_map(|b| vec![b])],
        0..40,
    )
    .prop_map(|pieces| pieces.concat())
}

/// A family: name, help, kind, and samples of one label.
fn families() -> impl Strategy<Value = Families> {
    let kind = prop::sample::select(vec![
        MetricKind::Counter,
        MetricKind::Gauge,
        MetricKind::Histogram,
        MetricKind::Unknown,
    ]);
    let sample = (
        "[a-z_][a-z0-9_]{0,5}",
        any::<String>(),
        any::<f64>(),
        prop::option::of(any::<i64>()),
    );
    let family = (
        "[a-zA-Z_:][a-zA-Z0-9_:]{0,8}",
        any::<String>(),
        kind,
        prop::collection::vec(sample, 0..4),
    );
    prop::collection::vec(family, 0..6).prop_map(|list| {
        let mut families = Families::new();
        for (index, (name, help, kind, samples)) in list.into_iter().enumerate() {
            // Names differ: the writer leaves out what a second family of one name may not say.
            let mut family = families.family(&format!("{name}{index}"), &help, kind);
            for (sample, (label, text, value, timestamp)) in samples.into_iter().enumerate() {
                // So do label sets: of equal ones it writes the first.
                let text = format!("{sample}{text}");
                let labels = [(label.as_str(), text.as_str())];
                match timestamp {
                    Some(timestamp) => family.sample_at(&labels, value, timestamp),
                    None => family.sample(&labels, value),
                };
            }
        }
        families
    })
}

/// Reads all that a format's parser makes of a body, labels, exemplars and histograms included.
struct ReadAll;

impl WithParser for ReadAll {
    type Output = usize;

    fn with<'a, P: Parser<'a>>(self, mut parser: P) -> usize {
        let (mut labels, mut exemplars) = (SeriesLabels::new(), Vec::new());
        let mut entries = 0;
        while let Ok(true) = parser.advance() {
            entries += 1;
            if let Entry::Sample(_) | Entry::Histogram(_) = parser.entry() {
                parser
                    .labels(MetricKind::Histogram, &mut labels)
                    .expect("it was read before");
                parser.exemplars(&mut exemplars);
                let _ = parser.start_time();
            }
            parser.take_histogram();
        }
        entries
    }
}

fn read_in_every_way(body: &[u8]) {
    for format in formats() {
        for bits in 0..32_u8 {
            let options = Options {
                created_as_start: bits & 1 != 0,
                type_and_unit_labels: bits & 2 != 0,
                ignore_native: bits & 4 != 0,
                convert_classic: bits & 8 != 0,
                keep_classic: bits & 16 != 0,
            };
            format.parse(body, options, ReadAll).expect("registered");
        }
    }
}

type Row = (String, Vec<(String, String)>, u64, Option<i64>);

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        read_in_every_way(&body);
        let _ = parse_series(&body, MetricKind::Histogram, &mut SeriesLabels::new());
    }

    #[test]
    fn no_near_protobuf_panics(families in near_protobuf(), cut in any::<prop::sample::Index>(), flip: u8) {
        let mut body = families.concat();
        read_in_every_way(&body);
        if !body.is_empty() {
            let at = cut.index(body.len());
            body[at] ^= flip;
            read_in_every_way(&body);
            read_in_every_way(&body[..at]);
        }
    }

    #[test]
    fn no_near_text_panics_and_what_is_read_reads_again(body in near_text()) {
        read_in_every_way(&body);
        let mut parser = TextParser::new(&body);
        let mut labels = SeriesLabels::new();
        while let Ok(Some(entry)) = parser.next_entry() {
            if let Entry::Sample(sample) = entry {
                prop_assert!(parse_series(sample.raw, MetricKind::Summary, &mut labels).is_ok());
                prop_assert_eq!(&body[sample.offset..sample.offset + sample.raw.len()], sample.raw);
            }
        }
        let _ = parse_series(&body, MetricKind::Summary, &mut labels);
    }

    #[test]
    fn what_the_writer_writes_is_read(families in families()) {
        let mut body = Vec::new();
        text::write(&families, &mut body);
        let mut read: Vec<Row> = Vec::new();
        let mut parser = TextParser::new(&body);
        let mut labels = SeriesLabels::new();
        while let Some(entry) = parser.next_entry().map_err(|e| TestCaseError::fail(format!("{e}\n{}", String::from_utf8_lossy(&body))))? {
            if let Entry::Sample(sample) = entry {
                parse_series(sample.raw, MetricKind::Unknown, &mut labels).expect("was read before");
                let pairs = labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
                read.push((labels.name().to_owned(), pairs, sample.value.to_bits(), sample.timestamp));
            }
        }
        let nan = ferroalloy_model::sample::NORMAL_NAN_BITS;
        let mut written: Vec<Row> = families
            .iter()
            .flat_map(ferroalloy_model::families::FamilyRef::samples)
            .map(|sample| {
                let pairs = sample.labels().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
                let bits = if sample.value().is_nan() { nan } else { sample.value().to_bits() };
                (sample.name().to_owned(), pairs, bits, sample.timestamp())
            })
            .collect();
        read.sort();
        written.sort();
        prop_assert_eq!(read, written);
    }
}

#[test]
fn nothing_comes_after_an_error_even_of_what_was_collected() {
    struct AfterError;
    impl WithParser for AfterError {
        type Output = bool;
        fn with<'a, P: Parser<'a>>(self, mut parser: P) -> bool {
            while matches!(parser.advance(), Ok(true)) {}
            matches!(parser.advance(), Ok(false))
        }
    }
    let body = b"# TYPE m histogram\nm_bucket{le=\"1\"} 1\nm_count x\n";
    let options = Options {
        convert_classic: true,
        ..Options::default()
    };
    for format in formats() {
        assert!(
            format.parse(body, options, AfterError).expect("registered"),
            "{}",
            format.name
        );
    }
}

#[test]
fn a_hundred_megabytes_of_line_feeds_take_no_stack() {
    let body = vec![b'\n'; 100 << 20];
    // A small stack: one frame a line would need hundreds of times as much.
    let worker = std::thread::Builder::new().stack_size(128 << 10);
    let count = worker
        .spawn(move || entries(&body))
        .expect("a thread")
        .join()
        .expect("no overflow");
    assert_eq!(count, 0);
}

#[test]
fn a_line_without_end_is_read_once() {
    let mut body = b"m{a=\"".to_vec();
    body.resize(10 << 20, b'x');
    assert_eq!(entries(&body), 0);
    body.extend_from_slice(b"\"} 1");
    assert_eq!(entries(&body), 1);
}
