//! From a client's messages to batches.
//!
//! Invariant: samples of one series are of one source, so that they go on in the order in which they came.

use std::collections::HashMap;
use std::sync::Arc;

use ferroalloy_model::{
    Batch, Exemplar, HistogramRow, Labels, LayoutBuilder, Metadata, MetricKind, Row, RowSides, Rows, SourceId,
};

use crate::proto::{self, MetricType};
use crate::{Error, ErrorKind};

/// Turns requests into batches. Series are spread over a few sources, by what they are called, so that a writer behind it can send several
/// requests at a time.
#[derive(Debug)]
pub struct Intake {
    origin: Arc<str>,
    sources: Box<[SourceId]>,
}

/// Bytes of a series that a message about it shows: labels may have megabytes.
const SHOWN_AT_MOST: usize = 300;

/// What was in a request.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Received {
    /// The samples, for the next stage.
    pub batches: Vec<Batch>,
    /// Float samples in them.
    pub samples: usize,
    /// Native histograms in them.
    pub histograms: usize,
    /// Exemplars in them.
    pub exemplars: usize,
    /// What is wrong with the first series that is not in them. Always `None` of 1.0, where one such series refuses the request.
    pub refused: Option<Error>,
}

/// The part of a request that goes to one source.
struct Part {
    layout: LayoutBuilder,
    slots: HashMap<Labels, u32>,
    rows: Vec<Row>,
    sides: RowSides,
}

/// One series of a request of either version.
struct Series<'a> {
    labels: Labels,
    samples: Vec<proto::v2::Sample>,
    histograms: &'a [proto::Histogram],
    exemplars: Vec<Exemplar>,
    metadata: Option<Arc<Metadata>>,
}

// === impl Intake ===

impl Intake {
    /// Names where the samples come from, for messages.
    pub fn new(origin: impl Into<Arc<str>>) -> Self {
        Self {
            origin: origin.into(),
            sources: (0..8).map(|_| SourceId::new()).collect(),
        }
    }

    /// The batches of a 1.0 request.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], naming the series, when one of them breaks a rule of the protocol.
    pub fn v1(&self, request: &proto::WriteRequest) -> Result<Received, Error> {
        let mut families = HashMap::new();
        for family in &request.metadata {
            families.insert(
                family.metric_family_name.as_str(),
                Arc::new(Metadata {
                    kind: family.r#type().into(),
                    help: family.help.clone(),
                    unit: family.unit.clone(),
                }),
            );
        }
        let mut parts = self.parts();
        let mut received = Received::default();
        for series in &request.timeseries {
            let pairs = series.labels.iter();
            let labels = checked(pairs.map(|label| (label.name.as_str(), label.value.as_str())))?;
            let exemplar = |exemplar: &proto::Exemplar| Exemplar {
                labels: Labels::from_pairs(exemplar.labels.iter().map(|label| (&label.name, &label.value))),
                value: exemplar.value,
                timestamp: exemplar.timestamp,
            };
            let sample = |sample: &proto::Sample| proto::v2::Sample {
                value: sample.value,
                timestamp: sample.timestamp,
                start_timestamp: 0,
            };
            let metadata = labels
                .get("__name__")
                .and_then(|name| families.get(name).cloned());
            let series = Series {
                metadata,
                samples: series.samples.iter().map(sample).collect(),
                histograms: &series.histograms,
                exemplars: series.exemplars.iter().map(exemplar).collect(),
                labels,
            };
            self.put(&mut parts, series, &mut received)?;
        }
        received.batches = batches(parts);
        Ok(received)
    }

    /// The batches of a 2.0 request. A series that breaks a rule is left out.
    pub fn v2(&self, request: &proto::v2::Request) -> Received {
        let mut parts = self.parts();
        let mut received = Received::default();
        for series in &request.timeseries {
            let taken = of_v2(request, series).and_then(|series| self.put(&mut parts, series, &mut received));
            if let Err(error) = taken {
                received.refused.get_or_insert(error);
            }
        }
        received.batches = batches(parts);
        received
    }

    fn parts(&self) -> Vec<Part> {
        // Sources of one origin would be sent one after the other.
        let part = |(nth, source): (usize, &SourceId)| Part {
            layout: LayoutBuilder::new(*source, format!("{} ({nth})", self.origin)),
            slots: HashMap::new(),
            rows: Vec::new(),
            sides: RowSides::default(),
        };
        self.sources.iter().enumerate().map(part).collect()
    }

    fn put(&self, parts: &mut [Part], series: Series<'_>, received: &mut Received) -> Result<(), Error> {
        let mut histograms = Vec::new();
        for histogram in series.histograms {
            let model = histogram.to_model().map_err(|why| {
                refused(format!(
                    "{}: a histogram is unsound: {why}",
                    shown(&series.labels)
                ))
            })?;
            histograms.push((histogram.timestamp, histogram.start_timestamp, model));
        }
        let index = usize::try_from(series.labels.stable_hash() % self.sources.len() as u64).unwrap_or(0);
        let part = &mut parts[index];
        let slot = match part.slots.get(&series.labels) {
            Some(slot) => *slot,
            None => {
                let slot = part.layout.push(series.labels.iter(), series.metadata.as_ref());
                part.slots.insert(series.labels, slot);
                slot
            }
        };
        received.samples += series.samples.len();
        received.histograms += histograms.len();
        received.exemplars += series.exemplars.len();
        for sample in series.samples {
            if sample.start_timestamp != 0 {
                let row = u32::try_from(part.rows.len()).unwrap_or(u32::MAX);
                part.sides.start_times.push((row, sample.start_timestamp));
            }
            part.rows.push(Row {
                slot,
                timestamp: sample.timestamp,
                value: sample.value,
            });
        }
        for (timestamp, start_time, histogram) in histograms {
            part.sides.histograms.push(HistogramRow {
                slot,
                timestamp,
                start_time,
                histogram,
            });
        }
        let exemplars = series.exemplars.into_iter().map(|exemplar| (slot, exemplar));
        part.sides.exemplars.extend(exemplars);
        Ok(())
    }
}

fn of_v2<'a>(
    request: &'a proto::v2::Request,
    series: &'a proto::v2::TimeSeries,
) -> Result<Series<'a>, Error> {
    let beyond = || refused("a series refers to symbols that are not there".to_owned());
    let labels = checked(
        request
            .label_pairs(&series.labels_refs)
            .ok_or_else(beyond)?
            .into_iter(),
    )?;
    let mut exemplars = Vec::new();
    for exemplar in &series.exemplars {
        exemplars.push(Exemplar {
            labels: request.labels(&exemplar.labels_refs).ok_or_else(beyond)?,
            value: exemplar.value,
            timestamp: exemplar.timestamp,
        });
    }
    let symbol = |index: u32| request.symbols.get(index as usize).cloned();
    let metadata = series.metadata.as_ref().map(|metadata| {
        Some(Arc::new(Metadata {
            kind: MetricKind::from(MetricType::try_from(metadata.r#type).unwrap_or_default()),
            help: symbol(metadata.help_ref)?,
            unit: symbol(metadata.unit_ref)?,
        }))
    });
    Ok(Series {
        labels,
        samples: series.samples.clone(),
        histograms: &series.histograms,
        exemplars,
        metadata: match metadata {
            Some(metadata) => Some(metadata.ok_or_else(beyond)?),
            None => None,
        },
    })
}

/// The labels, if they are what the protocol wants: sorted, without repetitions, with a name and without empty names or values.
fn checked<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Labels, Error> {
    let pairs: Vec<(&str, &str)> = pairs.collect();
    let labels = Labels::from_pairs(pairs.iter().copied());
    let wrong = if pairs
        .iter()
        .any(|(name, value)| name.is_empty() || value.is_empty())
    {
        "has a label without name or value"
    } else if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
        "has labels that are repeated or not in order of name"
    } else if labels.get("__name__").is_none() {
        "has no name"
    } else {
        return Ok(labels);
    };
    Err(refused(format!("the series {} {wrong}", shown(&labels))))
}

/// A series for a message.
fn shown(labels: &Labels) -> String {
    let mut text = labels.to_string();
    if text.len() > SHOWN_AT_MOST {
        text.truncate(text.floor_char_boundary(SHOWN_AT_MOST));
        text.push('…');
    }
    text
}

fn batches(parts: Vec<Part>) -> Vec<Batch> {
    let with_rows = parts.into_iter().filter(|part| !part.slots.is_empty());
    let batch = |part: Part| {
        let sides = Some(part.sides).filter(|sides| *sides != RowSides::default());
        Batch::from(Rows {
            layout: part.layout.build(),
            rows: part.rows.into(),
            sides: sides.map(Arc::new),
        })
    };
    with_rows
        .map(batch)
        .filter(|batch| batch.upper_bound() > 0)
        .collect()
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Refused, message)
}
