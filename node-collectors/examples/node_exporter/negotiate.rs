//! Which form of an answer a client would like best, as client_golang has it.

/// A form of `/metrics`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Messages instead of text.
    pub(crate) protobuf: bool,
    /// Whether names may have all characters; says nothing new here, where none has.
    pub(crate) utf8_names: bool,
}

impl Form {
    pub(crate) fn content_type(self) -> &'static str {
        match (self.protobuf, self.utf8_names) {
            (false, false) => "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
            (false, true) => "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8",
            (true, false) => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores"
            }
            (true, true) => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=allow-utf-8"
            }
        }
    }
}

/// The form that an `Accept` header likes best of those there are; text where it likes none.
pub(crate) fn form(accept: &str) -> Form {
    let mut best = (0.0, Form::default());
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<(&str, &str)> = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
            .collect();
        let parameter = |wanted: &str| {
            parameters
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| *value)
        };
        let protobuf = media == "application/vnd.google.protobuf"
            && parameter("proto") == Some("io.prometheus.client.MetricFamily")
            && parameter("encoding") == Some("delimited");
        let text = media == "text/plain" && matches!(parameter("version"), None | Some("0.0.4"));
        let weight = parameter("q").map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if (protobuf || text) && weight > best.0 {
            let utf8_names = parameter("escaping") == Some("allow-utf-8");
            best = (weight, Form { protobuf, utf8_names });
        }
    }
    best.1
}

/// Whether gzip is among the encodings, and not with the weight 0.
pub(crate) fn accepts_gzip(encodings: &str) -> bool {
    encodings.split(',').any(|encoding| {
        let (name, weight) = encoding.split_once(';').unwrap_or((encoding, ""));
        let weight = weight.trim().trim_start_matches("q=").parse::<f64>();
        name.trim() == "gzip" && weight.unwrap_or(1.0) > 0.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_form_there_is() {
        let protobuf =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        for (accept, wanted) in [
            ("", (false, false)),
            ("*/*", (false, false)),
            ("text/plain;version=1.0.0;escaping=allow-utf-8", (false, false)),
            (
                "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3",
                (false, true),
            ),
            (
                &format!("{protobuf};q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"),
                (true, false),
            ),
            (&format!("{protobuf};q=0.2,text/plain;q=0.3"), (false, false)),
            (&format!("{protobuf};escaping=allow-utf-8"), (true, true)),
            (&format!("{protobuf};q=0"), (false, false)),
            (&protobuf.replace("delimited", "text"), (false, false)),
        ] {
            let found = form(accept);
            assert_eq!((found.protobuf, found.utf8_names), wanted, "{accept}");
            let is_protobuf = found.content_type().starts_with("application/");
            assert_eq!(is_protobuf, found.protobuf);
        }
    }

    #[test]
    fn gzip_with_weights() {
        assert!(accepts_gzip("deflate, gzip;q=0.5"));
        assert!(!accepts_gzip("gzip;q=0, br"));
        assert!(!accepts_gzip(""));
    }
}
