//! `kill -9` at any time, with a receiver that refuses, hangs, and loses its answers: what was committed arrives, in order.
//!
//! The process that is killed is this test binary, which runs `the_process_that_is_killed` alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferroalloy_model::{
    Batch, ColumnData, Columns, Committed, LayoutBuilder, Receiver as _, SourceId, SystemClock,
};
use remote_write::{Config, Endpoint, QueueConfig, Storage, Writer};

use crate::receiver::{Answer, OK, Received, Receiver};

const FOLDER: &str = "REMOTE_WRITE_KILL_FOLDER";
const URL: &str = "REMOTE_WRITE_KILL_URL";
const FIRST: &str = "REMOTE_WRITE_KILL_FIRST";
pub(crate) const KILLS: &str = "FERROALLOY_KILLS";
pub(crate) const SEED: &str = "FERROALLOY_KILL_SEED";

pub(crate) const SOURCES: usize = 4;
pub(crate) const SERIES: usize = 30;

/// Random numbers that a seed repeats.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What the receiver has.
#[derive(Default)]
struct Store {
    /// The times of each series, in order of arrival.
    series: BTreeMap<(String, String), Vec<i64>>,
    /// What each request had that was stored.
    requests: HashMap<Vec<(String, String, i64)>, usize>,
    problems: Vec<String>,
}

impl Store {
    fn take(&mut self, received: &Received) {
        let mut samples = Vec::new();
        for series in received.message().timeseries {
            let label = |name: &str| {
                let found = series.labels.iter().find(|label| label.name == name);
                found.map(|label| label.value.clone()).unwrap_or_default()
            };
            let key = (label("source"), label("__name__"));
            samples.extend(
                series
                    .samples
                    .iter()
                    .map(|sample| (key.0.clone(), key.1.clone(), sample.timestamp)),
            );
        }
        let mut content = samples.clone();
        content.sort_unstable();
        // The same request again: its answer was lost.
        if let Some(times) = self.requests.get_mut(&content) {
            *times += 1;
            return;
        }
        for (source, name, time) in samples {
            let times = self.series.entry((source, name)).or_default();
            if times.last().is_some_and(|last| *last >= time) {
                self.problems
                    .push(format!("{time} came after {:?}", times.last()));
            }
            times.push(time);
        }
        self.requests.insert(content, 1);
    }
}

pub(crate) fn spawn(folder: &Path, url: &str, first: i64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::the_process_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .env(URL, url)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads until the process has said that it committed `commits` batches, or has ended. What it committed.
pub(crate) fn committed(child: &mut Child, commits: u64) -> Vec<i64> {
    let mut said = Vec::new();
    let output = BufReader::new(child.stdout.take().unwrap());
    for line in output.lines() {
        let line = line.unwrap();
        said.extend(
            line.strip_prefix("committed ")
                .and_then(|time| time.parse::<i64>().ok()),
        );
        if said.len() as u64 >= commits {
            break;
        }
    }
    said
}

/// A number that the environment gives.
pub(crate) fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_arrives_in_order() {
    let kills = given(KILLS).unwrap_or(25);
    let seed = given(SEED).unwrap_or_else(|| u64::from(std::process::id()) * 2_654_435_761 + 1);
    println!("seed {seed}, {kills} kills; {SEED} and {KILLS} repeat it");
    let store = Arc::new(Mutex::new(Store::default()));
    let draining = Arc::new(Mutex::new(false));
    let script = {
        let (store, draining) = (store.clone(), draining.clone());
        let mut random = Random::new(seed);
        move |received: &Received| {
            if *draining.lock().unwrap() {
                store.lock().unwrap().take(received);
                return OK;
            }
            match random.below(12) {
                0 | 1 => Answer::Status(503, "", "later"),
                2 => Answer::Hang,
                // It has the samples, and the answer is lost.
                3 => {
                    store.lock().unwrap().take(received);
                    Answer::Hang
                }
                4 => {
                    store.lock().unwrap().take(received);
                    Answer::Status(500, "", "stored all the same")
                }
                _ => {
                    store.lock().unwrap().take(received);
                    OK
                }
            }
        }
    };
    let receiver = Receiver::start(script).await;
    let (folder, url) = (tempfile::tempdir().unwrap(), receiver.url());
    let path = folder.path().to_owned();
    let (all, last) = tokio::task::spawn_blocking(move || {
        let (mut random, mut all, mut first) = (Random::new(seed ^ 0x5555), BTreeSet::new(), 1_000);
        for _ in 0..kills {
            let mut child = spawn(&path, &url, first);
            let said = committed(&mut child, 1 + random.below(120));
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(!said.is_empty(), "the process has committed nothing");
            // What was written and not said has times behind what was said.
            first = said.last().unwrap() + 100_000;
            all.extend(said);
        }
        *draining.lock().unwrap() = true;
        let mut child = spawn(&path, &url, 0);
        committed(&mut child, u64::MAX);
        (all, child.wait().unwrap())
    })
    .await
    .unwrap();
    assert!(last.success());
    let store = store.lock().unwrap();
    assert_eq!(store.problems, Vec::<String>::new());
    assert_eq!(store.series.len(), SOURCES * SERIES);
    for (series, times) in &store.series {
        let times: BTreeSet<i64> = times.iter().copied().collect();
        let missing: Vec<&i64> = all.difference(&times).collect();
        assert!(missing.is_empty(), "{series:?} lacks {missing:?}");
    }
}

/// Commits batches until it is killed; or, when it is to begin at 0, sends what is there and ends.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is run, and killed, by the test above"]
async fn the_process_that_is_killed() {
    let (Ok(folder), Ok(url), Ok(first)) = (std::env::var(FOLDER), std::env::var(URL), std::env::var(FIRST))
    else {
        return;
    };
    let endpoint = Endpoint {
        name: Some("e".into()),
        remote_timeout: Duration::from_millis(100),
        queue: QueueConfig {
            batch_send_deadline: Duration::ZERO,
            max_samples_per_send: 50,
            max_shards: 3,
            min_backoff: Duration::from_millis(1),
            max_backoff: Duration::from_millis(5),
            ..QueueConfig::default()
        },
        ..Endpoint::new(url)
    };
    let config = Config {
        endpoints: vec![endpoint],
        storage: Some(Storage {
            max_bytes: Some(1 << 30),
            ..Storage::new(folder)
        }),
        ..Config::default()
    };
    let writer = Writer::new(config, Arc::new(SystemClock)).unwrap();
    let first: i64 = first.parse().unwrap();
    if first == 0 {
        assert_eq!(writer.shutdown(Duration::from_mins(5)).await, 0);
        return;
    }
    let layouts: Vec<_> = (0..SOURCES)
        .map(|source| {
            let mut layout = LayoutBuilder::new(SourceId::new(), format!("source {source}"));
            for series in 0..SERIES {
                let (name, source) = (format!("m{series:02}"), source.to_string());
                layout.push([("__name__", name.as_str()), ("source", source.as_str())], None);
            }
            layout.build()
        })
        .collect();
    for time in first.. {
        for layout in &layouts {
            let mut data = ColumnData::default();
            data.reset(time, SERIES);
            (0..u32::try_from(SERIES).unwrap()).for_each(|slot| data.set(slot, time as f64));
            let batch = Batch::from(Columns {
                layout: layout.clone(),
                data: Arc::new(data),
            });
            assert_eq!(writer.accept(&batch).await, Committed::Durable);
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "committed {time}").unwrap();
        out.flush().unwrap();
    }
}
