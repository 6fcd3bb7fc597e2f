//! HTTP: addresses, requests and the landing page.

use std::convert::Infallible;
use std::net::Ipv6Addr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, VARY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::exporter::{Answer, Exporter, Query};
use crate::flags::Web;
use crate::log::Level;

/// Serves on every address until one fails.
///
/// # Errors
/// Which address cannot be listened on, or failed.
pub(crate) async fn serve(web: &Web, exporter: &Arc<Exporter>) -> Result<(), String> {
    let path: Arc<str> = web.telemetry_path.as_str().into();
    let mut listeners = JoinSet::new();
    for address in &web.listen {
        let listener = bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        let bound = listener
            .local_addr()
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        exporter
            .log()
            .info("Listening on", &[("address", &bound.to_string())]);
        let (exporter, path) = (Arc::clone(exporter), Arc::clone(&path));
        listeners.spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let _delay_is_no_harm = stream.set_nodelay(true);
                        tokio::spawn(connection(stream, Arc::clone(&exporter), Arc::clone(&path)));
                    }
                    Err(error) => {
                        let error = error.to_string();
                        exporter
                            .log()
                            .write(Level::Warn, "cannot accept", &[("err", &error)]);
                        tokio::task::yield_now().await;
                    }
                }
            }
        });
    }
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

async fn connection(stream: tokio::net::TcpStream, exporter: Arc<Exporter>, path: Arc<str>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (exporter, path) = (Arc::clone(&exporter), Arc::clone(&path));
        async move { Ok::<_, Infallible>(response(answer(&request, exporter, &path).await)) }
    });
    if let Err(error) = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        let error = error.to_string();
        exporter
            .log()
            .write(Level::Debug, "a connection failed", &[("err", &error)]);
    }
}

async fn answer(request: &Request<Incoming>, exporter: Arc<Exporter>, path: &str) -> Answer {
    if request.uri().path() == path {
        let query = query(request);
        return match tokio::task::spawn_blocking(move || exporter.scrape(&query)).await {
            Ok(answer) => answer,
            Err(error) => Answer::plain(500, format!("the scrape failed: {error}\n")),
        };
    }
    if request.uri().path() == "/" {
        return landing_page(path);
    }
    Answer::plain(404, "404 page not found\n")
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    // The codes are our own.
    *response.status_mut() = answer.code.try_into().unwrap_or_default();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, hyper::header::HeaderValue::from_static(value));
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
        utf8_names: header(ACCEPT).is_some_and(|accept| accept.contains("escaping=allow-utf-8")),
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

/// Whether gzip is among the encodings, and not with the weight 0.
fn accepts_gzip(encodings: &str) -> bool {
    encodings.split(',').any(|encoding| {
        let (name, weight) = encoding.split_once(';').unwrap_or((encoding, ""));
        let weight = weight.trim().trim_start_matches("q=").parse::<f64>();
        name.trim() == "gzip" && weight.unwrap_or(1.0) > 0.0
    })
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
