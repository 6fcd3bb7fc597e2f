//! The command line, in the form of kingpin: `--flag=value`, `--flag value`, `--switch`, `--no-switch`.

use std::fmt::Write;
use std::path::PathBuf;

use node_collectors::{Builder, Mode, NodeCollectors, Platform, Support, ValueKind, registry};

use crate::log::{Format, Level, Log};

/// What the command line asks for.
pub(crate) enum Wanted {
    /// To serve.
    Run(Box<Flags>),
    /// To print something and end.
    Text(String),
}

/// What to run with.
pub(crate) struct Flags {
    pub(crate) set: Builder,
    pub(crate) web: Web,
    pub(crate) log: Log,
}

/// The `--web.` flags.
pub(crate) struct Web {
    /// `host:port`; no host stands for every address.
    pub(crate) listen: Vec<String>,
    pub(crate) telemetry_path: String,
    /// Whether the metrics of the program itself are given.
    pub(crate) own_metrics: bool,
    /// How many scrapes may run at once; 0 is no limit.
    pub(crate) max_requests: usize,
    /// TLS and passwords.
    pub(crate) config_file: Option<PathBuf>,
}

/// Reads the command line.
///
/// # Errors
/// What is unknown, malformed or not supported.
pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut web = Web {
        listen: Vec::new(),
        telemetry_path: "/metrics".to_owned(),
        own_metrics: true,
        max_requests: 40,
        config_file: None,
    };
    let mut log = Log {
        level: Level::Info,
        format: Format::Logfmt,
    };
    let mut others = Vec::new();
    let mut args = args;
    while let Some(arg) = args.next() {
        let (name, given) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (&*arg, None),
        };
        let mut value = || {
            given
                .clone()
                .or_else(|| args.next())
                .ok_or_else(|| format!("expected argument for flag '{name}'"))
        };
        match name {
            "-h" | "--help" | "--help-long" | "--help-man" => return Ok(Wanted::Text(help())),
            "--version" => return Ok(Wanted::Text(version())),
            "--web.listen-address" => web.listen.push(value()?),
            "--web.telemetry-path" => web.telemetry_path = value()?,
            "--web.max-requests" => web.max_requests = number(name, &value()?)?,
            "--web.disable-exporter-metrics" if given.is_none() => web.own_metrics = false,
            "--no-web.disable-exporter-metrics" if given.is_none() => web.own_metrics = true,
            "--web.config.file" => {
                let path = value()?;
                web.config_file = (!path.is_empty()).then(|| path.into());
            }
            "--web.systemd-socket" => {
                return Err(format!("{name} is not supported"));
            }
            "--no-web.systemd-socket" if given.is_none() => {}
            "--log.level" => log.level = Level::parse(&value()?)?,
            "--log.format" => log.format = Format::parse(&value()?)?,
            "--runtime.gomaxprocs" => {
                if value()? != "1" {
                    return Err(format!("{name}: only 1 is supported, the original's default"));
                }
            }
            _ => others.push(arg),
        }
    }
    if web.listen.is_empty() {
        web.listen.push(":9100".to_owned());
    }
    if let Some(address) = web.listen.iter().find(|address| address.contains("://")) {
        return Err(format!("--web.listen-address: {address} is not supported"));
    }
    let mut set = NodeCollectors::builder().mode(Mode::Compat);
    // The one option that the original also takes from the environment; a flag comes before it.
    if let Some(url) = std::env::var("SUPERVISORD_URL")
        .ok()
        .filter(|url| !url.is_empty())
    {
        set = set
            .set("supervisord.url", &url)
            .map_err(|error| error.to_line())?;
    }
    let set = set.args(others).map_err(|error| error.to_line())?;
    Ok(Wanted::Run(Box::new(Flags { set, web, log })))
}

fn number(name: &str, value: &str) -> Result<usize, String> {
    value
        .parse()
        .map_err(|_| format!("{name}: {value:?} is not a number"))
}

fn version() -> String {
    format!(
        "node_exporter, version {} (node-collectors)",
        env!("CARGO_PKG_VERSION")
    )
}

fn help() -> String {
    let mut help = String::from(
        "usage: node_exporter [<flags>]\n\nFlags:\n  -h, --help\n      --version\n      \
         --web.listen-address=:9100 ...\n      --web.telemetry-path=\"/metrics\"\n      \
         --[no-]web.disable-exporter-metrics\n      --web.max-requests=40\n      \
         --web.config.file=\"\"\n      \
         --log.level=info\n      --log.format=logfmt\n      --path.procfs=\"/proc\"\n      \
         --path.sysfs=\"/sys\"\n      --path.rootfs=\"/\"\n      --path.udev.data=\"/run/udev/data\"\n      \
         --collector.disable-defaults\n",
    );
    let here = |support: &dyn Fn(Platform) -> Support| Platform::current().map_or(Support::Absent, support);
    for collector in registry() {
        let support = here(&|platform| collector.support(platform));
        if support == Support::Absent {
            continue;
        }
        let word = if support == Support::On {
            "enabled"
        } else {
            "disabled"
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            help,
            "      --[no-]collector.{}  {} (default: {word})",
            collector.name, collector.summary
        );
        for option in collector.options {
            let form = match option.kind {
                ValueKind::Switch => format!("--[no-]collector.{}", option.name),
                _ => format!("--collector.{}=...", option.name),
            };
            let _ = writeln!(help, "      {form}  {}", option.summary);
        }
    }
    help
}
