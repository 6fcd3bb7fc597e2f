//! CPU time, throttling, isolation and hotplug state on Linux. A CPU's counters never go back: see [`Ticks::advance`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ferroalloy_model::{Families, MetricKind};

use super::cpuinfo::{self, Architecture};
use crate::collector::{Collector, Context, Outcome};
use crate::error::Error;
use crate::filter::Pattern;
use crate::kernel_file::KernelFile;
use crate::read::{Buffer, entries_if_any};
use crate::text::{self, Decimal};

/// `USER_HZ`: the unit of `/proc/stat`, fixed for every program by the kernel's interface.
const USER_HZ: f64 = 100.0;
/// An idle counter that falls by this much means that the CPU was taken away and came back.
const HOTPLUG_TICKS: u64 = 300;

pub(super) struct Cpu {
    stat: KernelFile,
    cpuinfo: KernelFile,
    devices: PathBuf,
    guest: bool,
    info: Option<Info>,
    /// CPUs kept free of the scheduler, as the kernel was started: it does not change.
    isolated: Vec<u64>,
    state: Mutex<State>,
}

struct Info {
    frequency: bool,
    flags: Option<Pattern>,
    bugs: Option<Pattern>,
}

#[derive(Default)]
struct State {
    ticks: Vec<Ticks>,
    /// Package and core of each CPU that counts throttling.
    topology: BTreeMap<u64, (u64, u64)>,
}

impl Cpu {
    pub(super) fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.cpu;
        let flags = Pattern::compile("cpu.info.flags-include", &options.flags_include)?;
        let bugs = Pattern::compile("cpu.info.bugs-include", &options.bugs_include)?;
        let info = (options.info || flags.is_some() || bugs.is_some()).then(|| Info {
            frequency: (context.enabled)("cpufreq"),
            flags,
            bugs,
        });
        let devices = context.roots.sys("devices/system/cpu");
        let isolated = Buffer::take()
            .attribute(&devices.join("isolated"))
            .ok()
            .and_then(text::cpu_list);
        Ok(Self {
            stat: KernelFile::new(context.roots.proc("stat")),
            cpuinfo: KernelFile::new(context.roots.proc("cpuinfo")),
            devices,
            guest: options.guest,
            info,
            isolated: isolated.unwrap_or_default(),
            state: Mutex::default(),
        })
    }
}

impl Collector for Cpu {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        if let Some(info) = &self.info {
            self.update_info(info, out)?;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.update_stat(&mut state.ticks, out)?;
        self.update_isolated(out);
        let cpus = cpu_folders(&self.devices)?;
        write_throttles(&cpus, &mut state.topology, out)?;
        write_online(&cpus, out);
        Ok(Outcome::Data)
    }
}

/// The columns of a CPU's line in `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal, guest,
/// guest_nice. Guest time is contained in user and nice, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ticks {
    cpu: u64,
    columns: [u64; 10],
}

const IDLE: usize = 3;

/// Modes with their column, in order of name.
const MODES: [(&str, usize); 8] = [
    ("idle", IDLE),
    ("iowait", 4),
    ("irq", 5),
    ("nice", 1),
    ("softirq", 6),
    ("steal", 7),
    ("system", 2),
    ("user", 0),
];

impl Ticks {
    /// Takes over new values, each only if it is higher: iowait and guest times are known to step back. A large fall
    /// of the idle time means a CPU that was off, whose counters start anew.
    fn advance(&mut self, new: &Self) {
        if self.columns[IDLE].saturating_sub(new.columns[IDLE]) >= HOTPLUG_TICKS {
            self.columns = new.columns;
        }
        for (kept, new) in self.columns.iter_mut().zip(new.columns) {
            *kept = (*kept).max(new);
        }
    }
}

/// The lines `cpuN`; the error is a line that cannot be read.
fn parse_stat(content: &[u8]) -> impl Iterator<Item = Result<Ticks, &[u8]>> {
    text::lines(content)
        .filter(|line| line.starts_with(b"cpu") && !line.starts_with(b"cpu "))
        .map(|line| {
            let mut words = text::fields(line);
            let cpu = words
                .next()
                .and_then(|word| text::decimal(&word[3..]))
                .ok_or(line)?;
            let mut columns = [0; 10];
            for (column, word) in columns.iter_mut().zip(words) {
                *column = text::decimal(word).ok_or(line)?;
            }
            Ok(Ticks { cpu, columns })
        })
}

impl Cpu {
    fn update_stat(&self, ticks: &mut Vec<Ticks>, out: &mut Families) -> Result<(), Error> {
        let mut buffer = Buffer::take();
        let content = buffer.kept(&self.stat)?;
        let mut online = 0;
        for new in parse_stat(content) {
            let new = new
                .map_err(|line| Error::parse(&self.stat, format_args!("bad line {:?}", text::utf8(line))))?;
            match ticks[online..].iter().position(|known| known.cpu == new.cpu) {
                Some(at) => {
                    ticks.swap(online, online + at);
                    ticks[online].advance(&new);
                }
                None => ticks.insert(online, new),
            }
            online += 1;
        }
        ticks.truncate(online);
        let help = "Seconds the CPUs spent in each mode.";
        let mut family = out.family("node_cpu_seconds_total", help, MetricKind::Counter);
        for ticks in &*ticks {
            let cpu = Decimal::new(ticks.cpu);
            for (mode, column) in MODES {
                let seconds = ticks.columns[column] as f64 / USER_HZ;
                family.sample(&[("cpu", cpu.as_str()), ("mode", mode)], seconds);
            }
        }
        if self.guest {
            let help = "Seconds the CPUs spent in guests (VMs) for each mode.";
            let mut family = out.family("node_cpu_guest_seconds_total", help, MetricKind::Counter);
            for ticks in &*ticks {
                let cpu = Decimal::new(ticks.cpu);
                for (mode, column) in [("nice", 9), ("user", 8)] {
                    let seconds = ticks.columns[column] as f64 / USER_HZ;
                    family.sample(&[("cpu", cpu.as_str()), ("mode", mode)], seconds);
                }
            }
        }
        Ok(())
    }

    fn update_info(&self, info: &Info, out: &mut Families) -> Result<(), Error> {
        let mut buffer = Buffer::take();
        let content = buffer.kept(&self.cpuinfo)?;
        let cpus = Architecture::current()
            .and_then(|architecture| cpuinfo::parse(architecture, &String::from_utf8_lossy(content)))
            .map_err(|fault| Error::parse(&self.cpuinfo, fault))?;
        let help = "CPU information from /proc/cpuinfo.";
        let mut family = out.family("node_cpu_info", help, MetricKind::Gauge);
        for cpu in &cpus {
            let number = Decimal::new(cpu.processor);
            family.sample(
                &[
                    ("cachesize", &cpu.cache_size),
                    ("core", &cpu.core),
                    ("cpu", number.as_str()),
                    ("family", &cpu.family),
                    ("microcode", &cpu.microcode),
                    ("model", &cpu.model),
                    ("model_name", &cpu.model_name),
                    ("package", &cpu.package),
                    ("stepping", &cpu.stepping),
                    ("vendor", &cpu.vendor),
                ],
                1.0,
            );
        }
        if info.frequency {
            let help = "CPU frequency in hertz from /proc/cpuinfo.";
            let mut family = out.family("node_cpu_frequency_hertz", help, MetricKind::Gauge);
            for cpu in &cpus {
                let number = Decimal::new(cpu.processor);
                let labels = [
                    ("core", &*cpu.core),
                    ("cpu", number.as_str()),
                    ("package", &*cpu.package),
                ];
                family.sample(&labels, cpu.megahertz * 1e6);
            }
        }
        let Some(first) = cpus.first() else { return Ok(()) };
        if let Some(flags) = &info.flags {
            let help = "The `flags` field of CPU information from /proc/cpuinfo taken from the first core.";
            write_words("node_cpu_flag_info", help, "flag", &first.flags, flags, out);
        }
        if let Some(bugs) = &info.bugs {
            let help = "The `bugs` field of CPU information from /proc/cpuinfo taken from the first core.";
            write_words("node_cpu_bug_info", help, "bug", &first.bugs, bugs, out);
        }
        Ok(())
    }

    fn update_isolated(&self, out: &mut Families) {
        let help = "Whether each core is isolated, information from /sys/devices/system/cpu/isolated.";
        let mut family = out.family("node_cpu_isolated", help, MetricKind::Gauge);
        for cpu in &self.isolated {
            family.sample(&[("cpu", Decimal::new(*cpu).as_str())], 1.0);
        }
    }
}

/// The first CPU of a core or package whose counter can be read speaks for it.
fn write_throttles(
    cpus: &[(u64, PathBuf)],
    topology: &mut BTreeMap<u64, (u64, u64)>,
    out: &mut Families,
) -> Result<(), Error> {
    let mut buffer = Buffer::take();
    let mut number = |path: &Path| buffer.attribute(path).ok().and_then(text::decimal);
    let (mut cores, mut packages) = (BTreeMap::new(), BTreeMap::new());
    let mut counting = BTreeSet::new();
    for (cpu, folder) in cpus {
        let throttle = folder.join("thermal_throttle");
        let (package, core) = match topology.get(cpu) {
            Some(place) => *place,
            None if throttle
                .try_exists()
                .map_err(|error| Error::read(&throttle, error))? =>
            {
                let topology = folder.join("topology");
                let package = number(&topology.join("physical_package_id"));
                let core = number(&topology.join("core_id"));
                let (Some(package), Some(core)) = (package, core) else {
                    continue;
                };
                (package, core)
            }
            None => continue,
        };
        counting.insert(*cpu);
        topology.insert(*cpu, (package, core));
        if !cores.contains_key(&(package, core))
            && let Some(count) = number(&throttle.join("core_throttle_count"))
        {
            cores.insert((package, core), count);
        }
        if !packages.contains_key(&package)
            && let Some(count) = number(&throttle.join("package_throttle_count"))
        {
            packages.insert(package, count);
        }
    }
    topology.retain(|cpu, _| counting.contains(cpu));
    let help = "Number of times this CPU core has been throttled.";
    let mut family = out.family("node_cpu_core_throttles_total", help, MetricKind::Counter);
    for ((package, core), count) in cores {
        let (package, core) = (Decimal::new(package), Decimal::new(core));
        family.sample(
            &[("core", core.as_str()), ("package", package.as_str())],
            count as f64,
        );
    }
    let help = "Number of times this CPU package has been throttled.";
    let mut family = out.family("node_cpu_package_throttles_total", help, MetricKind::Counter);
    for (package, count) in packages {
        family.sample(&[("package", Decimal::new(package).as_str())], count as f64);
    }
    Ok(())
}

/// Left out as a whole where the first CPU cannot be switched off.
fn write_online(cpus: &[(u64, PathBuf)], out: &mut Families) {
    let mut buffer = Buffer::take();
    let mut online = |folder: &Path| {
        buffer
            .attribute(&folder.join("online"))
            .map(|content| content == b"1")
    };
    let Some((_, first)) = cpus.first() else { return };
    if online(first).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return;
    }
    let help = "CPUs that are online and being scheduled.";
    let mut family = out.family("node_cpu_online", help, MetricKind::Gauge);
    for (cpu, folder) in cpus {
        let online = online(folder).unwrap_or(false);
        family.sample(
            &[("cpu", Decimal::new(*cpu).as_str())],
            f64::from(u8::from(online)),
        );
    }
}

/// The folders `cpuN`, in order of name.
fn cpu_folders(devices: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let mut folders = Vec::new();
    for name in entries_if_any(devices)? {
        if let Some(number) = name
            .strip_prefix("cpu")
            .and_then(|number| text::decimal(number.as_bytes()))
        {
            folders.push((number, devices.join(name)));
        }
    }
    Ok(folders)
}

fn write_words(name: &str, help: &str, label: &str, words: &[String], include: &Pattern, out: &mut Families) {
    let mut family = out.family(name, help, MetricKind::Gauge);
    for word in words.iter().filter(|word| include.is_match(word)) {
        family.sample(&[(label, word)], 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::DESCRIPTOR;
    use super::*;
    use crate::testing::{Host, never_panics, samples};

    const STAT: &str =
        "cpu  3 0 0 0\ncpu0 44490 19 21045 1087069 220 1 3410 0 2 1\ncpu2 4 3 2 1\nintr 8885917 17 0\n";

    #[test]
    fn seconds_by_mode() {
        let host = Host::new(&[("proc/stat", STAT)]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 2 * (8 + 2));
        for line in [
            "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 444.9",
            "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 10870.69",
            "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"user\"} 0.02",
            "node_cpu_seconds_total{cpu=\"2\",mode=\"softirq\"} 0",
        ] {
            assert!(samples.contains(&line.to_owned()), "{line}");
        }
        never_panics(STAT, |bytes| parse_stat(bytes).flatten().count());
    }

    #[test]
    fn counters_keep_their_maximum_until_hotplug() {
        let host = Host::new(&[("proc/stat", "cpu0 100 0 0 1000\ncpu1 1 1 1 1\n")]);
        let cpu = host
            .collector(&DESCRIPTOR, |options| options.cpu.guest = false)
            .unwrap();
        let value = |mode: &str| {
            let prefix = format!("node_cpu_seconds_total{{cpu=\"0\",mode=\"{mode}\"}} ");
            samples(cpu.as_ref())
                .iter()
                .find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
                .unwrap()
        };
        assert_eq!(value("idle"), "10");
        host.write("proc/stat", "cpu1 1 1 1 1\ncpu0 90 5 0 800\n");
        assert_eq!(
            (value("idle"), value("user"), value("nice")),
            ("10".into(), "1".into(), "0.05".into())
        );
        host.write("proc/stat", "cpu0 7 0 0 700\n");
        assert_eq!(
            (value("idle"), value("user"), value("nice")),
            ("7".into(), "0.07".into(), "0".into())
        );
        assert_eq!(samples(cpu.as_ref()).len(), 8, "a CPU that is gone is dropped");
    }

    #[test]
    fn throttles_isolation_and_hotplug() {
        let cpu = "sys/devices/system/cpu";
        let host = Host::new(&[
            ("proc/stat", "cpu0 1\n"),
            (&format!("{cpu}/isolated"), "1,3-4\n"),
            (&format!("{cpu}/cpufreq/x"), ""),
            (&format!("{cpu}/cpu0/topology/physical_package_id"), "0\n"),
            (&format!("{cpu}/cpu0/topology/core_id"), "5\n"),
            (
                &format!("{cpu}/cpu0/thermal_throttle/package_throttle_count"),
                "30\n",
            ),
            (&format!("{cpu}/cpu1/topology/physical_package_id"), "0\n"),
            (&format!("{cpu}/cpu1/topology/core_id"), "5\n"),
            (
                &format!("{cpu}/cpu1/thermal_throttle/package_throttle_count"),
                "31\n",
            ),
            (&format!("{cpu}/cpu1/thermal_throttle/core_throttle_count"), "7\n"),
            (&format!("{cpu}/cpu1/online"), "1\n"),
        ]);
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        let rest = |lines: Vec<String>| -> Vec<String> {
            lines
                .into_iter()
                .filter(|line| !line.contains("seconds_total"))
                .collect()
        };
        let expected = [
            "node_cpu_core_throttles_total{core=\"5\",package=\"0\"} 7",
            "node_cpu_isolated{cpu=\"1\"} 1",
            "node_cpu_isolated{cpu=\"3\"} 1",
            "node_cpu_isolated{cpu=\"4\"} 1",
            "node_cpu_package_throttles_total{package=\"0\"} 30",
        ];
        assert_eq!(rest(samples(collector.as_ref())), expected);
        assert_eq!(
            rest(samples(collector.as_ref())),
            expected,
            "with the topology known"
        );
        host.write(&format!("{cpu}/cpu0/online"), "0\n");
        let lines = rest(samples(collector.as_ref()));
        assert!(lines.contains(&"node_cpu_online{cpu=\"0\"} 0".to_owned()));
        assert!(lines.contains(&"node_cpu_online{cpu=\"1\"} 1".to_owned()));
    }

    #[test]
    fn info_on_request() {
        let cpuinfo = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu MHz\t\t: 799.998\nflags\t\t: fpu aes avx2\nbugs\t\t: mds l1tf\n";
        let host = Host::new(&[("proc/stat", "cpu0 1\n"), ("proc/cpuinfo", cpuinfo)]);
        if Architecture::current() != Ok(Architecture::X86) {
            return;
        }
        let collector = host
            .collector(&DESCRIPTOR, |options| {
                "^avx.?$".clone_into(&mut options.cpu.flags_include);
                "mds".clone_into(&mut options.cpu.bugs_include);
            })
            .unwrap();
        let lines = samples(collector.as_ref());
        for line in [
            "node_cpu_flag_info{flag=\"avx2\"} 1",
            "node_cpu_bug_info{bug=\"mds\"} 1",
            "node_cpu_frequency_hertz{core=\"\",cpu=\"0\",package=\"\"} 7.99998e+08",
            "node_cpu_info{cachesize=\"\",core=\"\",cpu=\"0\",family=\"\",microcode=\"\",model=\"\",model_name=\"\",package=\"\",stepping=\"\",vendor=\"GenuineIntel\"} 1",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line} in {lines:#?}");
        }
        assert!(
            !lines
                .iter()
                .any(|line| line.contains("aes") || line.contains("l1tf"))
        );
    }
}
