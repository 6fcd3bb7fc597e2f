//! What the sender tests of Prometheus' compliance suite ask of a whole agent: a target of the test's own is scraped, and a receiver that is
//! strict with every request sees what is sent of it, in both versions of remote write.
//!
//! What they ask of requests alone is among the tests of `remote-write`.

mod receiver;
mod rw1;
mod rw2;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hyper::{Response, StatusCode, header};

use self::receiver::{Receiver, Request, Series};
use crate::support::{Agent, serve};

/// The values of `protobuf_message`.
const MESSAGES: [&str; 2] = ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"];

/// An agent between a target and a receiver.
struct Sender {
    agent: Agent,
    receiver: Receiver,
    target: SocketAddr,
}

impl Sender {
    /// Scrapes what `exposition` gives at its n-th call, from 0 on.
    async fn start(message: &str, exposition: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        Self::with(message, "text/plain; version=0.0.4", "", exposition, |_| 204).await
    }

    /// The same with a content type, further arguments for the scrape, and what the receiver answers to a request that it has read.
    async fn with<B: Into<Bytes>>(
        message: &str,
        content_type: &'static str,
        arguments: &str,
        exposition: impl Fn(usize) -> B + Send + Sync + 'static,
        answer: impl FnMut(&Request) -> u16 + Send + 'static,
    ) -> Self {
        let scrapes = AtomicUsize::new(0);
        let exposition = Arc::new(exposition);
        let target = serve(move |_, _| {
            let body = exposition(scrapes.fetch_add(1, Ordering::Relaxed));
            Response::builder()
                .status(StatusCode::OK)
                .header(header::CONTENT_TYPE, content_type)
                .body(http_body_util::Full::new(body.into()))
                .unwrap()
        })
        .await;
        let receiver = Receiver::start(answer).await;
        let agent = Agent::start(&format!(
            r#"
prometheus.scrape "test" {{
  job_name        = "test"
  targets         = [{{ __address__ = "{target}" }}]
  forward_to      = [prometheus.remote_write.sink.receiver]
  scrape_interval = "50ms"
  scrape_timeout  = "50ms"
  {arguments}
}}
prometheus.remote_write "sink" {{
  endpoint {{
    url                    = "http://{}/api/v1/write"
    protobuf_message       = "{message}"
    send_native_histograms = true
    queue_config {{
      batch_send_deadline = "10ms"
      min_backoff         = "1ms"
      max_backoff         = "2ms"
    }}
  }}
}}
"#,
            receiver.address
        ))
        .await;
        Self {
            agent,
            receiver,
            target,
        }
    }

    async fn next(&mut self) -> Request {
        self.receiver.next().await
    }

    /// Waits for a series of this name that is as wanted.
    async fn series_when(&mut self, name: &str, wanted: impl Fn(&Series) -> bool) -> Series {
        loop {
            let series = self.next().await.series;
            let found = series
                .into_iter()
                .find(|series| series.label("__name__") == Some(name) && wanted(series));
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// Waits for a sample of a series of this name.
    async fn series(&mut self, name: &str) -> Series {
        self.series_when(name, |series| !series.is_stale()).await
    }

    async fn stop(self) {
        self.agent.app.shutdown().await;
    }
}
