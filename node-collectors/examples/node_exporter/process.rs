//! What the program uses itself, under the names that every Go exporter has.

use std::fs;

use ferroalloy_model::{Families, MetricKind};

/// Adds the families of the process. What cannot be read is left out; other systems than Linux have none.
pub(crate) fn write(out: &mut Families) {
    let mut add = |name: &str, help: &str, kind, value: Option<f64>| {
        if let Some(value) = value {
            out.single(name, help, kind, value);
        }
    };
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in brackets, may hold anything.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_ascii_whitespace().collect())
        .unwrap_or_default();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let setting = |name| {
        nix::unistd::sysconf(name)
            .ok()
            .flatten()
            .map(|value| value as f64)
    };
    let ticks = setting(nix::unistd::SysconfVar::CLK_TCK);
    let page = setting(nix::unistd::SysconfVar::PAGE_SIZE);
    let seconds = |value: Option<f64>| Some(value? / ticks?);
    let cpu = || Some(field(14)? + field(15)?);
    add(
        "process_cpu_seconds_total",
        "Total user and system CPU time spent in seconds.",
        MetricKind::Counter,
        seconds(cpu()),
    );
    add(
        "process_open_fds",
        "Number of open file descriptors.",
        MetricKind::Gauge,
        fs::read_dir("/proc/self/fd")
            .ok()
            .map(|files| files.count() as f64),
    );
    add(
        "process_resident_memory_bytes",
        "Resident memory size in bytes.",
        MetricKind::Gauge,
        field(24).and_then(|pages| Some(pages * page?)),
    );
    add(
        "process_virtual_memory_bytes",
        "Virtual memory size in bytes.",
        MetricKind::Gauge,
        field(23),
    );
    let boot = fs::read_to_string("/proc/stat").ok().and_then(|stat| {
        let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
        line.trim().parse::<f64>().ok()
    });
    add(
        "process_start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
        MetricKind::Gauge,
        seconds(field(22)).and_then(|since| Some(since + boot?)),
    );
}
