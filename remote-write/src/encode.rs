//! Both messages of remote write without building them: bytes of labels that are encoded already, and the point behind them.
//!
//! Invariant: what is written is what prost writes for the same [`crate::proto::WriteRequest`] or [`crate::proto::v2::Request`], byte by
//! byte, but for the value -0.0, which is written out (protocol buffers leave out zero, and minus zero is not zero).

mod body;
mod compress;
mod histogram;
mod point;
mod symbols;
#[cfg(test)]
mod tests;
pub(crate) mod v1;
pub(crate) mod v2;
pub(crate) mod wire;

use ferroalloy_model::{Exemplar, Labels, Metadata, Pair};

pub use self::body::Body;
pub(crate) use self::body::{CUSTOM, Counts};
pub(crate) use self::compress::Compressor;
pub use self::point::{Point, Value};
pub(crate) use self::symbols::Symbols;

/// The message that is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// Remote write 1.0, `prometheus.WriteRequest`.
    #[default]
    V1,
    /// Remote write 2.0, `io.prometheus.write.v2.Request`.
    V2,
}

/// Builds a [`Body`]. Its buffers are kept from one body to the next.
#[derive(Debug, Default)]
pub struct Encoder {
    version: Version,
    message: Vec<u8>,
    symbols: Symbols,
    /// The pairs of the symbols, which know them by their address.
    held: Vec<Pair>,
    counts: Counts,
    compressor: Compressor,
}

impl Encoder {
    /// An encoder of remote write 1.0 without a sample.
    pub fn new() -> Self {
        Self::default()
    }

    /// An encoder of a version's message.
    pub fn for_version(version: Version) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }

    /// Adds one sample; `timestamp` is in milliseconds since 1970. Samples of one series come in order of time.
    pub fn sample(&mut self, labels: &Labels, timestamp: i64, value: f64) -> &mut Self {
        let point = Point {
            timestamp,
            value: Value::Float(value),
            ..Point::default()
        };
        self.point(labels, &point, &[])
    }

    /// Adds one point of a series with its exemplars.
    pub fn point(&mut self, labels: &Labels, point: &Point<'_>, exemplars: &[Exemplar]) -> &mut Self {
        let (out, of_it) = (&mut self.message, exemplars.iter());
        match self.version {
            Version::V1 => v1::timeseries_of(out, labels, point, of_it),
            Version::V2 => v2::timeseries_of(out, &mut self.symbols, labels, point, of_it),
        }
        self.counts.add(point, exemplars.len());
        self
    }

    /// Adds one sample of a series whose labels are interned, which is copying their bytes, or in 2.0 their references. The pairs come in order of name.
    pub fn sample_of<'a>(
        &mut self,
        pairs: impl IntoIterator<Item = &'a Pair>,
        timestamp: i64,
        value: f64,
    ) -> &mut Self {
        let point = Point {
            timestamp,
            value: Value::Float(value),
            ..Point::default()
        };
        let out = &mut self.message;
        match self.version {
            Version::V1 => {
                let each = |label: &mut dyn FnMut(&Pair)| {
                    pairs.into_iter().for_each(label);
                    true
                };
                v1::timeseries(out, each, &point, [].iter());
            }
            // Whether these pairs live until the end of the message is not known here.
            Version::V2 => v2::timeseries_holding(out, (&mut self.symbols, &mut self.held), pairs, &point),
        }
        self.counts.add(&point, 0);
        self
    }

    /// Adds what is known of a metric family. 1.0 alone has this; in 2.0 it stands beside each point.
    pub fn metadata(&mut self, family: &str, metadata: &Metadata) -> &mut Self {
        if self.version == Version::V1 {
            v1::metadata(&mut self.message, family, metadata);
        }
        self
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.message.is_empty()
    }

    /// Compresses what was added. The encoder is empty afterwards.
    pub fn finish(&mut self) -> Body {
        if self.version == Version::V2 {
            self.message.splice(..0, self.symbols.encoded().iter().copied());
        }
        let bytes = self.compressor.compress(&self.message);
        self.message.clear();
        self.symbols.clear();
        self.held.clear();
        Body {
            bytes,
            version: self.version,
            counts: std::mem::take(&mut self.counts),
        }
    }
}
