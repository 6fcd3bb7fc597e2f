//! A drop-in node_exporter: its flags, its `/metrics`, its landing page, so that the binary alone can be replaced.
//!
//! ```sh
//! cargo run --release -p node-collectors --example node_exporter -- --web.listen-address=127.0.0.1:9100
//! ```
//!
//! What it does not do is refused with a message: collectors that do not exist here, `--web.systemd-socket`, `vsock://`
//! addresses, and of the web config file what `web/config.rs` names. It has no `go_*` metrics, since there is no Go in it.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a command-line program")]

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use node_collectors::NodeCollectors;

mod exporter;
mod flags;
mod gzip;
mod log;
mod negotiate;
mod process;
mod protobuf;
mod server;
mod sys;
mod web;

use exporter::Exporter;
use flags::{Flags, Wanted};
use web::WebFile;

/// How long a thread waits for the next scrape. One that goes takes its buffers with it.
const IDLE: Duration = Duration::from_mins(10);

/// Threads where the number of scrapes at once is not limited.
const UNLIMITED: usize = 512;

fn main() -> ExitCode {
    sys::keep_one_heap();
    let args: Result<Vec<String>, OsString> =
        std::env::args_os().skip(1).map(OsString::into_string).collect();
    let parsed = args
        .map_err(|arg| format!("{} is not UTF-8", arg.display()))
        .and_then(|args| flags::parse(args.into_iter()));
    let flags = match parsed {
        Ok(Wanted::Run(flags)) => *flags,
        Ok(Wanted::Text(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("node_exporter: error: {message}, try --help");
            return ExitCode::FAILURE;
        }
    };
    match run(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("node_exporter: error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags) -> Result<(), String> {
    let set: NodeCollectors = flags.set.build().map_err(|error| error.to_line())?;
    let names: Vec<&str> = set.collectors().iter().map(|collector| collector.name).collect();
    flags.log.info(
        "Starting node_exporter",
        &[("version", env!("CARGO_PKG_VERSION"))],
    );
    for name in &names {
        flags.log.info("Enabled collector", &[("collector", name)]);
    }
    let file = flags.web.config_file.clone().map(WebFile::open).transpose()?;
    sys::give_back();
    let code = sys::Files::find();
    code.give_back();
    let exporter = Exporter::new(set, &flags.web, flags.log, code);
    // Scrapes block on threads of their own; one is enough for the connections.
    // There is room for the scrapes that may run at once, and for saying so to some more; others wait.
    let threads = match flags.web.max_requests {
        0 => UNLIMITED,
        most => most.saturating_add(8),
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(threads)
        .thread_keep_alive(IDLE)
        .build()
        .map_err(|error| format!("cannot start: {error}"))?
        .block_on(server::serve(&flags.web, file, exporter))
}
