//! The arguments of `prometheus.scrape`, and what the pool makes of them.

use std::collections::BTreeMap;
use std::time::Duration;

use ferroalloy_model::Labels;
use relabel::NameScheme;
use river_syntax::{Block, Bytes, CapsuleOf};
use scrape::parse::{Options, Protocol};
use scrape::{Config, DiscoveredTarget, Escaping as Scheme};

use crate::arguments::{HttpClient, MetricsReceiver, Target, choice};
use crate::error::{Error, chain};

/// What is scraped, how often and with which limits. Limits of 0 are none.
#[derive(Debug, Clone, PartialEq, Block)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of Alloy's")]
pub(in super::super) struct Arguments {
    /// The targets.
    targets: Vec<Target>,
    /// Where the samples go on to.
    pub(super) forward_to: Vec<CapsuleOf<MetricsReceiver>>,
    /// The label `job` of targets that have none; the component's name unless it is given.
    job_name: Option<String>,
    /// Whether `scrape_timeout_seconds`, `scrape_sample_limit` and `scrape_body_size_bytes` are reported too.
    #[river(default)]
    extra_metrics: bool,
    /// Whether a target's own labels win over those it is given.
    #[river(default)]
    honor_labels: bool,
    /// Whether explicit timestamps are kept.
    #[river(default = true)]
    honor_timestamps: bool,
    /// Whether type, help and unit of families go on with their series. They do unless this is `false`; in Alloy they do not.
    honor_metadata: Option<bool>,
    /// Whether series with explicit timestamps get staleness markers too.
    #[river(default)]
    track_timestamps_staleness: bool,
    /// Parameters of the URL.
    #[river(default)]
    params: BTreeMap<String, Vec<String>>,
    /// Time between scrapes.
    #[river(default = Duration::from_mins(1))]
    scrape_interval: Duration,
    /// How long a scrape may take; 10s or the interval, whichever is shorter, unless it is given.
    scrape_timeout: Option<Duration>,
    /// The formats to ask for, best first; OpenMetrics and text unless it is given.
    scrape_protocols: Option<Vec<String>>,
    /// The format to assume where a target does not tell.
    #[river(default = "PrometheusText0.0.4".to_owned())]
    scrape_fallback_protocol: String,
    /// Formerly what is now `scrape_native_histograms`, with `PrometheusProto` asked for first.
    #[river(default)]
    enable_protobuf_negotiation: bool,
    /// Whether native histograms are scraped; `PrometheusProto` must be among the formats, and is asked for first unless they are given.
    #[river(default)]
    scrape_native_histograms: bool,
    /// Whether classic histograms are kept beside native ones.
    #[river(default)]
    scrape_classic_histograms: bool,
    /// Whether classic histograms become native ones with custom buckets.
    #[river(default)]
    convert_classic_histograms_to_nhcb: bool,
    /// Whether series get the labels `__type__` and `__unit__`.
    #[river(default)]
    enable_type_and_unit_labels: bool,
    /// The decompressed body must be smaller.
    #[river(default)]
    body_size_limit: Bytes,
    /// Samples of a scrape.
    #[river(default)]
    sample_limit: usize,
    /// Targets; with more all of them fail.
    #[river(default)]
    target_limit: usize,
    /// Labels of a series.
    #[river(default)]
    label_limit: usize,
    /// Bytes of a label's name.
    #[river(default)]
    label_name_length_limit: usize,
    /// Bytes of a label's value.
    #[river(default)]
    label_value_length_limit: usize,
    /// Buckets of a native histogram, which is made coarser until it fits.
    #[river(default)]
    native_histogram_bucket_limit: usize,
    /// The least growth from one bucket of a native histogram to the next; a finer one is made coarser.
    #[river(default)]
    native_histogram_min_bucket_factor: f64,
    /// A file that a line is appended to for each scrape that fails.
    #[river(default)]
    scrape_failure_log_file: String,
    /// The path of the URL.
    #[river(default = "/metrics".to_owned())]
    metrics_path: String,
    /// `http` or `https`.
    #[river(default = "http".to_owned())]
    scheme: String,
    /// Which names are valid.
    #[river(default = Validation::Legacy)]
    metric_name_validation_scheme: Validation,
    /// How targets are asked to write other names: `underscores` under `legacy`, `allow-utf-8` under `utf8`, unless it is given.
    metric_name_escaping_scheme: Option<Escaping>,
    /// Zeros at the time a counter began. Not supported: where a target tells that time, remote write 2.0 carries it.
    #[river(default)]
    start_timestamp_zero_ingestion: bool,
    /// Whether compressed answers are asked for.
    #[river(default = true)]
    enable_compression: bool,
    /// Whether HTTP/2 is offered over TLS.
    #[river(default = true)]
    enable_http2: bool,
    /// How to reach the targets.
    #[river(flatten)]
    client: HttpClient,
    /// Whether several agents share the targets.
    #[river(block)]
    clustering: Option<Clustering>,
}

/// Whether several agents share the targets.
#[derive(Debug, Clone, PartialEq, Block)]
struct Clustering {
    /// As in an Alloy without `--cluster.enabled` this changes nothing: every target is scraped. Taken with a warning.
    enabled: bool,
}

choice! {
    /// Which metric and label names are valid.
    enum Validation {
        /// ASCII letters, digits, underscores and colons.
        Legacy = "legacy",
        /// Any UTF-8.
        Utf8 = "utf8",
    }
}

choice! {
    /// How names that are not legacy ones are written.
    enum Escaping {
        /// Each other character as an underscore.
        Underscores = "underscores",
        /// Dots as `_dot_`, others as two underscores.
        Dots = "dots",
        /// Others as their codes.
        Values = "values",
        /// As they are.
        AllowUtf8 = "allow-utf-8",
    }
}

impl Arguments {
    /// Whether the targets would be shared with other agents, if there were any.
    pub(super) fn is_clustered(&self) -> bool {
        self.clustering
            .as_ref()
            .is_some_and(|clustering| clustering.enabled)
    }

    /// The targets as the pool takes them.
    pub(super) fn targets(&self) -> Vec<DiscoveredTarget> {
        self.targets
            .iter()
            .map(|target| DiscoveredTarget {
                labels: target.0.clone(),
            })
            .collect()
    }

    /// The pool's configuration for the component `id`.
    pub(super) fn config(&self, id: &str, user_agent: &str, hostname: &str) -> Result<Config, Error> {
        let limit = |bytes: Bytes| usize::try_from(bytes.0).unwrap_or(usize::MAX);
        let defaults = Config::default();
        let mut protocols = match &self.scrape_protocols {
            Some(names) => names
                .iter()
                .map(|name| protocol(name))
                .collect::<Result<_, _>>()?,
            None => defaults.protocols,
        };
        if self.enable_protobuf_negotiation && self.scrape_protocols.is_some() {
            return Err(Error::new(
                "enable_protobuf_negotiation and scrape_protocols exclude each other",
            ));
        }
        let native_histograms = self.scrape_native_histograms || self.enable_protobuf_negotiation;
        if native_histograms {
            let proto = protocol("PrometheusProto")?;
            if self.scrape_protocols.is_none() {
                protocols.insert(0, proto);
            } else if !protocols.contains(&proto) {
                return Err(Error::new(
                    "scrape_native_histograms needs PrometheusProto among scrape_protocols",
                ));
            }
        }
        let fallback = match self.scrape_fallback_protocol.as_str() {
            "" => None,
            name => Some(protocol(name)?),
        };
        if self.start_timestamp_zero_ingestion {
            return Err(Error::new(
                "start_timestamp_zero_ingestion is not supported: use remote write 2.0, which carries start times",
            ));
        }
        let name_scheme = match self.metric_name_validation_scheme {
            Validation::Legacy => NameScheme::Legacy,
            Validation::Utf8 => NameScheme::Utf8,
        };
        let escaping = match (self.metric_name_escaping_scheme, name_scheme) {
            (Some(Escaping::AllowUtf8), NameScheme::Legacy) => {
                return Err(Error::new(
                    "metric_name_escaping_scheme \"allow-utf-8\" needs metric_name_validation_scheme \"utf8\"",
                ));
            }
            (Some(Escaping::AllowUtf8), _) | (None, NameScheme::Utf8) => Scheme::AllowUtf8,
            (Some(Escaping::Underscores), _) | (None, NameScheme::Legacy) => Scheme::Underscores,
            (Some(Escaping::Dots), _) => Scheme::Dots,
            (Some(Escaping::Values), _) => Scheme::Values,
        };
        let config = Config {
            job_name: self.job_name.clone().unwrap_or_else(|| id.to_owned()),
            interval: self.scrape_interval,
            timeout: self
                .scrape_timeout
                .unwrap_or_else(|| defaults.timeout.min(self.scrape_interval)),
            honor_labels: self.honor_labels,
            honor_timestamps: self.honor_timestamps,
            track_timestamps_staleness: self.track_timestamps_staleness,
            params: self.params.clone(),
            metrics_path: self.metrics_path.clone(),
            scheme: self.scheme.clone(),
            protocols,
            parse: Options {
                ignore_native: !native_histograms,
                keep_classic: self.scrape_classic_histograms,
                convert_classic: self.convert_classic_histograms_to_nhcb,
                type_and_unit_labels: self.enable_type_and_unit_labels,
                ..defaults.parse
            },
            fallback_protocol: fallback,
            enable_compression: self.enable_compression,
            body_size_limit: limit(self.body_size_limit),
            sample_limit: self.sample_limit,
            target_limit: self.target_limit,
            label_limit: self.label_limit,
            label_name_length_limit: self.label_name_length_limit,
            label_value_length_limit: self.label_value_length_limit,
            extra_metrics: self.extra_metrics,
            native_histogram_bucket_limit: self.native_histogram_bucket_limit,
            native_histogram_min_bucket_factor: self.native_histogram_min_bucket_factor,
            name_scheme,
            escaping,
            metadata: self.honor_metadata.unwrap_or(true),
            failure_log: (!self.scrape_failure_log_file.is_empty())
                .then(|| self.scrape_failure_log_file.clone().into()),
            metric_relabel: defaults.metric_relabel,
            http: self.client.config(self.enable_http2),
            user_agent: user_agent.to_owned(),
            // Replicas of one job on several hosts scrape at different times, and each at the same after a restart.
            offset_seed: Labels::from_pairs([("hostname", hostname)]).stable_hash(),
        };
        config.validate().map_err(|error| Error::new(chain(&error)))?;
        Ok(config)
    }
}

fn protocol(name: &str) -> Result<&'static Protocol, Error> {
    Protocol::named(name).map_err(|error| Error::new(chain(&error)))
}
