//! Entries in the JSON form of the conformance vectors.

use ferroalloy_model::histogram::{BucketSpan, Counts, Histogram, ResetHint};
use ferroalloy_model::{MetricKind, float};
use scrape::Error;
use scrape::parse::{Entry, Options, Parser, SeriesLabels, WithParser};
use serde_json::{Map, Value, json};

/// What sets each option, by the name that the vectors give it.
type Set = fn(&mut Options);
pub(crate) const OPTIONS: [(&str, Set); 5] = [
    ("convert_classic_to_nhcb", |options| {
        options.convert_classic = true;
    }),
    ("ignore_native", |options| options.ignore_native = true),
    ("keep_classic_with_native", |options| options.keep_classic = true),
    ("skip_created_series", |options| options.created_as_start = true),
    ("type_and_unit_labels", |options| {
        options.type_and_unit_labels = true;
    }),
];

/// Reads all entries of a body.
pub(crate) struct Entries;

impl WithParser for Entries {
    type Output = Result<Vec<Value>, Error>;

    fn with<'a, P: Parser<'a>>(self, mut parser: P) -> Self::Output {
        let mut kind = MetricKind::Unknown;
        let mut entries = Vec::new();
        while parser.advance()? {
            if let Entry::Type { kind: named, .. } = parser.entry() {
                kind = named;
            }
            entries.push(match parser.entry() {
                Entry::Help { metric, text } => {
                    json!({ "kind": "help", "metric": metric.raw(), "text": text.unescape() })
                }
                Entry::Type { metric, kind } => {
                    json!({ "kind": "type", "metric": metric.raw(), "type": kind.to_string() })
                }
                Entry::Unit { metric, unit } => {
                    json!({ "kind": "unit", "metric": metric.raw(), "unit": unit })
                }
                Entry::Comment(text) => json!({ "kind": "comment", "text": String::from_utf8_lossy(text) }),
                Entry::Sample(sample) => {
                    let (raw, timestamp) =
                        (String::from_utf8_lossy(sample.raw).into_owned(), sample.timestamp);
                    let value = number(sample.value);
                    series(&parser, kind, "series", &raw, timestamp, ("value", value))?
                }
                Entry::Histogram(sample) => {
                    let (raw, timestamp) =
                        (String::from_utf8_lossy(sample.raw).into_owned(), sample.timestamp);
                    let value = parser
                        .take_histogram()
                        .map_or(Value::Null, |taken| histogram(&taken));
                    series(&parser, kind, "histogram", &raw, timestamp, ("histogram", value))?
                }
                other => json!({ "kind": "unknown", "text": format!("{other:?}") }),
            });
        }
        Ok(entries)
    }
}

fn series<'a, P: Parser<'a>>(
    parser: &P,
    kind: MetricKind,
    entry: &str,
    raw: &str,
    timestamp: Option<i64>,
    (name, value): (&str, Value),
) -> Result<Value, Error> {
    let mut labels = SeriesLabels::new();
    parser.labels(kind, &mut labels)?;
    let mut object = Map::new();
    object.insert("__name__".into(), labels.name().into());
    for (name, value) in labels.iter() {
        object.insert(name.into(), value.into());
    }
    let mut exemplars = Vec::new();
    parser.exemplars(&mut exemplars);
    let exemplars: Vec<_> = exemplars
        .iter()
        .map(|exemplar| {
            let labels: Map<_, _> = exemplar
                .labels
                .iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect();
            json!({
                "labels": labels,
                "value": number(exemplar.value),
                "timestamp_ms": exemplar.timestamp,
            })
        })
        .collect();
    let mut json = json!({
        "kind": entry,
        "series": raw,
        "labels": object,
        "timestamp_ms": timestamp,
        "start_timestamp_ms": parser.start_time(),
        "exemplars": exemplars,
    });
    json[name] = value;
    Ok(json)
}

fn histogram(histogram: &Histogram) -> Value {
    let spans = |spans: &[BucketSpan]| -> Vec<_> {
        spans
            .iter()
            .map(|span| json!([span.offset, span.length]))
            .collect()
    };
    let (float, count, zero, positive, negative) = match &histogram.counts {
        Counts::Integer {
            count,
            zero,
            positive,
            negative,
        } => (false, json!(count), json!(zero), json!(positive), json!(negative)),
        Counts::Float {
            count,
            zero,
            positive,
            negative,
        } => (
            true,
            number(*count),
            number(*zero),
            numbers(positive),
            numbers(negative),
        ),
    };
    json!({
        "float": float,
        "schema": histogram.schema,
        "count": count,
        "sum": number(histogram.sum),
        "zero_threshold": number(histogram.zero_threshold),
        "zero_count": zero,
        "positive_spans": spans(&histogram.positive_spans),
        "negative_spans": spans(&histogram.negative_spans),
        "positive_buckets": positive,
        "negative_buckets": negative,
        "custom_values": numbers(&histogram.custom_values),
        "counter_reset_hint": match histogram.reset_hint {
            ResetHint::Unknown => "unknown",
            ResetHint::Yes => "reset",
            ResetHint::No => "not_reset",
            ResetHint::Gauge => "gauge",
        },
    })
}

fn numbers(values: &[f64]) -> Value {
    values.iter().copied().map(number).collect()
}

fn number(value: f64) -> Value {
    let mut repr = Vec::new();
    float::write_go(value, &mut repr);
    json!({ "repr": String::from_utf8_lossy(&repr), "bits": format!("{:016x}", value.to_bits()) })
}
