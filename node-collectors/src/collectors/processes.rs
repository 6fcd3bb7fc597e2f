//! `processes`: how many processes and threads there are, by state, `/proc/<pid>/stat` and `/proc/<pid>/task/*/stat`
//! (proc_pid_stat(5)). One file for each thread: costly on a busy host. macOS: the process list of `sysctl(3)`.

mod macos;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform, Support};
use crate::emit;
use crate::error::Error;
use crate::read::Buffer;
use crate::sys::Kernel;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "processes",
    linux: Support::Off,
    macos: Support::Off,
    summary: "Processes and threads by state, and their limits.",
    sources: &[
        "proc/<pid>/stat",
        "proc/<pid>/task/*/stat",
        "proc/sys/kernel/pid_max",
        "proc/sys/kernel/threads-max",
        "sysctl KERN_PROC_ALL",
    ],
    families: &["node_processes_*"],
    options: &[],
    build: |context| {
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::Processes::new(Kernel)),
            Platform::Linux => Box::new(Processes::new(context)),
        })
    },
};

struct Processes {
    proc: PathBuf,
    pid_max: PathBuf,
    threads_max: PathBuf,
}

impl Processes {
    fn new(context: &Context<'_>) -> Self {
        let roots = context.roots;
        Self {
            proc: roots.proc(""),
            pid_max: roots.proc("sys/kernel/pid_max"),
            threads_max: roots.proc("sys/kernel/threads-max"),
        }
    }
}

/// Counts by letter of the state.
type States = BTreeMap<char, u32>;

#[derive(Default)]
struct Count {
    pids: u32,
    threads: u64,
    states: States,
    thread_states: States,
}

impl Collector for Processes {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut count = Count::default();
        for name in numbers(&self.proc).map_err(|error| Error::read(&self.proc, error))? {
            count.process(&self.proc.join(name))?;
        }
        let single = |path: &Path| -> Result<f64, Error> {
            let mut buffer = Buffer::take();
            let content = buffer.file(path)?.trim_ascii();
            let value = text::decimal(content);
            Ok(value.ok_or_else(|| Error::parse(path, "not a number"))? as f64)
        };
        let threads = count.threads as f64;
        emit::gauge(
            out,
            "node_processes_threads",
            "Allocated threads in system",
            &[],
            threads,
        );
        let (name, help) = ("node_processes_max_threads", "Limit of threads in the system");
        emit::gauge(out, name, help, &[], single(&self.threads_max)?);
        let help = "Number of processes in each state.";
        states(out, "node_processes_state", help, "state", &count.states);
        let help = "Number of threads in each state.";
        states(
            out,
            "node_processes_threads_state",
            help,
            "thread_state",
            &count.thread_states,
        );
        emit::gauge(
            out,
            "node_processes_pids",
            "Number of PIDs",
            &[],
            f64::from(count.pids),
        );
        let (name, help) = ("node_processes_max_processes", "Number of max PIDs limit");
        emit::gauge(out, name, help, &[], single(&self.pid_max)?);
        Ok(Outcome::Data)
    }
}

fn states(out: &mut Families, name: &str, help: &str, label: &str, states: &States) {
    let mut family = out.family(name, help, MetricKind::Gauge);
    for (state, count) in states {
        family.sample(&[(label, state.encode_utf8(&mut [0; 4]))], f64::from(*count));
    }
}

impl Count {
    /// Adds a process with its threads, unless it has ended meanwhile.
    fn process(&mut self, folder: &Path) -> Result<(), Error> {
        let Some((state, threads)) = stat(&folder.join("stat"))? else {
            return Ok(());
        };
        self.pids += 1;
        self.threads += threads;
        *self.states.entry(state).or_default() += 1;
        let tasks = folder.join("task");
        let ids = match numbers(&tasks) {
            Ok(ids) => ids,
            Err(error) if ended(&error) => return Ok(()),
            Err(error) => return Err(Error::read(&tasks, error)),
        };
        // The only thread is in the state of its process.
        if ids.len() == 1 && threads == 1 {
            *self.thread_states.entry(state).or_default() += 1;
            return Ok(());
        }
        for id in ids {
            if let Some((state, _)) = stat(&tasks.join(id).join("stat"))? {
                *self.thread_states.entry(state).or_default() += 1;
            }
        }
        Ok(())
    }
}

/// Whether an error means that the process is no more.
fn ended(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// The names in a folder that are numbers.
fn numbers(folder: &Path) -> std::io::Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if text::decimal(name.as_encoded_bytes()).is_some() {
            names.push(name);
        }
    }
    Ok(names)
}

/// State and number of threads; `None` of a process that has ended.
fn stat(path: &Path) -> Result<Option<(char, u64)>, Error> {
    let mut buffer = Buffer::take();
    match buffer.file(path) {
        Ok(content) => parse(content)
            .map(Some)
            .ok_or_else(|| Error::parse(path, "not the state of a process")),
        Err(error) if error.is_not_found() || error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `pid (name) state …`, the number of threads is field 20. The name may hold anything, parentheses too.
fn parse(content: &[u8]) -> Option<(char, u64)> {
    let after = memchr::memrchr(b')', content)? + 1;
    let mut words = text::fields(content.get(after..)?);
    let state = words.next()?;
    let threads = text::decimal(words.nth(16)?)?;
    Some((char::from(*state.first()?), threads))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "11 (a) b (c) S 2 0 0 0 -1 2129984 0 0 0 0 0 346 0 0 -2 0 2 0 32 0 0\n";

    #[test]
    fn by_state() {
        let host = Host::new(&[
            ("proc/11/stat", CONTENT),
            ("proc/11/task/11/stat", CONTENT),
            ("proc/11/task/12/stat", &CONTENT.replace(" S ", " R ")),
            ("proc/12/cmdline", "gone"),
            ("proc/sys/kernel/pid_max", "123\n"),
            ("proc/sys/kernel/threads-max", "7801\n"),
        ]);
        let expected = [
            "node_processes_max_processes 123",
            "node_processes_max_threads 7801",
            "node_processes_pids 1",
            "node_processes_state{state=\"S\"} 1",
            "node_processes_threads 2",
            "node_processes_threads_state{thread_state=\"R\"} 1",
            "node_processes_threads_state{thread_state=\"S\"} 1",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        assert_eq!(parse(b"1 (a S 1"), None);
        never_panics(CONTENT, parse);
    }
}
