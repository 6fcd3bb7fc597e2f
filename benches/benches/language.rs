//! The configuration language: parsing and formatting.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ferroalloy_benches::configuration;
use river_syntax::SourceMap;

fn language(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("language");
    for lines in [1_000_usize, 50_000] {
        let text = configuration(lines / 10);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("parse", lines), &text, |bencher, text| {
            bencher.iter(|| {
                let mut sources = SourceMap::new();
                let source = sources.add("bench.alloy", text.as_bytes());
                black_box(river_syntax::parse(&source))
            });
        });
        group.bench_with_input(BenchmarkId::new("format", lines), &text, |bencher, text| {
            bencher.iter(|| black_box(river_syntax::format(text)));
        });
    }
    group.finish();
}

criterion_group!(benches, language);
criterion_main!(benches);
