//! A receiver of both versions that prints what it is sent: `cargo run --example receiver -- 127.0.0.1:9999`.

use std::convert::Infallible;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use remote_write::{Error, Intake, Limits, Received, decode_v1, decode_v2};

/// Bytes of a compressed body, at most; [`Limits`] are those of what is in it.
const BODY_LIMIT: usize = 16 << 20;

fn decode(content_type: &str, body: &[u8]) -> Result<Received, Error> {
    let (intake, limits) = (Intake::new("example"), Limits::default());
    if content_type.contains("io.prometheus.write.v2.Request") {
        Ok(intake.v2(&decode_v2(body, &limits)?))
    } else {
        intake.v1(&decode_v1(body, &limits)?)
    }
}

#[expect(clippy::print_stdout, reason = "it is what the example is for")]
async fn receive(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let content_type = request.headers().get("content-type").cloned();
    let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
    let answer =
        |status, words: String| Ok(Response::builder().status(status).body(words).unwrap_or_default());
    let body = match Limited::new(request.into_body(), BODY_LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return answer(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
    };
    let received = match decode(content_type.unwrap_or_default(), &body) {
        Ok(received) => received,
        Err(error) => return answer(StatusCode::BAD_REQUEST, error.to_string()),
    };
    for batch in &received.batches {
        batch.for_each_sample(|row| {
            let series = batch.layout().series(row.slot as usize);
            println!("{series} {} at {} ms", row.value, row.timestamp);
        });
    }
    let response = Response::builder().status(StatusCode::NO_CONTENT);
    let written = |what| format!("X-Prometheus-Remote-Write-{what}-Written");
    let response = response.header(written("Samples"), received.samples);
    let response = response.header(written("Histograms"), received.histograms);
    let response = response.header(written("Exemplars"), received.exemplars);
    Ok(response.body(String::new()).unwrap_or_default())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener =
        tokio::net::TcpListener::bind(std::env::args().nth(1).ok_or("usage: receiver ADDRESS")?).await?;
    loop {
        let io = TokioIo::new(listener.accept().await?.0);
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service_fn(receive)));
    }
}
