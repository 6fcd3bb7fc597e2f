//! The connections of the server: how many, for how long, and to their end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::Clock;
use ferroalloy_model::clock::timeout;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::arguments::Http;
use super::server::{self, Shared};
use super::tls::Certificates;
use super::watch::{Limits, Watch, Watched};
use crate::error::Error;

/// What a failed accept is followed by: descriptors may be free again then.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// What the connections share.
#[derive(Debug)]
struct Server {
    shared: Arc<Shared>,
    http: Http,
    certificates: Option<Certificates>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

/// Serves until `stop`, and then until requests have finished or `deadline` is over.
///
/// # Errors
/// That a certificate cannot be used.
pub(super) async fn serve(
    listener: TcpListener,
    http: &Http,
    shared: Arc<Shared>,
    stop: CancellationToken,
    deadline: Duration,
    clock: Arc<dyn Clock>,
) -> Result<(), Error> {
    let limit = match http.conn_limit {
        0 => Semaphore::MAX_PERMITS,
        limit => limit.min(Semaphore::MAX_PERMITS),
    };
    let places = Arc::new(Semaphore::new(limit));
    let server = Arc::new(Server {
        shared,
        certificates: http.tls.as_ref().map(Certificates::read).transpose()?,
        http: http.clone(),
        clock: Arc::clone(&clock),
        stop: stop.clone(),
    });
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            Some(_) = connections.join_next() => continue,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let server = Arc::clone(&server);
                connections.spawn(async move {
                    server.connection(stream).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(err = error.to_string(), "a connection cannot be accepted");
                clock.sleep(AFTER_FAILURE).await;
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(&*clock, deadline, ended).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections are cut off");
    }
    Ok(())
}

impl Server {
    async fn connection(&self, stream: TcpStream) {
        let _delay_is_no_harm = stream.set_nodelay(true);
        let Some(certificates) = &self.certificates else {
            let http2 = self.http.http2.as_ref().is_some_and(|http2| http2.enabled);
            return self.exchange(stream, http2).await;
        };
        let handshake = TlsAcceptor::from(certificates.config()).accept(stream);
        let limit = within(self.http.server_read_timeout);
        let stream = tokio::select! {
            stream = timeout(&*self.clock, limit, handshake) => stream,
            () = self.stop.cancelled() => return,
        };
        match stream {
            Ok(Ok(stream)) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                self.exchange(stream, http2).await;
            }
            Ok(Err(error)) => tracing::debug!(err = error.to_string(), "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    /// Serves the requests of a connection, on which HTTP/2 may be spoken.
    async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, http2: bool) {
        let limits = Limits {
            read: self.http.server_read_timeout,
            idle: self.http.server_idle_timeout,
        };
        let watch = Watch::new(Arc::clone(&self.clock), limits, !http2);
        let service = service_fn(|request| {
            let active = watch.request();
            let times = server::Times {
                read: within(self.http.server_read_timeout),
                write: within(self.http.server_write_timeout),
            };
            let (shared, clock) = (Arc::clone(&self.shared), Arc::clone(&self.clock));
            async move {
                let response = server::answer(request, &shared, &*clock, times).await;
                drop(active);
                Ok::<_, Infallible>(response)
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        if !http2 {
            builder = builder.http1_only();
        }
        if let Some(http2) = &self.http.http2 {
            builder
                .http2()
                .max_concurrent_streams(http2.max_concurrent_streams);
        }
        let io = TokioIo::new(Watched {
            stream,
            watch: watch.clone(),
        });
        let connection = builder.serve_connection(io, service);
        tokio::pin!(connection);
        tokio::select! {
            _ended = connection.as_mut() => return,
            () = watch.overdue() => return,
            () = self.stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ended = connection.await;
    }
}

/// A limit of zero is none.
fn within(limit: Duration) -> Duration {
    if limit.is_zero() { Duration::MAX } else { limit }
}
