//! What the tests share: targets that say what they are told, receivers that remember, and a clock that stands still.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferroalloy_model::{Batch, Commit, Committed, Families, Labels, ManualClock, Receiver, is_stale};
use scrape::parse::{Format, Protocol};
use scrape::{Config, Error, Fetching, Page, Scraped, Scraper, Target};

/// What a scripted target answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Text(String),
    /// A body of the protocol's format.
    Body(&'static str, Vec<u8>),
    Families(Families),
    Fail,
    Hang,
}

/// Answers one thing after another; the last one for ever.
#[derive(Debug)]
pub(crate) struct Script(Mutex<VecDeque<Answer>>);

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.into_iter().collect())))
    }

    pub(crate) fn say(&self, answer: Answer) {
        *self.0.lock().expect("script") = VecDeque::from([answer]);
    }
}

/// A body of `count` series.
pub(crate) fn numbered(count: usize) -> String {
    use std::fmt::Write as _;
    (0..count).fold(String::new(), |mut body, n| {
        let _ = writeln!(body, "m{{n=\"{n}\"}} {n}");
        body
    })
}

pub(crate) fn text(body: &str) -> Answer {
    Answer::Text(body.to_owned())
}

impl Target for Script {
    fn fetch<'a>(&'a self, _: Duration, page: &'a mut Page) -> Fetching<'a> {
        let answer = {
            let mut answers = self.0.lock().expect("script");
            if answers.len() > 1 {
                answers.pop_front()
            } else {
                answers.front().cloned()
            }
        };
        match answer.unwrap_or(Answer::Fail) {
            Answer::Text(body) => page
                .body(format("PrometheusText0.0.4"))
                .extend_from_slice(body.as_bytes()),
            Answer::Body(protocol, body) => page.body(format(protocol)).extend_from_slice(&body),
            Answer::Families(families) => page.families().append(&families),
            Answer::Fail => return Box::pin(std::future::ready(Err(Error::exporter("scripted failure")))),
            Answer::Hang => return Box::pin(std::future::pending()),
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Series of a batch with value and time; a marker's value is written as `stale`.
pub(crate) fn rows(batch: &Batch) -> BTreeMap<String, Vec<(String, i64)>> {
    let mut rows: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for row in batch.samples() {
        let series = batch.layout().series(row.slot as usize).to_string();
        let value = if is_stale(row.value) {
            "stale".to_owned()
        } else {
            row.value.to_string()
        };
        rows.entry(series).or_default().push((value, row.timestamp));
    }
    rows
}

/// The samples of a batch without the report series, as `series value` lines; times only where they are not the
/// batch's own.
pub(crate) fn lines(batch: &Batch) -> Vec<String> {
    let mut lines = Vec::new();
    for (series, samples) in rows(batch) {
        if series.starts_with("scrape_") || series == "up" || series.starts_with("up{") {
            continue;
        }
        for (value, time) in samples {
            let time = if time == batch.timestamp() {
                String::new()
            } else {
                format!(" @{time}")
            };
            lines.push(format!("{series} {value}{time}"));
        }
    }
    lines
}

/// The value of a report series.
pub(crate) fn report(batch: &Batch, name: &str) -> Option<f64> {
    let rows = batch.samples();
    let row = rows
        .iter()
        .find(|row| batch.layout().series(row.slot as usize).name() == Some(name))?;
    Some(row.value)
}

/// A scraper with its target and its options; each scrape is ten seconds after the one before.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) config: Config,
    pub(crate) target: Arc<Script>,
    pub(crate) time: i64,
    scraper: Scraper,
    clock: ManualClock,
    page: Page,
}

impl Bench {
    pub(crate) fn new(labels: &[(&str, &str)], config: Config) -> Self {
        Self {
            config,
            target: Script::new([]),
            time: 1_000_000,
            scraper: Scraper::new("http://test/metrics", Labels::from_pairs(labels.iter().copied())),
            clock: ManualClock::new(1_000_000),
            page: Page::new(),
        }
    }

    pub(crate) fn plain() -> Self {
        Self::new(&[], Config::default())
    }

    /// Scrapes an answer.
    pub(crate) fn answer(&mut self, answer: Answer) -> Scraped {
        self.target.say(answer);
        self.time += 10_000;
        let when = (self.time, Duration::from_secs(10));
        let scrape = self
            .scraper
            .scrape(&*self.target, &self.config, &self.clock, when, &mut self.page);
        // Scripted targets are ready at once.
        let mut scrape = std::pin::pin!(scrape);
        match scrape
            .as_mut()
            .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
        {
            std::task::Poll::Ready(outcome) => outcome,
            std::task::Poll::Pending => panic!("the target hangs"),
        }
    }

    /// Scrapes a body, which must be good, and gives the samples as lines.
    pub(crate) fn body(&mut self, body: &str) -> Vec<String> {
        let outcome = self.answer(text(body));
        assert!(outcome.error.is_none(), "{:?}", outcome.error);
        lines(&outcome.batch)
    }

    pub(crate) fn retire(&mut self) -> Option<Batch> {
        self.scraper.retire(self.time)
    }
}

/// Remembers the batches it gets and commits as told.
#[derive(Debug)]
pub(crate) struct Memory {
    batches: tokio::sync::mpsc::UnboundedSender<Batch>,
    commits: bool,
}

/// The batches that a [`Memory`] got.
pub(crate) type Batches = tokio::sync::mpsc::UnboundedReceiver<Batch>;

impl Memory {
    pub(crate) fn new() -> (Arc<Self>, Batches) {
        let (batches, received) = tokio::sync::mpsc::unbounded_channel();
        (
            Arc::new(Self {
                batches,
                commits: true,
            }),
            received,
        )
    }

    /// One that never says what became of a batch.
    pub(crate) fn silent() -> (Arc<Self>, Batches) {
        let (batches, received) = tokio::sync::mpsc::unbounded_channel();
        (
            Arc::new(Self {
                batches,
                commits: false,
            }),
            received,
        )
    }
}

impl Receiver for Memory {
    fn accept(&self, batch: &Batch) -> Commit {
        let _ = self.batches.send(batch.clone());
        if self.commits {
            return Commit::done(Committed::Memory);
        }
        let (promise, commit) = Commit::pending();
        std::mem::forget(promise);
        commit
    }
}

fn format(protocol: &str) -> &'static Format {
    let protocol = Protocol::named(protocol).expect("known");
    protocol.format().expect("it has a parser")
}
