//! `/metrics`: which collectors a request is about, and what they say.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ferroalloy_model::{Families, MetricKind, text};
use node_collectors::{BuildInfo, NodeCollectors, State, registry};

use crate::flags::Web;
use crate::gzip::Gzip;
use crate::log::{Level, Log};
use crate::negotiate::Form;
use crate::sys::Files;
use crate::{process, protobuf};

/// The codes that requests are counted by.
const CODES: [u16; 3] = [200, 500, 503];

/// So many scrapes meet something that later ones do not: files to open, series to see for the first time.
const FIRST: u64 = 3;

/// An answer to a request.
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) content_type: &'static str,
    pub(crate) gzip: bool,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// One of plain text.
    pub(crate) fn plain(code: u16, text: impl Into<String>) -> Self {
        Self {
            code,
            content_type: "text/plain; charset=utf-8",
            gzip: false,
            body: text.into().into_bytes(),
        }
    }
}

/// What a request asks for.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// `collect[]`
    pub(crate) collect: Vec<String>,
    /// `exclude[]`
    pub(crate) exclude: Vec<String>,
    /// `name[]`
    pub(crate) names: Vec<String>,
    pub(crate) gzip: bool,
    pub(crate) form: Form,
}

/// What a scrape works with.
struct Spare {
    families: Families,
    body: Vec<u8>,
    gzip: Gzip,
}

impl Spare {
    fn new() -> Self {
        Self {
            families: Families::new(),
            body: Vec::new(),
            gzip: Gzip::new(),
        }
    }
}

/// The collectors and what is counted about requests.
pub(crate) struct Exporter {
    set: NodeCollectors,
    log: Log,
    own_metrics: bool,
    max_requests: usize,
    running: AtomicUsize,
    answered: [AtomicU64; CODES.len()],
    gathering_errors: AtomicU64,
    scrapes: AtomicU64,
    code: Files,
    /// Kept from one scrape to the next, so that a scrape allocates little.
    spare: Mutex<Option<Spare>>,
}

impl Exporter {
    pub(crate) fn new(set: NodeCollectors, web: &Web, log: Log, code: Files) -> Self {
        Self {
            set,
            log,
            own_metrics: web.own_metrics,
            max_requests: web.max_requests,
            running: AtomicUsize::new(0),
            answered: [const { AtomicU64::new(0) }; CODES.len()],
            gathering_errors: AtomicU64::new(0),
            scrapes: AtomicU64::new(0),
            code,
            spare: Mutex::new(None),
        }
    }

    pub(crate) fn log(&self) -> Log {
        self.log
    }

    /// Runs the collectors; blocks.
    pub(crate) fn scrape(&self, query: &Query) -> Answer {
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        let answer = if self.max_requests > 0 && running > self.max_requests {
            let limit = self.max_requests;
            let message = format!("Limit of concurrent requests reached ({limit}), try again later.\n");
            Answer::plain(503, message)
        } else {
            self.gather(query)
        };
        self.running.fetch_sub(1, Ordering::Relaxed);
        if let Some(at) = CODES.iter().position(|code| *code == answer.code) {
            self.answered[at].fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    fn gather(&self, query: &Query) -> Answer {
        let enabled = self.set.collectors();
        let is_enabled = |name: &str| enabled.iter().any(|collector| collector.name == name);
        if !query.collect.is_empty() && !query.exclude.is_empty() {
            return Answer::plain(400, "Combined collect and exclude queries are not allowed.");
        }
        if let Some(name) = query.collect.iter().find(|name| !is_enabled(name)) {
            let known = registry().iter().any(|collector| collector.name == name);
            let word = if known { "disabled" } else { "missing" };
            let head = "Couldn't create filtered metrics handler: couldn't create collector";
            return Answer::plain(400, format!("{head}: {word} collector: {name}"));
        }
        let is_among = |names: &[String], name: &str| names.iter().any(|known| known == name);
        // The original cannot tell "nothing is left" from "nothing was asked for".
        let leaves_none = enabled
            .iter()
            .all(|collector| is_among(&query.exclude, collector.name));
        let wanted = |name: &str| {
            (query.collect.is_empty() || is_among(&query.collect, name))
                && (leaves_none || !is_among(&query.exclude, name))
        };
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Spare {
            mut families,
            mut body,
            mut gzip,
        } = spare.unwrap_or_else(Spare::new);
        families.clear();
        body.clear();
        self.report(&self.set.collect_some(&mut families, wanted));
        self.own(&mut families);
        let chosen = (!query.names.is_empty()).then(|| only(&families, &query.names));
        let write = if query.form.protobuf {
            protobuf::write
        } else {
            text::write
        };
        let left_out = write(chosen.as_ref().unwrap_or(&families), &mut body);
        if left_out > 0 {
            self.gathering_errors
                .fetch_add(left_out as u64, Ordering::Relaxed);
            let count = left_out.to_string();
            self.log
                .write(Level::Error, "series were given twice", &[("series", &count)]);
        }
        let packed = query.gzip.then(|| gzip.compress(&body)).flatten();
        let answer = Answer {
            code: 200,
            content_type: query.form.content_type(),
            gzip: packed.is_some(),
            body: packed.unwrap_or_else(|| {
                let room = Vec::with_capacity(body.len() + body.len() / 8);
                std::mem::replace(&mut body, room)
            }),
        };
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(Spare { families, body, gzip });
        if self.scrapes.fetch_add(1, Ordering::Relaxed) == FIRST {
            self.code.give_back();
        }
        answer
    }

    /// Logs what changed since the last run.
    fn report(&self, report: &node_collectors::Report) {
        for status in report.changes() {
            let name = ("collector", status.collector);
            match &status.state {
                State::Failed(error) => {
                    let error = error.to_line();
                    self.log
                        .write(Level::Error, "collector failed", &[name, ("err", &error)]);
                }
                State::NoData => self
                    .log
                    .write(Level::Debug, "collector returned no data", &[name]),
                _ => self.log.write(Level::Debug, "collector succeeded", &[name]),
            }
            for warning in &status.warnings {
                self.log.write(Level::Warn, warning, &[name]);
            }
        }
    }

    /// What is told beside the collectors.
    fn own(&self, out: &mut Families) {
        BuildInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..BuildInfo::default()
        }
        .write("node_exporter", out);
        if !self.own_metrics {
            return;
        }
        process::write(out);
        let help = "Total number of scrapes by HTTP status code.";
        let mut requests = out.family(
            "promhttp_metric_handler_requests_total",
            help,
            MetricKind::Counter,
        );
        for (code, count) in CODES.iter().zip(&self.answered) {
            requests.sample(
                &[("code", &code.to_string())],
                count.load(Ordering::Relaxed) as f64,
            );
        }
        let running = self.running.load(Ordering::Relaxed) as f64;
        let name = "promhttp_metric_handler_requests_in_flight";
        out.single(
            name,
            "Current number of scrapes being served.",
            MetricKind::Gauge,
            running,
        );
        let help = "Total number of internal errors encountered by the promhttp metric handler.";
        let mut errors = out.family("promhttp_metric_handler_errors_total", help, MetricKind::Counter);
        // Encoding into memory does not fail.
        errors.sample(&[("cause", "encoding")], 0.0);
        let gathering = self.gathering_errors.load(Ordering::Relaxed) as f64;
        errors.sample(&[("cause", "gathering")], gathering);
    }
}

/// The families with these names.
fn only(families: &Families, names: &[String]) -> Families {
    let mut chosen = Families::new();
    for family in families
        .iter()
        .filter(|family| names.iter().any(|name| name == family.name()))
    {
        let mut out = chosen.family(family.name(), family.help(), family.kind());
        for sample in family.samples() {
            let labels: Vec<_> = sample.labels().collect();
            let suffix = sample.name().strip_prefix(family.name()).unwrap_or_default();
            out.sample_suffix(suffix, &labels, sample.value());
        }
    }
    chosen
}
