//! The example `node_exporter` as a process: what it answers, and what it refuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use flate2::read::GzDecoder;

/// Cargo builds examples beside the tests.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let binary = folder.join("examples/node_exporter");
    assert!(binary.exists(), "{} was not built", binary.display());
    binary
}

struct Running {
    process: Child,
    address: String,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        let mut process = Command::new(binary())
            .args(args)
            .arg("--web.listen-address=127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let address = log.lines().find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("address=")?.1.to_owned())
        });
        Self {
            process,
            address: address.expect("it ended before it listened"),
        }
    }

    /// Head and body of an answer.
    fn get(&self, target: &str, headers: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let body = answer.split_off(end + 4);
        (String::from_utf8(answer).unwrap(), body)
    }

    fn text(&self, target: &str) -> (String, String) {
        let (head, body) = self.get(target, "");
        (head, String::from_utf8(body).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn metrics_and_filters_and_pages() {
    let exporter = Running::start(&[
        "--collector.disable-defaults",
        "--collector.loadavg",
        "--collector.uname",
    ]);
    let (head, body) = exporter.text("/metrics");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        head.contains("text/plain; version=0.0.4; charset=utf-8; escaping=underscores"),
        "{head}"
    );
    for part in [
        "\nnode_load1 ",
        "\nnode_uname_info{",
        "\nnode_exporter_build_info{",
        "\npromhttp_metric_handler_requests_total{code=\"200\"} 0\n",
        "\npromhttp_metric_handler_requests_in_flight 1\n",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    let (_, body) = exporter.text("/metrics?collect%5B%5D=loadavg");
    assert!(
        body.contains("node_load1 ") && !body.contains("node_uname_info"),
        "{body}"
    );
    assert!(
        body.contains("promhttp_metric_handler_requests_total{code=\"200\"} 1\n"),
        "{body}"
    );
    let (_, body) = exporter.text("/metrics?exclude[]=loadavg");
    assert!(
        !body.contains("node_load1 ") && body.contains("node_uname_info"),
        "{body}"
    );
    let (_, body) = exporter.text("/metrics?exclude[]=loadavg&exclude[]=uname");
    assert!(
        body.contains("node_load1 ") && body.contains("node_uname_info"),
        "{body}"
    );
    let (_, body) = exporter.text("/metrics?name[]=node_load5");
    assert_eq!(body.lines().count(), 3, "{body}");
    for (target, message) in [
        (
            "/metrics?collect[]=time",
            "couldn't create collector: disabled collector: time\n",
        ),
        (
            "/metrics?collect[]=x",
            "couldn't create collector: missing collector: x\n",
        ),
        (
            "/metrics?collect[]=time&exclude[]=x",
            "Combined collect and exclude queries are not allowed.\n",
        ),
    ] {
        let (head, body) = exporter.text(target);
        assert!(
            head.starts_with("HTTP/1.1 400 ") && body.ends_with(message),
            "{head}{body}"
        );
    }
    let (head, body) = exporter.text("/");
    assert!(
        head.contains("text/html") && body.contains("<a href=\"/metrics\">"),
        "{head}{body}"
    );
    assert!(exporter.text("/other").0.starts_with("HTTP/1.1 404 "));
}

#[test]
fn gzip_and_own_metrics_as_asked() {
    let exporter = Running::start(&[
        "--collector.disable-defaults",
        "--collector.loadavg",
        "--web.disable-exporter-metrics",
        "--web.telemetry-path",
        "/m",
    ]);
    let (head, body) = exporter.get("/m", "Accept-Encoding: zstd, gzip\r\n");
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    assert!(
        text.contains("node_load1 ") && !text.contains("promhttp_"),
        "{text}"
    );
    let (head, _) = exporter.get("/m", "Accept-Encoding: gzip;q=0\r\n");
    assert!(!head.contains("content-encoding"), "{head}");
    assert!(exporter.text("/metrics").0.starts_with("HTTP/1.1 404 "));
}

#[test]
fn what_is_not_supported_is_refused() {
    for (args, part) in [
        (
            &["--web.config.file=/absent/x.yml"][..],
            "/absent/x.yml: cannot read it: ",
        ),
        (&["--web.systemd-socket"], "--web.systemd-socket is not supported"),
        (
            &["--web.listen-address=vsock://:9100"],
            "vsock://:9100 is not supported",
        ),
        (
            &["--collector.systemd"],
            "collector \"systemd\" of node_exporter is not implemented",
        ),
        (
            &["--collector.perf"],
            "collector \"perf\" of node_exporter is not implemented",
        ),
        (&["--collector.cpus"], "did you mean \"cpu\""),
        (&["--log.level=loud"], "\"loud\""),
        (&["--web.max-requests=many"], "\"many\""),
        (&["--nonsense"], "--nonsense"),
    ] {
        let output = Command::new(binary()).args(args).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && message.contains(part),
            "{args:?}: {message}"
        );
    }
}
