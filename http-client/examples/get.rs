//! Asks a URL and prints the body: `cargo run --example get -- http://localhost:9100/metrics`.

use std::io::Write as _;

use ferroalloy_http_client::{Client, Config, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let uri = std::env::args().nth(1).ok_or("usage: get URL")?.parse()?;
    let request = Request {
        method: http::Method::GET,
        uri,
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::new(),
    };
    let response = Client::new(&Config::default())?.send(&request, 64 << 20).await?;
    std::io::stdout().write_all(&response.body)?;
    Ok(())
}
