//! From a URL to a byte stream: resolving, connecting to one of the addresses or to a proxy, TLS.
//!
//! Both address families are tried, the second 300 ms after the first or as soon as the first has failed (RFC 8305 in
//! small). `localhost` is the loopback address of either family (RFC 6761) whatever the resolver says, since a program
//! that listens on `127.0.0.1` only is as local as one on `::1`.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tower_service::Service;

use crate::error::BoxError;
use crate::origin::Origin;
use crate::proxy::{self, Proxies, Proxy};
use crate::{Config, Error, ErrorKind};

/// What a connection runs on: TCP, or TLS over it.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

pub(crate) struct Stream {
    pub(crate) io: Box<dyn Io>,
    /// TLS agreed on HTTP/2.
    pub(crate) http2: bool,
}

#[derive(Debug)]
pub(crate) struct Connector {
    tcp: HttpConnector<Resolver>,
    proxies: Proxies,
    #[cfg(feature = "tls")]
    tls: crate::tls::Tls,
}

#[derive(Clone, Debug)]
struct Resolver;

// === impl Connector ===

impl Connector {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Ok(Self {
            tcp,
            proxies: Proxies::of(&config.proxy)?,
            #[cfg(feature = "tls")]
            tls: crate::tls::Tls::new(&config.tls, config.enable_http2)?,
        })
    }

    /// The proxy on the way to `origin`.
    pub(crate) fn proxy(&self, origin: &Origin) -> Option<&Proxy> {
        self.proxies.on_the_way_to(origin)
    }

    pub(crate) async fn connect(&self, uri: &Uri, origin: &Origin) -> Result<Stream, Error> {
        let plain = match self.proxy(origin) {
            Some(proxy) => {
                let stream = self.connect_to(proxy).await?;
                if origin.https {
                    proxy::open(stream, proxy, origin).await?
                } else {
                    stream
                }
            }
            None => Box::new(self.tcp(uri, origin).await?),
        };
        #[cfg(feature = "tls")]
        if origin.https {
            return self.tls.handshake(plain, origin).await;
        }
        Ok(Stream {
            io: plain,
            http2: false,
        })
    }

    async fn connect_to(&self, proxy: &Proxy) -> Result<Box<dyn Io>, Error> {
        let stream = self.tcp(&proxy.uri, &proxy.origin).await?;
        #[cfg(feature = "tls")]
        if proxy.origin.https {
            return self.tls.handshake_with_proxy(stream, &proxy.origin).await;
        }
        Ok(Box::new(stream))
    }

    async fn tcp(&self, uri: &Uri, origin: &Origin) -> Result<TcpStream, Error> {
        let mut tcp = self.tcp.clone();
        let failed = |error: BoxError| {
            let cause = root_cause(&*error);
            Error::new(
                ErrorKind::Connect,
                format!("cannot connect to {}: {cause}", origin.address()),
            )
            .with_source(error)
        };
        poll_fn(|cx| tcp.poll_ready(cx))
            .await
            .map_err(|error| failed(error.into()))?;
        let stream = tcp.call(uri.clone()).await;
        Ok(stream.map_err(|error| failed(error.into()))?.into_inner())
    }
}

/// The innermost cause: the operating system's words.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

// === impl Resolver ===

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move {
            // The connector puts in the port.
            if is_localhost(name.as_str()) {
                let loopback = [(Ipv6Addr::LOCALHOST, 0).into(), (Ipv4Addr::LOCALHOST, 0).into()];
                return Ok(Vec::from(loopback).into_iter());
            }
            Ok(lookup_host((name.as_str(), 0))
                .await?
                .collect::<Vec<_>>()
                .into_iter())
        })
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
}
