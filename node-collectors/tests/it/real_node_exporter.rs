//! Side by side with a real node_exporter, named by `FERROALLOY_NODE_EXPORTER`, on this host.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use node_collectors::{Mode, NodeCollectors, registry};

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
        .filter_map(|word| word.strip_prefix("--[no-]collector."))
        .filter(|name| !name.contains('.'))
        .map(str::to_owned)
        .collect()
}

/// Name and labels of each series, with what comes before as HELP and TYPE.
fn lines(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with("# ") || line.starts_with("node_"))
        .map(|line| {
            if line.starts_with('#') {
                line
            } else {
                line.rsplit_once(' ').unwrap().0
            }
        })
        // The version differs, and so does `rotational`: node_exporter gives 0 where it cannot read another
        // file of the queue's folder, the kernel's own word is in `rotational`.
        .filter(|line| !line.contains("node_exporter_build_info") && !line.starts_with("node_disk_info{"))
        .filter(|line| {
            !line.contains("promhttp") && !line.contains("# HELP go_") && !line.contains("# TYPE go_")
        })
        .filter(|line| !line.contains("# HELP process_") && !line.contains("# TYPE process_"))
        .map(str::to_owned)
        .collect()
}

/// Families that the release the binary is of does not have yet.
fn is_newer(line: &str) -> bool {
    ["node_ksmd_general_profit_bytes", "node_cpu_frequency_avg_hertz"]
        .iter()
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
    // These ask programs that do not run here, or move from one second to the next.
    let unfit = ["interrupts", "ntp", "processes", "supervisord", "tcpstat"];
    let known = known(&binary);
    let common: Vec<_> = registry()
        .iter()
        .map(|descriptor| descriptor.name)
        .filter(|name| known.contains(*name) && !unfit.contains(name))
        .collect();
    assert!(common.len() > 50, "{common:?}");
    let set = NodeCollectors::builder()
        .mode(Mode::Compat)
        .only(common.iter().copied())
        .build()
        .unwrap();
    let ours = String::from_utf8(set.to_text()).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let exporter = Command::new(binary)
        .arg(format!("--web.listen-address={address}"))
        .args(["--web.disable-exporter-metrics", "--collector.disable-defaults"])
        .args(common.iter().map(|name| format!("--collector.{name}")))
        // Debian's build has defaults of its own for these.
        .arg("--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)")
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
