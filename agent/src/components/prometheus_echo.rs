//! `prometheus.echo`: prints what it is sent.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ferroalloy_model::{Batch, Commit, Committed, Receiver, Reconfigured};
use river_syntax::Block;

use crate::arguments::{ReceiverExports, choice};
use crate::component::{Context, Define};
use crate::error::Error;

/// How samples are printed.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct Arguments {
    /// The format.
    #[river(default = Format::Text)]
    format: Format,
}

choice! {
    /// Formats of samples.
    enum Format {
        /// Prometheus' text format: times in milliseconds.
        Text = "text",
        /// OpenMetrics: times in seconds, and exemplars.
        OpenMetrics = "openmetrics",
    }
}

#[derive(Debug)]
pub(super) struct Echo {
    printer: Arc<Printer>,
}

#[derive(Debug)]
struct Printer {
    format: Mutex<Format>,
}

impl Receiver for Printer {
    fn accept(&self, batch: &Batch) -> Commit {
        let format = *self.format.lock().unwrap_or_else(PoisonError::into_inner);
        let text = print(batch, format);
        match std::io::stdout().lock().write_all(text.as_bytes()) {
            Ok(()) => Commit::done(Committed::Memory),
            Err(_) => Commit::done(Committed::Refused),
        }
    }
}

#[async_trait]
impl Define for Echo {
    type Arguments = Arguments;
    type Exports = ReceiverExports;

    const NAME: &'static str = "prometheus.echo";
    const SUMMARY: &'static str = "Prints the samples that it is sent to standard output.";

    fn build(context: Context, arguments: &Arguments) -> Result<Self, Error> {
        let printer = Arc::new(Printer {
            format: Mutex::new(arguments.format),
        });
        context
            .exports
            .publish(&ReceiverExports::new(Arc::clone(&printer) as _));
        Ok(Self { printer })
    }

    fn update(&self, arguments: &Arguments) -> Result<Reconfigured, Error> {
        *self.printer.format.lock().unwrap_or_else(PoisonError::into_inner) = arguments.format;
        Ok(Reconfigured::Kept)
    }
}

/// A line for each sample, then for each exemplar and native histogram of columns or rows.
fn print(batch: &Batch, format: Format) -> String {
    let layout = batch.layout();
    let mut text = String::new();
    batch.for_each_sample(|row| {
        let series = layout.series(row.slot as usize);
        let time = time(row.timestamp, format);
        let _infallible = writeln!(text, "{series} {} {time}", number(row.value));
    });
    let (mut histograms, mut exemplars) = (Vec::new(), Vec::new());
    match batch {
        Batch::Columns(columns) => {
            let sides = columns.data.sides.as_deref();
            let times = |slot: u32| {
                let explicit = sides.and_then(|sides| sides.timestamps.iter().find(|(at, _)| *at == slot));
                explicit.map_or(columns.data.timestamp, |(_, time)| *time)
            };
            if let Some(sides) = sides {
                histograms.extend(sides.histograms.iter().map(|(slot, h)| (*slot, times(*slot), h)));
                exemplars.extend(&sides.exemplars);
            }
        }
        Batch::Rows(rows) => {
            if let Some(sides) = &rows.sides {
                let of_row = sides.histograms.iter();
                histograms.extend(of_row.map(|row| (row.slot, row.timestamp, &row.histogram)));
                exemplars.extend(&sides.exemplars);
            }
        }
    }
    // Neither format has a place for these: they are comments.
    for (slot, timestamp, histogram) in histograms {
        if !layout.is_vacant(slot as usize) {
            let (series, time) = (layout.series(slot as usize), time(timestamp, format));
            let _infallible = writeln!(text, "# native histogram {series} {histogram:?} {time}");
        }
    }
    for (slot, exemplar) in exemplars {
        if format == Format::OpenMetrics && !layout.is_vacant(*slot as usize) {
            let (series, time) = (layout.series(*slot as usize), time(exemplar.timestamp, format));
            let (labels, value) = (&exemplar.labels, number(exemplar.value));
            let _infallible = writeln!(text, "# exemplar of {series}: {labels} {value} {time}");
        }
    }
    text
}

fn time(millis: i64, format: Format) -> String {
    match format {
        Format::Text => millis.to_string(),
        Format::OpenMetrics => format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000)),
    }
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::{LayoutBuilder, Row, Rows, SourceId};

    use super::*;

    #[test]
    fn a_line_for_each_sample() {
        let mut layout = LayoutBuilder::new(SourceId::new(), "test");
        layout.push([("__name__", "up"), ("job", "a\"b")], None);
        layout.push([("__name__", "m")], None);
        let rows = [(0, 1_500, 1.0), (1, 2_000, f64::INFINITY), (1, 3_000, f64::NAN)];
        let batch: Batch = Rows {
            layout: layout.build(),
            rows: Arc::from(rows.map(|(slot, timestamp, value)| Row {
                slot,
                timestamp,
                value,
            })),
            sides: None,
        }
        .into();
        assert_eq!(
            print(&batch, Format::Text),
            "up{job=\"a\\\"b\"} 1 1500\nm +Inf 2000\nm NaN 3000\n"
        );
        assert!(print(&batch, Format::OpenMetrics).starts_with("up{job=\"a\\\"b\"} 1 1.500\n"));
    }
}
