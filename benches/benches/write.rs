//! What a sample costs in a remote-write message, beside prost on the same series.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroalloy_benches::write::{Owned, body, series};
use remote_write::{Encoder, Version};

const SAMPLES: usize = 2_000;

fn write(criterion: &mut Criterion) {
    let layout = series(SAMPLES);
    for (name, version) in [
        ("remote write 1.0", Version::V1),
        ("remote write 2.0", Version::V2),
    ] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(SAMPLES as u64));
        let mut encoder = Encoder::for_version(version);
        group.bench_function("ours with snappy", |bencher| {
            bencher.iter(|| body(&mut encoder, &layout));
        });
        let ready = Owned::new(version, &layout);
        let mut message = Vec::new();
        if ready.encode(&mut message).is_err() {
            return;
        }
        let mut compressor = snap::raw::Encoder::new();
        let mut compressed = vec![0; snap::raw::max_compress_len(message.len())];
        group.bench_function("snappy alone", |bencher| {
            bencher.iter(|| compressor.compress(black_box(&message), &mut compressed));
        });
        group.bench_function("prost, structs that are ready", |bencher| {
            bencher.iter(|| {
                message.clear();
                black_box(&ready).encode(&mut message)
            });
        });
        group.bench_function("prost, structs that are built", |bencher| {
            bencher.iter(|| {
                message.clear();
                Owned::new(version, black_box(&layout)).encode(&mut message)
            });
        });
        group.finish();
    }
}

criterion_group!(benches, write);
criterion_main!(benches);
