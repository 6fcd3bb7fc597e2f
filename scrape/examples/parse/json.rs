//! Entries in the JSON form of the conformance vectors.

use ferroalloy_model::{MetricKind, float};
use scrape::Error;
use scrape::parse::{Entry, Parser, SeriesLabels, WithParser};
use serde_json::{Map, Value, json};

/// Reads all entries of a body.
pub(crate) struct Entries;

impl WithParser for Entries {
    type Output = Result<Vec<Value>, Error>;

    fn with<'a, P: Parser<'a>>(self, mut parser: P) -> Self::Output {
        let mut kind = MetricKind::Unknown;
        let mut labels = SeriesLabels::new();
        let mut entries = Vec::new();
        while parser.advance()? {
            entries.push(match parser.entry() {
                Entry::Help { metric, text } => {
                    json!({ "kind": "help", "metric": metric.raw(), "text": text.unescape() })
                }
                Entry::Type { metric, kind: named } => {
                    kind = named;
                    json!({ "kind": "type", "metric": metric.raw(), "type": named.to_string() })
                }
                Entry::Comment(text) => json!({ "kind": "comment", "text": String::from_utf8_lossy(text) }),
                Entry::Sample(sample) => {
                    parser.labels(kind, &mut labels)?;
                    let mut object = Map::new();
                    object.insert("__name__".into(), labels.name().into());
                    for (name, value) in labels.iter() {
                        object.insert(name.into(), value.into());
                    }
                    json!({
                        "kind": "series",
                        "series": String::from_utf8_lossy(sample.raw),
                        "labels": object,
                        "value": number(sample.value),
                        "timestamp_ms": sample.timestamp,
                        "start_timestamp_ms": null,
                        "exemplars": [],
                    })
                }
                other => json!({ "kind": "unknown", "text": format!("{other:?}") }),
            });
        }
        Ok(entries)
    }
}

fn number(value: f64) -> Value {
    let mut repr = Vec::new();
    float::write_go(value, &mut repr);
    json!({ "repr": String::from_utf8_lossy(&repr), "bits": format!("{:016x}", value.to_bits()) })
}
