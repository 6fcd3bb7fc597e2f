//! The command line: which command with which flags. Parsing opens nothing.

mod fmt;
mod reference;
mod run;
mod tools;
mod validate;

use std::env;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use river_syntax::{Bytes, Stability};

/// A small agent: host metrics, scraping, relabelling and remote write from an Alloy configuration.
#[derive(Debug, Parser)]
#[command(name = "ferroalloy", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a configuration, or without one show this host's metrics.
    Run(Run),
    /// Format configuration files.
    #[command(visible_alias = "format")]
    Fmt(Fmt),
    /// Say everything that is wrong with a configuration, without running it.
    Validate(Validate),
    /// Say what may stand in a configuration.
    Reference(Reference),
    /// Tools for looking after an agent.
    #[command(subcommand)]
    Tools(tools::Tools),
}

#[derive(Debug, Args)]
struct Run {
    /// A configuration file, or a folder of *.alloy files. Without it: this host's metrics, every 15 seconds.
    path: Option<PathBuf>,
    /// Where to listen.
    #[arg(
        long = "server.http.listen-addr",
        value_name = "ADDR",
        default_value = "127.0.0.1:12345"
    )]
    listen: String,
    /// Where components keep their files.
    #[arg(long = "storage.path", value_name = "DIR", default_value = "data-ferroalloy/")]
    storage: PathBuf,
    /// How settled the components and functions that a configuration uses must be.
    #[arg(long = "stability.level", value_name = "LEVEL", default_value_t)]
    stability: Stability,
    /// The most memory to use: near to it, scrapes that would add series fail. 0 for no bound; that of the control group
    /// unless it is given.
    #[arg(long = "memory.budget", value_name = "SIZE")]
    memory_budget: Option<Bytes>,
    /// Where the configuration that runs without PATH sends its samples.
    #[arg(long = "remote-write.url", value_name = "URL", conflicts_with = "path")]
    remote_write_url: Option<String>,
    /// For Alloy's service files: nothing is ever reported to anybody.
    #[arg(long = "disable-reporting")]
    disable_reporting: bool,
}

#[derive(Debug, Args)]
struct Fmt {
    /// The file, or with -w or -t a folder, of which all *.alloy files are meant; standard input where there is none or
    /// it is "-".
    path: Option<PathBuf>,
    /// Write the result to the file rather than to standard output.
    #[arg(short, long)]
    write: bool,
    /// Change nothing, and fail where a file is not formatted; not with -w.
    #[arg(short, long)]
    test: bool,
}

#[derive(Debug, Args)]
struct Validate {
    /// A configuration file, or a folder of *.alloy files.
    path: PathBuf,
    /// How settled the components and functions that it uses must be.
    #[arg(long = "stability.level", value_name = "LEVEL", default_value_t)]
    stability: Stability,
    /// Fail on warnings too.
    #[arg(long)]
    deny_warnings: bool,
    /// The form of the report: for people on standard error, or a JSON array on standard output.
    #[arg(long, value_enum, default_value_t = Report::Full)]
    format: Report,
}

#[derive(Debug, Args)]
struct Reference {
    /// The block, or "stdlib" for the functions; everything where there is none.
    name: Option<String>,
    /// The form: pages for people, or data for editors.
    #[arg(long, value_enum, default_value_t = Pages::Markdown)]
    format: Pages,
}

/// The form of the reference.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Pages {
    Markdown,
    Json,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Report {
    /// With other places, notes and suggestions.
    Full,
    /// As Alloy prints it.
    Plain,
    /// For programs.
    Json,
}

impl Cli {
    /// Does what was asked.
    pub fn execute(self) -> ExitCode {
        match self.command {
            Command::Run(run) => run.execute(),
            Command::Fmt(fmt) => fmt.execute(),
            Command::Validate(validate) => validate.execute(),
            Command::Reference(reference) => reference.execute(),
            Command::Tools(tools) => tools.execute(),
        }
    }
}

/// Writes to standard error what a person at a terminal is to read.
fn complain(text: &str) {
    // Where nobody reads it, the exit code still says it.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Whether what a person reads on standard error may be coloured.
fn may_color() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_are_named_as_alloys() {
        let parsed = Cli::try_parse_from([
            "ferroalloy",
            "run",
            "--server.http.listen-addr=127.0.0.1:1",
            "--storage.path=/tmp/x",
            "--disable-reporting",
            "--memory.budget=512MiB",
            "config.alloy",
        ]);
        assert!(matches!(
            parsed,
            Ok(Cli {
                command: Command::Run(Run { path: Some(_), .. })
            })
        ));
        let refused = Cli::try_parse_from(["ferroalloy", "run", "--cluster.enabled"]).unwrap_err();
        assert!(refused.to_string().contains("--cluster.enabled"), "{refused}");
        let conflict =
            Cli::try_parse_from(["ferroalloy", "run", "x.alloy", "--remote-write.url", "http://h/"]);
        assert!(conflict.is_err());
    }
}
