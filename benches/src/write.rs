//! One remote-write message three ways: from interned series, as prost's structs, and as prost's structs that are there already.

use std::collections::HashMap;
use std::sync::Arc;

use ferroalloy_model::{Layout, LayoutBuilder, SourceId};
use prost::Message;
use remote_write::proto::{self, v2};
use remote_write::{Body, Encoder, Version};

/// The time of every sample, in milliseconds since 1970.
const TIMESTAMP: i64 = 1_795_423_437_000;

/// Series as an application has them after it was scraped: six labels each.
pub fn layout(series: usize) -> LayoutBuilder {
    let mut builder = LayoutBuilder::new(SourceId::new(), "bench");
    for index in 0..series {
        let (name, route) = (
            format!("app_{}_total", index / 100),
            format!("/api/v1/resource/{}", index % 25),
        );
        let status = (200 + index % 5).to_string();
        let labels = [
            ("__name__", name.as_str()),
            ("instance", "host:1"),
            ("job", "bench"),
            ("method", ["GET", "POST", "PUT", "DELETE"][index % 4]),
            ("route", &route),
            ("status", &status),
        ];
        builder.push(labels, None);
    }
    builder
}

/// What the sample of a slot is.
fn value(slot: usize) -> f64 {
    (slot * 7919 % 1_000_003) as f64
}

/// A request with one sample of each series, by this workspace's encoder.
pub fn body(encoder: &mut Encoder, layout: &Layout) -> Body {
    for slot in 0..layout.len() {
        encoder.sample_of(layout.series(slot).pairs(), TIMESTAMP, value(slot));
    }
    encoder.finish()
}

/// The same message as structs of prost.
#[derive(Debug)]
pub enum Owned {
    /// Of 1.0.
    V1(proto::WriteRequest),
    /// Of 2.0.
    V2(v2::Request),
}

impl Owned {
    /// Builds the structs, which own their texts.
    pub fn new(version: Version, layout: &Layout) -> Self {
        match version {
            Version::V1 => Self::V1(proto::WriteRequest {
                timeseries: (0..layout.len()).map(|slot| series_v1(layout, slot)).collect(),
                metadata: Vec::new(),
            }),
            Version::V2 => {
                let mut table = Table::default();
                table.reference("");
                let timeseries = (0..layout.len()).map(|slot| table.series(layout, slot)).collect();
                Self::V2(v2::Request {
                    symbols: table.symbols.iter().map(ToString::to_string).collect(),
                    timeseries,
                })
            }
        }
    }

    /// Appends the message to `out`.
    ///
    /// # Errors
    /// None: a vector has room.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), prost::EncodeError> {
        match self {
            Self::V1(message) => message.encode(out),
            Self::V2(message) => message.encode(out),
        }
    }
}

fn series_v1(layout: &Layout, slot: usize) -> proto::TimeSeries {
    let label = |(name, value): (&str, &str)| proto::Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    proto::TimeSeries {
        labels: layout.series(slot).iter().map(label).collect(),
        samples: vec![proto::Sample {
            value: value(slot),
            timestamp: TIMESTAMP,
        }],
        ..proto::TimeSeries::default()
    }
}

#[derive(Default)]
struct Table<'a> {
    symbols: Vec<&'a str>,
    known: HashMap<&'a str, u32>,
}

impl<'a> Table<'a> {
    fn reference(&mut self, text: &'a str) -> u32 {
        *self.known.entry(text).or_insert_with(|| {
            self.symbols.push(text);
            u32::try_from(self.symbols.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn series(&mut self, layout: &'a Layout, slot: usize) -> v2::TimeSeries {
        let mut labels_refs = Vec::new();
        for (name, value) in layout.series(slot).iter() {
            labels_refs.extend([self.reference(name), self.reference(value)]);
        }
        v2::TimeSeries {
            labels_refs,
            samples: vec![v2::Sample {
                value: value(slot),
                timestamp: TIMESTAMP,
                start_timestamp: 0,
            }],
            ..v2::TimeSeries::default()
        }
    }
}

/// The series of [`layout`], ready.
pub fn series(count: usize) -> Arc<Layout> {
    layout(count).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_make_the_same_bytes() {
        let layout = series(300);
        for version in [Version::V1, Version::V2] {
            let mut out = Vec::new();
            Owned::new(version, &layout).encode(&mut out).unwrap();
            let body = body(&mut Encoder::for_version(version), &layout);
            let message = snap::raw::Decoder::new().decompress_vec(body.bytes()).unwrap();
            assert!(message == out, "{version:?}");
        }
    }
}
