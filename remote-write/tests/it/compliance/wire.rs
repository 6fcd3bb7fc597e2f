//! A request as a strict receiver reads it: what no request may have fails the test that it belongs to.

use std::collections::HashSet;

use remote_write::Version;
use remote_write::proto::{Histogram, MetricType, v2};

use crate::receiver::Received;

/// A request of either version.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) version: Version,
    pub(super) headers: Vec<(String, String)>,
    /// Of 2.0.
    pub(super) symbols: Vec<String>,
    pub(super) series: Vec<Series>,
}

/// One series of it.
#[derive(Debug, PartialEq)]
pub(super) struct Series {
    pub(super) labels: Vec<(String, String)>,
    pub(super) samples: Vec<v2::Sample>,
    pub(super) histograms: Vec<Histogram>,
    pub(super) exemplars: Vec<Exemplar>,
    /// Kind, help and unit, of 2.0.
    pub(super) metadata: Option<(MetricType, String, String)>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Exemplar {
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
    pub(super) timestamp: i64,
}

impl Request {
    pub(super) fn read(received: &Received) -> Self {
        let mut lines = received.head.trim_end().split("\r\n");
        assert_eq!(lines.next(), Some("POST /api/v1/write HTTP/1.1"));
        let headers: Vec<(String, String)> = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        let version = if received.is_v2() {
            Version::V2
        } else {
            Version::V1
        };
        // A framed stream would begin with 0xff.
        let announced = snap::raw::decompress_len(&received.body).unwrap();
        let message = snap::raw::Decoder::new().decompress_vec(&received.body).unwrap();
        assert_eq!(announced, message.len());
        let mut request = Self {
            version,
            headers,
            symbols: Vec::new(),
            series: Vec::new(),
        };
        match version {
            Version::V1 => request.read_v1(received),
            Version::V2 => request.read_v2(received),
        }
        request.check();
        request
    }

    fn read_v1(&mut self, received: &Received) {
        let labels = |labels: &[remote_write::proto::Label]| {
            let pairs = labels.iter();
            pairs
                .map(|label| (label.name.clone(), label.value.clone()))
                .collect::<Vec<_>>()
        };
        for series in received.message().timeseries {
            self.series.push(Series {
                labels: labels(&series.labels),
                samples: series
                    .samples
                    .iter()
                    .map(|sample| v2::Sample {
                        value: sample.value,
                        timestamp: sample.timestamp,
                        start_timestamp: 0,
                    })
                    .collect(),
                exemplars: series
                    .exemplars
                    .iter()
                    .map(|exemplar| Exemplar {
                        labels: labels(&exemplar.labels),
                        value: exemplar.value,
                        timestamp: exemplar.timestamp,
                    })
                    .collect(),
                histograms: series.histograms,
                metadata: None,
            });
        }
    }

    fn read_v2(&mut self, received: &Received) {
        let message = received.message_v2();
        self.symbols = message.symbols;
        assert_eq!(
            self.symbols.first().map(String::as_str),
            Some(""),
            "the first symbol is empty"
        );
        let distinct: HashSet<&String> = self.symbols.iter().collect();
        assert_eq!(
            distinct.len(),
            self.symbols.len(),
            "a symbol comes twice: {:?}",
            self.symbols
        );
        let symbol = |reference: u32| self.symbols[reference as usize].clone();
        let labels = |refs: &[u32]| {
            assert!(refs.len().is_multiple_of(2), "{refs:?}");
            let pairs = refs.chunks(2);
            pairs
                .map(|pair| (symbol(pair[0]), symbol(pair[1])))
                .collect::<Vec<_>>()
        };
        for series in message.timeseries {
            self.series.push(Series {
                labels: labels(&series.labels_refs),
                exemplars: series
                    .exemplars
                    .iter()
                    .map(|exemplar| Exemplar {
                        labels: labels(&exemplar.labels_refs),
                        value: exemplar.value,
                        timestamp: exemplar.timestamp,
                    })
                    .collect(),
                metadata: series.metadata.map(|metadata| {
                    (
                        metadata.r#type(),
                        symbol(metadata.help_ref),
                        symbol(metadata.unit_ref),
                    )
                }),
                samples: series.samples,
                histograms: series.histograms,
            });
        }
    }

    /// What holds of every request, whatever it is made from.
    fn check(&self) {
        for series in &self.series {
            check_labels(&series.labels);
            assert!(
                series.labels.iter().any(|(name, _)| name == "__name__"),
                "{series:?}"
            );
            assert!(
                series.samples.is_empty() || series.histograms.is_empty(),
                "samples beside histograms: {series:?}"
            );
            let times = series.samples.iter().map(|sample| sample.timestamp);
            assert!(times.is_sorted(), "{series:?}");
            for sample in &series.samples {
                let start = sample.start_timestamp;
                assert!(start == 0 || start <= sample.timestamp, "{series:?}");
            }
            for exemplar in &series.exemplars {
                check_labels(&exemplar.labels);
                assert_ne!(exemplar.timestamp, 0, "an exemplar has a time: {series:?}");
            }
        }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let mut of_name = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = of_name.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(of_name.next().is_none(), "{name} comes twice");
        value
    }

    /// The series of this name, of which there must be one.
    pub(super) fn series(&self, name: &str) -> &Series {
        let mut of_name = self.series.iter().filter(|series| series.name() == name);
        let series = of_name
            .next()
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.series));
        assert!(of_name.next().is_none(), "{name} comes twice");
        series
    }
}

impl Series {
    pub(super) fn name(&self) -> &str {
        self.label("__name__").unwrap()
    }

    pub(super) fn label(&self, name: &str) -> Option<&str> {
        let mut labels = self.labels.iter();
        labels.find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    pub(super) fn value(&self) -> f64 {
        assert_eq!(self.samples.len(), 1);
        self.samples[0].value
    }
}

fn check_labels(labels: &[(String, String)]) {
    assert!(
        labels.is_sorted_by(|a, b| a.0 < b.0),
        "labels out of order or repeated: {labels:?}"
    );
    assert!(
        labels
            .iter()
            .all(|(name, value)| !name.is_empty() && !value.is_empty()),
        "an empty label: {labels:?}"
    );
}
