//! The client: credentials, connections, redirects, and one second try.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};

use crate::auth::Credentials;
use crate::connect::Connector;
use crate::connection::{Body, Connection, Failed};
use crate::origin::Origin;
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::reply::Reply;
use crate::{Config, Error, ErrorKind, Redirects, redirect};

/// An HTTP client with one configuration and a pool of connections. Cloning it shares both.
///
/// It sets no deadline of its own: a request ends when the future of the call is dropped, and takes its connection with it.
/// It needs a tokio runtime with I/O and time enabled.
#[derive(Clone)]
pub struct Client(Shared);

pub(crate) type Shared = Arc<Inner>;

pub(crate) struct Inner {
    credentials: Credentials,
    headers: Vec<(HeaderName, HeaderValue)>,
    redirects: Redirects,
    connector: Connector,
    pub(crate) pool: Pool,
}

/// What is asked. `Host`, `Content-Length` and the configured headers are added when it is sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// An absolute `http` or `https` URL. A user and a password in it are sent as basic authentication, unless other
    /// credentials are configured.
    pub uri: Uri,
    /// Headers of this request.
    pub headers: HeaderMap,
    /// The body, empty for none.
    pub body: Bytes,
}

/// A whole response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came: a `Content-Encoding` is not undone. Empty from [`Client::send_into`].
    pub body: Bytes,
}

// === impl Client ===

impl Client {
    /// Makes a client. Files are not read before they are needed.
    pub fn new(config: &Config) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self(Arc::new(Inner {
            credentials: Credentials::of(config)?,
            headers: config.headers()?,
            redirects: config.follow_redirects,
            connector: Connector::new(config)?,
            pool: Pool::new(),
        })))
    }

    /// Sends `request` and reads the response, whose body may have `body_limit` bytes.
    pub async fn send(&self, request: &Request, body_limit: usize) -> Result<Response, Error> {
        let mut body = Vec::new();
        let response = self.send_into(request, body_limit, &mut body).await?;
        Ok(Response {
            body: Bytes::from(body),
            ..response
        })
    }

    /// As [`Client::send`], with the body in `body`, whose memory is used again. What was in it is removed first.
    pub async fn send_into(
        &self,
        request: &Request,
        body_limit: usize,
        body: &mut Vec<u8>,
    ) -> Result<Response, Error> {
        body.clear();
        let mut reply = self.open(request).await?;
        let headers = reply.take_headers();
        let status = reply.status();
        reply.read_into(body_limit, body).await?;
        Ok(Response {
            status,
            headers,
            body: Bytes::new(),
        })
    }

    /// Sends `request` and returns as soon as the head of the response is there, redirects followed.
    pub async fn open(&self, request: &Request) -> Result<Reply, Error> {
        let inner = &self.0;
        let mut uri = request.uri.clone();
        let mut headers = request.headers.clone();
        let mut trusted = true;
        for _ in 0..=redirect::AT_MOST {
            let reply = inner
                .authorized(request, &uri, &headers, trusted)
                .await
                .map_err(|error| error.at(&uri))?;
            let next = redirect::next(
                reply.status,
                &reply.headers,
                &request.method,
                &uri,
                inner.redirects,
            )
            .map_err(|error| error.at(&uri))?;
            let Some(next) = next else { return Ok(reply) };
            if !redirect::same_host(&uri, &next) {
                trusted = false;
                redirect::strip(&mut headers);
            }
            // The body of a redirect is short; reading it keeps the connection. A long one is not worth it.
            drop(reply.read_into(4096, &mut Vec::new()).await);
            uri = next;
        }
        Err(Error::new(
            ErrorKind::Redirect,
            format!("more than {} redirects", redirect::AT_MOST),
        )
        .at(&request.uri))
    }

    /// Closes all idle connections, and those in use once their requests are over: for the time after a suspend, when the
    /// peers have forgotten them.
    pub fn drop_idle(&self) {
        self.0.pool.renew();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("redirects", &self.0.redirects)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    /// One request with its headers and credentials, and the head of its response, without redirects.
    async fn authorized(
        self: &Arc<Self>,
        request: &Request,
        uri: &Uri,
        headers: &HeaderMap,
        trusted: bool,
    ) -> Result<Reply, Error> {
        let mut headers = headers.clone();
        if !trusted {
            return self.exchange(request, uri, headers).await;
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if headers.contains_key(AUTHORIZATION) {
            return self.exchange(request, uri, headers).await;
        }
        let Some(header) = self.credentials.header(uri).await? else {
            return self.exchange(request, uri, headers).await;
        };
        headers.insert(AUTHORIZATION, header.value.clone());
        if !header.renewable {
            return self.exchange(request, uri, headers).await;
        }
        let reply = self.exchange(request, uri, headers.clone()).await?;
        if reply.status != StatusCode::UNAUTHORIZED {
            return Ok(reply);
        }
        // A token may end before its time. A request that was refused for it was not carried out, so it can be repeated.
        self.credentials.renew(&header.value).await;
        let Some(renewed) = self.credentials.header(uri).await? else {
            return Ok(reply);
        };
        drop(reply.read_into(4096, &mut Vec::new()).await);
        headers.insert(AUTHORIZATION, renewed.value);
        self.exchange(request, uri, headers).await
    }

    /// One request and the head of its response.
    ///
    /// A peer may close an idle connection just as it is used again. Such a request is sent once more, on a fresh
    /// connection, if nothing of it was sent or if sending it twice does no harm (RFC 9110, section 9.2.2).
    async fn exchange(
        self: &Arc<Self>,
        request: &Request,
        uri: &Uri,
        headers: HeaderMap,
    ) -> Result<Reply, Error> {
        let origin = Origin::of(uri)?;
        let proxy = self.connector.proxy(&origin).filter(|_| !origin.https);
        let form = |connection: &Connection| match proxy {
            _ if connection.is_http2() => Form::Http2,
            Some(proxy) => Form::Absolute(proxy),
            None => Form::Origin,
        };
        if let Some(mut connection) = self.pool.take(&origin).await {
            let message = message(request, uri, headers.clone(), &origin, form(&connection))?;
            match connection.start(message).await {
                Ok(response) => return Ok(self.reply(response, connection, origin, uri)),
                Err(Failed { error, unsent }) => {
                    let repeatable = unsent || error.is_closed() && request.method.is_idempotent();
                    if !repeatable {
                        return Err(error);
                    }
                }
            }
        }
        let stream = self.connector.connect(uri, &origin).await?;
        let mut connection = Connection::handshake(stream, self.pool.birth()).await?;
        if let Connection::Http2(shared) = &connection {
            self.pool.share(&origin, shared);
        }
        let message = message(request, uri, headers, &origin, form(&connection))?;
        let response = connection.start(message).await.map_err(|failed| failed.error)?;
        Ok(self.reply(response, connection, origin, uri))
    }

    fn reply(
        self: &Arc<Self>,
        response: http::Response<hyper::body::Incoming>,
        connection: Connection,
        origin: Origin,
        uri: &Uri,
    ) -> Reply {
        let (head, body) = response.into_parts();
        Reply {
            status: head.status,
            headers: head.headers,
            body,
            connection,
            origin,
            uri: uri.clone(),
            shared: self.clone(),
        }
    }
}

/// How a message names its target.
#[derive(Clone, Copy)]
enum Form<'a> {
    /// To the host itself.
    Origin,
    /// To a proxy that passes it on.
    Absolute(&'a Proxy),
    Http2,
}

/// The message as it goes on the wire: the target in the form that the peer wants, without user and password.
fn message(
    request: &Request,
    uri: &Uri,
    mut headers: HeaderMap,
    origin: &Origin,
    form: Form<'_>,
) -> Result<http::Request<Body>, Error> {
    let host = origin.host_header()?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('?') {
        format!("/{path}")
    } else {
        path.to_owned()
    };
    let scheme = match form {
        Form::Origin => None,
        Form::Absolute(_) => Some("http"),
        Form::Http2 => Some("https"),
    };
    let target = Uri::builder().path_and_query(path);
    let target = match scheme {
        Some(scheme) => target.scheme(scheme).authority(host.as_bytes()),
        None => target,
    };
    let target = target.build().map_err(|error| {
        Error::new(ErrorKind::Url, format!("the URL cannot be asked: {error}")).with_source(error)
    })?;
    if !matches!(form, Form::Http2) {
        headers.entry(HOST).or_insert(host);
    }
    if let Form::Absolute(Proxy {
        authorization: Some(value),
        ..
    }) = form
    {
        headers.insert(PROXY_AUTHORIZATION, value.clone());
    }
    let mut message = http::Request::new(Body::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = target;
    *message.headers_mut() = headers;
    Ok(message)
}
