//! A response whose body is still on its way.

use std::fmt;

use http::{HeaderMap, StatusCode};
use hyper::body::{Body as _, Incoming};

use crate::client::Shared;
use crate::connection::Connection;
use crate::origin::Origin;
use crate::{Error, ErrorKind};

/// The head of a response, and the means to read its body. Dropping it gives up the body, and with it the connection.
pub struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Incoming,
    pub(crate) connection: Connection,
    pub(crate) origin: Origin,
    pub(crate) uri: http::Uri,
    pub(crate) shared: Shared,
}

impl Reply {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Takes the headers out.
    pub fn take_headers(&mut self) -> HeaderMap {
        std::mem::take(&mut self.headers)
    }

    /// Appends the body to `out`, as it came: a `Content-Encoding` is the caller's to undo.
    ///
    /// A body of more than `limit` bytes is an error ([`Error::is_body_limit`]); `out` then has its first bytes, up to the
    /// limit, and the connection is closed. After the last byte the connection is kept for the next request.
    pub async fn read_into(mut self, limit: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        let uri = self.uri.clone();
        self.read(limit, out).await.map_err(|error| error.at(&uri))?;
        if let Connection::Http1(connection) = self.connection {
            drop(self.body);
            self.shared.pool.put(&self.origin, connection).await;
        }
        Ok(())
    }

    async fn read(&mut self, limit: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut left = limit;
        let announced = self.body.size_hint().lower();
        // What a peer announces is not worth more than a page or so until it comes.
        out.reserve(
            usize::try_from(announced)
                .unwrap_or(usize::MAX)
                .min(limit)
                .min(64 * 1024),
        );
        while let Some(chunk) = self.connection.chunk(&mut self.body).await {
            let chunk = chunk?;
            out.extend_from_slice(&chunk[..chunk.len().min(left)]);
            left = left.checked_sub(chunk.len()).ok_or_else(|| {
                Error::new(
                    ErrorKind::BodyLimit,
                    format!("the response's body is larger than {limit} bytes"),
                )
            })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
