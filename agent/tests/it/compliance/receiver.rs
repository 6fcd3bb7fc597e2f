//! A receiver that no request gets past that breaks a rule of its protocol.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Method, Response};
use prost::Message;
use remote_write::proto::{self, Histogram, v2};
use tokio::sync::mpsc;

use crate::support::serve;

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    requests: mpsc::UnboundedReceiver<Result<Request, String>>,
}

/// A request with samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    pub(super) is_v2: bool,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) series: Vec<Series>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) labels: Vec<(String, String)>,
    pub(super) samples: Vec<v2::Sample>,
    pub(super) histograms: Vec<Histogram>,
}

impl Receiver {
    /// `answer` gives the status for each request with samples. Samples of a series that are no newer than the last ones taken are a
    /// fault of the sender, as is a label that is empty, repeated or out of order.
    pub(super) async fn start(answer: impl FnMut(&Request) -> u16 + Send + 'static) -> Self {
        let (tell, requests) = mpsc::unbounded_channel();
        let state = Mutex::new((answer, HashMap::new()));
        let address = serve(move |parts, body| {
            let request = match Request::read(&parts, body) {
                Ok(Some(request)) => request,
                Ok(None) => return reply(204, None),
                Err(why) => {
                    let _ = tell.send(Err(why));
                    return reply(500, None);
                }
            };
            let mut state = state.lock().unwrap();
            let status = (state.0)(&request);
            let mut result = Ok(());
            if status < 300 {
                result = newer(&mut state.1, &request);
            }
            let response = reply(status, Some(&request));
            let _ = tell.send(result.map(|()| request));
            response
        })
        .await;
        Self { address, requests }
    }

    pub(super) async fn next(&mut self) -> Request {
        match self.requests.recv().await.unwrap() {
            Ok(request) => request,
            Err(why) => panic!("{why}"),
        }
    }
}

fn newer(newest: &mut HashMap<Vec<(String, String)>, i64>, request: &Request) -> Result<(), String> {
    for series in &request.series {
        let samples = series.samples.iter().map(|sample| sample.timestamp);
        for timestamp in samples.chain(series.histograms.iter().map(|histogram| histogram.timestamp)) {
            let before = newest.insert(series.labels.clone(), timestamp);
            if before.is_some_and(|before| before >= timestamp) {
                return Err(format!("{timestamp} after {before:?}: {series:?}"));
            }
        }
    }
    Ok(())
}

/// A 2.0 receiver says what it wrote.
fn reply(status: u16, request: Option<&Request>) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    if let Some(request) = request.filter(|request| request.is_v2 && status < 300) {
        let samples: usize = request.series.iter().map(|series| series.samples.len()).sum();
        let histograms: usize = request.series.iter().map(|series| series.histograms.len()).sum();
        for (kind, count) in [("Samples", samples), ("Histograms", histograms)] {
            response = response.header(format!("X-Prometheus-Remote-Write-{kind}-Written"), count);
        }
    }
    response.body(Full::default()).unwrap()
}

impl Request {
    /// `None` of a request that has metadata alone.
    fn read(parts: &hyper::http::request::Parts, body: Bytes) -> Result<Option<Self>, String> {
        if parts.method != Method::POST {
            return Err(format!("{} instead of POST", parts.method));
        }
        let header = |name: &str| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.ok_or_else(|| format!("there is no {name}"))
        };
        let (is_v2, version) = match header("content-type")? {
            "application/x-protobuf" => (false, "0.1.0"),
            "application/x-protobuf;proto=io.prometheus.write.v2.Request" => (true, "2.0.0"),
            other => return Err(format!("content type {other}")),
        };
        if header("x-prometheus-remote-write-version")? != version
            || header("content-encoding")? != "snappy"
            || !header("user-agent")?.starts_with("Ferroalloy/")
        {
            return Err(format!("{:?}", parts.headers));
        }
        let raw = snap::raw::Decoder::new()
            .decompress_vec(&body)
            .map_err(|error| error.to_string())?;
        let series = if is_v2 { read_v2(&raw)? } else { read_v1(&raw)? };
        for series in &series {
            series.check()?;
        }
        Ok((!series.is_empty()).then(|| Self {
            is_v2,
            headers: parts.headers.clone(),
            body,
            series,
        }))
    }
}

fn read_v1(raw: &[u8]) -> Result<Vec<Series>, String> {
    let request = proto::WriteRequest::decode(raw).map_err(|error| error.to_string())?;
    let series = request.timeseries.into_iter().map(|series| Series {
        labels: series
            .labels
            .into_iter()
            .map(|label| (label.name, label.value))
            .collect(),
        samples: series
            .samples
            .iter()
            .map(|sample| v2::Sample {
                value: sample.value,
                timestamp: sample.timestamp,
                start_timestamp: 0,
            })
            .collect(),
        histograms: series.histograms,
    });
    Ok(series.collect())
}

fn read_v2(raw: &[u8]) -> Result<Vec<Series>, String> {
    let request = v2::Request::decode(raw).map_err(|error| error.to_string())?;
    let distinct: HashSet<&String> = request.symbols.iter().collect();
    if request.symbols.first().is_none_or(|first| !first.is_empty())
        || distinct.len() != request.symbols.len()
    {
        return Err(format!("symbols {:?}", request.symbols));
    }
    let symbol = |reference: &u32| {
        let found = request.symbols.get(*reference as usize);
        found.cloned().ok_or_else(|| format!("no symbol {reference}"))
    };
    let mut all = Vec::new();
    for series in &request.timeseries {
        if !series.labels_refs.len().is_multiple_of(2) {
            return Err("half a label".to_owned());
        }
        let mut labels = Vec::new();
        for pair in series.labels_refs.chunks(2) {
            labels.push((symbol(&pair[0])?, symbol(&pair[1])?));
        }
        if let Some(metadata) = &series.metadata {
            symbol(&metadata.help_ref)?;
            symbol(&metadata.unit_ref)?;
        }
        all.push(Series {
            labels,
            samples: series.samples.clone(),
            histograms: series.histograms.clone(),
        });
    }
    Ok(all)
}

impl Series {
    fn check(&self) -> Result<(), String> {
        let sorted = self.labels.is_sorted_by(|a, b| a.0 < b.0);
        let whole = self
            .labels
            .iter()
            .all(|(name, value)| !name.is_empty() && !value.is_empty());
        let kinds = self.samples.is_empty() || self.histograms.is_empty();
        if sorted && whole && kinds && self.label("__name__").is_some() {
            return Ok(());
        }
        Err(format!("{self:?}"))
    }

    pub(super) fn label(&self, name: &str) -> Option<&str> {
        let mut labels = self.labels.iter();
        labels.find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    pub(super) fn value(&self) -> f64 {
        assert_eq!(self.samples.len(), 1, "{self:?}");
        self.samples[0].value
    }

    pub(super) fn is_stale(&self) -> bool {
        let mut samples = self.samples.iter();
        samples.any(|sample| sample.value.to_bits() == ferroalloy_model::sample::STALE_NAN_BITS)
    }
}
