//! The example `node_exporter` as a process: what it answers, and what it refuses.

use std::io::Read;
use std::process::Command;

use flate2::read::GzDecoder;

use crate::exporter::{Running, binary};

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
            "couldn't create collector: disabled collector: time",
        ),
        (
            "/metrics?collect[]=x",
            "couldn't create collector: missing collector: x",
        ),
        (
            "/metrics?collect[]=time&exclude[]=x",
            "Combined collect and exclude queries are not allowed.",
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

/// As node_exporter's help has it: `($SUPERVISORD_URL)`.
#[test]
fn the_address_of_supervisord_may_come_from_the_environment() {
    let refused = |url: &str, args: &[&str]| {
        let mut command = Command::new(binary());
        command.env("SUPERVISORD_URL", url).arg("--collector.supervisord");
        let output = command.args(args).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("odd://of-environment", &[]).contains("odd://of-environment"));
    let flag = "--collector.supervisord.url=odd://of-flag";
    assert!(refused("odd://of-environment", &[flag]).contains("odd://of-flag"));
    let exporter = Running::run(
        Command::new(binary())
            .env("SUPERVISORD_URL", "")
            .args(["--collector.disable-defaults", "--collector.supervisord"]),
    );
    let (_, body) = exporter.text("/metrics");
    assert!(body.contains("{collector=\"supervisord\"}"), "{body}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_argument_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let arg = std::ffi::OsStr::from_bytes(b"--log.level=\xff");
    let output = Command::new(binary()).arg(arg).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("is not UTF-8") && !message.contains("panicked"),
        "{message}"
    );
}
