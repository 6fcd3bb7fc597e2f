//! One metric of a family: its labels, its value, or the points of its summary or histogram.
//!
//! Everything is kept by position. The vectors are used again, so reading a metric allocates nothing once they have
//! grown; only a native histogram is made anew, since it goes on to the batch as it is.

use ferroalloy_model::{Labels, LabelsBuilder};

use super::native::Native;
use super::wire::{Fields, Range};
use crate::parse::RawExemplar;
use crate::parse::lex::{Fault, fault, str};

/// A metric as read last.
#[derive(Debug, Clone, Default)]
pub(super) struct Metric {
    /// Name and value of each label.
    pub(super) labels: Vec<(Range, Range)>,
    /// Milliseconds since 1970; zero is none.
    pub(super) timestamp: i64,
    pub(super) counter: Value,
    pub(super) gauge: Value,
    pub(super) untyped: Value,
    pub(super) summary: Points,
    pub(super) histogram: Points,
    pub(super) native: Native,
    /// The exemplars of the native histogram.
    pub(super) exemplars: Vec<Exemplar>,
}

/// A number alone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Value {
    pub(super) number: f64,
    pub(super) exemplar: Option<Exemplar>,
    pub(super) start: Option<i64>,
}

/// Quantiles or classic buckets.
#[derive(Debug, Clone, Default)]
pub(super) struct Points {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) list: Vec<Point>,
    pub(super) start: Option<i64>,
}

/// One quantile, or one classic bucket.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Point {
    /// The quantile, or the upper bound.
    pub(super) at: f64,
    pub(super) value: f64,
    pub(super) exemplar: Option<Exemplar>,
}

/// An exemplar, by where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exemplar {
    range: Range,
    value: f64,
    timestamp: Option<i64>,
}

// === impl Metric ===

impl Metric {
    /// Reads the message in `range`.
    pub(super) fn read(&mut self, body: &[u8], range: Range) -> Result<(), Fault> {
        self.clear();
        let mut fields = Fields::new(body, range);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.labels.push(label(body, field.bytes()?, field.at)?),
                2 => self.gauge.read(body, field.bytes()?)?,
                3 => self.counter.read(body, field.bytes()?)?,
                4 => self.summary.read_summary(body, field.bytes()?)?,
                5 => self.untyped.read(body, field.bytes()?)?,
                6 => self.timestamp = field.varint()?.cast_signed(),
                7 => self.read_histogram(body, field.bytes()?)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.labels.clear();
        self.exemplars.clear();
        self.native.clear();
        self.timestamp = 0;
        (self.counter, self.gauge, self.untyped) = Default::default();
        self.summary.clear();
        self.histogram.clear();
    }

    fn read_histogram(&mut self, body: &[u8], range: Range) -> Result<(), Fault> {
        let mut fields = Fields::new(body, range);
        while let Some(field) = fields.next()? {
            match field.number {
                3 => self.histogram.list.push(bucket(body, field.bytes()?)?),
                15 => self.histogram.start = Some(timestamp(body, field.bytes()?)?),
                16 => self.exemplars.push(exemplar(body, field.bytes()?)?),
                _ => self.native.take(body, &field)?,
            }
        }
        self.histogram.count = self.native.count();
        self.histogram.sum = self.native.sum();
        Ok(())
    }

    /// The exemplars of the native histogram: its own, or else those of its classic buckets. Those without a time
    /// are left out, since the order of a native histogram's exemplars is that of time.
    pub(super) fn native_exemplars(&self) -> impl Iterator<Item = &Exemplar> {
        let of_buckets = self.histogram.list.iter().filter(|_| self.exemplars.is_empty());
        self.exemplars
            .iter()
            .chain(of_buckets.filter_map(|point| point.exemplar.as_ref()))
            .filter(|exemplar| exemplar.timestamp.is_some())
    }
}

// === impl Value ===

impl Value {
    /// Gauges and untyped values have the first field of counters only.
    fn read(&mut self, body: &[u8], range: Range) -> Result<(), Fault> {
        let mut fields = Fields::new(body, range);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.number = field.double()?,
                2 => self.exemplar = Some(exemplar(body, field.bytes()?)?),
                3 => self.start = Some(timestamp(body, field.bytes()?)?),
                _ => {}
            }
        }
        Ok(())
    }
}

// === impl Points ===

impl Points {
    fn clear(&mut self) {
        self.list.clear();
        (self.count, self.sum, self.start) = (0.0, 0.0, None);
    }

    fn read_summary(&mut self, body: &[u8], range: Range) -> Result<(), Fault> {
        let mut fields = Fields::new(body, range);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.count = field.varint()? as f64,
                2 => self.sum = field.double()?,
                3 => {
                    let mut point = Point::default();
                    let mut fields = Fields::new(body, field.bytes()?);
                    while let Some(field) = fields.next()? {
                        match field.number {
                            1 => point.at = field.double()?,
                            2 => point.value = field.double()?,
                            _ => {}
                        }
                    }
                    self.list.push(point);
                }
                4 => self.start = Some(timestamp(body, field.bytes()?)?),
                _ => {}
            }
        }
        Ok(())
    }
}

fn bucket(body: &[u8], range: Range) -> Result<Point, Fault> {
    let mut point = Point::default();
    let mut float = 0.0;
    let mut fields = Fields::new(body, range);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => point.value = field.varint()? as f64,
            2 => point.at = field.double()?,
            3 => point.exemplar = Some(exemplar(body, field.bytes()?)?),
            4 => float = field.double()?,
            _ => {}
        }
    }
    if float > 0.0 {
        point.value = float;
    }
    Ok(point)
}

fn label(body: &[u8], range: Range, at: usize) -> Result<(Range, Range), Fault> {
    let (mut name, mut value) = ((0, 0), (0, 0));
    let mut fields = Fields::new(body, range);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => name = field.bytes()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    if name.0 == name.1 {
        return Err(fault(at, "label without a name"));
    }
    str(body, name.0, name.1)?;
    str(body, value.0, value.1)?;
    Ok((name, value))
}

fn exemplar(body: &[u8], range: Range) -> Result<Exemplar, Fault> {
    let mut exemplar = Exemplar {
        range,
        value: 0.0,
        timestamp: None,
    };
    let mut fields = Fields::new(body, range);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => drop(label(body, field.bytes()?, field.at)?),
            2 => exemplar.value = super::normal(field.double()?),
            3 => exemplar.timestamp = Some(timestamp(body, field.bytes()?)?),
            _ => {}
        }
    }
    Ok(exemplar)
}

/// A `google.protobuf.Timestamp` in milliseconds since 1970.
fn timestamp(body: &[u8], range: Range) -> Result<i64, Fault> {
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    let mut fields = Fields::new(body, range);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => seconds = field.varint()?.cast_signed(),
            2 => nanos = field.varint()?.cast_signed(),
            _ => {}
        }
    }
    Ok(seconds
        .saturating_mul(1000)
        .saturating_add(nanos.div_euclid(1_000_000)))
}

// === impl Exemplar ===

impl Exemplar {
    /// The exemplar by itself.
    pub(super) fn raw(&self, body: &[u8]) -> RawExemplar {
        RawExemplar {
            labels: self.labels(body),
            value: self.value,
            timestamp: self.timestamp,
        }
    }

    /// What cannot be read is left out: it was read before.
    fn labels(&self, body: &[u8]) -> Labels {
        let mut labels = LabelsBuilder::new();
        let mut fields = Fields::new(body, self.range);
        while let Ok(Some(field)) = fields.next() {
            if field.number == 1
                && let Ok(range) = field.bytes()
                && let Ok((name, value)) = label(body, range, field.at)
                && let (Ok(name), Ok(value)) = (str(body, name.0, name.1), str(body, value.0, value.1))
            {
                labels.set(name, value);
            }
        }
        labels.labels()
    }
}
