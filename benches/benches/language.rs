//! The configuration language: parsing, formatting and evaluation.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ferroalloy_benches::{chained_configuration, configuration};
use river_syntax::ast::File;
use river_syntax::{Block, Environment, Found, Isolated, Scope, SourceMap, ToValue, Value, decode};

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

/// What a block of [`chained_configuration`] takes.
#[derive(Debug, Block)]
struct Arguments {
    targets: Vec<BTreeMap<String, String>>,
    #[river(block)]
    rule: Vec<Rule>,
}

#[derive(Debug, Block)]
struct Rule {
    target_label: String,
    replacement: String,
}

/// The exports of the blocks so far.
#[derive(Default)]
struct Exports(HashMap<String, Value>);

impl Scope for Exports {
    fn resolve(&self, path: &[&str]) -> Result<Option<Found>, String> {
        let id = path.get(..3).map(|names| names.join("."));
        let value = id.and_then(|id| self.0.get(&id).cloned());
        Ok(value.map(|value| Found { segments: 3, value }))
    }

    fn environment(&self) -> &dyn Environment {
        &Isolated
    }
}

/// Evaluates and decodes every block, each of which refers to one before it, and makes what it exports.
fn evaluate_all(file: &File) -> Exports {
    let mut exports = Exports::default();
    for block in file.body().blocks() {
        let arguments: Arguments = decode(block, &exports).expect("the configuration is right");
        let mut labels = BTreeMap::new();
        for rule in &arguments.rule {
            labels.insert(rule.target_label.clone(), rule.replacement.clone());
        }
        let output = vec![labels].to_value();
        let count = Value::from(arguments.targets.len() as u64);
        exports
            .0
            .insert(block.id(), Value::object([("output", output), ("count", count)]));
    }
    exports
}

fn evaluation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("language");
    for blocks in [100_usize, 5_000] {
        let text = chained_configuration(blocks);
        let mut sources = SourceMap::new();
        let (file, faults) = river_syntax::parse(&sources.add("bench.alloy", text.as_bytes()));
        assert!(faults.is_empty());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("evaluate", blocks), &file, |bencher, file| {
            bencher.iter(|| black_box(evaluate_all(file)));
        });
    }
    group.finish();
}

criterion_group!(benches, language, evaluation);
criterion_main!(benches);
