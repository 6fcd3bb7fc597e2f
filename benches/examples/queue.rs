//! Appends to a queue on disk again and again, for counting instructions: the difference between two runs is what the batches cost.
//!
//! `cargo run -p ferroalloy-benches --example queue -- TIMES`, a thousand samples each time.

use ferroalloy_benches::queue::fill;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let times = std::env::args().nth(1).unwrap_or_default().parse()?;
    let (folder, runtime) = (tempfile::tempdir()?, tokio::runtime::Runtime::new()?);
    runtime.block_on(fill(folder.path(), "http://127.0.0.1:1/", 1_000, times));
    Ok(())
}
