//! HTTP: addresses, requests and the landing page.

use std::convert::Infallible;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ferroalloy_model::clock::{Clock, SystemClock};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
    WWW_AUTHENTICATE,
};
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::exporter::{Answer, Exporter, Query};
use crate::flags::Web;
use crate::log::Level;
use crate::negotiate::{accepts_gzip, form};
use crate::sys;
use crate::web::WebFile;

/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a connection may be without a whole request.
const IDLE: Duration = Duration::from_mins(5);

/// How long to wait after a connection that could not be taken, since there may be no room for one.
const NO_ROOM: Duration = Duration::from_millis(100);

/// How often memory is given back that many scrapes or connections at once needed.
const GIVE_BACK: Duration = Duration::from_mins(1);

/// What all connections share.
struct Site {
    exporter: Exporter,
    path: String,
    file: Option<WebFile>,
}

/// Serves on every address until one fails.
///
/// # Errors
/// Which address cannot be listened on, or failed.
pub(crate) async fn serve(web: &Web, file: Option<WebFile>, exporter: Exporter) -> Result<(), String> {
    let tls = file.as_ref().is_some_and(WebFile::has_tls);
    let site = Arc::new(Site {
        exporter,
        path: web.telemetry_path.clone(),
        file,
    });
    let mut listeners = JoinSet::new();
    for address in &web.listen {
        let listener = bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        let bound = listener
            .local_addr()
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        let log = site.exporter.log();
        log.info("Listening on", &[("address", &bound.to_string())]);
        let word = if tls {
            "TLS is enabled."
        } else {
            "TLS is disabled."
        };
        log.info(word, &[("http2", "false"), ("address", &bound.to_string())]);
        let site = Arc::clone(&site);
        listeners.spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let _delay_is_no_harm = stream.set_nodelay(true);
                        tokio::spawn(connection(stream, Arc::clone(&site)));
                    }
                    Err(error) => {
                        let error = error.to_string();
                        log.write(Level::Warn, "cannot accept", &[("err", &error)]);
                        SystemClock.sleep(NO_ROOM).await;
                    }
                }
            }
        });
    }
    tokio::spawn(async {
        loop {
            SystemClock.sleep(GIVE_BACK).await;
            sys::give_back();
        }
    });
    match listeners.join_next().await {
        Some(Err(error)) => Err(error.to_string()),
        _ => Err("there is no address to listen on".to_owned()),
    }
}

/// Without a host, every address of both families, or of the one there is.
async fn bind(address: &str) -> std::io::Result<TcpListener> {
    let Some(port) = address.strip_prefix(':') else {
        return TcpListener::bind(address).await;
    };
    let number: u16 = port
        .parse()
        .map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidInput, "the port is not a number"))?;
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, number)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("0.0.0.0", number)).await,
    }
}

async fn connection(stream: TcpStream, site: Arc<Site>) {
    let outcome = match site.file.as_ref().map_or(Ok(None), WebFile::acceptor) {
        Ok(None) => requests(TokioIo::new(stream), &site).await,
        Ok(Some(acceptor)) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => requests(TokioIo::new(stream), &site).await,
            Ok(Err(error)) => Err(format!("TLS handshake: {error}")),
            Err(_) => Err("TLS handshake: it took too long".to_owned()),
        },
        Err(error) => {
            let log = site.exporter.log();
            return log.write(Level::Error, "cannot take a connection", &[("err", &error)]);
        }
    };
    if let Err(error) = outcome {
        let log = site.exporter.log();
        log.write(Level::Debug, "a connection failed", &[("err", &error)]);
    }
}

async fn requests(stream: impl Read + Write + Unpin, site: &Arc<Site>) -> Result<(), String> {
    let service = service_fn(|request: Request<Incoming>| {
        let site = Arc::clone(site);
        async move { Ok::<_, Infallible>(respond(&request, site).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(stream, service)
        .await
        .map_err(|error| error.to_string())
}

async fn respond(request: &Request<Incoming>, site: Arc<Site>) -> Response<Full<Bytes>> {
    if site.file.is_none() {
        return response(answer(request, site).await, Vec::new());
    }
    let authorization = request.headers().get(AUTHORIZATION).cloned();
    let file = Arc::clone(&site);
    let admitted = tokio::task::spawn_blocking(move || {
        let authorization = authorization.as_ref().map(HeaderValue::as_bytes);
        let file = file.file.as_ref();
        file.map_or_else(|| Ok((true, Vec::new())), |file| file.admit(authorization))
    });
    match admitted.await.map_err(|error| error.to_string()).flatten() {
        Ok((true, headers)) => response(answer(request, site).await, headers),
        Ok((false, mut headers)) => {
            headers.push((WWW_AUTHENTICATE, HeaderValue::from_static("Basic")));
            response(Answer::plain(401, "Unauthorized\n"), headers)
        }
        Err(error) => {
            let log = site.exporter.log();
            log.write(Level::Error, "cannot take a request", &[("err", &error)]);
            response(Answer::plain(500, "Internal Server Error\n"), Vec::new())
        }
    }
}

async fn answer(request: &Request<Incoming>, site: Arc<Site>) -> Answer {
    if request.uri().path() == site.path {
        let query = query(request);
        return match tokio::task::spawn_blocking(move || site.exporter.scrape(&query)).await {
            Ok(answer) => answer,
            Err(error) => Answer::plain(500, format!("the scrape failed: {error}\n")),
        };
    }
    if request.uri().path() == "/" {
        return landing_page(&site.path);
    }
    Answer::plain(404, "404 page not found\n")
}

fn response(answer: Answer, more: Vec<(HeaderName, HeaderValue)>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    // The codes are our own.
    *response.status_mut() = answer.code.try_into().unwrap_or_default();
    let headers = response.headers_mut();
    headers.extend(more);
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(CONTENT_TYPE, answer.content_type);
    set(VARY, "Accept-Encoding");
    if answer.gzip {
        set(CONTENT_ENCODING, "gzip");
    }
    response
}

fn query(request: &Request<Incoming>) -> Query {
    let header = |name: HeaderName| {
        let value = request.headers().get(name)?;
        value.to_str().ok()
    };
    let mut query = Query {
        gzip: header(ACCEPT_ENCODING).is_some_and(accepts_gzip),
        form: header(ACCEPT).map(form).unwrap_or_default(),
        ..Query::default()
    };
    for pair in request.uri().query().unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let list = match &*decoded(name) {
            "collect[]" => &mut query.collect,
            "exclude[]" => &mut query.exclude,
            "name[]" => &mut query.names,
            _ => continue,
        };
        list.push(decoded(value));
    }
    query
}

/// Text of a query: `%` with two digits is a byte, `+` a space.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.first_chunk::<2>().filter(|_| first == b'%');
        let byte = digits.and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        rest = if byte.is_some() { &behind[2..] } else { behind };
        bytes.push(byte.unwrap_or(if first == b'+' { b' ' } else { first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn landing_page(path: &str) -> Answer {
    let path = path
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    let version = env!("CARGO_PKG_VERSION");
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"UTF-8\">\n<title>Node Exporter</title>\n</head>\n\
         <body>\n<h1>Node Exporter</h1>\n<h2>Prometheus Node Exporter</h2>\n<div>Version: (version={version})</div>\n\
         <ul>\n<li><a href=\"{path}\">Metrics</a></li>\n</ul>\n</body>\n</html>\n"
    );
    Answer {
        content_type: "text/html; charset=UTF-8",
        ..Answer::plain(200, body)
    }
}
