//! Pushes ten samples to a receiver: `cargo run --example push -- http://localhost:9090/api/v1/write`.
//!
//! Prometheus takes them when it is started with `--web.enable-remote-write-receiver`; ask it for `example_temperature_celsius` then.

use std::sync::Arc;

use ferroalloy_model::{Clock, Labels, SystemClock};
use remote_write::{Client, Encoder, Endpoint};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: push URL")?;
    let clock = Arc::new(SystemClock);
    let client = Client::new(&Endpoint::new(url), "remote-write-example/1.0", clock.clone())?;

    let labels = Labels::from_pairs([("__name__", "example_temperature_celsius"), ("room", "kitchen")]);
    let mut encoder = Encoder::new();
    for step in 0..10_i32 {
        let timestamp = clock.wall() - i64::from(9 - step) * 1000;
        encoder.sample(&labels, timestamp, 20.0 + f64::from(step) / 10.0);
    }
    client.send(&encoder.finish()).await?;
    Ok(())
}
