//! The folder of a queue on disk, and how long a start takes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{Clock, Receiver as _, SystemClock};
use remote_write::{Config, Endpoint, ErrorKind, QueueLimits, Storage, Writer};

use crate::receiver::{OK, Receiver};
use crate::source::Source;
use crate::{config, endpoint};

const NOBODY: &str = "http://127.0.0.1:1/";

fn stored(folder: &Path, url: &str) -> Config {
    Config {
        storage: Some(Storage {
            max_bytes: Some(8 << 30),
            ..Storage::new(folder)
        }),
        queue: QueueLimits::default(),
        ..config([Endpoint {
            name: Some("e".into()),
            ..endpoint(url)
        }])
    }
}

#[tokio::test]
async fn two_writers_on_one_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Writer::new(stored(folder.path(), NOBODY), Arc::new(SystemClock)).unwrap();
    let refused = Writer::new(stored(folder.path(), NOBODY), Arc::new(SystemClock)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Storage);
    assert_eq!(
        refused.to_string(),
        format!(
            "the queue cannot be kept in {}: another process or writer uses it",
            folder.path().display()
        )
    );
    drop(first);
    assert!(Writer::new(stored(folder.path(), NOBODY), Arc::new(SystemClock)).is_ok());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("queue");
    let refused = Writer::new(stored(&below, NOBODY), Arc::new(SystemClock)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Storage);
    assert!(refused.to_string().contains(below.to_str().unwrap()), "{refused}");
}

const FOLDER: &str = "REMOTE_WRITE_START_FOLDER";
const URL: &str = "REMOTE_WRITE_START_URL";

/// Wall time, so that it is run by hand: what is counted instead is in the unit tests.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures: run it alone, in release"]
async fn five_million_samples_are_ready_in_a_second() {
    let (folder, source) = (tempfile::tempdir().unwrap(), Source::new("m", 1_000));
    {
        let writer = Writer::new(stored(folder.path(), NOBODY), Arc::new(SystemClock)).unwrap();
        for step in 0..5_000 {
            let _durable = writer.accept(&source.at(1_700_000_000_000 + step * 15_000)).await;
        }
        writer.shutdown(Duration::ZERO).await;
    }
    let mut receiver = Receiver::start(|_| OK).await;
    // Another process, so that its memory is its own.
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "storage::the_process_that_starts",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder.path())
        .env(URL, receiver.url())
        .stdout(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut samples = 0;
    while samples < 5_000_000 {
        samples += receiver.next().await.timestamps().len();
    }
    assert!(child.wait().unwrap().success());
}

/// The largest resident set so far, in KiB, where the system says it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is run by the test above"]
async fn the_process_that_starts() {
    let (Ok(folder), Ok(url)) = (std::env::var(FOLDER), std::env::var(URL)) else {
        return;
    };
    let (begun, memory) = (SystemClock.elapsed(), peak_memory());
    let writer = Writer::new(stored(Path::new(&folder), &url), Arc::new(SystemClock)).unwrap();
    let ready = SystemClock.elapsed().saturating_sub(begun);
    let opened = peak_memory();
    assert_eq!(writer.shutdown(Duration::from_mins(2)).await, 0);
    let (took, sent) = (SystemClock.elapsed().saturating_sub(begun), peak_memory());
    println!(
        "ready after {ready:?}, sent after {took:?}; peak memory in KiB: {memory:?}, {opened:?}, {sent:?}"
    );
    assert!(ready < Duration::from_secs(1), "{ready:?}");
    if let (Some(memory), Some(sent)) = (memory, sent) {
        assert!(sent - memory < 64 << 10, "{memory} KiB became {sent} KiB");
    }
}
