//! The process and its host: limits, name, build, and what the process itself uses.

use ferroalloy_model::{Families, MetricKind};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::{TimeVal, TimeValLike};

/// The program's version as Alloy writes versions.
pub(crate) const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// What the program calls itself to targets and receivers.
pub(crate) fn user_agent() -> String {
    format!(
        "Ferroalloy/{} ({})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS
    )
}

/// Raises the soft limit of open files to the hard one, and gives the limit then in force: macOS starts
/// programs at 256, which a hundred targets use up.
pub(crate) fn raise_open_file_limit() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    // macOS refuses "unlimited" and more than OPEN_MAX for the soft limit, whatever the hard one says.
    let wanted = if cfg!(target_os = "macos") {
        hard.min(10_240)
    } else {
        hard
    };
    if wanted > soft && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() {
        return Some(wanted);
    }
    Some(soft)
}

/// The host's name for `instance`: `$HOSTNAME`, else what the kernel says.
pub(crate) fn hostname() -> String {
    std::env::var("HOSTNAME")
        .ok()
        .filter(|name| !name.is_empty())
        .or_else(kernel_hostname)
        .unwrap_or_default()
}

fn kernel_hostname() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok()
}

/// Appends what the process uses, under the names of the Prometheus client libraries and of Alloy's
/// dashboards.
pub(crate) fn collect(start_time: i64, out: &mut Families) {
    let cpu = getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |usage| {
        let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
        seconds(usage.user_time()) + seconds(usage.system_time())
    });
    let start = start_time as f64 / 1e3;
    let pairs: [(&str, &str, &str, MetricKind, Option<f64>); 5] = [
        (
            "process_cpu_seconds_total",
            "alloy_resources_process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            MetricKind::Counter,
            Some(cpu),
        ),
        (
            "process_start_time_seconds",
            "alloy_resources_process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
            MetricKind::Gauge,
            Some(start),
        ),
        (
            "process_resident_memory_bytes",
            "alloy_resources_process_resident_memory_bytes",
            "Resident memory size in bytes.",
            MetricKind::Gauge,
            memory().map(|m| m.resident),
        ),
        (
            "process_virtual_memory_bytes",
            "alloy_resources_process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
            MetricKind::Gauge,
            memory().map(|m| m.virtual_size),
        ),
        (
            "process_open_fds",
            "",
            "Number of open file descriptors.",
            MetricKind::Gauge,
            open_files().map(|count| count as f64),
        ),
    ];
    for (process, alloy, help, kind, value) in pairs {
        let Some(value) = value else { continue };
        out.single(process, help, kind, value);
        if !alloy.is_empty() {
            out.single(alloy, help, kind, value);
        }
    }
    if let Ok((soft, _)) = getrlimit(Resource::RLIMIT_NOFILE) {
        out.single(
            "process_max_fds",
            "Maximum number of open file descriptors.",
            MetricKind::Gauge,
            soft as f64,
        );
    }
    out.family("alloy_build_info", "The build that runs.", MetricKind::Gauge)
        .sample(
            &[
                ("version", VERSION),
                ("program", "ferroalloy"),
                ("goos", node_collectors_os()),
                ("goarch", std::env::consts::ARCH),
            ],
            1.0,
        );
}

/// The system's name as Go, and so Alloy's dashboards, write it.
fn node_collectors_os() -> &'static str {
    if cfg!(target_os = "macos") {
        "darwin"
    } else {
        std::env::consts::OS
    }
}

struct Memory {
    resident: f64,
    virtual_size: f64,
    parts: Resident,
}

/// What of the process is in memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resident {
    /// The process's own: heap and stacks.
    pub(crate) own: u64,
    /// Files that are mapped, code above all.
    pub(crate) files: u64,
}

/// What is in memory. `None`: it cannot be told.
pub(crate) fn resident() -> Option<Resident> {
    memory().map(|memory| memory.parts)
}

/// The memory that is the process's own, in bytes, without files that are mapped. `None`: it cannot be told.
pub(crate) fn own_memory() -> Option<u64> {
    resident().map(|parts| parts.own)
}

/// From `/proc/self/statm`, in pages: total, resident, and of that files and shared memory (`proc_pid_statm(5)`).
#[cfg(target_os = "linux")]
fn memory() -> Option<Memory> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = text.split_ascii_whitespace().map(str::parse::<u64>);
    let page = u64::try_from(nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??).ok()?;
    let mut next = || Some(pages.next()?.ok()? * page);
    let (virtual_size, resident, shared) = (next()?, next()?, next()?);
    Some(Memory {
        virtual_size: virtual_size as f64,
        resident: resident as f64,
        parts: Resident {
            own: resident.saturating_sub(shared),
            files: shared,
        },
    })
}

#[cfg(target_os = "macos")]
fn memory() -> Option<Memory> {
    // The peak is what getrusage knows; the present size needs a task port.
    None
}

fn open_files() -> Option<usize> {
    let folder = if cfg!(target_os = "linux") {
        "/proc/self/fd"
    } else {
        "/dev/fd"
    };
    std::fs::read_dir(folder).ok().map(Iterator::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_knows_itself() {
        assert!(raise_open_file_limit().is_some_and(|limit| limit > 0));
        let mut families = Families::new();
        collect(1_700_000_000_000, &mut families);
        let value = |name: &str| {
            families
                .iter()
                .find(|f| f.name() == name)
                .and_then(|f| f.samples().next())
                .map(ferroalloy_model::families::SampleRef::value)
        };
        assert_eq!(value("process_start_time_seconds"), Some(1.7e9));
        assert!(value("process_cpu_seconds_total").is_some_and(|seconds| seconds > 0.0));
        assert_eq!(value("alloy_build_info"), Some(1.0));
    }
}
