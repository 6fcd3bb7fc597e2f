//! Side by side with a real node_exporter, named by `FERROALLOY_NODE_EXPORTER`, on this host.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use node_collectors::{NodeCollectors, registry};

struct NodeExporter(Child);

impl Drop for NodeExporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: SocketAddr) -> String {
    let mut stream = loop {
        // It listens within some milliseconds of its start.
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) => std::thread::yield_now(),
        }
    };
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
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

#[test]
fn real_node_exporter_gives_the_same_series() {
    let Some(binary) = std::env::var("FERROALLOY_NODE_EXPORTER")
        .ok()
        .filter(|path| !path.is_empty())
    else {
        println!("skipped: FERROALLOY_NODE_EXPORTER does not name a node_exporter binary");
        return;
    };
    let set = NodeCollectors::builder().build().unwrap();
    let ours = String::from_utf8(set.to_text()).unwrap();
    let running = |name: &str| ours.contains(&format!("node_scrape_collector_success{{collector={name:?}}}"));
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let exporter = Command::new(binary)
        .arg(format!("--web.listen-address={address}"))
        .args(["--web.disable-exporter-metrics", "--collector.disable-defaults"])
        .args(registry().iter().filter(|d| running(d.name)).map(|d| format!("--collector.{}", d.name)))
        // Debian's build has defaults of its own for this one.
        .arg("--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _exporter = NodeExporter(exporter);
    let theirs = get(address);
    let (theirs, ours) = (lines(&theirs), lines(&ours));
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let extra: Vec<_> = ours.difference(&theirs).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "missing: {missing:#?}\nextra: {extra:#?}"
    );
}
