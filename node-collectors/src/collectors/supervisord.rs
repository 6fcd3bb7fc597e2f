//! `supervisord`: processes under supervisord, asked by XML-RPC (`supervisor.getAllProcessInfo`).

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::{Error, ErrorKind};
use crate::option::options;

mod answer;

use answer::Process;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "supervisord",
    linux: Support::Off,
    macos: Support::Off,
    summary: "State of processes under supervisord.",
    sources: &["XML-RPC supervisor.getAllProcessInfo"],
    families: &["node_supervisord_*"],
    options: options! {
        "supervisord.url" = supervisord.url: String, "Where supervisord answers: http://host:port/path or unix:///path.";
    },
    build: |context| Ok(Box::new(Supervisord::new(context)?)),
};

/// Options of `supervisord`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Where supervisord answers: `http://host:port/path` or `unix:///path`.
    pub url: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: "http://localhost:9001/RPC2".to_owned(),
        }
    }
}

/// How long connecting, and each step of asking, may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most that is read of an answer.
const LARGEST: u64 = 16 << 20;
const CALL: &str = "<?xml version=\"1.0\"?><methodCall><methodName>supervisor.getAllProcessInfo</methodName><params/></methodCall>";

struct Supervisord {
    url: String,
    place: Place,
}

/// Where supervisord answers.
#[derive(Debug, PartialEq)]
enum Place {
    Http { authority: String, path: String },
    Socket(PathBuf),
}

impl Place {
    fn parse(url: &str) -> Result<Self, Error> {
        let refuse = |what: &str| Error::option(format!("supervisord.url: {what}: {url:?}"));
        if let Some(path) = url.strip_prefix("unix://") {
            return if path.starts_with('/') {
                Ok(Self::Socket(path.into()))
            } else {
                Err(refuse("the path of the socket is not absolute"))
            };
        }
        let rest = url
            .strip_prefix("http://")
            .ok_or_else(|| refuse("neither http:// nor unix://"))?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let odd = |c: char| c.is_ascii_control() || c == ' ';
        if authority.is_empty() || url.contains(odd) {
            return Err(refuse("not an address"));
        }
        if authority.contains('@') {
            return Err(refuse("a user and a password are not supported"));
        }
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Ok(Self::Http {
            authority: if has_port {
                authority.to_owned()
            } else {
                format!("{authority}:80")
            },
            path: path.to_owned(),
        })
    }
}

impl Supervisord {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let url = context.options.supervisord.url.clone();
        Ok(Self {
            place: Place::parse(&url)?,
            url,
        })
    }

    fn ask(&self) -> io::Result<Vec<u8>> {
        match &self.place {
            Place::Http { authority, path } => {
                let mut last = io::Error::from(io::ErrorKind::NotFound);
                for address in authority.to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, TIMEOUT) {
                        Ok(stream) => {
                            stream.set_read_timeout(Some(TIMEOUT))?;
                            stream.set_write_timeout(Some(TIMEOUT))?;
                            return exchange(stream, authority, path);
                        }
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
            Place::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                exchange(stream, "localhost", "/RPC2")
            }
        }
    }
}

/// HTTP/1.0, so that the answer ends with the connection and comes in one piece.
fn exchange(mut stream: impl Read + Write, host: &str, path: &str) -> io::Result<Vec<u8>> {
    let length = CALL.len();
    write!(
        stream,
        "POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{CALL}"
    )?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer)?;
    Ok(answer)
}

impl Collector for Supervisord {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let answer = self
            .ask()
            .map_err(|error| Error::system(&format!("asking supervisord at {}", self.url), error))?;
        let processes = answer::read(&answer)
            .map_err(|fault| Error::new(ErrorKind::Parse, format!("supervisord at {}: {fault}", self.url)))?;
        for process in &processes {
            emit(process, out);
        }
        Ok(Outcome::Data)
    }
}

fn emit(process: &Process, out: &mut Families) {
    let labels = [("name", &*process.name), ("group", &*process.group)];
    // Starting, running, stopping (supervisor/states.py).
    let up = matches!(process.state, 10 | 20 | 40);
    let started = up.then_some(process.start);
    for (name, help, kind, value) in [
        (
            "node_supervisord_state",
            "Process State",
            MetricKind::Gauge,
            Some(process.state),
        ),
        (
            "node_supervisord_exit_status",
            "Process Exit Status",
            MetricKind::Gauge,
            Some(process.exit_status),
        ),
        (
            "node_supervisord_up",
            "Process Up",
            MetricKind::Gauge,
            Some(i64::from(up)),
        ),
        (
            "node_supervisord_start_time_seconds",
            "Process start time",
            MetricKind::Counter,
            started,
        ),
    ] {
        if let Some(value) = value {
            out.family(name, help, kind).sample(&labels, value as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, lines};
    use std::net::TcpListener;

    #[test]
    fn places() {
        assert_eq!(
            Place::parse("unix:///run/s.sock").unwrap(),
            Place::Socket("/run/s.sock".into())
        );
        let http = Place::parse("http://localhost/RPC2").unwrap();
        let (authority, path) = ("localhost:80".to_owned(), "/RPC2".to_owned());
        assert_eq!(http, Place::Http { authority, path });
        for bad in [
            "https://a/",
            "unix://a",
            "http://",
            "http://u:p@a/",
            "http://a b/",
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_is_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/RPC2", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"</methodCall>") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream.write_all(answer::SAMPLE.as_bytes()).unwrap();
        });
        let collector = Host::new(&[])
            .collector(&DESCRIPTOR, |options| options.supervisord.url = url)
            .unwrap();
        let mut out = Families::new();
        collector.update(&mut out).unwrap();
        server.join().unwrap();
        assert_eq!(
            lines(&out),
            [
                "node_supervisord_exit_status{group=\"a&b\",name=\"a\"} 0",
                "node_supervisord_exit_status{group=\"g\",name=\"b\"} 2",
                "node_supervisord_start_time_seconds{group=\"a&b\",name=\"a\"} 1.7e+09",
                "node_supervisord_state{group=\"a&b\",name=\"a\"} 20",
                "node_supervisord_state{group=\"g\",name=\"b\"} 100",
                "node_supervisord_up{group=\"a&b\",name=\"a\"} 1",
                "node_supervisord_up{group=\"g\",name=\"b\"} 0",
            ]
        );
        assert!(collector.update(&mut out).is_err(), "nobody listens any more");
    }
}
