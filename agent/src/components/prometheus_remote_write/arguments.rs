//! The arguments of `prometheus.remote_write`, and what the writer makes of them.

mod clouds;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ferroalloy_model::Labels;
use relabel::Naming;
use remote_write::{Config, QueueLimits, Storage};
use river_syntax::{Block, Bytes, Secret};

use self::clouds::{AzureAd, GoogleIam};
use crate::arguments::{HttpClient, HttpUrl, Rule, choice, rules};
use crate::error::Error;

/// A queue of less has no room for two segments.
const SMALLEST: u64 = 4 << 20;

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
    /// The queue on disk. A block of our own: files without it are Alloy's as they stand.
    #[river(block, default)]
    queue: DiskQueue,
}

/// The queue on disk, in which samples wait until each receiver has them.
#[derive(Debug, Clone, PartialEq, Block)]
struct DiskQueue {
    /// How much of the disk it may take; unless given, a tenth of the disk, but not more than 8 GiB. The oldest samples go first.
    max_size: Option<Bytes>,
    /// How long what was written may wait until a power cut does not lose it.
    #[river(default = Duration::from_secs(1))]
    sync_interval: Duration,
}

impl Default for DiskQueue {
    fn default() -> Self {
        Self {
            max_size: None,
            sync_interval: Duration::from_secs(1),
        }
    }
}

/// One receiver.
#[derive(Debug, Clone, PartialEq, Block)]
#[allow(clippy::struct_excessive_bools, reason = "switches that Alloy's files have")]
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
    /// Whether exemplars are sent.
    #[river(default = true)]
    send_exemplars: bool,
    /// Whether native histograms are sent.
    #[river(default)]
    send_native_histograms: bool,
    /// Without meaning here: a connection that fails is made to the next address of the name. Taken with a warning.
    #[river(default)]
    round_robin_dns: bool,
    /// Whether HTTP/2 is offered over TLS.
    #[river(default)]
    enable_http2: bool,
    /// How to reach the receiver.
    #[river(flatten)]
    client: HttpClient,
    /// How requests are made and repeated.
    #[river(block, default)]
    queue_config: Queue,
    /// How kinds, help texts and units are sent.
    #[river(block, default)]
    metadata_config: MetadataConfig,
    /// Sign requests for AWS.
    #[river(block)]
    sigv4: Option<SigV4>,
    /// Refused: Azure AD is not supported.
    #[river(block)]
    azuread: Option<AzureAd>,
    /// Refused: Google IAM is not supported.
    #[river(block)]
    google_iam: Option<GoogleIam>,
    /// Rules for this receiver alone, after the external labels.
    #[river(block)]
    write_relabel_config: Vec<Rule>,
}

choice! {
    /// Messages of the protocol.
    enum Message {
        /// Remote write 1.0.
        V1 = "prometheus.WriteRequest",
        /// Remote write 2.0; a receiver that does not take it is sent 1.0.
        V2 = "io.prometheus.write.v2.Request",
    }
}

/// How kinds, help texts and units are sent.
#[derive(Debug, Clone, PartialEq, Block)]
struct MetadataConfig {
    /// Whether they are sent: beside each sample in remote write 2.0.
    #[river(default = true)]
    send: bool,
    /// How often they are sent in remote write 1.0.
    #[river(default = Duration::from_mins(1))]
    send_interval: Duration,
    /// Families in one request of remote write 1.0.
    #[river(default = 2_000)]
    max_samples_per_send: usize,
}

impl Default for MetadataConfig {
    fn default() -> Self {
        let config = remote_write::MetadataConfig::default();
        Self {
            send: config.send,
            send_interval: config.send_interval,
            max_samples_per_send: config.max_samples_per_send,
        }
    }
}

/// Requests signed for AWS.
#[derive(Debug, Clone, PartialEq, Block)]
struct SigV4 {
    /// The region; AWS_REGION of the environment unless it is given.
    #[river(default)]
    region: String,
    /// The access key; that of the environment or the profile unless it is given.
    #[river(default)]
    access_key: String,
    /// Its secret.
    secret_key: Option<Secret>,
    /// The profile in the shared credentials file.
    #[river(default)]
    profile: String,
    /// Refused: roles are not assumed.
    #[river(default)]
    role_arn: String,
    /// Refused, with role_arn.
    #[river(default)]
    external_id: String,
    /// Without meaning: no role is assumed.
    #[river(default)]
    use_fips_sts_endpoint: bool,
    /// The service that is signed for.
    #[river(default = "aps".to_owned())]
    service_name: String,
}

impl SigV4 {
    fn config(&self) -> Result<remote_write::SigV4, Error> {
        if !self.role_arn.is_empty() || !self.external_id.is_empty() || self.use_fips_sts_endpoint {
            return Err(Error::new(
                "sigv4: role_arn, external_id and use_fips_sts_endpoint are not supported: give keys or a profile that may write",
            ));
        }
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let keys = match (given(&self.access_key), &self.secret_key) {
            (Some(access), Some(secret)) => Some((access, secret.expose().into())),
            (None, None) => None,
            _ => {
                return Err(Error::new(
                    "sigv4: access_key and secret_key must be given together",
                ));
            }
        };
        Ok(remote_write::SigV4 {
            region: given(&self.region),
            keys,
            profile: given(&self.profile),
            service: given(&self.service_name),
        })
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
    /// How long samples are kept; as long as there is room for them unless it is given.
    max_keepalive_time: Option<Duration>,
}

impl Arguments {
    /// The writer's configuration, with its queue in `folder`; in memory without one.
    pub(super) fn config(&self, user_agent: &str, folder: Option<PathBuf>) -> Result<Config, Error> {
        let max_age = self.wal.as_ref().and_then(|wal| wal.max_keepalive_time);
        let queue = QueueLimits {
            max_age: max_age.unwrap_or(Duration::MAX),
            ..QueueLimits::default()
        };
        if self.queue.sync_interval.is_zero() {
            return Err(Error::new("queue: sync_interval must be greater than 0s"));
        }
        if self.queue.max_size.is_some_and(|size| size.0 < SMALLEST) {
            return Err(Error::new("queue: max_size must be at least 4MiB"));
        }
        let storage = folder.map(|folder| Storage {
            max_bytes: self.queue.max_size.map(|size| size.0),
            sync_interval: self.queue.sync_interval,
            ..Storage::new(folder)
        });
        Ok(Config {
            external_labels: Labels::from_pairs(&self.external_labels),
            endpoints: self
                .endpoint
                .iter()
                .map(Endpoint::config)
                .collect::<Result<_, _>>()?,
            queue,
            storage,
            user_agent: user_agent.to_owned(),
        })
    }

    /// What was given and has no effect here, as Alloy's files may have it.
    pub(super) fn without_meaning(&self) -> Vec<&'static str> {
        let endpoints = self.endpoint.iter().flat_map(|endpoint| {
            let queue = &endpoint.queue_config;
            [
                (endpoint.round_robin_dns, "round_robin_dns"),
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
        for (given, what) in [
            (self.azuread.is_some(), "azuread: credentials of Azure AD"),
            (self.google_iam.is_some(), "google_iam: credentials of Google IAM"),
        ] {
            if given {
                return Err(Error::new(format!("{what} are not supported")));
            }
        }
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
            sigv4: self.sigv4.as_ref().map(SigV4::config).transpose()?,
            version: match self.protobuf_message {
                Message::V1 => remote_write::Version::V1,
                Message::V2 => remote_write::Version::V2,
            },
            send_exemplars: self.send_exemplars,
            send_native_histograms: self.send_native_histograms,
            metadata: remote_write::MetadataConfig {
                send: self.metadata_config.send,
                send_interval: self.metadata_config.send_interval,
                max_samples_per_send: self.metadata_config.max_samples_per_send,
            },
        })
    }
}
