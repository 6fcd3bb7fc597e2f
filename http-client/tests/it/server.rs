//! A server that answers each request as its script says, and tells what it saw.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What a request looked like, and where it stands among the connections and the requests of its connection.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) connection: usize,
    pub(crate) index: usize,
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) enum Answer {
    /// These bytes, and the connection stays open.
    Keep(Vec<u8>),
    /// These bytes, and the connection is closed.
    Close(Vec<u8>),
    /// These bytes, again and again until the client goes away.
    Endless(Vec<u8>, &'static [u8]),
    /// Nothing more; the client's leaving is waited for.
    Hang,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: UnboundedReceiver<Seen>,
    /// A number for each connection that the client has closed.
    pub(crate) closed: UnboundedReceiver<usize>,
}

type Script = dyn Fn(&Seen) -> Answer + Send + Sync;

impl Server {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::on("127.0.0.1:0", script).await
    }

    pub(crate) async fn on(at: &str, script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let script: Arc<Script> = Arc::new(script);
        let (tell, seen) = mpsc::unbounded_channel();
        let (tell_closed, closed) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, tell, tell_closed) = (script.clone(), tell.clone(), tell_closed.clone());
                tokio::spawn(async move {
                    serve(stream, connection, &*script, &tell).await;
                    let _ = tell_closed.send(connection);
                });
            }
        });
        Self {
            address,
            seen,
            closed,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn next(&mut self) -> Seen {
        self.seen.recv().await.unwrap()
    }
}

/// Serves one connection until either side closes it.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    connection: usize,
    script: &Script,
    tell: &UnboundedSender<Seen>,
) {
    let mut buffer = Vec::new();
    for index in 0.. {
        let Some(seen) = read_request(&mut stream, &mut buffer, connection, index).await else {
            return;
        };
        let answer = script(&seen);
        drop(tell.send(seen));
        match answer {
            Answer::Keep(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Answer::Close(bytes) => {
                drop(stream.write_all(&bytes).await);
                drop(stream.shutdown().await);
                return;
            }
            Answer::Endless(first, then) => {
                let mut more = stream.write_all(&first).await;
                while more.is_ok() {
                    more = stream.write_all(then).await;
                }
                return;
            }
            Answer::Hang => {
                while stream.read_buf(&mut buffer).await.is_ok_and(|n| n > 0) {}
                return;
            }
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    connection: usize,
    index: usize,
) -> Option<Seen> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")
                .map(|n| n.parse().unwrap())
        })
        .unwrap_or(0);
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = buffer.drain(..length).collect();
    Some(Seen {
        connection,
        index,
        head,
        body,
    })
}

pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub(crate) fn redirect(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}
