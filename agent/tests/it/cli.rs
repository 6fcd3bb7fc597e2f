//! The command line, as a person uses it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) fn ferroalloy(arguments: &[&str], input: Option<&str>) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ferroalloy"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Closing it is the end of the input.
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.unwrap_or_default().as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn nobody_need_read_what_is_wrong() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ferroalloy"))
        .args(["validate", "/nowhere/at/all"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_wrong_configuration_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.alloy");
    let text = "prometheus.scrape \"a\" {\n  targets    = []\n  forward_to = [prometheus.remote_write.x.receiver]\n}\n\n\
                prometheus.remote_write \"y\" {\n  endpoint {\n    ulr = \"http://h/\"\n  }\n}\n";
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let storage = format!("--storage.path={}", folder.path().join("data").display());
    for arguments in [&["run", path, &storage][..], &["validate", path]] {
        let output = ferroalloy(arguments, None);
        let stderr = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains(
                "wrong.alloy:3:17: component \"prometheus.remote_write.x.receiver\" does not exist"
            ),
            "{stderr}"
        );
        assert!(stderr.contains("^^^^"), "{stderr}");
    }
    assert!(
        !folder.path().join("data").exists(),
        "a folder was made for a configuration that does not run"
    );

    std::fs::write(path, text.replace("remote_write.x", "remote_write.y")).unwrap();
    let output = ferroalloy(&["validate", path], None);
    let stderr = stderr(&output);
    assert!(
        stderr.contains("wrong.alloy:8:5: unrecognized attribute name \"ulr\""),
        "{stderr}"
    );
    assert!(stderr.contains("did you mean `url`?"), "{stderr}");
    assert!(
        stderr.contains("wrong.alloy:7:3: missing required attribute \"url\""),
        "{stderr}"
    );
}

#[test]
fn a_storage_folder_that_cannot_be_written_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (config, file) = (folder.path().join("c.alloy"), folder.path().join("file"));
    std::fs::write(&config, "").unwrap();
    std::fs::write(&file, "").unwrap();
    let storage = format!("--storage.path={}", file.join("data").display());
    let output = ferroalloy(
        &[
            "run",
            config.to_str().unwrap(),
            &storage,
            "--server.http.listen-addr=127.0.0.1:0",
        ],
        None,
    );
    let stderr = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot make the storage folder"), "{stderr}");
}

/// A program that runs, and the lines of its log.
struct Running {
    child: std::process::Child,
    log: std::io::Lines<BufReader<std::process::ChildStderr>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ferroalloy"))
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, log }
    }

    /// Waits for a line of the log.
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            let line = self.log.next().unwrap().unwrap();
            if line.contains(text) {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn signals_reload_and_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.alloy");
    std::fs::write(&path, "prometheus.exporter.self \"me\" { }\n").unwrap();
    let storage = format!("--storage.path={}", folder.path().join("data").display());
    let arguments = [
        "run",
        path.to_str().unwrap(),
        &storage,
        "--server.http.listen-addr=127.0.0.1:0",
    ];
    let mut running = Running::start(&arguments);
    running.wait_for("configuration loaded");

    let second = ferroalloy(&arguments, None);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        stderr(&second).contains("in use by another process"),
        "{}",
        stderr(&second)
    );

    std::fs::write(&path, "prometheus.exporter.self { }\n").unwrap();
    running.signal(Signal::SIGHUP);
    let line = running.wait_for("failed to reload config");
    assert!(line.contains("config.alloy:1:1"), "{line}");

    std::fs::write(&path, "logging { }\n").unwrap();
    running.signal(Signal::SIGHUP);
    running.wait_for("config reloaded");

    running.signal(Signal::SIGTERM);
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn without_a_configuration_this_host_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let storage = format!("--storage.path={}", folder.path().join("data").display());
    let mut running = Running::start(&["run", &storage, "--server.http.listen-addr=127.0.0.1:0"]);
    running.wait_for("configuration loaded");
    running.signal(Signal::SIGINT);
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn the_version_is_told() {
    let output = ferroalloy(&["--version"], None);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("ferroalloy {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let storage = format!("--storage.path={}", folder.path().join("data").display());
    let output = ferroalloy(&["run", &storage, "--server.http.listen-addr", &address], None);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains(&format!("cannot listen on {address}")),
        "{}",
        stderr(&output)
    );
}
