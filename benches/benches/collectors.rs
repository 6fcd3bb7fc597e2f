//! This host's metrics: one collection of the default set, and writing it as text.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use ferroalloy_model::{Families, text};
use node_collectors::NodeCollectors;

fn collectors(criterion: &mut Criterion) {
    let Ok(set) = NodeCollectors::builder().build() else {
        return;
    };
    let mut families = Families::new();
    criterion.bench_function("collectors/default set", |bencher| {
        bencher.iter(|| {
            families.clear();
            set.collect(&mut families);
        });
    });
    let mut out = Vec::new();
    criterion.bench_function("collectors/as text", |bencher| {
        bencher.iter(|| {
            out.clear();
            text::write(&families, &mut out)
        });
    });
}

criterion_group!(benches, collectors);
criterion_main!(benches);
