//! The arguments of `prometheus.remote_write`, and what the writer makes of them.

use std::collections::BTreeMap;
use std::time::Duration;

use ferroalloy_model::Labels;
use relabel::Naming;
use remote_write::{Config, QueueLimits};
use river_syntax::{Block, Secret};

use crate::arguments::{HttpClient, HttpUrl, Rule, choice, rules};
use crate::error::Error;

/// Where samples are sent, and with which labels.
#[derive(Debug, Clone, PartialEq, Block)]
pub(in super::super) struct Arguments {
    /// Labels for every series that has none of the name.
    #[river(default)]
    external_labels: BTreeMap<String, String>,
    /// The receivers.
    #[river(block)]
    endpoint: Vec<Endpoint>,
    /// How long samples are kept for receivers that are away.
    #[river(block)]
    wal: Option<Wal>,
}

/// One receiver.
#[derive(Debug, Clone, PartialEq, Block)]
struct Endpoint {
    /// Where requests go.
    url: HttpUrl,
    /// Its name; the URL unless it is given. An endpoint keeps its place in the queue as long as it keeps its name.
    #[river(default)]
    name: String,
    /// How long one try may take.
    #[river(default = Duration::from_secs(30))]
    remote_timeout: Duration,
    /// Further headers.
    #[river(default)]
    headers: BTreeMap<String, Secret>,
    /// The message that is sent.
    #[river(default = Message::V1)]
    protobuf_message: Message,
    /// Without meaning here yet: no exemplars are scraped. Taken with a warning.
    send_exemplars: Option<bool>,
    /// Without meaning here yet: no native histograms are scraped. Taken with a warning.
    send_native_histograms: Option<bool>,
    /// Whether HTTP/2 is offered over TLS.
    #[river(default)]
    enable_http2: bool,
    /// How to reach the receiver.
    #[river(flatten)]
    client: HttpClient,
    /// How requests are made and repeated.
    #[river(block, default)]
    queue_config: Queue,
    /// Rules for this receiver alone, after the external labels.
    #[river(block)]
    write_relabel_config: Vec<Rule>,
}

choice! {
    /// Messages of the protocol.
    enum Message {
        /// Remote write 1.0.
        V1 = "prometheus.WriteRequest",
    }
}

/// How requests are made and repeated.
#[derive(Debug, Clone, PartialEq, Block)]
struct Queue {
    /// Requests under way at once.
    #[river(default = 50)]
    max_shards: usize,
    /// Samples in one request.
    #[river(default = 2_000)]
    max_samples_per_send: usize,
    /// How long samples wait for more of them.
    #[river(default = Duration::from_secs(5))]
    batch_send_deadline: Duration,
    /// The wait before the first repetition.
    #[river(default = Duration::from_millis(30))]
    min_backoff: Duration,
    /// The longest wait between repetitions.
    #[river(default = Duration::from_secs(5))]
    max_backoff: Duration,
    /// Whether a request that is answered by 429 is repeated.
    #[river(default = true)]
    retry_on_http_429: bool,
    /// Samples that waited longer are not sent any more; 0s for no such limit.
    #[river(default)]
    sample_age_limit: Duration,
    /// Without meaning here: the queue is bounded by bytes and age. Taken with a warning.
    capacity: Option<u64>,
    /// Without meaning here: as many requests are under way as there is work for. Taken with a warning.
    min_shards: Option<u64>,
}

impl Default for Queue {
    fn default() -> Self {
        let config = remote_write::QueueConfig::default();
        Self {
            max_shards: config.max_shards,
            max_samples_per_send: config.max_samples_per_send,
            batch_send_deadline: config.batch_send_deadline,
            min_backoff: config.min_backoff,
            max_backoff: config.max_backoff,
            retry_on_http_429: config.retry_on_http_429,
            sample_age_limit: config.sample_age_limit,
            capacity: None,
            min_shards: None,
        }
    }
}

/// How long samples are kept for receivers that are away.
#[derive(Debug, Clone, PartialEq, Block)]
struct Wal {
    /// Without meaning here: what all receivers have is let go at once. Taken with a warning.
    truncate_frequency: Option<Duration>,
    /// Without meaning here, for the same reason. Taken with a warning.
    min_keepalive_time: Option<Duration>,
    /// How long samples are kept.
    #[river(default = Duration::from_hours(8))]
    max_keepalive_time: Duration,
}

impl Arguments {
    /// The writer's configuration.
    pub(super) fn config(&self, user_agent: &str) -> Result<Config, Error> {
        let mut queue = QueueLimits::default();
        if let Some(wal) = &self.wal {
            queue.max_age = wal.max_keepalive_time;
        }
        Ok(Config {
            external_labels: Labels::from_pairs(&self.external_labels),
            endpoints: self
                .endpoint
                .iter()
                .map(Endpoint::config)
                .collect::<Result<_, _>>()?,
            queue,
            user_agent: user_agent.to_owned(),
        })
    }

    /// What was given and has no effect here, as Alloy's files may have it.
    pub(super) fn without_meaning(&self) -> Vec<&'static str> {
        let endpoints = self.endpoint.iter().flat_map(|endpoint| {
            let queue = &endpoint.queue_config;
            [
                (endpoint.send_exemplars.is_some(), "send_exemplars"),
                (
                    endpoint.send_native_histograms.is_some(),
                    "send_native_histograms",
                ),
                (queue.capacity.is_some(), "capacity"),
                (queue.min_shards.is_some(), "min_shards"),
            ]
        });
        let wal = self.wal.iter().flat_map(|wal| {
            [
                (wal.truncate_frequency.is_some(), "truncate_frequency"),
                (wal.min_keepalive_time.is_some(), "min_keepalive_time"),
            ]
        });
        let given = endpoints.chain(wal).filter(|(given, _)| *given);
        given.map(|(_, argument)| argument).collect()
    }
}

impl Endpoint {
    fn config(&self) -> Result<remote_write::Endpoint, Error> {
        // The only message there is.
        let Message::V1 = self.protobuf_message;
        let queue = &self.queue_config;
        Ok(remote_write::Endpoint {
            name: Some(self.name.clone()).filter(|name| !name.is_empty()),
            url: self.url.as_str().to_owned(),
            remote_timeout: self.remote_timeout,
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), value.expose().into()))
                .collect(),
            http: self.client.config(self.enable_http2),
            queue: remote_write::QueueConfig {
                max_samples_per_send: queue.max_samples_per_send,
                batch_send_deadline: queue.batch_send_deadline,
                max_shards: queue.max_shards,
                min_backoff: queue.min_backoff,
                max_backoff: queue.max_backoff,
                retry_on_http_429: queue.retry_on_http_429,
                sample_age_limit: queue.sample_age_limit,
                bisect_refused: true,
            },
            write_relabel: rules(&self.write_relabel_config, Naming::ALLOY_SERIES)?,
            send_exemplars: self.send_exemplars.unwrap_or(true),
            version: remote_write::Version::V1,
            send_native_histograms: false,
            metadata: remote_write::MetadataConfig::default(),
        })
    }
}
