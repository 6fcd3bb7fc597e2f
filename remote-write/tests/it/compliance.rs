//! What the sender tests of Prometheus' compliance suite ask, one file for a group of them, of every request in every version that has it.
//!
//! What they ask of a whole agent, with targets that are scraped, is among the tests of `ferroalloy`.

mod batching;
mod combined;
mod errors;
mod exemplars;
mod fallback;
mod histograms;
mod labels;
mod metadata;
mod ordering;
mod protocol;
mod pushed;
mod responses;
mod retries;
mod samples;
mod symbols;
mod timestamps;
mod v1_compatibility;
mod wire;

use ferroalloy_model::{Batch, Receiver as _};
use remote_write::{Config, Endpoint, Version};

use self::wire::Request;
use crate::receiver::{Answer, OK, Receiver};
use crate::{config, endpoint, writer};

const VERSIONS: [Version; 2] = [Version::V1, Version::V2];

/// As a receiver of 2.0 answers that counts more than it was sent, which is no harm.
const ALL_WRITTEN: Answer = Answer::Status(
    204,
    "X-Prometheus-Remote-Write-Samples-Written: 1000000\r\n\
     X-Prometheus-Remote-Write-Histograms-Written: 1000000\r\n\
     X-Prometheus-Remote-Write-Exemplars-Written: 1000000\r\n",
    "",
);

fn taken(version: Version) -> Answer {
    match version {
        Version::V1 => OK,
        Version::V2 => ALL_WRITTEN,
    }
}

fn endpoint_of(version: Version, url: &str) -> Endpoint {
    Endpoint {
        version,
        ..endpoint(url)
    }
}

/// What is sent of a batch in one request of a version.
async fn sent(version: Version, batch: &Batch) -> Request {
    sent_with(version, batch, |_| {}).await
}

/// The same with a configuration of the test's own.
async fn sent_with(version: Version, batch: &Batch, change: impl FnOnce(&mut Config)) -> Request {
    let mut receiver = Receiver::start(move |_| taken(version)).await;
    let mut config = config([endpoint_of(version, &receiver.url())]);
    change(&mut config);
    let writer =
        remote_write::Writer::new(config, std::sync::Arc::new(ferroalloy_model::SystemClock)).unwrap();
    drop(writer.accept(batch));
    let request = Request::read(&receiver.next().await);
    assert_eq!(request.version, version);
    request
}
