//! The arguments of `prometheus.receive_http`.

mod http;
mod tls;

use std::time::Duration;

use remote_write::Version;
use river_syntax::{Block, CapsuleOf};

pub(super) use self::http::Http;
pub(super) use self::tls::{ClientAuth, MinVersion, Tls};
use crate::arguments::{MetricsReceiver, choice};
use crate::error::Error;

/// Where it listens and where samples go on to.
#[derive(Debug, Clone, PartialEq, Block)]
pub(in super::super) struct Arguments {
    /// Where the samples go on to.
    pub(super) forward_to: Vec<CapsuleOf<MetricsReceiver>>,
    /// The messages that are taken.
    #[river(default = vec![Message::V1])]
    accepted_remote_write_protobuf_messages: Vec<Message>,
    /// Without meaning here: metadata that comes with samples is always passed on. Taken with a warning.
    #[river(default)]
    append_metadata: bool,
    /// Refused: types and units are not made labels.
    #[river(default)]
    enable_type_and_unit_labels: bool,
    /// How long requests get to finish when the component stops.
    #[river(default = Duration::from_secs(30))]
    pub(super) graceful_shutdown_timeout: Duration,
    /// The server.
    #[river(block, default)]
    pub(super) http: Http,
}

choice! {
    /// Messages of the protocol.
    enum Message {
        /// Remote write 1.0.
        V1 = "prometheus.WriteRequest",
        /// Remote write 2.0.
        V2 = "io.prometheus.write.v2.Request",
    }
}

impl Arguments {
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.enable_type_and_unit_labels {
            return Err(Error::new("enable_type_and_unit_labels is not supported"));
        }
        if self.accepted_remote_write_protobuf_messages.is_empty() {
            return Err(Error::new(
                "accepted_remote_write_protobuf_messages must name a message",
            ));
        }
        self.http.check()
    }

    /// What was given and has no effect here, as Alloy's files may have it.
    pub(super) fn without_meaning(&self) -> Vec<&'static str> {
        let mut given = self.http.without_meaning();
        if self.append_metadata {
            given.push("append_metadata");
        }
        given
    }

    pub(super) fn accepted(&self) -> Vec<Version> {
        let version = |message: &Message| match message {
            Message::V1 => Version::V1,
            Message::V2 => Version::V2,
        };
        self.accepted_remote_write_protobuf_messages
            .iter()
            .map(version)
            .collect()
    }
}
