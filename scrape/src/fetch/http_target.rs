//! Targets over HTTP: one request, status 200, a body in a known format and encoding.

use std::time::Duration;

use bytes::Bytes;
use ferroalloy_http_client::{Client, Request};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use http::{Method, StatusCode};

use super::gzip::inflate;
use super::{Content, Fetching, Page, Target};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::parse::{Protocol, accept_header, choose};

const TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// The bound where `body_size_limit` sets none: a peer must not decide on our memory.
const UNLIMITED: usize = 1 << 30;

/// A target over HTTP. Making one is cheap; the client is shared.
#[derive(Debug)]
pub struct HttpTarget {
    client: Client,
    request: Request,
    fallback: Option<&'static Protocol>,
    compression: bool,
    /// The largest body allowed.
    limit: usize,
}

impl HttpTarget {
    /// The target at `url`, asked as `config` says. `timeout` is told to the target.
    pub fn new(client: Client, url: &str, timeout: Duration, config: &Config) -> Result<Self, Error> {
        let uri = url
            .parse::<http::Uri>()
            .map_err(|error| Error::new(ErrorKind::Target, format!("{url} is no URL")).with_source(error))?;
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|error| {
                Error::new(ErrorKind::Config, format!("{text:?} cannot be a header")).with_source(error)
            })
        };
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCEPT,
            value(&accept_header(&config.protocols, config.escaping.as_str()))?,
        );
        headers.insert(
            ACCEPT_ENCODING,
            HeaderValue::from_static(if config.enable_compression {
                "gzip"
            } else {
                "identity"
            }),
        );
        headers.insert(USER_AGENT, value(&config.user_agent)?);
        headers.insert(TIMEOUT, value(&timeout.as_secs_f64().to_string())?);
        Ok(Self {
            client,
            request: Request {
                method: Method::GET,
                uri,
                headers,
                body: Bytes::new(),
            },
            fallback: config.fallback_protocol,
            compression: config.enable_compression,
            limit: match config.body_size_limit {
                0 => UNLIMITED,
                // A body of exactly the limit fails, as in Prometheus.
                limit => limit - 1,
            },
        })
    }

    async fn exchange(&self, page: &mut Page) -> Result<(), Error> {
        page.clear();
        let mut reply = self.client.open(&self.request).await.map_err(transport)?;
        if reply.status() != StatusCode::OK {
            return Err(Error::new(
                ErrorKind::Status,
                format!("server returned HTTP status {}", reply.status()),
            ));
        }
        let headers = reply.take_headers();
        match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"" | b"identity") => {
                page.body.clear();
                reply
                    .read_into(self.limit, &mut page.body)
                    .await
                    .map_err(|error| self.read_error(error))?;
            }
            Some(b"gzip") if self.compression => {
                // Compressed text is not larger than the text, but for a header of some bytes.
                let limit = self.limit.saturating_add(1024);
                reply
                    .read_into(limit, &mut page.encoded)
                    .await
                    .map_err(|error| self.read_error(error))?;
                if page.encoded.is_empty() {
                    page.body.clear();
                } else {
                    inflate(&mut page.encoded, self.limit, &mut page.body).await?;
                }
            }
            Some(other) => {
                let shown = String::from_utf8_lossy(&other[..other.len().min(40)]);
                return Err(Error::new(
                    ErrorKind::Encoding,
                    format!("the target sends Content-Encoding {shown:?}, which it was not asked for"),
                ));
            }
        }
        if !page.body.is_empty() {
            let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            page.content = Content::Body(choose(content_type, self.fallback)?);
        }
        Ok(())
    }

    fn read_error(&self, error: ferroalloy_http_client::Error) -> Error {
        if error.is_body_limit() {
            return Error::new(
                ErrorKind::BodySize,
                format!("the body is larger than {} bytes", self.limit),
            );
        }
        transport(error)
    }
}

fn transport(error: ferroalloy_http_client::Error) -> Error {
    let kind = if error.is_timeout() {
        ErrorKind::Timeout
    } else {
        ErrorKind::Transport
    };
    Error::new(kind, "the target cannot be scraped").with_source(error)
}

impl Target for HttpTarget {
    fn fetch<'a>(&'a self, _: Duration, page: &'a mut Page) -> Fetching<'a> {
        Box::pin(self.exchange(page))
    }

    fn resume(&self) {
        self.client.drop_idle();
    }
}
