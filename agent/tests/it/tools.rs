//! `ferroalloy tools queue`, beside a writer that uses the queue and after it.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use ferroalloy_model::{
    Batch, Committed, LayoutBuilder, Receiver as _, Row, Rows, SourceId, SystemClock, stale_nan,
};
use remote_write::{Config, Endpoint, Storage, Writer};
use tempfile::TempDir;

use crate::cli::{ferroalloy, stderr};

/// A storage folder with a queue, which is used by a writer whose endpoints cannot be reached.
struct Queue {
    storage: TempDir,
    writer: Option<Writer>,
}

const PORT_OF_NOBODY: &str = "http://user:secret@127.0.0.1:1/api/v1/write";

impl Queue {
    async fn new() -> Self {
        let storage = tempfile::tempdir().unwrap();
        let mut config = Config {
            endpoints: vec![Endpoint {
                name: Some("first".into()),
                ..Endpoint::new(PORT_OF_NOBODY)
            }],
            storage: Some(Storage::new(
                storage.path().join("prometheus.remote_write.x/queue"),
            )),
            ..Config::default()
        };
        let writer = Writer::new(config.clone(), Arc::new(SystemClock)).unwrap();
        let queue = Self {
            storage,
            writer: Some(writer),
        };
        queue.accept(1_000, 1.5).await;
        // One that came later has no place before it came.
        config.endpoints.push(Endpoint::new(PORT_OF_NOBODY));
        let changed = queue.writer.as_ref().unwrap().reconfigure(config);
        assert!(changed.is_ok());
        queue.accept(2_000, stale_nan()).await;
        queue
    }

    async fn accept(&self, timestamp: i64, value: f64) {
        let mut layout = LayoutBuilder::new(SourceId::new(), "test");
        layout.push([("__name__", "up"), ("job", "a\"b")], None);
        layout.push([("__name__", "other")], None);
        let rows = [0, 1].map(|slot| Row {
            slot,
            timestamp,
            value,
        });
        let batch = Batch::from(Rows {
            layout: layout.build(),
            rows: Arc::from(rows),
            sides: None,
        });
        let committed = self.writer.as_ref().unwrap().accept(&batch).await;
        assert_eq!(committed, Committed::Durable);
    }

    fn folder(&self) -> PathBuf {
        self.storage.path().join("prometheus.remote_write.x/queue")
    }

    fn tool(&self, tool: &str, more: &[&str]) -> Output {
        tool_on(self.storage.path(), tool, more)
    }
}

fn tool_on(path: &Path, tool: &str, more: &[&str]) -> Output {
    let mut arguments = vec!["tools", "queue", tool, path.to_str().unwrap()];
    arguments.extend(more);
    ferroalloy(&arguments, None)
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The names and bytes of all files.
fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_shown_beside_its_writer_and_after_it() {
    let mut queue = Queue::new().await;
    for used in [true, false] {
        if !used {
            drop(queue.writer.take());
        }
        let before = snapshot(&queue.folder());
        let stats = stdout(&queue.tool("stats", &[]));
        let lines: Vec<Vec<&str>> = stats
            .lines()
            .skip(2)
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines.len(), 2, "{stats}");
        assert_eq!(lines[0][..3], ["first", "4", "2"], "{stats}");
        assert_eq!(lines[1][1..3], ["2", "1"], "{stats}");
        assert!(
            !stats.contains("secret") && lines[1][0].starts_with("http://"),
            "{stats}"
        );
        let oldest: jiff::Timestamp = lines[0][4].parse().unwrap();
        let newest: jiff::Timestamp = lines[0][5].parse().unwrap();
        assert!(oldest <= newest && lines[1][4] == lines[0][5], "{stats}");

        let all =
            "up{job=\"a\\\"b\"} 1.5 1000\nother 1.5 1000\nup{job=\"a\\\"b\"} stale 2000\nother stale 2000\n";
        assert_eq!(stdout(&queue.tool("dump", &[])), all);
        let of_second = stdout(&queue.tool("dump", &["--endpoint", PORT_OF_NOBODY, "--metric=up"]));
        assert_eq!(of_second, "up{job=\"a\\\"b\"} stale 2000\n");
        let unknown = queue.tool("dump", &["--endpoint=third"]);
        assert_eq!(unknown.status.code(), Some(1));
        assert!(stderr(&unknown).contains("first"), "{}", stderr(&unknown));

        let verified = stdout(&tool_on(&queue.folder(), "verify", &[]));
        assert!(
            verified.contains("2 batches with 4 samples in 1 segments"),
            "{verified}"
        );
        if !used {
            assert!(before == snapshot(&queue.folder()), "a file was changed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_as_requests_can_be_sent() {
    let queue = Queue::new().await;
    let output = queue.storage.path().join("requests");
    let output = output.to_str().unwrap();
    let refused = queue.tool("dump", &["--format=write-v1"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    stdout(&queue.tool("dump", &["--format=write-v1", "--output", output]));
    let body = std::fs::read(Path::new(output).join("00000001.snappy")).unwrap();
    let request = remote_write::decode_v1(&body, &remote_write::Limits::default()).unwrap();
    let times: Vec<i64> = request
        .timeseries
        .iter()
        .map(|series| series.samples[0].timestamp)
        .collect();
    assert_eq!(times, [1_000, 1_000, 2_000, 2_000]);
    assert_eq!(snapshot(Path::new(output)).len(), 1);
    // What is there is not written over.
    let again = queue.tool("dump", &["--format=write-v1", "--output", output]);
    assert_eq!(again.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_with_its_place_and_the_rest_is_shown() {
    let mut queue = Queue::new().await;
    drop(queue.writer.take());
    let segment = queue.folder().join("0000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    // The first frame is the layout of the first batch, and 36 bytes of a frame are its header.
    bytes[40 + 36] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    let verify = queue.tool("verify", &[]);
    let out = String::from_utf8_lossy(&verify.stdout).into_owned();
    assert_eq!(verify.status.code(), Some(1), "{out}");
    let first = out.lines().next().unwrap();
    assert!(
        first.ends_with("0000000000000001.seg: offset 40: the record does not match its checksum"),
        "{out}"
    );
    assert!(
        out.contains("the series of the record are not described"),
        "{out}"
    );
    assert!(
        out.contains("2 samples that were before this place are missing"),
        "{out}"
    );
    assert!(out.contains("1 batches with 2 samples"), "{out}");
    assert!(
        stderr(&verify).contains("3 places are damaged"),
        "{}",
        stderr(&verify)
    );
    let dump = queue.tool("dump", &[]);
    assert_eq!(stdout(&dump).lines().count(), 2);
    assert!(stderr(&dump).contains("offset 40: "), "{}", stderr(&dump));

    // A torn end is no damage: nothing that was committed is in it.
    let mut queue = Queue::new().await;
    drop(queue.writer.take());
    let segment = queue.folder().join("0000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let torn = bytes.len();
    bytes.extend_from_within(40..90);
    std::fs::write(&segment, &bytes).unwrap();
    let out = stdout(&queue.tool("verify", &[]));
    let expected = format!("offset {torn}: the file ends within a record");
    assert!(out.contains(&expected), "{out}");

    // What is no queue is said to be none.
    let none = tool_on(Path::new("/dev"), "verify", &[]);
    assert_eq!(none.status.code(), Some(1));
    assert!(
        stderr(&none).contains("there is no queue in /dev"),
        "{}",
        stderr(&none)
    );
}
