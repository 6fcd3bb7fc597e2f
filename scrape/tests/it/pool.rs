//! Loops and pools on a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferroalloy_model::clock::Clock as _;
use ferroalloy_model::{Batch, Collect as _, Families, Labels, ManualClock, Reconfigured, is_stale};
use scrape::{
    Config, DiscoveredTarget, ErrorKind, Fetching, Health, Page, Pool, Resolve, ScrapeTarget, Target,
};

use crate::support::{Answer, Batches, Memory, Script, lines, report, text};

const START: i64 = 1_700_000_000_000;
const INTERVAL: Duration = Duration::from_secs(10);

/// Every target is the script.
struct All(Arc<Script>);

impl Resolve for All {
    fn resolve(&self, _: &ScrapeTarget) -> Option<Arc<dyn Target>> {
        Some(Arc::clone(&self.0) as _)
    }
}

/// A target that counts how often it was told that the machine had slept.
#[derive(Debug, Default)]
struct Resumed(AtomicUsize);

impl Target for Resumed {
    fn fetch<'a>(&'a self, _: Duration, _: &'a mut Page) -> Fetching<'a> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn resume(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Resumes(Arc<Resumed>);

impl Resolve for Resumes {
    fn resolve(&self, _: &ScrapeTarget) -> Option<Arc<dyn Target>> {
        Some(Arc::clone(&self.0) as _)
    }
}

struct Job {
    pool: Pool,
    clock: ManualClock,
    script: Arc<Script>,
    batches: Batches,
}

fn config() -> Config {
    Config {
        job_name: "j".into(),
        interval: INTERVAL,
        timeout: Duration::from_secs(5),
        ..Config::default()
    }
}

fn targets(list: &[&[(&str, &str)]]) -> Vec<DiscoveredTarget> {
    list.iter()
        .map(|labels| DiscoveredTarget {
            labels: Labels::from_pairs(labels.iter().copied()),
        })
        .collect()
}

const ONE: &[(&str, &str)] = &[("__address__", "one:1")];
const TWO: &[(&str, &str)] = &[("__address__", "two:2")];

impl Job {
    fn new(config: Config, answer: Answer) -> Self {
        let (memory, batches) = Memory::new();
        Self::with(config, answer, memory, batches)
    }

    fn with(config: Config, answer: Answer, memory: Arc<Memory>, batches: Batches) -> Self {
        let (clock, script) = (ManualClock::new(START), Script::new([answer]));
        let pool = Pool::new(
            config,
            memory,
            Arc::new(clock.clone()),
            Arc::new(All(Arc::clone(&script))),
        )
        .expect("a pool");
        Self {
            pool,
            clock,
            script,
            batches,
        }
    }

    /// The next batch: lets time pass as long as everybody sleeps.
    async fn next(&mut self) -> Batch {
        loop {
            tokio::select! {
                biased;
                Some(batch) = self.batches.recv() => return batch,
                () = settled(&self.clock) => {
                    self.clock.advance_to_next();
                }
            }
        }
    }

    fn metric(&self, name: &str) -> f64 {
        let mut families = Families::new();
        self.pool.collect(&mut families);
        families
            .iter()
            .filter(|family| family.name() == name)
            .flat_map(ferroalloy_model::families::FamilyRef::samples)
            .map(ferroalloy_model::families::SampleRef::value)
            .sum()
    }
}

/// Waits until somebody sleeps and nothing else is to be done.
async fn settled(clock: &ManualClock) {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    clock.wait_for_sleepers(1).await;
}

#[tokio::test]
async fn a_target_is_scraped_on_its_grid() {
    let mut job = Job::new(config(), text("a 1\n"));
    assert_eq!(job.pool.sync(targets(&[ONE])).active, 1);
    assert_eq!(job.pool.targets()[0].health, Health::Unknown);
    let first = job.next().await;
    assert!((START..START + 10_000).contains(&first.timestamp()));
    assert_eq!(lines(&first), [r#"a{instance="one:1", job="j"} 1"#]);
    for tick in 1..4 {
        assert_eq!(job.next().await.timestamp(), first.timestamp() + tick * 10_000);
    }
    settled(&job.clock).await;
    let status = &job.pool.targets()[0];
    assert_eq!(
        (status.health, status.last_scrape),
        (Health::Up, Some(first.timestamp() + 30_000))
    );
    assert_eq!(
        (status.url.as_str(), status.last_error.as_str()),
        ("http://one:1/metrics", "")
    );
    assert_eq!(job.metric("ferroalloy_scrapes_total"), 4.0);
    assert_eq!(job.metric("prometheus_target_scrape_pool_targets"), 1.0);
    assert!(job.metric("ferroalloy_scrape_state_bytes") > 0.0);
    job.pool.stop().await;
    assert_eq!(job.metric("ferroalloy_scrape_state_bytes"), 0.0);
}

#[tokio::test]
async fn a_target_that_hangs_fails_in_time_and_leaves_others_alone() {
    let mut job = Job::new(config(), text("a 1\n"));
    job.pool.sync(targets(&[ONE]));
    let good = job.next().await;
    job.script.say(Answer::Hang);
    let bad = job.next().await;
    assert_eq!(bad.timestamp(), good.timestamp() + 10_000);
    assert_eq!(lines(&bad), [r#"a{instance="one:1", job="j"} stale"#]);
    assert_eq!(report(&bad, "scrape_duration_seconds"), Some(5.0));
    settled(&job.clock).await;
    assert_eq!(job.pool.targets()[0].last_error, "no complete answer within 5s");
    assert_eq!(job.pool.targets()[0].health, Health::Down);
}

#[tokio::test]
async fn stopping_sends_no_markers_and_retiring_does() {
    let mut job = Job::new(config(), text("a 1\n"));
    job.pool.sync(targets(&[ONE]));
    job.next().await;
    job.script.say(Answer::Hang);
    settled(&job.clock).await;
    job.clock.advance(INTERVAL);
    settled(&job.clock).await;
    // A scrape is under way.
    job.pool.stop().await;
    assert!(job.batches.try_recv().is_err());
    assert_eq!(job.clock.sleepers(), 0);

    job = Job::new(config(), text("a 1\n"));
    job.pool.sync(targets(&[ONE]));
    let last = job.next().await;
    settled(&job.clock).await;
    assert_eq!(job.pool.sync(Vec::new()).active, 0);
    let before = job.clock.wall();
    let markers = job.next().await;
    assert!(markers.samples().iter().all(|row| is_stale(row.value)));
    assert_eq!(markers.sample_count(), 6);
    assert_eq!(markers.timestamp(), last.timestamp() + 10_000);
    // They wait until the target would have been scraped twice, and a tenth of the interval more.
    assert_eq!(job.clock.wall() - before, 21_000);
    // Then nothing is kept of the series, although no other list of targets comes.
    let layout = Arc::downgrade(markers.layout());
    drop((last, markers));
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(layout.upgrade().is_none());
}

#[tokio::test]
async fn a_target_that_comes_back_goes_on() {
    let mut job = Job::new(config(), text("a 1\nb 1\n"));
    job.pool.sync(targets(&[ONE]));
    let first = job.next().await;
    settled(&job.clock).await;
    job.pool.sync(Vec::new());
    settled(&job.clock).await;
    job.clock.advance(INTERVAL);
    settled(&job.clock).await;
    job.pool.sync(targets(&[ONE]));
    job.script.say(text("a 2\n"));
    let back = job.next().await;
    assert_eq!(
        lines(&back),
        [
            r#"a{instance="one:1", job="j"} 2"#,
            r#"b{instance="one:1", job="j"} stale"#
        ]
    );
    assert_eq!(back.layout().id(), first.layout().id());
    assert_eq!(job.pool.targets().len(), 1);
    // Another target whose series have the same labels takes them over.
    settled(&job.clock).await;
    let moved: &[(&str, &str)] = &[("__address__", "elsewhere:1"), ("instance", "one:1")];
    job.pool.sync(targets(&[moved]));
    let moved = job.next().await;
    assert_eq!(moved.layout().source(), first.layout().source());
    assert_eq!(lines(&moved), [r#"a{instance="one:1", job="j"} 2"#]);
    for _ in 0..3 {
        assert!(job.next().await.samples().iter().all(|row| !is_stale(row.value)));
    }
}

#[tokio::test]
async fn equal_targets_are_one_and_wrong_ones_do_no_harm() {
    let job = Job::new(config(), text("a 1\n"));
    let with_meta: &[(&str, &str)] = &[("__address__", "one:1"), ("__meta_x", "y")];
    let wrong: &[(&str, &str)] = &[("__address__", "a/b")];
    let synced = job
        .pool
        .sync(targets(&[ONE, with_meta, TWO, wrong, &[("x", "y")]]));
    assert_eq!((synced.active, synced.refused.len()), (2, 2));
    assert!(
        synced
            .refused
            .iter()
            .all(|error| error.kind() == ErrorKind::Target)
    );
    assert_eq!(job.metric("prometheus_target_sync_failed_total"), 2.0);
}

#[tokio::test]
async fn more_targets_than_allowed_fail_all() {
    let mut job = Job::new(
        Config {
            target_limit: 1,
            ..config()
        },
        text("a 1\n"),
    );
    job.pool.sync(targets(&[ONE]));
    let good = job.next().await;
    assert_eq!(report(&good, "up"), Some(1.0));
    settled(&job.clock).await;
    job.pool.sync(targets(&[ONE, TWO]));
    let bad = loop {
        let batch = job.next().await;
        assert_eq!(report(&batch, "up"), Some(0.0));
        if batch.layout().source() == good.layout().source() {
            break batch;
        }
    };
    assert_eq!(lines(&bad), [r#"a{instance="one:1", job="j"} stale"#]);
    assert_eq!(
        job.metric("prometheus_target_scrape_pool_exceeded_target_limit_total"),
        1.0
    );
    job.pool.sync(targets(&[ONE]));
    assert_eq!(report(&job.next().await, "up").map(|up| up >= 0.0), Some(true));
}

#[tokio::test]
async fn a_reload_keeps_loops_and_series() {
    let mut job = Job::new(config(), text("a{job=\"x\"} 1\n"));
    job.pool.sync(targets(&[ONE]));
    let first = job.next().await;
    settled(&job.clock).await;
    for change in [
        Config {
            sample_limit: 100,
            ..config()
        },
        Config {
            timeout: Duration::from_secs(9),
            ..config()
        },
        Config {
            interval: 2 * INTERVAL,
            ..config()
        },
    ] {
        assert_eq!(job.pool.reconfigure(change).expect("valid"), Reconfigured::Kept);
        let next = job.next().await;
        assert_eq!(next.layout().id(), first.layout().id());
        assert_eq!(lines(&next), lines(&first));
        settled(&job.clock).await;
    }
    let honoring = Config {
        honor_labels: true,
        ..config()
    };
    assert!(job.pool.reconfigure(honoring).is_ok());
    let renamed = job.next().await;
    assert_eq!(
        lines(&renamed),
        [
            r#"a{exported_job="x", instance="one:1", job="j"} stale"#,
            r#"a{instance="one:1", job="x"} 1"#
        ]
    );
    let error = job
        .pool
        .reconfigure(Config {
            interval: Duration::ZERO,
            ..config()
        })
        .expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(lines(&job.next().await), [r#"a{instance="one:1", job="x"} 1"#]);
    assert_eq!(
        job.metric("prometheus_target_scrape_pool_reloads_failed_total"),
        1.0
    );
}

#[tokio::test]
async fn a_receiver_that_never_commits_costs_a_second_and_then_ticks() {
    let (memory, batches) = Memory::silent();
    let short = Config {
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        ..config()
    };
    let mut job = Job::with(short, text("a 1\n"), memory, batches);
    job.pool.sync(targets(&[ONE]));
    let first = job.next().await;
    let second = job.next().await;
    // The wait for the commit covered one tick, which was left out and counted.
    assert_eq!(second.timestamp() - first.timestamp(), 1000);
    settled(&job.clock).await;
    let third = job.next().await;
    assert_eq!((third.timestamp() - first.timestamp()) % 1000, 0);
    assert!(job.metric("ferroalloy_scrape_commits_late_total") >= 1.0);
}

#[tokio::test]
async fn after_a_suspend_there_is_one_scrape_on_time_for_the_grid() {
    let mut job = Job::new(config(), text("a 1\n"));
    job.pool.sync(targets(&[ONE]));
    let first = job.next().await;
    settled(&job.clock).await;
    job.clock.advance(Duration::from_secs(3605));
    let woken = job.next().await;
    assert_eq!(woken.timestamp(), first.timestamp() + 3_605_000);
    let next = job.next().await;
    assert_eq!(next.timestamp(), first.timestamp() + 3_610_000);
    assert_eq!(job.metric("ferroalloy_scrape_ticks_skipped_total"), 359.0);
}

#[tokio::test]
async fn ten_thousand_targets_are_spread_over_the_interval() {
    const TARGETS: usize = 10_000;
    const SLICES: usize = 100;
    let mut job = Job::new(config(), text("a 1\n"));
    let list: Vec<_> = (0..TARGETS)
        .map(|n| DiscoveredTarget {
            labels: Labels::from_pairs([("__address__", format!("host{n}:9100"))]),
        })
        .collect();
    assert_eq!(job.pool.sync(list).active, TARGETS);
    job.clock.wait_for_sleepers(TARGETS).await;
    // Moves through one interval in slices, and counts what was scraped within each. Places are whole milliseconds, and
    // the first of them is now.
    let slice = INTERVAL / u32::try_from(SLICES).expect("small");
    let mut scrapes = [0; SLICES];
    for (index, count) in scrapes.iter_mut().enumerate() {
        job.clock
            .advance(slice.saturating_sub(Duration::from_millis(u64::from(index == 0))));
        // Whoever was woken sleeps again when its batch is out.
        job.clock.wait_for_sleepers(TARGETS).await;
        while job.batches.try_recv().is_ok() {
            *count += 1;
        }
    }
    assert_eq!(scrapes.iter().sum::<usize>(), TARGETS, "each of them once");
    let (least, most) = (scrapes.iter().min(), scrapes.iter().max());
    // A hundred on average; nobody's turn has half as many again.
    assert!(least >= Some(&50) && most <= Some(&150), "{least:?} {most:?}");
    job.pool.stop().await;
}

#[tokio::test]
async fn without_memory_new_series_fail_the_scrape_and_known_ones_go_on() {
    let mut job = Job::new(config(), text("a 1\n"));
    let budget = Arc::new(scrape::Budget::default());
    job.pool = job.pool.with_budget(Arc::clone(&budget));
    job.pool.sync(targets(&[ONE]));
    job.next().await;
    budget.set_used_up(true);
    assert_eq!(report(&job.next().await, "up"), Some(1.0));
    job.script.say(text("a 1\nb 2\n"));
    settled(&job.clock).await;
    let refused = job.next().await;
    assert_eq!(report(&refused, "up"), Some(0.0));
    let error = job.pool.targets()[0].last_error.clone();
    assert_eq!(error, "the memory budget is used up, and b would be a new series");
    assert_eq!(job.metric("ferroalloy_scrapes_refused_memory_total"), 1.0);
    budget.set_used_up(false);
    let good = job.next().await;
    assert_eq!(report(&good, "up"), Some(1.0));
    assert_eq!(lines(&good).len(), 2);
}

#[tokio::test]
async fn connections_are_renewed_after_a_suspend() {
    let (memory, batches) = Memory::new();
    let clock = ManualClock::new(START);
    let resumed = Arc::new(Resumed::default());
    let pool = Pool::new(
        config(),
        memory,
        Arc::new(clock.clone()),
        Arc::new(Resumes(Arc::clone(&resumed))),
    )
    .expect("a pool");
    let mut job = Job {
        pool,
        clock,
        script: Script::new([]),
        batches,
    };
    job.pool.sync(targets(&[ONE]));
    job.next().await;
    job.next().await;
    assert_eq!(resumed.0.load(Ordering::Relaxed), 0);
    settled(&job.clock).await;
    job.clock.advance(Duration::from_hours(8));
    job.next().await;
    job.next().await;
    assert_eq!(
        resumed.0.load(Ordering::Relaxed),
        1,
        "before the one scrape after it"
    );
}

#[tokio::test]
async fn failures_are_written_to_the_log() {
    let path = std::env::temp_dir().join(format!("ferroalloy-failures-{}.log", std::process::id()));
    let failing = Config {
        failure_log: Some(path.clone()),
        ..config()
    };
    let mut job = Job::new(failing, Answer::Fail);
    job.pool.sync(targets(&[ONE]));
    let first = job.next().await;
    job.pool.stop().await;
    // Dropping the pool ends the thread behind the last line, and with it the file is complete.
    drop(job);
    let line = loop {
        match std::fs::read_to_string(&path) {
            Ok(text) if text.ends_with('\n') => break text,
            _ => std::thread::yield_now(),
        }
    };
    let _ = std::fs::remove_file(&path);
    let line: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(line["msg"], "scripted failure");
    assert_eq!(line["job_name"], "j");
    assert_eq!(line["target"], first.layout().origin());
    let error = Pool::new(
        Config {
            failure_log: Some("/nowhere/at/all".into()),
            ..config()
        },
        Memory::new().0,
        Arc::new(ManualClock::new(START)),
        Arc::new(scrape::HttpOnly),
    )
    .expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn dropping_a_pool_ends_its_loops() {
    let mut job = Job::new(config(), text("a 1\n"));
    job.pool.sync(targets(&[ONE, TWO]));
    job.next().await;
    job.pool.sync(targets(&[TWO]));
    settled(&job.clock).await;
    let Job {
        pool,
        clock,
        mut batches,
        script,
    } = job;
    drop((pool, script));
    // The channel closes when the last loop has let go of the receiver.
    while batches.recv().await.is_some() {}
    assert_eq!(clock.sleepers(), 0);
}
