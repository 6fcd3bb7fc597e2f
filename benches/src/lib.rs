//! What the benches work on: inputs that are made, the same at each run.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_have_the_size_they_say() {
        let text = exposition(1_000);
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), 1_000);
        assert!(configuration(100).lines().count() > 900);
    }
}
