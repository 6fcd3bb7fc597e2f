//! Side by side with a real node_exporter, named by `FERROALLOY_NODE_EXPORTER`, on this host: families and label sets, and
//! values where they stay.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use node_collectors::{Mode, NodeCollectors, Platform, Support, registry};

struct NodeExporter(Child);

impl Drop for NodeExporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Scrapes once it listens; `None` when it has ended without.
fn get(exporter: &mut NodeExporter, address: SocketAddr) -> Option<String> {
    let mut stream = loop {
        // It listens within some milliseconds of its start.
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) if exporter.0.try_wait().unwrap().is_some() => return None,
            Err(_) => std::thread::yield_now(),
        }
    };
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Some(answer)
}

/// The collectors that the binary names in its help.
fn known(binary: &str) -> BTreeSet<String> {
    let help = Command::new(binary).arg("--help").output().unwrap();
    let help = [help.stdout, help.stderr].concat();
    String::from_utf8_lossy(&help)
        .split_ascii_whitespace()
        .filter_map(|word| {
            let word = word.trim_start_matches("--[no-]").trim_start_matches("--");
            word.strip_prefix("collector.")
        })
        .filter(|name| !name.contains(['.', '=']))
        .map(str::to_owned)
        .collect()
}

/// States of processes and threads (proc_pid_stat(5)).
const PROCESS: &[&str] = &["R", "S", "D", "Z", "T", "t", "I", "X", "P"];
/// States of sockets (`include/net/tcp_states.h`), as node_exporter names them.
const SOCKET: &[&str] = &[
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
    "new_syn_recv",
];
/// Families with series for the states that something is just now in: the label, and what it may say.
const MOVING: &[(&str, &str, &[&str])] = &[
    ("node_processes_state", "state", PROCESS),
    ("node_processes_threads_state", "thread_state", PROCESS),
    ("node_tcp_connection_states", "state", SOCKET),
];
/// Families whose values stay.
const CONSTANT: &[&str] = &["node_processes_max_processes", "node_processes_max_threads"];

/// A series of a moving family without its state, if that is one of those that may be.
fn without_state(series: &str) -> Option<String> {
    let (name, labels) = series.split_once('{')?;
    let (_, label, states) = MOVING.iter().find(|(moving, ..)| *moving == name)?;
    let state = labels
        .strip_prefix(label)?
        .strip_prefix("=\"")?
        .strip_suffix("\"}")?;
    states.contains(&state).then(|| format!("{name}{{{label}}}"))
}

/// Name and labels of each series, and its value where it stays, with what comes before as HELP and TYPE.
fn lines(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with("# ") || line.starts_with("node_"))
        .map(|line| {
            let (series, _) = line.rsplit_once(' ').unwrap();
            if line.starts_with('#') || CONSTANT.contains(&series) {
                line
            } else {
                series
            }
        })
        // The version differs, and so does `rotational`: node_exporter gives 0 where it cannot read another
        // file of the queue's folder, the kernel's own word is in `rotational`.
        .filter(|line| !line.contains("node_exporter_build_info") && !line.starts_with("node_disk_info{"))
        .filter(|line| {
            !line.contains("promhttp") && !line.contains("# HELP go_") && !line.contains("# TYPE go_")
        })
        .filter(|line| !line.contains("# HELP process_") && !line.contains("# TYPE process_"))
        .map(|line| without_state(line).unwrap_or_else(|| line.to_owned()))
        .collect()
}

/// Families beyond node_exporter's, of collectors that it has too; and one that is only there from the second scrape on.
const BESIDE: &[&str] = if cfg!(target_os = "macos") {
    &[
        "node_disk_read_latency_seconds_total",
        "node_disk_write_latency_seconds_total",
        "node_filesystem_purgeable_bytes",
        "node_memory_app_bytes",
        "node_memory_cached_bytes",
        "node_memory_compressions_pages_total",
        "node_memory_decompressions_pages_total",
        "node_memory_page_faults_total",
        "node_memory_speculative_bytes",
        "node_memory_swap_in_bytes_total",
        "node_memory_swap_out_bytes_total",
    ]
} else {
    &[]
};
/// Mount points that node_exporter leaves out by default; Debian's build has defaults of its own.
const MOUNT_POINTS: &str = if cfg!(target_os = "macos") {
    "^/(dev)($|/)"
} else {
    "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)"
};
/// How many collectors both have at least.
const COMMON: usize = if cfg!(target_os = "macos") { 12 } else { 50 };

/// Families that the release the binary is of does not have yet.
fn is_newer(line: &str) -> bool {
    ["node_ksmd_general_profit_bytes", "node_cpu_frequency_avg_hertz"]
        .iter()
        .chain(BESIDE)
        .any(|name| line.contains(name))
        // Its words on ksmd changed.
        || line.starts_with("# HELP node_ksmd_")
}

#[test]
fn real_node_exporter_gives_the_same_series() {
    let Some(binary) = std::env::var("FERROALLOY_NODE_EXPORTER")
        .ok()
        .filter(|path| !path.is_empty())
    else {
        println!("skipped: FERROALLOY_NODE_EXPORTER does not name a node_exporter binary");
        return;
    };
    let _host = crate::HOST.lock();
    // These ask programs that do not run here.
    let unfit = ["ntp", "supervisord"];
    let known = known(&binary);
    let common: Vec<_> = registry()
        .iter()
        .filter(|descriptor| {
            Platform::current().is_some_and(|here| descriptor.support(here) != Support::Absent)
        })
        .map(|descriptor| descriptor.name)
        .filter(|name| known.contains(*name) && !unfit.contains(name))
        .collect();
    assert!(common.len() > COMMON, "{common:?}");
    let set = NodeCollectors::builder()
        .mode(Mode::Compat)
        .only(common.iter().copied())
        .build()
        .unwrap();
    // While it listens there is a socket to count, as there is one while node_exporter does.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ours = String::from_utf8(set.to_text()).unwrap();
    drop(listener);
    let exporter = Command::new(binary)
        .arg(format!("--web.listen-address={address}"))
        .args(["--web.disable-exporter-metrics", "--collector.disable-defaults"])
        .args(common.iter().map(|name| format!("--collector.{name}")))
        .arg(format!(
            "--collector.filesystem.mount-points-exclude={MOUNT_POINTS}"
        ))
        .arg("--collector.textfile.directory=")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut exporter = NodeExporter(exporter);
    let theirs = get(&mut exporter, address).expect("it ended before it listened");
    let (theirs, ours) = (lines(&theirs), lines(&ours));
    let missing: Vec<_> = theirs.difference(&ours).filter(|line| !is_newer(line)).collect();
    let extra: Vec<_> = ours.difference(&theirs).filter(|line| !is_newer(line)).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "missing: {missing:#?}\nextra: {extra:#?}"
    );
}
