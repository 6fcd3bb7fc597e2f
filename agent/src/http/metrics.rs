//! `/metrics`, and the metrics of exporters in this process.

use std::io::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ferroalloy_model::{Collect, Families, text};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::app::Shared;

pub(super) async fn own(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let own = Arc::clone(&shared.host.own_metrics);
    exposition(own, &headers).await
}

pub(super) async fn exporter(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    match shared.in_process().find(&format!("/api/v0/component/{path}")) {
        Some(exporter) => exposition(exporter, &headers).await,
        None => (StatusCode::NOT_FOUND, format!("no component serves {path:?}\n")).into_response(),
    }
}

async fn exposition(source: Arc<impl Collect + 'static>, headers: &HeaderMap) -> Response {
    let gzip = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|accepted| accepted.split(',').any(accepts_gzip));
    // Collectors read files and may block.
    let body = tokio::task::spawn_blocking(move || {
        let mut families = Families::new();
        source.collect(&mut families);
        let mut body = Vec::new();
        let left_out = text::write(&families, &mut body);
        if left_out > 0 {
            tracing::warn!(
                series = left_out,
                "series that were collected twice were left out"
            );
        }
        if gzip { compress(&body) } else { Ok(body) }
    })
    .await;
    match body {
        Ok(Ok(body)) => {
            let mut response = Response::new(Body::from(body));
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                header::HeaderValue::from_static(text::CONTENT_TYPE),
            );
            if gzip {
                headers.insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
            }
            response
        }
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("collecting failed: {error}\n"),
        )
            .into_response(),
    }
}

/// Whether one element of `Accept-Encoding` asks for gzip; `q=0` refuses it (RFC 9110, 12.5.3).
fn accepts_gzip(element: &str) -> bool {
    let mut parts = element.split(';').map(str::trim);
    parts
        .next()
        .is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"))
        && !parts.any(|parameter| {
            parameter
                .strip_prefix("q=")
                .is_some_and(|q| q.parse::<f64>().is_ok_and(|q| q == 0.0))
        })
}

fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_given_to_those_who_ask() {
        assert!(accepts_gzip(" gzip"));
        assert!(accepts_gzip("gzip;q=0.5"));
        assert!(!accepts_gzip("gzip; q=0"));
        assert!(!accepts_gzip("deflate"));
    }
}
