//! Targets whose answers follow from their number and the phase alone.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How many there are.
pub(super) const TARGETS: usize = 50;

/// How long a phase lasts.
pub(super) const PHASE: Duration = Duration::from_secs(10);

/// The phase that all targets are in.
#[derive(Debug, Default)]
pub(super) struct Stage(AtomicU64);

impl Stage {
    pub(super) fn enter(&self, phase: u64) {
        self.0.store(phase, Ordering::Relaxed);
    }
}

/// What a target answers.
enum Answer {
    Text(String),
    OpenMetrics(String),
    Status(&'static str),
    /// HTML with status 200.
    Html,
    /// Nothing, until whoever asks gives up.
    Silence,
    /// The connection is closed.
    Hangup,
}

/// Whether the target's bodies break off in some phases.
pub(super) fn is_malformed(target: usize) -> bool {
    target % 10 == 5
}

/// Whether a family of the target changes its type, with empty answers between.
pub(super) fn changes_type(target: usize) -> bool {
    target % 10 == 9
}

/// Whether discovery lists the target: some go for two phases and come back.
pub(super) fn is_listed(target: usize, phase: u64) -> bool {
    !(40..45).contains(&target) || phase % 6 < 4
}

fn answer(target: usize, phase: u64) -> Answer {
    // Prometheus takes a new list up to five seconds late, and must not see another phase meanwhile.
    let phase = if is_listed(target, phase) {
        phase
    } else {
        phase - (phase % 6 - 3)
    };
    let odd = phase % 2 == 1;
    let mut text = String::new();
    match target % 10 {
        0 => {
            let _ = write!(text, "# TYPE level gauge\nlevel {phase}\nconstant 7\n");
        }
        // Series that come and go, and new ones at each phase.
        1 => {
            let _ = write!(text, "always 1\nat{{phase=\"{phase}\"}} {phase}\n");
            if odd {
                text.push_str("sometimes 1\n");
            }
        }
        2 if odd => return Answer::Status("500 Internal Server Error"),
        3 if odd => return Answer::Silence,
        4 => {
            for series in 0..1000 + 500 * (phase % 3) {
                let _ = writeln!(
                    text,
                    "huge{{n=\"{series}\",path=\"/some/longer/path/{series}\"}} {phase}"
                );
            }
        }
        5 => {
            let _ = write!(text, "before 1\nlevel {phase}\n");
            if odd {
                text.push_str("broken{ 1\n");
            }
            text.push_str("behind 1\n");
        }
        // Labels that clash, numbers that are none, one series twice.
        6 => {
            let _ = write!(
                text,
                "clash{{job=\"own\",instance=\"own\",exported_job=\"too\"}} {phase}\nnan NaN\ninf +Inf\nminus -Inf\n\
                 twice 1\ntwice 2\nempty{{a=\"\"}} 1\nsmall 1e-300\n"
            );
        }
        7 => {
            let total = phase * 10;
            let _ = write!(
                text,
                "# HELP requests Requests.\n# TYPE requests counter\nrequests_total{{code=\"200\"}} {total} # {{trace_id=\"a{phase}\"}} 1\n\
                 # TYPE took_seconds histogram\n# UNIT took_seconds seconds\ntook_seconds_bucket{{le=\"1\"}} {phase}\n\
                 took_seconds_bucket{{le=\"+Inf\"}} {total}\ntook_seconds_count {total}\ntook_seconds_sum 1.5\n\
                 # TYPE quantiles summary\nquantiles{{quantile=\"0.5\"}} 2\nquantiles_count 1\nquantiles_sum 2\n# EOF\n"
            );
            return Answer::OpenMetrics(text);
        }
        8 if odd && phase % 4 == 1 => return Answer::Hangup,
        8 if odd => return Answer::Html,
        // An empty answer, the wrong end of OpenMetrics, a type that changes.
        9 => match phase % 4 {
            0 => text.push_str("# TYPE changes gauge\nchanges{le=\"1\"} 1\nother 1\n"),
            1 => {}
            2 => text.push_str("# TYPE changes histogram\nchanges_bucket{le=\"1\"} 1\nchanges{le=\"1\"} 2\n"),
            _ => return Answer::OpenMetrics("other 1\n".to_owned()),
        },
        _ => {
            let _ = write!(text, "level {phase}\nconstant 7\n");
        }
    }
    Answer::Text(text)
}

/// Serves all targets at one address, each under its number as the path.
pub(super) async fn serve(stage: Arc<Stage>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, Arc::clone(&stage)));
        }
    });
    address
}

/// Answers one request after another. `None`: the connection has ended.
async fn converse(mut stream: TcpStream, stage: Arc<Stage>) -> Option<()> {
    let mut head = Vec::new();
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let line = String::from_utf8_lossy(&head);
        let target = line.strip_prefix("GET /")?.split(' ').next()?.parse().ok()?;
        let (status, content_type, body) = match answer(target, stage.0.load(Ordering::Relaxed)) {
            Answer::Text(text) => ("200 OK", "text/plain; version=0.0.4", text),
            Answer::OpenMetrics(text) => ("200 OK", "application/openmetrics-text; version=1.0.0", text),
            Answer::Status(status) => (status, "text/plain", String::new()),
            Answer::Html => ("200 OK", "text/html", "<html>Sign in</html>".to_owned()),
            Answer::Hangup => return None,
            Answer::Silence => {
                // Whoever asked closes the connection, which ends the read.
                let _ = stream.read_u8().await;
                return None;
            }
        };
        let reply = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(reply.as_bytes()).await.ok()?;
    }
}
