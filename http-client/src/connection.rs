//! One connection and the exchange on it.
//!
//! An HTTP/1.1 connection has no task of its own: the request that uses it drives it, so that an idle connection costs
//! nothing, and a request that its caller gives up takes its connection with it. An HTTP/2 connection is shared and runs
//! as a task.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::Instant;

use crate::connect::{Io, Stream};
use crate::{Error, ErrorKind};

/// The head of a response, and the read buffer: a target has no business with more.
pub(crate) const HEAD_LIMIT: u32 = 64 * 1024;

/// How often a shared connection is probed while requests wait on it, and how long the answer may take.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_ANSWER: Duration = Duration::from_secs(15);

pub(crate) type Body = Full<Bytes>;

pub(crate) enum Connection {
    Http1(Http1),
    Http2(Http2),
}

pub(crate) struct Http1 {
    sender: http1::SendRequest<Body>,
    driver: Driver,
    pub(crate) birth: Birth,
}

#[derive(Clone)]
pub(crate) struct Http2 {
    sender: http2::SendRequest<Body>,
    pub(crate) birth: Birth,
}

/// When a connection was made, and before how many renewals of the pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth {
    pub(crate) at: Instant,
    pub(crate) generation: u64,
}

/// `None` once the connection has ended.
struct Driver(Option<Pin<Box<Running>>>);

type Running = http1::Connection<TokioIo<Box<dyn Io>>, Body>;

/// Why no response has come.
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// Not a byte of the request was sent.
    pub(crate) unsent: bool,
}

// === impl Connection ===

impl Connection {
    pub(crate) async fn handshake(stream: Stream, birth: Birth) -> Result<Self, Error> {
        let io = TokioIo::new(stream.io);
        if stream.http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .keep_alive_interval(PING_EVERY)
                .keep_alive_timeout(PING_ANSWER);
            builder.max_header_list_size(HEAD_LIMIT);
            let (sender, driver) = builder.handshake(io).await.map_err(broken)?;
            // It ends with its last sender; its error is also the error of each request on it.
            tokio::spawn(async move { drop(driver.await) });
            return Ok(Self::Http2(Http2 { sender, birth }));
        }
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD_LIMIT as usize);
        let (sender, driver) = builder.handshake(io).await.map_err(broken)?;
        Ok(Self::Http1(Http1 {
            sender,
            driver: Driver(Some(Box::pin(driver))),
            birth,
        }))
    }

    pub(crate) fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    /// Sends `request` and waits for the head of the response.
    pub(crate) async fn start(
        &mut self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Incoming>, Failed> {
        match self {
            Self::Http1(connection) => {
                let response = pin!(connection.sender.try_send_request(request));
                connection.driver.drive(response).await
            }
            Self::Http2(connection) => connection.sender.try_send_request(request).await,
        }
        .map_err(|mut error| {
            let unsent = error.take_message().is_some();
            Failed {
                error: broken(error.into_error()),
                unsent,
            }
        })
    }

    /// The next piece of the body. Trailers are passed over.
    pub(crate) async fn chunk(&mut self, body: &mut Incoming) -> Option<Result<Bytes, Error>> {
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
            let frame = match self {
                Self::Http1(connection) => connection.driver.drive(pin!(frame)).await,
                Self::Http2(_) => frame.await,
            };
            match frame? {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
                Err(error) => return Some(Err(broken(error))),
            }
        }
    }
}

// === impl Http1 ===

impl Http1 {
    /// Whether another request can be sent: false when the peer has closed, or is not done with the last one.
    pub(crate) async fn is_reusable(&mut self) -> bool {
        poll_fn(|cx| {
            // The first turn may be the one that ends the last exchange, and the second the one that says so.
            for _ in 0..2 {
                if self.driver.turn(cx) {
                    return Poll::Ready(false);
                }
                if let Poll::Ready(ready) = self.sender.poll_ready(cx) {
                    return Poll::Ready(ready.is_ok());
                }
            }
            Poll::Ready(false)
        })
        .await
    }
}

impl Http2 {
    pub(crate) fn is_reusable(&self) -> bool {
        !self.sender.is_closed()
    }
}

// === impl Driver ===

impl Driver {
    /// Lets the connection read and write. True once it has ended; why it did is told to whoever waits on it.
    fn turn(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(connection) = &mut self.0
            && connection.as_mut().poll(cx).is_ready()
        {
            self.0 = None;
        }
        self.0.is_none()
    }

    async fn drive<F: Future>(&mut self, mut wanted: Pin<&mut F>) -> F::Output {
        poll_fn(|cx| {
            self.turn(cx);
            wanted.as_mut().poll(cx)
        })
        .await
    }
}

fn broken(error: hyper::Error) -> Error {
    let (kind, message) = if error.is_parse() {
        (ErrorKind::Protocol, format!("the response is not HTTP: {error}"))
    } else if error.is_incomplete_message() {
        (
            ErrorKind::Closed,
            "the connection was closed before the response was complete".to_owned(),
        )
    } else {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        (ErrorKind::Closed, format!("the connection broke: {cause}"))
    };
    Error::new(kind, message).with_source(error)
}
