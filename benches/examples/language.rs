//! The configuration language some number of times, for counting instructions: `language parse|format LINES TIMES`.

use std::hint::black_box;

use ferroalloy_benches::configuration;
use river_syntax::SourceMap;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [what, lines, times] = &args[..] else {
        panic!("usage: language parse|format LINES TIMES")
    };
    let text = configuration(lines.parse::<usize>().expect("a number of lines") / 10);
    for _ in 0..times.parse().expect("a number of times") {
        match what.as_str() {
            "parse" => {
                let source = SourceMap::new().add("bench.alloy", text.as_bytes());
                black_box(river_syntax::parse(&source));
            }
            "format" => drop(black_box(river_syntax::format(&text))),
            what => panic!("{what} is neither parse nor format"),
        }
    }
}
