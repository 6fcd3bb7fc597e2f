//! What a writer and its endpoints are told, as plain data. Only options that do something are here.

#[cfg(feature = "durable")]
use std::path::PathBuf;
use std::time::Duration;

use ferroalloy_http_client as http_client;
use ferroalloy_model::Labels;
use http::{HeaderName, HeaderValue, Uri};
use http_client::Secret;
use relabel::Rules;

use crate::Error;
use crate::encode::Version;

/// A writer: labels for everything, limits of the queue, and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Added to each series that has no label of the name.
    pub external_labels: Labels,
    /// Where samples are sent. Without any they are dropped.
    pub endpoints: Vec<Endpoint>,
    /// Bounds of what is kept for endpoints that are slow or away.
    pub queue: QueueLimits,
    /// Where that is kept on disk; without it, it is kept in memory alone.
    #[cfg(feature = "durable")]
    pub storage: Option<Storage>,
    /// Names the program to receivers, as in `agent/1.0`.
    pub user_agent: String,
}

/// A queue on disk.
#[cfg(feature = "durable")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Its folder, which belongs to one writer at a time. It is made where it is missing.
    pub folder: PathBuf,
    /// Bytes that it may have on disk. Unless given, a tenth of the disk, but not more than 8 GiB.
    pub max_bytes: Option<u64>,
    /// How long what was written may wait until a power cut does not lose it.
    pub sync_interval: Duration,
}

/// Bounds of the queue, which all endpoints share. When one is reached the oldest samples are dropped, and counted by reason.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueLimits {
    /// Bytes in memory: of samples, and of series that only the queue still knows. With a queue on disk, of what is not written yet.
    pub max_bytes: usize,
    /// How long samples are kept, counted from when they came in.
    pub max_age: Duration,
}

/// One receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Names the endpoint within the writer: an endpoint keeps its place in the queue over a change of configuration as long
    /// as it keeps its name. Without one the URL is its name.
    pub name: Option<String>,
    /// Where requests go, as in `http://localhost:9090/api/v1/write`.
    pub url: String,
    /// How long one try may take.
    pub remote_timeout: Duration,
    /// Further headers. Those of the protocol cannot be set.
    pub headers: Vec<(String, Secret)>,
    /// Credentials, TLS and the other options of the HTTP client. Redirects are never followed to another host.
    pub http: http_client::Config,
    /// Sign requests for AWS, instead of other credentials.
    #[cfg(feature = "sigv4")]
    pub sigv4: Option<crate::SigV4>,
    /// Rules over the series that this endpoint is sent, external labels included. A series that they leave without a name is
    /// not sent either.
    pub write_relabel: Rules,
    /// The message that is sent. A receiver that does not take 2.0 is sent 1.0 for a day, then asked again.
    pub version: Version,
    /// Send exemplars beside the samples they belong to.
    pub send_exemplars: bool,
    /// Send native histograms. Those with custom buckets need 2.0.
    pub send_native_histograms: bool,
    /// Whether and how kinds, help texts and units are sent.
    pub metadata: MetadataConfig,
    /// How requests are made and repeated.
    pub queue: QueueConfig,
}

/// How kinds, help texts and units of metric families are sent: in 2.0 beside the samples of one batch of each source, now and then; in 1.0,
/// which has no place for them there, in requests of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataConfig {
    /// Whether they are sent at all.
    pub send: bool,
    /// How often; in 2.0 for each source by itself.
    pub send_interval: Duration,
    /// 1.0: families in one request, at most.
    pub max_samples_per_send: usize,
}

/// How an endpoint's requests are made and repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueConfig {
    /// Samples in one request, at most.
    pub max_samples_per_send: usize,
    /// How long samples wait for more of them to fill a request. The first request of an endpoint waits for nothing.
    pub batch_send_deadline: Duration,
    /// Requests under way at the same time, at most. Two of them never have samples of one source.
    pub max_shards: usize,
    /// The wait before the first repetition. It doubles from one to the next.
    pub min_backoff: Duration,
    /// The longest wait between repetitions.
    pub max_backoff: Duration,
    /// Repeat a request that is answered by 429, instead of dropping its samples.
    pub retry_on_http_429: bool,
    /// Samples that have waited longer are not sent any more; zero for no such limit.
    pub sample_age_limit: Duration,
    /// Send a request that is answered by 400 again in halves, down to the series that the receiver refuses: a 1.0 receiver takes all of a
    /// request or nothing. The number of requests that one may become is bounded.
    pub bisect_refused: bool,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            external_labels: Labels::empty(),
            endpoints: Vec::new(),
            queue: QueueLimits::default(),
            #[cfg(feature = "durable")]
            storage: None,
            user_agent: concat!("remote-write/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Config {
    /// Checks each endpoint, and that no two have one name.
    pub fn validate(&self) -> Result<(), Error> {
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            endpoint.validate()?;
            let key = endpoint.key();
            if self.endpoints[..index].iter().any(|other| other.key() == key) {
                let shown = endpoint.display_name();
                return Err(Error::config(format!(
                    "two endpoints have the name {shown:?}; give each a name of its own"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(feature = "durable")]
impl Storage {
    /// A queue in `folder` with the defaults: a tenth of the disk, synced each second.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            max_bytes: None,
            sync_interval: Duration::from_secs(1),
        }
    }
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            max_bytes: 256 << 20,
            max_age: Duration::from_hours(8),
        }
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// An endpoint at `url` with the defaults: 30 s a try, no credentials.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            name: None,
            url: url.into(),
            remote_timeout: Duration::from_secs(30),
            headers: Vec::new(),
            http: http_client::Config {
                enable_http2: false,
                ..http_client::Config::default()
            },
            #[cfg(feature = "sigv4")]
            sigv4: None,
            write_relabel: Rules::default(),
            version: Version::V1,
            send_exemplars: true,
            send_native_histograms: true,
            metadata: MetadataConfig::default(),
            queue: QueueConfig::default(),
        }
    }

    /// What makes it the same endpoint after a change of configuration.
    pub(crate) fn key(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.url)
    }

    /// Its name for messages and labels, without the URL's secrets.
    pub fn display_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.redacted_url())
    }

    /// The URL for messages and labels.
    pub fn redacted_url(&self) -> String {
        self.url
            .parse()
            .map_or_else(|_| "<not a URL>".to_owned(), |uri| http_client::redact(&uri))
    }

    /// Whether one client serves both.
    pub(crate) fn same_client(&self, other: &Self) -> bool {
        self.url == other.url
            && self.name == other.name
            && self.remote_timeout == other.remote_timeout
            && self.headers == other.headers
            && self.http == other.http
            && self.same_signature(other)
            && self.queue.retry_on_http_429 == other.queue.retry_on_http_429
    }

    #[cfg(feature = "sigv4")]
    fn same_signature(&self, other: &Self) -> bool {
        self.sigv4 == other.sigv4
    }

    #[cfg(not(feature = "sigv4"))]
    #[allow(clippy::unused_self, reason = "as with the feature")]
    fn same_signature(&self, _other: &Self) -> bool {
        true
    }

    #[cfg(feature = "sigv4")]
    fn validate_signature(&self) -> Result<(), Error> {
        let Some(signer) = &self.sigv4 else {
            return Ok(());
        };
        let http = &self.http;
        if http.basic_auth.is_some()
            || http.authorization.is_some()
            || http.oauth2.is_some()
            || http.bearer_token.is_some()
            || http.bearer_token_file.is_some()
        {
            return Err(Error::config(
                "at most one of sigv4, basic_auth, authorization, oauth2, bearer_token and bearer_token_file must be configured",
            ));
        }
        signer.validate()
    }

    pub(crate) fn uri(&self) -> Result<Uri, Error> {
        let uri: Uri = self
            .url
            .parse()
            .map_err(|error| Error::config(format!("the endpoint's url is not a URL: {error}")))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") if cfg!(feature = "tls") => {}
            Some("https") => {
                return Err(Error::config(format!(
                    "{}: https is not supported: this program was built without TLS",
                    self.redacted_url()
                )));
            }
            _ => {
                return Err(Error::config(format!(
                    "{}: the endpoint's url must start with http:// or https://",
                    self.redacted_url()
                )));
            }
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(Error::config(format!(
                "{}: the endpoint's url has no host",
                self.redacted_url()
            )));
        }
        Ok(uri)
    }

    /// Checks the URL, the headers, the options of the HTTP client and the bounds between options.
    pub fn validate(&self) -> Result<(), Error> {
        self.uri()?;
        self.parsed_headers()?;
        self.http.validate()?;
        #[cfg(feature = "sigv4")]
        self.validate_signature()?;
        let queue = &self.queue;
        let positive = [
            ("remote_timeout", self.remote_timeout.is_zero()),
            ("max_samples_per_send", queue.max_samples_per_send == 0),
            ("max_shards", queue.max_shards == 0),
            ("min_backoff", queue.min_backoff.is_zero()),
            (
                "metadata max_samples_per_send",
                self.metadata.max_samples_per_send == 0,
            ),
            ("metadata send_interval", self.metadata.send_interval.is_zero()),
        ];
        if let Some((option, _)) = positive.into_iter().find(|(_, zero)| *zero) {
            return Err(Error::config(format!("{option} must be greater than zero")));
        }
        if queue.min_backoff > queue.max_backoff {
            return Err(Error::config("min_backoff must not be greater than max_backoff"));
        }
        Ok(())
    }

    pub(crate) fn parsed_headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        const OURS: [&str; 8] = [
            "content-encoding",
            "content-type",
            "content-length",
            "x-prometheus-remote-write-version",
            "user-agent",
            "host",
            "authorization",
            "retry-attempt",
        ];
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let parsed = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::config(format!("headers: {name:?} is not a header name")))?;
            if OURS.contains(&parsed.as_str()) {
                return Err(Error::config(format!(
                    "headers: {name} is a reserved header and cannot be changed"
                )));
            }
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| {
                Error::config(format!(
                    "headers: the value of {name} has characters that a header cannot hold"
                ))
            })?;
            value.set_sensitive(true);
            headers.push((parsed, value));
        }
        Ok(headers)
    }
}

impl Default for MetadataConfig {
    fn default() -> Self {
        Self {
            send: true,
            send_interval: Duration::from_mins(1),
            max_samples_per_send: 2000,
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            max_samples_per_send: 2000,
            batch_send_deadline: Duration::from_secs(5),
            max_shards: 50,
            min_backoff: Duration::from_millis(30),
            max_backoff: Duration::from_secs(5),
            retry_on_http_429: true,
            sample_age_limit: Duration::ZERO,
            bisect_refused: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(change: impl FnOnce(&mut Endpoint), message: &str) {
        let mut endpoint = Endpoint::new("http://h/write");
        endpoint.validate().unwrap();
        change(&mut endpoint);
        assert_eq!(endpoint.validate().unwrap_err().to_string(), message);
    }

    #[test]
    fn rules() {
        refused(
            |e| e.url = "h:9090/api?token=x".into(),
            "the endpoint's url is not a URL: invalid format",
        );
        refused(
            |e| e.url = "ftp://h/?token=x".into(),
            "ftp://h/?token=xxxxx: the endpoint's url must start with http:// or https://",
        );
        refused(
            |e| e.headers.push(("content-TYPE".into(), "x".into())),
            "headers: content-TYPE is a reserved header and cannot be changed",
        );
        refused(
            |e| e.queue.max_samples_per_send = 0,
            "max_samples_per_send must be greater than zero",
        );
        refused(
            |e| e.queue.min_backoff = Duration::from_mins(1),
            "min_backoff must not be greater than max_backoff",
        );
    }

    #[test]
    fn names_are_unique() {
        let endpoints = vec![Endpoint::new("http://h/?k=a"), Endpoint::new("http://h/?k=b")];
        let mut config = Config {
            endpoints,
            ..Config::default()
        };
        config.validate().unwrap();
        config.endpoints[1].url = "http://h/?k=a".into();
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "two endpoints have the name \"http://h/?k=xxxxx\"; give each a name of its own"
        );
    }
}
