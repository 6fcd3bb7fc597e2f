//! One request: its headers, its deadline, and what the answer means.

mod answer;
mod retry_after;
mod written;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ferroalloy_http_client as http_client;
use ferroalloy_model::Clock;
use ferroalloy_model::clock::timeout;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, StatusCode, Uri};

pub(crate) use self::answer::Failure;
pub use self::written::Written;
use crate::config::Endpoint;
use crate::encode::{Body, Version};
use crate::{Error, ErrorKind};

const VERSION: HeaderName = HeaderName::from_static("x-prometheus-remote-write-version");
const RETRY_ATTEMPT: HeaderName = HeaderName::from_static("retry-attempt");

/// After the head of a good answer its body is read for as long as this, so that the connection can be used again. What it says
/// does not matter.
const REST_OF_ANSWER: Duration = Duration::from_secs(1);

/// After so long without a request connections are made anew. No scrape interval is that long: the machine was asleep, or the network away,
/// and what was connected before is often gone without anybody having been told.
const QUIET_AT_MOST: Duration = Duration::from_secs(150);

/// Sends encoded requests to one receiver, one try each. [`Writer`](crate::Writer) adds the queue and the retries.
#[derive(Clone, Debug)]
pub struct Client {
    http: http_client::Client,
    clock: Arc<dyn Clock>,
    uri: Uri,
    headers: HeaderMap,
    timeout: Duration,
    retry_on_429: bool,
    /// When the last request began or ended, in milliseconds on the elapsed clock.
    last_used: Arc<AtomicU64>,
    /// How the receiver is called in messages.
    receiver: Arc<str>,
    #[cfg(feature = "sigv4")]
    signer: Option<crate::SigV4>,
}

impl Client {
    /// Makes a client for the endpoint's URL with its HTTP options. `user_agent` names the program, as in `agent/1.0`.
    pub fn new(endpoint: &Endpoint, user_agent: &str, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        endpoint.validate()?;
        let user_agent = HeaderValue::from_str(user_agent)
            .map_err(|_| Error::config(format!("{user_agent:?} cannot be sent as a user agent")))?;
        let mut headers = HeaderMap::new();
        for (name, value) in endpoint.parsed_headers()? {
            headers.append(name, value);
        }
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
        headers.insert(USER_AGENT, user_agent);
        let mut http = endpoint.http.clone();
        if http.follow_redirects == http_client::Redirects::Any {
            // Samples go where the user said, or nowhere.
            http.follow_redirects = http_client::Redirects::SameHost;
        }
        Ok(Self {
            http: http_client::Client::new(&http)?,
            last_used: Arc::new(AtomicU64::new(millis(clock.elapsed()))),
            clock,
            uri: endpoint.uri()?,
            headers,
            timeout: endpoint.remote_timeout,
            retry_on_429: endpoint.queue.retry_on_http_429,
            receiver: endpoint.display_name().into(),
            #[cfg(feature = "sigv4")]
            signer: endpoint.sigv4.clone(),
        })
    }

    /// Sends one request and waits for the answer, for as long as the endpoint's `remote_timeout`.
    ///
    /// # Errors
    /// [`Error::is_retryable`] tells whether the same request may be taken later, [`ErrorKind::VersionNotSpoken`] that 1.0 may be.
    pub async fn send(&self, body: &Body) -> Result<Written, Error> {
        self.attempt(body, 0).await.map_err(|failure| failure.error)
    }

    /// Sends one request; `retries` tries of the same went before.
    pub(crate) async fn attempt(&self, body: &Body, retries: u32) -> Result<Written, Failure> {
        let mut headers = self.headers.clone();
        let (content_type, version) = match body.version() {
            Version::V1 => ("application/x-protobuf", "0.1.0"),
            Version::V2 => (
                "application/x-protobuf;proto=io.prometheus.write.v2.Request",
                "2.0.0",
            ),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(VERSION, HeaderValue::from_static(version));
        if retries > 0 {
            headers.insert(RETRY_ATTEMPT, HeaderValue::from(retries));
        }
        #[cfg(feature = "sigv4")]
        if let Some(signer) = &self.signer {
            let signed = signer.sign(&mut headers, &self.uri, &body.bytes, self.clock.wall());
            signed.map_err(|error| Failure {
                error,
                status: None,
                retry_after: None,
                written: None,
            })?;
        }
        let request = http_client::Request {
            method: Method::POST,
            uri: self.uri.clone(),
            headers,
            body: body.bytes.clone(),
        };
        let now = millis(self.clock.elapsed());
        let quiet = now.saturating_sub(self.last_used.swap(now, Ordering::Relaxed));
        if quiet > millis(QUIET_AT_MOST) {
            self.http.drop_idle();
        }
        let result = timeout(&*self.clock, self.timeout, self.exchange(&request, body)).await;
        self.last_used
            .fetch_max(millis(self.clock.elapsed()), Ordering::Relaxed);
        let result = result.unwrap_or_else(|_| {
            Err(Failure {
                error: Error::new(
                    ErrorKind::Unreachable,
                    format!("{} has not answered within {:?}", self.receiver, self.timeout),
                ),
                status: None,
                retry_after: None,
                written: None,
            })
        });
        if result.as_ref().is_err_and(|failure| failure.status.is_none()) {
            // Connections to the same address are likely to be no better, and the name may lead elsewhere by now.
            self.http.drop_idle();
        }
        result
    }

    async fn exchange(&self, request: &http_client::Request, body: &Body) -> Result<Written, Failure> {
        let unanswered = |error: http_client::Error| Failure {
            error: error.into(),
            status: None,
            retry_after: None,
            written: None,
        };
        let reply = self.http.open(request).await.map_err(unanswered)?;
        let status = reply.status();
        let headers = reply.headers().clone();
        let mut said = Vec::new();
        let rest = reply.read_into(answer::READ_AT_MOST, &mut said);
        // The status has told everything: neither a body that does not end nor one that breaks changes it.
        drop(timeout(&*self.clock, REST_OF_ANSWER, rest).await);
        let written = Written::of(&headers);
        if status.is_success() {
            return match (body.version(), written) {
                (Version::V1, _) => Ok(Written::all_of(body)),
                (Version::V2, Some(written)) => Ok(written),
                (Version::V2, None) => Err(answer::not_spoken(status, &self.receiver)),
            };
        }
        let wall = self.clock.wall();
        let mut failure = answer::failure(status, &headers, &said, &self.receiver, wall, self.retry_on_429);
        if body.version() == Version::V2 {
            failure.written = written;
            if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
                failure.error = Error::new(ErrorKind::VersionNotSpoken, failure.error.to_string());
            }
        }
        Err(failure)
    }

    /// Closes idle connections, as a program may want that knows of a change of networks. What a suspend leaves behind is found without.
    pub fn drop_idle(&self) {
        self.http.drop_idle();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
