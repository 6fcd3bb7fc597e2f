//! Relabels a layout of 10,000 series that was not seen before, again and again, for counting instructions: the difference
//! between two runs is what a layout costs.
//!
//! `cargo run -p ferroalloy-benches --example relabel -- TIMES`

use ferroalloy_benches::relabel::node_rules;
use ferroalloy_benches::write::series;
use relabel::LayoutRelabeler;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let times: usize = std::env::args().nth(1).unwrap_or_default().parse()?;
    let (layout, rules) = (series(10_000), node_rules()?);
    for _ in 0..times {
        LayoutRelabeler::new(rules.clone()).relabel(&layout);
    }
    Ok(())
}
