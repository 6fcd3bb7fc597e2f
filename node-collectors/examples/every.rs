//! Runs every collector that this system has, also those that are off by default, and tells how each ended:
//!
//! ```sh
//! cargo run -p node-collectors --example every          # once
//! cargo run -p node-collectors --example every 1000     # a thousand times, to watch its memory
//! ```

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a command-line program")]

use std::process::ExitCode;

use ferroalloy_model::Families;
use node_collectors::{NodeCollectors, Platform, State, Support, registry};

fn main() -> ExitCode {
    let Ok(runs) = std::env::args().nth(1).map_or(Ok(1), |runs| runs.parse::<u32>()) else {
        eprintln!("every: the number of runs is no number");
        return ExitCode::FAILURE;
    };
    let here = Platform::current();
    let existing = registry()
        .iter()
        .filter(|collector| here.is_some_and(|here| collector.support(here) != Support::Absent))
        .map(|collector| collector.name);
    let set = match NodeCollectors::builder().only(existing).build() {
        Ok(set) => set,
        Err(error) => {
            eprintln!("every: {}", error.to_line());
            return ExitCode::FAILURE;
        }
    };
    for run in 1..=runs {
        let report = set.collect(&mut Families::new());
        if run < runs {
            continue;
        }
        for status in report.statuses() {
            let end = match &status.state {
                State::Data => "data".to_owned(),
                State::NoData => "no data".to_owned(),
                State::Failed(error) => format!("FAILED: {}", error.to_line()),
                other => format!("{other:?}"),
            };
            println!("{:24} {:>9.3?}  {end}", status.collector, status.duration);
        }
    }
    ExitCode::SUCCESS
}
