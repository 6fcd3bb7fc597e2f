//! A receiver that answers each request as its script says, and tells what came.

use std::net::SocketAddr;
use std::sync::Arc;

use prost::Message;
use remote_write::proto::{WriteRequest, v2};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// How many requests came before.
    pub(crate) index: usize,
    pub(crate) connection: usize,
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) enum Answer {
    /// A status, further header lines, and a body.
    Status(u16, &'static str, &'static str),
    /// This answer once the test says so.
    When(oneshot::Receiver<u16>),
    /// None.
    Hang,
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: UnboundedReceiver<Received>,
}

type Script = dyn FnMut(&Received) -> Answer + Send;

pub(crate) const OK: Answer = Answer::Status(200, "", "");

impl Receiver {
    pub(crate) async fn start(script: impl FnMut(&Received) -> Answer + Send + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), script).await
    }

    pub(crate) async fn at(
        address: SocketAddr,
        script: impl FnMut(&Received) -> Answer + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let script: Arc<std::sync::Mutex<(usize, Box<Script>)>> =
            Arc::new(std::sync::Mutex::new((0, Box::new(script))));
        let (tell, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, tell) = (script.clone(), tell.clone());
                let mut answer = move |received: &mut Received| {
                    let mut script = script.lock().unwrap();
                    received.index = script.0;
                    script.0 += 1;
                    let answer = (script.1)(received);
                    // Told while the script is locked, so that what is told is in the order of the script.
                    let _test_ended = tell.send(received.clone());
                    answer
                };
                tokio::spawn(async move { serve(stream, connection, &mut answer).await });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    pub(crate) async fn next(&mut self) -> Received {
        self.requests.recv().await.unwrap()
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.requests.is_empty()
    }
}

impl Received {
    pub(crate) fn message(&self) -> WriteRequest {
        let message = snap::raw::Decoder::new().decompress_vec(&self.body).unwrap();
        WriteRequest::decode(&*message).unwrap()
    }

    pub(crate) fn message_v2(&self) -> v2::Request {
        let message = snap::raw::Decoder::new().decompress_vec(&self.body).unwrap();
        v2::Request::decode(&*message).unwrap()
    }

    pub(crate) fn is_v2(&self) -> bool {
        self.head.contains("io.prometheus.write.v2.Request")
    }

    /// The timestamps in the request, in order.
    pub(crate) fn timestamps(&self) -> Vec<i64> {
        self.message()
            .timeseries
            .iter()
            .flat_map(|series| &series.samples)
            .map(|sample| sample.timestamp)
            .collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    answer: &mut (dyn FnMut(&mut Received) -> Answer + Send),
) {
    let mut buffer = Vec::new();
    while let Some(mut received) = read(&mut stream, &mut buffer).await {
        received.connection = connection;
        let (status, headers, body) = match answer(&mut received) {
            Answer::Status(status, headers, body) => (status, headers, body),
            Answer::When(status) => {
                let Ok(status) = status.await else { return };
                (status, "", "")
            }
            Answer::Hang => std::future::pending().await,
        };
        let answer = format!(
            "HTTP/1.1 {status} Told\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received {
        index: 0,
        connection: 0,
        head,
        body: buffer.drain(..length).collect(),
    })
}

/// Lets whoever holds the other end answer.
pub(crate) fn later() -> (
    UnboundedSender<u16>,
    impl FnMut(&Received) -> Answer + Send + 'static,
) {
    let (tell, mut told) = mpsc::unbounded_channel();
    let (queue, mut waiting) = mpsc::unbounded_channel::<oneshot::Sender<u16>>();
    tokio::spawn(async move {
        while let (Some(answer), Some(status)) = (waiting.recv().await, told.recv().await) {
            let _client_gone = answer.send(status);
        }
    });
    let script = move |_: &Received| {
        let (answer, when) = oneshot::channel();
        let _test_ended = queue.send(answer);
        Answer::When(when)
    };
    (tell, script)
}
