//! Makes one remote-write message again and again, for counting instructions: the difference between two runs is what a message of 2,000
//! samples costs.
//!
//! `cargo run -p ferroalloy-benches --example write -- 1.0|2.0 ours|snappy|ready|built TIMES`

use ferroalloy_benches::write::{Owned, body, series};
use remote_write::{Encoder, Version};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let version = match arguments.next().as_deref() {
        Some("1.0") => Version::V1,
        Some("2.0") => Version::V2,
        _ => return Err("which version: 1.0 or 2.0".into()),
    };
    let way = arguments.next().unwrap_or_default();
    let times: usize = arguments.next().unwrap_or_default().parse()?;
    let layout = series(2_000);
    let (ready, mut message) = (Owned::new(version, &layout), Vec::new());
    ready.encode(&mut message)?;
    let mut encoder = Encoder::for_version(version);
    let mut compressor = snap::raw::Encoder::new();
    let mut compressed = vec![0; snap::raw::max_compress_len(message.len())];
    for _ in 0..times {
        match way.as_str() {
            "ours" => drop(body(&mut encoder, &layout)),
            "snappy" => drop(compressor.compress(&message, &mut compressed)?),
            "ready" => {
                message.clear();
                ready.encode(&mut message)?;
            }
            "built" => {
                message.clear();
                Owned::new(version, &layout).encode(&mut message)?;
            }
            _ => return Err("which way: ours, snappy, ready or built".into()),
        }
    }
    Ok(())
}
