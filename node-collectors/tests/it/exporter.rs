//! The example `node_exporter` as a process.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Cargo builds examples beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let binary = folder.join("examples").join(name);
    assert!(binary.exists(), "{} was not built", binary.display());
    binary
}

pub(crate) fn binary() -> PathBuf {
    example("node_exporter")
}

/// One that listens on a port of its own.
pub(crate) struct Running {
    process: Child,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::run(Command::new(binary()).args(args))
    }

    pub(crate) fn run(command: &mut Command) -> Self {
        let mut process = command
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
    pub(crate) fn get(&self, target: &str, headers: &str) -> (String, Vec<u8>) {
        let stream = TcpStream::connect(&self.address).unwrap();
        get(stream, target, headers).unwrap()
    }

    pub(crate) fn text(&self, target: &str) -> (String, String) {
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

/// Head and body of the answer on a connection.
pub(crate) fn get(
    mut stream: impl Read + Write,
    target: &str,
    headers: &str,
) -> io::Result<(String, Vec<u8>)> {
    let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let body = answer.split_off(end.ok_or(io::ErrorKind::InvalidData)? + 4);
    let head = String::from_utf8(answer).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok((head, body))
}
