//! A Prometheus agent and Ferroalloy scrape the same fifty changing targets into a receiver each, and what arrives is
//! compared series by series. Named by `FERROALLOY_PROMETHEUS`, for as many seconds as `FERROALLOY_SIDE_BY_SIDE` says.
//!
//! Targets are functions of a phase of ten seconds, and both are scraped every two; so what arrives of a series is the same
//! states in the same order, though not as many samples at the same times. Each difference is in `explained`, with its
//! reason, or fails the test.

mod targets;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferroalloy_model::{Clock, SystemClock, is_stale};
use hyper::StatusCode;

use self::targets::{Stage, TARGETS};
use crate::support::{Agent, Sink};

/// What a series was, one state after another, and how many samples said so.
#[derive(Debug, Default, Clone)]
struct History {
    states: Vec<String>,
    samples: usize,
}

type Received = Arc<Mutex<BTreeMap<String, History>>>;

/// Series whose values are measurements of the scrape itself: only that they are there is compared.
const MEASURED: [&str; 1] = ["scrape_duration_seconds"];

/// Takes in what a receiver is sent, for as long as the test runs.
fn collect(mut sink: Sink) -> Received {
    let received = Received::default();
    let into = Arc::clone(&received);
    tokio::spawn(async move {
        loop {
            let (_, samples) = sink.next().await;
            let mut received = into.lock().unwrap();
            for sample in samples {
                let state = if is_stale(sample.value) {
                    "stale".to_owned()
                } else if MEASURED.iter().any(|name| sample.series.starts_with(name)) {
                    "measured".to_owned()
                } else {
                    sample.value.to_string()
                };
                let history = received.entry(sample.series).or_default();
                history.samples += 1;
                if history.states.last() != Some(&state) {
                    history.states.push(state);
                }
            }
        }
    });
    received
}

fn instance(target: usize) -> String {
    format!("t{target:02}")
}

/// The targets as Prometheus' file discovery reads them.
fn discovered(address: SocketAddr, targets: &[usize]) -> String {
    let groups: Vec<_> = targets
        .iter()
        .map(|target| {
            serde_json::json!({
                "targets": [address.to_string()],
                "labels": {"__metrics_path__": format!("/{target}"), "instance": instance(*target)},
            })
        })
        .collect();
    serde_json::Value::from(groups).to_string()
}

fn configuration(address: SocketAddr, targets: &[usize], sink: &str) -> String {
    let mut list = String::new();
    for target in targets {
        let _ = writeln!(
            list,
            "    {{ __address__ = \"{address}\", __metrics_path__ = \"/{target}\", instance = \"{}\" }},",
            instance(*target)
        );
    }
    format!(
        "prometheus.scrape \"t\" {{\n  targets = [\n{list}  ]\n  forward_to = [prometheus.remote_write.sink.receiver]\n  \
         job_name = \"j\"\n  scrape_interval = \"2s\"\n  scrape_timeout = \"1s\"\n}}\n\
         prometheus.remote_write \"sink\" {{\n  endpoint {{\n    url = \"{sink}\"\n    queue_config {{\n      \
         batch_send_deadline = \"1s\"\n    }}\n  }}\n}}\n"
    )
}

/// Why a series may have come to us otherwise than from Prometheus; `None`: it may not.
fn explained(series: &str, theirs: &[String], ours: &[String]) -> Option<&'static str> {
    let target: usize = series
        .split("instance=\"t")
        .nth(1)
        .and_then(|rest| rest.get(..2)?.parse().ok())?;
    let without_markers = |states: &[String]| {
        let mut kept: Vec<String> = states.iter().filter(|state| *state != "stale").cloned().collect();
        kept.dedup();
        kept
    };
    if targets::is_malformed(target) && without_markers(theirs) == without_markers(ours) {
        return Some(
            "a body that breaks off: Prometheus sends no marker for series before the fault, we do for all",
        );
    }
    if targets::changes_type(target) && series.starts_with("changes{") {
        return Some(
            "a type that changes: Prometheus knows the series by its text, also after an empty answer, and leaves `le` as it was \
             under the old type; we write it as the type asks",
        );
    }
    if targets::changes_type(target) && series.starts_with("scrape_series_added{") {
        return Some(
            "Prometheus keeps its cache over an empty answer, so a series that comes back after one is not counted as added",
        );
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_changing_targets_arrive_as_from_prometheus() {
    let seconds = std::env::var("FERROALLOY_SIDE_BY_SIDE")
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    let binary = std::env::var("FERROALLOY_PROMETHEUS")
        .ok()
        .filter(|path| !path.is_empty());
    let (Some(seconds), Some(binary)) = (seconds, binary) else {
        println!(
            "skipped: FERROALLOY_SIDE_BY_SIDE gives no seconds, or FERROALLOY_PROMETHEUS names no binary"
        );
        return;
    };
    let stage = Arc::new(Stage::default());
    let address = targets::serve(Arc::clone(&stage)).await;
    let (theirs, ours) = (Sink::start().await, Sink::start().await);
    let (their_url, our_url) = (theirs.url(), ours.url());
    let (theirs, ours) = (collect(theirs), collect(ours));

    let all: Vec<usize> = (0..TARGETS).collect();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("targets.json");
    std::fs::write(&list, discovered(address, &all)).unwrap();
    let config = folder.path().join("prometheus.yml");
    std::fs::write(
        &config,
        format!(
            "global:\n  scrape_interval: 2s\n  scrape_timeout: 1s\nscrape_configs:\n  - job_name: j\n    \
             fallback_scrape_protocol: PrometheusText0.0.4\n    file_sd_configs:\n      - files: [{list:?}]\n        \
             refresh_interval: 1s\nremote_write:\n  - url: {their_url}\n    queue_config:\n      batch_send_deadline: 1s\n"
        ),
    )
    .unwrap();
    let mut prometheus = Command::new(binary)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.agent.path={}",
            folder.path().join("data").display()
        ))
        .args(["--agent", "--web.listen-address=127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let agent = Agent::start(&configuration(address, &all, &our_url)).await;

    // The first phase lasts until both have scraped all; file discovery takes up to five seconds.
    SystemClock.sleep(Duration::from_secs(15)).await;
    let phases = (seconds / targets::PHASE.as_secs()).max(6);
    for phase in 1..=phases {
        stage.enter(phase);
        let present: Vec<usize> = all
            .iter()
            .copied()
            .filter(|target| targets::is_listed(*target, phase))
            .collect();
        // Rewritten in place, which is one event; a name that changes would be two.
        std::fs::write(&list, discovered(address, &present)).unwrap();
        std::fs::write(agent.config_path(), configuration(address, &present, &our_url)).unwrap();
        assert_eq!(agent.get("/-/reload").await.0, StatusCode::OK);
        SystemClock.sleep(targets::PHASE).await;
    }
    agent.app.shutdown().await;
    let _ = Command::new("kill").arg(prometheus.id().to_string()).status();
    let _ = prometheus.wait();
    SystemClock.sleep(Duration::from_secs(2)).await;

    let (theirs, ours) = (theirs.lock().unwrap().clone(), ours.lock().unwrap().clone());
    report(&theirs, &ours);
}

fn report(theirs: &BTreeMap<String, History>, ours: &BTreeMap<String, History>) {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unexplained = Vec::new();
    let empty = History::default();
    let names: std::collections::BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    for name in &names {
        let (their, our) = (
            theirs.get(*name).unwrap_or(&empty),
            ours.get(*name).unwrap_or(&empty),
        );
        if their.states == our.states {
            continue;
        }
        match explained(name, &their.states, &our.states) {
            Some(reason) => *reasons.entry(reason).or_default() += 1,
            None => unexplained.push(format!(
                "{name}\n  Prometheus: {}\n  Ferroalloy: {}",
                their.states.join(" "),
                our.states.join(" ")
            )),
        }
    }
    let total = |all: &BTreeMap<String, History>| all.values().map(|history| history.samples).sum::<usize>();
    println!(
        "{} series; samples of Prometheus {}, of Ferroalloy {}; alike {}",
        names.len(),
        total(theirs),
        total(ours),
        names.len() - unexplained.len() - reasons.values().sum::<usize>()
    );
    for (reason, series) in reasons {
        println!("{series} series: {reason}");
    }
    let shown = unexplained
        .iter()
        .take(60)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        unexplained.is_empty(),
        "{} series differ:\n{shown}",
        unexplained.len()
    );
}
