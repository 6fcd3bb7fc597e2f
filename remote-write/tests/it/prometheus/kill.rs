//! `kill -9` under load beside a Prometheus that takes nothing out of order: what was committed can be queried.

use std::collections::BTreeSet;

use ferroalloy_model::{Clock, SystemClock};

use crate::kill::{KILLS, Random, SEED, SERIES, SOURCES, committed, given, spawn};
use crate::peers::{Peer, millis};

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_that_was_committed_is_read_back() {
    let Some(prometheus) = Peer::prometheus(true) else {
        return;
    };
    let kills = given(KILLS).unwrap_or(10);
    let seed = given(SEED).unwrap_or_else(|| u64::from(std::process::id()) * 2_654_435_761 + 1);
    println!("seed {seed}, {kills} kills; {SEED} and {KILLS} repeat it");
    let (folder, url) = (tempfile::tempdir().unwrap(), prometheus.url("/api/v1/write"));
    let path = folder.path().to_owned();
    // Prometheus takes what is ten minutes ahead at most, and what was written and not said has times behind what was said.
    let begin = SystemClock.wall() - 600_000;
    let (all, last) = tokio::task::spawn_blocking(move || {
        let (mut random, mut all, mut first) = (Random::new(seed), BTreeSet::new(), begin);
        for _ in 0..kills {
            let mut child = spawn(&path, &url, first);
            let said = committed(&mut child, 1 + random.below(120));
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(!said.is_empty(), "the process has committed nothing");
            first = said.last().unwrap() + 5_000;
            all.extend(said);
        }
        let mut child = spawn(&path, &url, 0);
        committed(&mut child, u64::MAX);
        (all, child.wait().unwrap())
    })
    .await
    .unwrap();
    assert!(last.success());
    let newest = *all.last().unwrap();
    for source in 0..SOURCES {
        // {source="0"}[1h]
        let query = format!("%7Bsource%3D%22{source}%22%7D%5B1h%5D");
        let found = prometheus.query(&query, newest).await;
        assert_eq!(found.len(), SERIES);
        for series in found {
            let mut times = BTreeSet::new();
            for value in series["values"].as_array().unwrap() {
                let time = millis(&value[0]);
                assert_eq!(value[1].as_str().unwrap().parse::<i64>().unwrap(), time);
                times.insert(time);
            }
            let missing: Vec<&i64> = all.difference(&times).collect();
            assert!(missing.is_empty(), "{} lacks {missing:?}", series["metric"]);
        }
    }
}
