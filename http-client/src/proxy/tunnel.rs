//! `CONNECT`: a way through a proxy to a host that it does not look into (RFC 9110, section 9.3.6).

use std::future::{Future, poll_fn};
use std::pin::pin;

use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{Method, StatusCode, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::Proxy;
use crate::connect::Io;
use crate::connection::{Body, HEAD_LIMIT};
use crate::origin::Origin;
use crate::{Error, ErrorKind};

/// Asks the proxy at the other end of `stream` for a way to `origin`.
pub(crate) async fn open(stream: Box<dyn Io>, proxy: &Proxy, origin: &Origin) -> Result<Box<dyn Io>, Error> {
    let failed = |why: &str| {
        let message = format!(
            "the proxy {} gives no way to {}: {why}",
            proxy.origin.address(),
            origin.address()
        );
        Error::new(ErrorKind::Proxy, message)
    };
    let broken = |error: hyper::Error| failed(&error.to_string()).with_source(error);

    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_LIMIT as usize);
    let (mut sender, mut connection) = builder.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let response = {
        let mut response = pin!(sender.send_request(request(proxy, origin)?));
        let mut ended = false;
        poll_fn(|cx| {
            ended = ended || connection.poll_without_shutdown(cx).is_ready();
            response.as_mut().poll(cx)
        })
        .await
        .map_err(broken)?
    };
    let status = response.status();
    if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return Err(failed(&format!(
            "{status}: it wants other credentials than its URL and proxy_connect_header have"
        )));
    }
    if !status.is_success() {
        return Err(failed(&format!("it answered {status}")));
    }
    let parts = connection.into_parts();
    if !parts.read_buf.is_empty() {
        return Err(failed("it sent more than an answer"));
    }
    Ok(parts.io.into_inner())
}

fn request(proxy: &Proxy, origin: &Origin) -> Result<http::Request<Body>, Error> {
    let address = origin.address();
    let target = Uri::builder()
        .authority(address.as_str())
        .build()
        .map_err(|error| {
            Error::new(
                ErrorKind::Url,
                format!("{address:?} cannot be asked for: {error}"),
            )
            .with_source(error)
        })?;
    let mut request = http::Request::new(Body::default());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = target;
    let headers = request.headers_mut();
    *headers = proxy.connect_headers.clone();
    headers.insert(HOST, origin.authority()?);
    if let Some(authorization) = &proxy.authorization {
        headers
            .entry(PROXY_AUTHORIZATION)
            .or_insert_with(|| authorization.clone());
    }
    Ok(request)
}
