//! The queue on disk: appending to it, opening it, reading it, and sending what it holds.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroalloy_benches::queue::{Source, fill, writer};
use ferroalloy_model::{Clock as _, Commit, Receiver as _, SystemClock};
use remote_write::inspect::{Found, QueueFolder};
use tokio::runtime::Runtime;

const SERIES: usize = 1_000;
/// Batches that are on their way to the disk at a time.
const AT_ONCE: usize = 16;
/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1/api/v1/write";

fn append(criterion: &mut Criterion) {
    let (Ok(runtime), Ok(folder)) = (Runtime::new(), tempfile::tempdir()) else {
        return;
    };
    let _entered = runtime.enter();
    let mut group = criterion.benchmark_group("queue append");
    group.throughput(Throughput::Elements((SERIES * AT_ONCE) as u64));
    let writer = writer(folder.path(), NOBODY);
    let mut source = Source::new(SERIES);
    group.bench_function("1,000 samples a batch, until written", |bencher| {
        bencher.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                let batches: Vec<_> = (0..AT_ONCE).map(|_| source.batch()).collect();
                let begun = SystemClock.elapsed();
                let commits: Vec<_> = batches.iter().map(|batch| writer.accept(batch)).collect();
                wait(&runtime, commits);
                spent += SystemClock.elapsed().saturating_sub(begun);
            }
            spent
        });
    });
    group.bench_function("1,000 samples a batch, what a scrape waits for", |bencher| {
        let batch = source.batch();
        bencher.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                let begun = SystemClock.elapsed();
                let commits: [_; AT_ONCE] = std::array::from_fn(|_| writer.accept(&batch));
                spent += SystemClock.elapsed().saturating_sub(begun);
                wait(&runtime, commits);
            }
            spent
        });
    });
    group.finish();
}

fn wait(runtime: &Runtime, commits: impl IntoIterator<Item = Commit>) {
    for commit in commits {
        let _durable = runtime.block_on(commit);
    }
}

/// Five thousand batches in files of 64 MiB, so that the newest, which is read through, is of a usual size.
fn recovery(criterion: &mut Criterion) {
    let (Ok(runtime), Ok(folder)) = (Runtime::new(), tempfile::tempdir()) else {
        return;
    };
    let _entered = runtime.enter();
    runtime.block_on(fill(folder.path(), NOBODY, SERIES, 5_000));
    let newest = newest_segment(folder.path());
    let mut group = criterion.benchmark_group("queue recovery");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(newest));
    group.bench_function(
        format!("open, the newest segment has {} KiB", newest >> 10),
        |bencher| {
            bencher.iter_custom(|times| {
                let mut spent = Duration::ZERO;
                for _ in 0..times {
                    let begun = SystemClock.elapsed();
                    let writer = writer(folder.path(), NOBODY);
                    spent += SystemClock.elapsed().saturating_sub(begun);
                    drop(writer);
                }
                spent
            });
        },
    );
    let Ok(queue) = QueueFolder::open(folder.path()) else {
        return;
    };
    group.throughput(Throughput::Bytes(queue.bytes()));
    group.bench_function("read everything, bytes", |bencher| {
        bencher.iter(|| read(&queue));
    });
    group.throughput(Throughput::Elements(read(&queue)));
    group.bench_function("read everything, samples", |bencher| {
        bencher.iter(|| read(&queue));
    });
    group.finish();
}

fn newest_segment(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let segments = entries.filter(|entry| entry.path().extension().is_some_and(|ext| ext == "seg"));
    let newest = segments.max_by_key(std::fs::DirEntry::file_name);
    newest
        .and_then(|entry| entry.metadata().ok())
        .map_or(0, |data| data.len())
}

fn read(queue: &QueueFolder) -> u64 {
    let mut samples = 0;
    for found in queue.contents() {
        if let Ok(Found::Batch(batch)) = found {
            samples += batch.samples;
        }
    }
    samples
}

fn catch_up(criterion: &mut Criterion) {
    const BATCHES: usize = 1_000;
    let Ok(runtime) = Runtime::new() else { return };
    let _entered = runtime.enter();
    let Some(url) = receiver() else { return };
    let mut group = criterion.benchmark_group("queue catch-up");
    group.sample_size(10);
    group.throughput(Throughput::Elements((BATCHES * SERIES) as u64));
    group.bench_function("from disk into a receiver that takes everything", |bencher| {
        bencher.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                let Ok(folder) = tempfile::tempdir() else { break };
                runtime.block_on(fill(folder.path(), NOBODY, SERIES, BATCHES));
                let begun = SystemClock.elapsed();
                let writer = writer(folder.path(), &url);
                let unsent = runtime.block_on(writer.shutdown(Duration::from_mins(1)));
                spent += SystemClock.elapsed().saturating_sub(begun);
                assert_eq!(unsent, 0, "the receiver takes everything");
            }
            spent
        });
    });
    group.finish();
}

/// A receiver that reads a request and answers 204.
fn receiver() -> Option<String> {
    let listener = TcpListener::bind("127.0.0.1:0").ok()?;
    let address = listener.local_addr().ok()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    Some(format!("http://{address}/api/v1/write"))
}

fn answer(mut out: TcpStream) -> std::io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 20, out.try_clone()?);
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if input.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let header = line.trim().to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if header.is_empty() {
                break;
            }
        }
        body.resize(length, 0);
        input.read_exact(&mut body)?;
        out.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    }
}

criterion_group!(benches, append, recovery, catch_up);
criterion_main!(benches);
