//! What a pool is told: the options of one scrape job.
//!
//! Every option here works; there is none that is taken and ignored. Sizes and counts of zero mean "no limit".

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use relabel::{NameScheme, Rules};

use crate::error::{Error, ErrorKind};
use crate::parse::{Options, Protocol, protocols};

#[expect(clippy::struct_excessive_bools, reason = "they are options, each its own")]
/// The options of one scrape job, with Prometheus' defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The value of the label `job` of targets that have none.
    pub job_name: String,
    /// Time between scrapes of a target; targets may override it with `__scrape_interval__`.
    pub interval: Duration,
    /// How long a scrape may take, connecting and reading included; targets may override it with
    /// `__scrape_timeout__`. At most the interval.
    pub timeout: Duration,
    /// Keep the target's own labels where they clash with those it is given; otherwise its labels are renamed
    /// with `exported_` in front.
    pub honor_labels: bool,
    /// Keep explicit timestamps; otherwise all samples have the time of the scrape.
    pub honor_timestamps: bool,
    /// Send staleness markers for series with explicit timestamps as well.
    pub track_timestamps_staleness: bool,
    /// URL parameters. Targets may override the first value of each with `__param_<name>`.
    pub params: BTreeMap<String, Vec<String>>,
    /// The path of the URL; targets may override it with `__metrics_path__`.
    pub metrics_path: String,
    /// `http` or `https`; targets may override it with `__scheme__`.
    pub scheme: String,
    /// The protocols to ask for, best first.
    pub protocols: Vec<&'static Protocol>,
    /// The protocol to assume of a response whose content type names none.
    pub fallback_protocol: Option<&'static Protocol>,
    /// How bodies are read. By default native histograms are passed over for their classic buckets, as Prometheus does it.
    pub parse: Options,
    /// Ask for and accept gzip.
    pub enable_compression: bool,
    /// The decompressed body must be smaller than this many bytes.
    pub body_size_limit: usize,
    /// Samples of a scrape, after metric relabelling.
    pub sample_limit: usize,
    /// Targets of the job: if there are more, all of them fail.
    pub target_limit: usize,
    /// Labels of a series, its name included.
    pub label_limit: usize,
    /// Bytes of a label name.
    pub label_name_length_limit: usize,
    /// Bytes of a label value.
    pub label_value_length_limit: usize,
    /// Buckets of a native histogram; one with more is made coarser, and fails the scrape where that is not possible.
    pub native_histogram_bucket_limit: usize,
    /// The least growth from one bucket of a native histogram to the next; a finer one is made coarser. 0: as it comes.
    pub native_histogram_min_bucket_factor: f64,
    /// Report `scrape_timeout_seconds`, `scrape_sample_limit` and `scrape_body_size_bytes` too.
    pub extra_metrics: bool,
    /// Which metric and label names are valid.
    pub name_scheme: NameScheme,
    /// How targets are asked to write names that are not valid in the legacy scheme.
    pub escaping: Escaping,
    /// Keep type, help and unit of families, for series that are new from then on.
    pub metadata: bool,
    /// A file that a line is appended to for each scrape that fails.
    pub failure_log: Option<PathBuf>,
    /// Rules for every series before it is kept.
    pub metric_relabel: Rules,
    /// How to reach targets.
    pub http: ferroalloy_http_client::Config,
    /// The `User-Agent` of requests.
    pub user_agent: String,
    /// Keeps the targets of several replicas apart in time; the same number gives the same times after a restart.
    pub offset_seed: u64,
}

/// How a target is asked to write names that are not ASCII letters, digits, underscores and colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escaping {
    /// As they are, quoted.
    #[default]
    AllowUtf8,
    /// Each other character as `_`.
    Underscores,
    /// `.` as `_dot_`, `_` as `__`, others as `__`.
    Dots,
    /// With `U__` in front, `_` as `__`, others as their code between underscores.
    Values,
}

impl Escaping {
    /// The word for it, in configurations and in the `Accept` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            job_name: String::new(),
            interval: Duration::from_mins(1),
            timeout: Duration::from_secs(10),
            honor_labels: false,
            honor_timestamps: true,
            track_timestamps_staleness: false,
            params: BTreeMap::new(),
            metrics_path: "/metrics".to_owned(),
            scheme: "http".to_owned(),
            protocols: protocols().filter(|protocol| protocol.by_default).collect(),
            fallback_protocol: None,
            parse: Options {
                ignore_native: true,
                ..Options::default()
            },
            enable_compression: true,
            body_size_limit: 0,
            sample_limit: 0,
            target_limit: 0,
            label_limit: 0,
            label_name_length_limit: 0,
            label_value_length_limit: 0,
            native_histogram_bucket_limit: 0,
            native_histogram_min_bucket_factor: 0.0,
            extra_metrics: false,
            name_scheme: NameScheme::Utf8,
            escaping: Escaping::AllowUtf8,
            metadata: true,
            failure_log: None,
            metric_relabel: Rules::default(),
            http: ferroalloy_http_client::Config::default(),
            user_agent: concat!("ferroalloy-scrape/", env!("CARGO_PKG_VERSION")).to_owned(),
            offset_seed: 0,
        }
    }
}

impl Config {
    /// Checks what no type can: times, the scheme, the protocols, and the rules between the HTTP options.
    pub fn validate(&self) -> Result<(), Error> {
        check_times(self.interval, self.timeout)?;
        if !matches!(self.scheme.as_str(), "http" | "https") {
            return Err(config(format!(
                "scheme {:?} is neither http nor https",
                self.scheme
            )));
        }
        if self.name_scheme == NameScheme::Legacy && self.escaping == Escaping::AllowUtf8 {
            return Err(config(
                "targets cannot be asked for UTF-8 names (allow-utf-8) while only legacy names are valid",
            ));
        }
        if self.protocols.is_empty() {
            return Err(config("scrape protocols must not be empty"));
        }
        for (index, protocol) in self.protocols.iter().enumerate() {
            if self.protocols[..index].contains(protocol) {
                return Err(config(format!(
                    "scrape protocol {} is given twice",
                    protocol.name
                )));
            }
        }
        http::HeaderValue::from_str(&self.user_agent).map_err(|error| {
            config(format!("user agent {:?} cannot be a header", self.user_agent)).with_source(error)
        })?;
        self.http
            .validate()
            .map_err(|error| config("HTTP client options").with_source(error))
    }

    /// The options that decide on the labels of series.
    pub(crate) fn naming(&self) -> Naming {
        Naming {
            honor_labels: self.honor_labels,
            scheme: self.name_scheme,
            rules: self.metric_relabel.clone(),
            parse: self.parse,
            limits: [
                self.label_limit,
                self.label_name_length_limit,
                self.label_value_length_limit,
            ],
        }
    }
}

/// The options that decide on the labels of series: while they are the same, equal bytes name equal series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Naming {
    honor_labels: bool,
    scheme: NameScheme,
    rules: Rules,
    parse: Options,
    limits: [usize; 3],
}

/// Checks an interval and a timeout against each other.
pub(crate) fn check_times(interval: Duration, timeout: Duration) -> Result<(), Error> {
    if interval.as_millis() == 0 {
        return Err(config("scrape interval must be at least a millisecond"));
    }
    if timeout.is_zero() {
        return Err(config("scrape timeout must not be zero"));
    }
    if timeout > interval {
        return Err(config(format!(
            "scrape timeout {timeout:?} is greater than the scrape interval {interval:?}"
        )));
    }
    Ok(())
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_mistakes_are_named() {
        Config::default().validate().expect("valid");
        let second = Duration::from_secs(1);
        let text = Protocol::named("PrometheusText0.0.4").expect("known");
        for (wrong, message) in [
            (
                Config {
                    interval: Duration::ZERO,
                    ..Config::default()
                },
                "interval",
            ),
            (
                Config {
                    timeout: Duration::ZERO,
                    ..Config::default()
                },
                "timeout",
            ),
            (
                Config {
                    interval: second,
                    timeout: 2 * second,
                    ..Config::default()
                },
                "greater",
            ),
            (
                Config {
                    scheme: "ftp".into(),
                    ..Config::default()
                },
                "ftp",
            ),
            (
                Config {
                    protocols: vec![],
                    ..Config::default()
                },
                "empty",
            ),
            (
                Config {
                    protocols: vec![text, text],
                    ..Config::default()
                },
                "twice",
            ),
            (
                Config {
                    name_scheme: NameScheme::Legacy,
                    ..Config::default()
                },
                "allow-utf-8",
            ),
            (
                Config {
                    user_agent: "a\nb".into(),
                    ..Config::default()
                },
                "header",
            ),
        ] {
            let error = wrong.validate().expect_err(message);
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
