//! The memory that the process may use, and what is done before the kernel ends it: new series are refused.
//!
//! The bound is given on the command line, or is that of the control group that the process is in. What is used is
//! the process's own memory, without files that are mapped. Invariant: what is refused is told, in the log, in the health
//! of each scrape component, in `up` of the target, and in metrics.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferroalloy_model::{Families, MetricKind};
use river_syntax::Bytes;
use scrape::Budget;

use crate::component::Host;
use crate::health::{Health, State};
use crate::{process, sys};

/// From this share of the bound on new series are refused, and below the other one no longer.
const FULL: f64 = 0.90;
const FREE: f64 = 0.85;

/// How often the use is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// How often memory is given back; code, if there is more than this to be gained.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(30);
const FIRST_AFTER: Duration = Duration::from_secs(5);

/// Code is given back at each look before this one.
const AT_THE_START: u32 = 4;
const WORTH_IT: u64 = 1 << 20;

/// What the process may use and what it uses.
#[derive(Debug, Default)]
pub struct Memory {
    /// In bytes.
    bound: Option<u64>,
    used: AtomicU64,
    budget: Arc<Budget>,
    /// Since when new series are refused, in milliseconds since 1970.
    refusing: Mutex<Option<i64>>,
}

impl Memory {
    /// With at most `bound` bytes; none or 0: without a bound.
    pub fn new(bound: Option<u64>) -> Self {
        Self {
            bound: bound.filter(|bound| *bound > 0),
            ..Self::default()
        }
    }

    /// What scrape pools ask before they take new series.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Takes note of what is used now. `time` is in milliseconds since 1970.
    fn observe(&self, used: u64, time: i64) {
        self.used.store(used, Ordering::Relaxed);
        let Some(bound) = self.bound else { return };
        let share = used as f64 / bound as f64;
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        match *refusing {
            None if share >= FULL => {
                tracing::error!(
                    used,
                    bound,
                    "memory is short: scrapes that would add series fail from now on"
                );
                *refusing = Some(time);
            }
            Some(_) if share < FREE => {
                tracing::warn!(used, bound, "there is memory again: new series are taken");
                *refusing = None;
            }
            _ => {}
        }
        self.budget.set_used_up(refusing.is_some());
    }

    /// That new series are refused, if they are.
    pub(crate) fn health(&self) -> Option<Health> {
        let since = (*self.refusing.lock().unwrap_or_else(PoisonError::into_inner))?;
        let message = format!(
            "{} of {} of memory are used: scrapes that would add series fail",
            Bytes(self.used.load(Ordering::Relaxed)),
            Bytes(self.bound.unwrap_or_default())
        );
        Some(Health::new(State::Unhealthy, message, since))
    }

    pub(crate) fn collect(&self, out: &mut Families) {
        let Some(bound) = self.bound else { return };
        for (name, help, value) in [
            (
                "ferroalloy_memory_budget_bytes",
                "The most memory that the process is to use.",
                bound as f64,
            ),
            (
                "ferroalloy_memory_budget_used_bytes",
                "What it uses of it.",
                self.used.load(Ordering::Relaxed) as f64,
            ),
            (
                "ferroalloy_memory_budget_exhausted",
                "1 while scrapes that would add series fail for lack of memory.",
                f64::from(u8::from(self.budget.is_used_up())),
            ),
        ] {
            out.single(name, help, MetricKind::Gauge, value);
        }
    }
}

/// Looks at what is used again and again, until the program is told to stop.
pub(crate) async fn watch(host: Arc<Host>) {
    let Some(bound) = host.memory.bound else { return };
    if process::own_memory().is_none() {
        tracing::warn!(
            bound,
            "the memory budget has no effect: what is used cannot be measured on this system"
        );
        return;
    }
    tracing::info!(bound, "memory budget");
    loop {
        if let Some(used) = process::own_memory() {
            host.memory.observe(used, host.clock.wall());
        }
        tokio::select! {
            () = host.stopping.cancelled() => return,
            () = host.clock.sleep(EVERY) => {}
        }
    }
}

/// Gives memory back to the system after it was needed, until the program is told to stop: a backlog, a large target or a reload leave
/// pages behind that nothing uses, and a start code that does not run again.
pub(crate) async fn give_back(host: Arc<Host>) {
    let (mut code, mut looks) = (Kept::default(), 0);
    let mut pause = FIRST_AFTER;
    loop {
        tokio::select! {
            () = host.stopping.cancelled() => return,
            () = host.clock.sleep(std::mem::replace(&mut pause, GIVE_BACK_EVERY)) => {}
        }
        let Some(used) = process::resident() else { return };
        // What is free within the heap cannot be seen from outside, and to look for it costs less than to ask.
        sys::give_back();
        // Code of the start has run for the last time when everything was scraped and sent once.
        looks = (looks + 1).min(AT_THE_START);
        if code.grew(used.files) || looks < AT_THE_START {
            sys::forget_files();
            code.settling = true;
        }
    }
}

/// What came to stay when it was last given back.
#[derive(Debug, Default)]
struct Kept {
    bytes: u64,
    /// It was just given back; what of it is in use shows at the next look.
    settling: bool,
}

impl Kept {
    /// Whether it is worth while to give back, now that so much is used.
    fn grew(&mut self, used: u64) -> bool {
        if std::mem::take(&mut self.settling) {
            self.bytes = used;
            return false;
        }
        self.settling = used > self.bytes + self.bytes / 20 + WORTH_IT;
        // What is less by now is what is to be kept to.
        self.bytes = self.bytes.min(used);
        self.settling
    }
}

/// The bound of the control group that the process is in, in bytes, if it has one.
pub(crate) fn of_control_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    bound_of(&groups, Path::new("/sys/fs/cgroup"))
}

/// The least bound of the groups in `groups` (`cgroups(7)`, `/proc/[pid]/cgroup`) and of those above them. `root` is where
/// the hierarchies are mounted.
fn bound_of(groups: &str, root: &Path) -> Option<u64> {
    let bounds = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let (mount, file) = if controllers.is_empty() {
            (root.to_owned(), "memory.max")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            (root.join("memory"), "memory.limit_in_bytes")
        } else {
            return None;
        };
        // Within a container the path may be one of the host, which is not mounted; then the mount is the group.
        let group = mount.join(path.trim_start_matches('/'));
        group
            .ancestors()
            .take_while(|folder| folder.starts_with(&mount))
            .filter_map(|folder| fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok())
            // The first version writes "none" as the largest number of whole pages.
            .filter(|bound: &u64| *bound < 1 << 60)
            .min()
    });
    bounds.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_series_are_refused_near_the_bound_and_taken_well_below() {
        let memory = Memory::new(Some(1000));
        for (used, refused, since) in [
            (899, false, None),
            (900, true, Some(2)),
            (870, true, Some(2)),
            (849, false, None),
            (870, false, None),
        ] {
            let time = i64::try_from(used).expect("small") - 898;
            memory.observe(used, time);
            assert_eq!(memory.budget().is_used_up(), refused, "{used}");
            assert_eq!(memory.health().map(|health| health.since.0), since, "{used}");
        }
        let message = {
            memory.observe(950, 9);
            memory.health().expect("refusing").message
        };
        assert_eq!(
            message,
            "950B of 1KB of memory are used: scrapes that would add series fail"
        );
        let unbound = Memory::new(Some(0));
        unbound.observe(u64::MAX, 0);
        assert!(!unbound.budget().is_used_up());
    }

    #[test]
    fn it_is_given_back_when_it_grew() {
        const MIB: u64 = 1 << 20;
        let mut kept = Kept::default();
        let looks = [
            (9, true),
            (4, false),
            (4, false),
            (6, true),
            (5, false),
            (3, false),
            (5, true),
        ];
        for (used, expected) in looks {
            assert_eq!(kept.grew(used * MIB), expected, "{used} MiB, {kept:?}");
        }
    }

    #[test]
    fn the_least_bound_of_the_groups_counts() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        let bound = |groups: &str| bound_of(groups, root.path());
        assert_eq!(bound("0::/a/b\n"), None);
        write("a/b/memory.max", "max\n");
        assert_eq!(bound("0::/a/b\n"), None);
        write("a/memory.max", "5000\n");
        assert_eq!(bound("0::/a/b\n"), Some(5000));
        write("a/b/memory.max", "4000\n");
        assert_eq!(bound("0::/a/b\n"), Some(4000));
        // The first version, in a container whose path is the host's.
        write("memory/memory.limit_in_bytes", "3000\n");
        let first = "12:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n";
        assert_eq!(bound(first), Some(3000));
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(bound(first), None);
        assert_eq!(bound("nonsense"), None);
    }
}
