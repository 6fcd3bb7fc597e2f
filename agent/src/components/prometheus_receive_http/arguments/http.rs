//! The block `http`: where it listens, and how long it waits for its clients.

use std::time::Duration;

use river_syntax::Block;

use super::Tls;
use crate::error::Error;

/// The server.
#[derive(Debug, Clone, PartialEq, Block)]
pub(in super::super) struct Http {
    /// The address; every one unless it is given.
    #[river(default)]
    listen_address: String,
    /// The port.
    #[river(default = 8080)]
    listen_port: u16,
    /// Connections at the same time; more wait until one ends. 0 for no limit.
    #[river(default)]
    pub(in super::super) conn_limit: usize,
    /// How long a client may take for a request, from its first byte to its last, and for the TLS handshake. 0s for no limit.
    #[river(default = Duration::from_secs(30))]
    pub(in super::super) server_read_timeout: Duration,
    /// How long samples may take to be passed on, once their request is there. 0s for no limit.
    #[river(default = Duration::from_secs(30))]
    pub(in super::super) server_write_timeout: Duration,
    /// How long a connection is kept without a request. 0s for no limit.
    #[river(default = Duration::from_mins(2))]
    pub(in super::super) server_idle_timeout: Duration,
    /// TLS.
    #[river(block)]
    pub(in super::super) tls: Option<Tls>,
    /// HTTP/2 without TLS.
    #[river(block)]
    pub(in super::super) http2: Option<Http2>,
}

/// HTTP/2 without TLS, for clients that know beforehand. With TLS it is spoken in any case.
#[derive(Debug, Clone, PartialEq, Block)]
pub(in super::super) struct Http2 {
    /// Whether it is spoken.
    #[river(default)]
    pub(in super::super) enabled: bool,
    /// Requests at the same time on one connection.
    #[river(default = 100)]
    pub(in super::super) max_concurrent_streams: u32,
    /// Without meaning here, as all that follow: the server's own limits hold. Taken with a warning.
    max_handlers: Option<u64>,
    /// Without meaning here. Taken with a warning.
    idle_timeout: Option<Duration>,
    /// Without meaning here. Taken with a warning.
    max_decoder_header_table_size: Option<u64>,
    /// Without meaning here. Taken with a warning.
    max_encoder_header_table_size: Option<u64>,
    /// Without meaning here. Taken with a warning.
    max_read_frame_size: Option<u64>,
    /// Without meaning here. Taken with a warning.
    max_upload_buffer_per_connection: Option<u64>,
    /// Without meaning here. Taken with a warning.
    max_upload_buffer_per_stream: Option<u64>,
    /// Without meaning here. Taken with a warning.
    permit_prohibited_ciphers: Option<bool>,
    /// Without meaning here. Taken with a warning.
    ping_timeout: Option<Duration>,
    /// Without meaning here. Taken with a warning.
    read_idle_timeout: Option<Duration>,
    /// Without meaning here. Taken with a warning.
    write_byte_timeout: Option<Duration>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen_address: String::new(),
            listen_port: 8080,
            conn_limit: 0,
            server_read_timeout: Duration::from_secs(30),
            server_write_timeout: Duration::from_secs(30),
            server_idle_timeout: Duration::from_mins(2),
            tls: None,
            http2: None,
        }
    }
}

impl Http {
    pub(super) fn check(&self) -> Result<(), Error> {
        self.tls.as_ref().map_or(Ok(()), Tls::check)
    }

    pub(super) fn without_meaning(&self) -> Vec<&'static str> {
        let http2 = self.http2.iter().flat_map(Http2::without_meaning);
        let tls = self.tls.iter().flat_map(Tls::without_meaning);
        http2.chain(tls).collect()
    }

    pub(in super::super) fn address(&self) -> String {
        let port = self.listen_port;
        match self.listen_address.as_str() {
            "" => format!("[::]:{port}"),
            host if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
            host => format!("{host}:{port}"),
        }
    }
}

impl Http2 {
    fn without_meaning(&self) -> impl Iterator<Item = &'static str> {
        [
            (self.max_handlers.is_some(), "max_handlers"),
            (self.idle_timeout.is_some(), "idle_timeout"),
            (
                self.max_decoder_header_table_size.is_some(),
                "max_decoder_header_table_size",
            ),
            (
                self.max_encoder_header_table_size.is_some(),
                "max_encoder_header_table_size",
            ),
            (self.max_read_frame_size.is_some(), "max_read_frame_size"),
            (
                self.max_upload_buffer_per_connection.is_some(),
                "max_upload_buffer_per_connection",
            ),
            (
                self.max_upload_buffer_per_stream.is_some(),
                "max_upload_buffer_per_stream",
            ),
            (
                self.permit_prohibited_ciphers.is_some(),
                "permit_prohibited_ciphers",
            ),
            (self.ping_timeout.is_some(), "ping_timeout"),
            (self.read_idle_timeout.is_some(), "read_idle_timeout"),
            (self.write_byte_timeout.is_some(), "write_byte_timeout"),
        ]
        .into_iter()
        .filter_map(|(given, name)| given.then_some(name))
    }
}
