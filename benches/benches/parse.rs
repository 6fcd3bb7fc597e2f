//! What reading an exposition costs by itself, entries alone and with their labels, beside another parser; also on the shared
//! corpora where `FERROALLOY_CONFORMANCE` names their folder.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroalloy_benches::{exposition, openmetrics, protobuf};
use ferroalloy_model::MetricKind;
use scrape::parse::{Entry, Options, Parser, Protocol, SeriesLabels, WithParser};

const SERIES: usize = 10_000;

/// Reads every entry, and the labels of samples if asked to.
struct Read {
    labels: bool,
}

impl WithParser for Read {
    type Output = usize;

    fn with<'a, P: Parser<'a>>(self, mut parser: P) -> usize {
        let mut labels = SeriesLabels::new();
        let mut entries = 0;
        while let Ok(true) = parser.advance() {
            let sample = matches!(black_box(parser.entry()), Entry::Sample(_));
            if self.labels && sample && parser.labels(MetricKind::Unknown, &mut labels).is_ok() {
                black_box(&labels);
            }
            entries += 1;
        }
        entries
    }
}

fn bench(criterion: &mut Criterion, name: &str, protocol: &str, body: &[u8]) {
    let format = Protocol::named(protocol).ok().and_then(Protocol::format);
    let Some(format) = format else { return };
    let mut group = criterion.benchmark_group(format!("parse {name}"));
    group.throughput(Throughput::Bytes(body.len() as u64));
    for (what, labels) in [("entries", false), ("entries and labels", true)] {
        group.bench_function(what, |bencher| {
            bencher.iter(|| format.parse(body, Options::default(), Read { labels }).ok());
        });
    }
    if let Ok(text) = std::str::from_utf8(body) {
        group.sample_size(10);
        group.bench_function("openmetrics-parser", |bencher| {
            bencher.iter(|| match format.name {
                "openmetrics" => openmetrics_parser::openmetrics::parse_openmetrics(text).is_ok(),
                _ => openmetrics_parser::prometheus::parse_prometheus(text).is_ok(),
            });
        });
    }
    group.finish();
}

fn parse(criterion: &mut Criterion) {
    let (text, openmetrics, protobuf) = (exposition(SERIES), openmetrics(SERIES), protobuf(SERIES));
    bench(criterion, "text", "PrometheusText0.0.4", text.as_bytes());
    bench(
        criterion,
        "openmetrics",
        "OpenMetricsText1.0.0",
        openmetrics.as_bytes(),
    );
    bench(criterion, "protobuf", "PrometheusProto", &protobuf);
    let Some(folder) = std::env::var_os("FERROALLOY_CONFORMANCE") else {
        return;
    };
    for (file, protocol) in [
        ("alltypes.237mfs.prom.txt", "PrometheusText0.0.4"),
        ("alltypes.5mfs.om.txt", "OpenMetricsText1.0.0"),
    ] {
        if let Ok(body) = std::fs::read(Path::new(&folder).join("exposition/corpora").join(file)) {
            bench(criterion, file, protocol, &body);
        }
    }
}

criterion_group!(benches, parse);
criterion_main!(benches);
