//! What the benches work on: inputs that are made, the same at each run.

pub mod churn;
pub mod queue;
pub mod relabel;
pub mod target;
pub mod write;

use std::fmt::Write;

/// An exposition as an application gives it: `series` series in families of a hundred, with three labels of
/// their own, some of them histograms' buckets; about 100 bytes a sample.
pub fn exposition(series: usize) -> String {
    let mut text = String::new();
    for index in 0..series {
        let family = index / 100;
        if index % 100 == 0 {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "# HELP app_requests_{family}_total Requests by route, method and status.\n\
                 # TYPE app_requests_{family}_total counter\n"
            );
        }
        let (method, status, route) = (
            ["GET", "POST", "PUT", "DELETE"][index % 4],
            200 + index % 5,
            index % 100 / 4,
        );
        let value = index * 7919 % 1_000_003;
        let _ = writeln!(
            text,
            "app_requests_{family}_total{{method=\"{method}\",route=\"/api/v1/resource/{route}\",status=\"{status}\"}} {value}"
        );
    }
    text
}

/// [`exposition`] in OpenMetrics.
pub fn openmetrics(series: usize) -> String {
    let mut text = String::new();
    for line in exposition(series).lines() {
        let line = if line.starts_with('#') {
            line.replacen("_total", "", 1)
        } else {
            line.to_owned()
        };
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str("# EOF\n");
    text
}

/// [`exposition`] as delimited protobuf.
pub fn protobuf(series: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for family in 0..series.div_ceil(100) {
        let mut message = Vec::new();
        let name = format!("app_requests_{family}_total");
        field(&mut message, 1, name.as_bytes());
        field(&mut message, 2, b"Requests by route, method and status.");
        for index in family * 100..series.min(family * 100 + 100) {
            let labels = [
                ("method", ["GET", "POST", "PUT", "DELETE"][index % 4].to_owned()),
                ("route", format!("/api/v1/resource/{}", index % 100 / 4)),
                ("status", (200 + index % 5).to_string()),
            ];
            let mut metric = Vec::new();
            for (name, value) in labels {
                let mut pair = Vec::new();
                field(&mut pair, 1, name.as_bytes());
                field(&mut pair, 2, value.as_bytes());
                field(&mut metric, 1, &pair);
            }
            let value = (index * 7919 % 1_000_003) as f64;
            let mut counter = vec![0x09];
            counter.extend_from_slice(&value.to_le_bytes());
            field(&mut metric, 3, &counter);
            field(&mut message, 4, &metric);
        }
        varint(&mut body, message.len());
        body.extend_from_slice(&message);
    }
    body
}

fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// A configuration of `blocks` scrape jobs that refer to one receiver, nine lines each.
pub fn configuration(blocks: usize) -> String {
    let mut text = String::from(
        "prometheus.remote_write \"all\" {\n  endpoint {\n    url = \"http://localhost:9009/api/v1/push\"\n  }\n}\n",
    );
    for index in 0..blocks {
        let _ = write!(
            text,
            "\n// Job number {index}.\nprometheus.scrape \"job_{index}\" {{\n  targets = [{{\n    __address__ = \"host-{index}:9100\",\n    \
             team = \"storage\",\n  }}]\n  forward_to      = [prometheus.remote_write.all.receiver]\n  \
             scrape_interval = \"{}s\"\n}}\n",
            15 + index % 45
        );
    }
    text
}

/// A configuration of `blocks` relabellings, each of which takes its targets from one before it; seven lines each.
pub fn chained_configuration(blocks: usize) -> String {
    let mut text = String::new();
    for index in 0..blocks {
        let before = match index {
            0 => "[]".to_owned(),
            index => format!("discovery.relabel.n{}.output", (index - 1) / 2),
        };
        let _ = write!(
            text,
            "discovery.relabel \"n{index}\" {{\n  targets = array.concat({before}, [{{\"__address__\" = \"h{index}\" + \":80\"}}])\n\
             \x20 rule {{\n    target_label = \"a\"\n    replacement  = \"x\" + \"{index}\"\n  }}\n}}\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_have_the_size_they_say() {
        let text = exposition(1_000);
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), 1_000);
        assert!(openmetrics(1_000).ends_with("\n# EOF\n"));
        assert!(protobuf(1_000).len() > 50_000);
        assert!(configuration(100).lines().count() > 900);
        assert_eq!(chained_configuration(10).lines().count(), 70);
    }
}
