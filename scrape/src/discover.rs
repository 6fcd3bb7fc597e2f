//! From what was discovered to what is scraped: labels, URL, interval and timeout of a target.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use ferroalloy_model::{Labels, LabelsBuilder};

use crate::config::{Config, check_times};
use crate::error::{Error, ErrorKind};

/// A target as discovery and its relabel rules leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredTarget {
    /// Its labels. `__address__` is needed; `__scheme__`, `__metrics_path__`, `__param_<name>`,
    /// `__scrape_interval__` and `__scrape_timeout__` override the job's options. Labels that start with two
    /// underscores do not reach the series.
    pub labels: Labels,
}

/// A target that can be scraped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrapeTarget {
    /// All its labels but the `__meta_` ones: with the URL they are its identity.
    pub labels: Labels,
    /// The labels that its series get.
    pub public: Labels,
    /// What is scraped.
    pub url: String,
    /// Time between scrapes.
    pub interval: Duration,
    /// How long a scrape may take.
    pub timeout: Duration,
}

impl ScrapeTarget {
    /// Completes the labels of a discovered target with the options of its job, and checks the outcome.
    ///
    /// Errors name the address. They concern this target alone.
    pub fn new(discovered: &Labels, config: &Config) -> Result<Self, Error> {
        let mut labels = LabelsBuilder::new();
        labels.reset(discovered);
        let defaults = [
            ("job", config.job_name.clone()),
            ("__scrape_interval__", format_duration(config.interval)),
            ("__scrape_timeout__", format_duration(config.timeout)),
            ("__metrics_path__", config.metrics_path.clone()),
            ("__scheme__", config.scheme.clone()),
        ];
        for (name, value) in defaults {
            if labels.get(name).is_none() {
                labels.set(name, &value);
            }
        }
        for (name, values) in &config.params {
            let name = format!("__param_{name}");
            if let (None, Some(value)) = (labels.get(&name), values.first()) {
                labels.set(&name, value);
            }
        }
        let Some(address) = labels.get("__address__").map(str::to_owned) else {
            return Err(Error::new(
                ErrorKind::Target,
                format!("target {discovered} has no address"),
            ));
        };
        let wrong = |what: String| Error::new(ErrorKind::Target, format!("target {address:?}: {what}"));
        if address.contains(['/', '?', '#', '@']) || address.contains(char::is_whitespace) {
            return Err(wrong("an address is a host and an optional port".to_owned()));
        }
        let time = |name: &str| {
            let text = labels.get(name).unwrap_or_default();
            parse_duration(text).ok_or_else(|| wrong(format!("{name} is {text:?}, which is no duration")))
        };
        let (interval, timeout) = (time("__scrape_interval__")?, time("__scrape_timeout__")?);
        check_times(interval, timeout).map_err(|error| wrong(error.to_string()))?;
        let scheme = labels.get("__scheme__").unwrap_or_default();
        if !matches!(scheme, "http" | "https") {
            return Err(wrong(format!("scheme {scheme:?} is neither http nor https")));
        }
        let url = url(
            scheme,
            &address,
            labels.get("__metrics_path__").unwrap_or_default(),
            &query(&labels, config),
        );
        url.parse::<http::Uri>()
            .map_err(|error| wrong(format!("{url} is no URL")).with_source(error))?;
        labels.retain(|name, _| !name.starts_with("__meta_"));
        if labels.get("instance").is_none() {
            labels.set("instance", &address);
        }
        let full = labels.labels();
        labels.retain(|name, _| !name.starts_with("__"));
        Ok(Self {
            labels: full,
            public: labels.labels(),
            url,
            interval,
            timeout,
        })
    }
}

/// The parameters of the URL: the job's, with the first value of each from `__param_<name>`.
fn query(labels: &LabelsBuilder, config: &Config) -> BTreeMap<String, Vec<String>> {
    let mut params = config.params.clone();
    for (name, value) in labels.iter() {
        if let Some(name) = name.strip_prefix("__param_") {
            let values = params.entry(name.to_owned()).or_default();
            match values.first_mut() {
                Some(first) => value.clone_into(first),
                None => values.push(value.to_owned()),
            }
        }
    }
    params
}

fn url(scheme: &str, address: &str, path: &str, params: &BTreeMap<String, Vec<String>>) -> String {
    let mut out = format!("{scheme}://{address}");
    if !path.starts_with('/') {
        out.push('/');
    }
    escape(path, b"-_.~$&+,/:;=@", false, &mut out);
    let mut separator = '?';
    for (name, values) in params {
        for value in values {
            out.push(separator);
            separator = '&';
            escape(name, b"-_.~", true, &mut out);
            out.push('=');
            escape(value, b"-_.~", true, &mut out);
        }
    }
    out
}

/// Percent-encodes all but ASCII letters, digits and `allowed`.
fn escape(text: &str, allowed: &[u8], plus_for_blank: bool, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || allowed.contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b' ' && plus_for_blank {
            out.push('+');
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads a Prometheus duration (`1m30s`, `500ms`): units from large to small, each at most once; `0` alone.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (_, size) = units.find(|(name, _)| *name == &rest[..length])?;
        rest = &rest[length..];
        total = total.checked_add(count.checked_mul(*size)?)?;
    }
    Some(Duration::from_millis(total))
}

/// Writes a duration as Prometheus does: `1m30s`. Years, weeks and days only where nothing is left over.
pub(crate) fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (name, size) in UNITS {
        let exact = size >= 86_400_000;
        if rest >= size && (!exact || rest.is_multiple_of(size)) {
            let _ = write!(out, "{}{name}", rest / size);
            rest %= size;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            job_name: "j".into(),
            params: BTreeMap::from([("q".into(), vec!["a b".into(), "c".into()])]),
            ..Config::default()
        }
    }

    #[test]
    fn options_of_the_job_fill_in() {
        let labels = Labels::from_pairs([("__address__", "h:1"), ("__meta_x", "y"), ("team", "t")]);
        let target = ScrapeTarget::new(&labels, &config()).expect("a target");
        assert_eq!(target.url, "http://h:1/metrics?q=a+b&q=c");
        assert_eq!(
            target.public,
            Labels::from_pairs([("instance", "h:1"), ("job", "j"), ("team", "t")])
        );
        assert_eq!(target.labels.get("__scrape_interval__"), Some("1m"));
        assert_eq!(target.labels.get("__param_q"), Some("a b"));
        assert_eq!(target.labels.get("__meta_x"), None);
        assert_eq!(
            (target.interval, target.timeout),
            (Duration::from_mins(1), Duration::from_secs(10))
        );
    }

    #[test]
    fn labels_of_the_target_override() {
        let labels = Labels::from_pairs([
            ("__address__", "h"),
            ("__scheme__", "https"),
            ("__metrics_path__", "a?b"),
            ("__param_q", "é"),
            ("__param_z", "1"),
            ("__scrape_interval__", "1m30s"),
            ("__scrape_timeout__", "500ms"),
            ("job", "other"),
            ("instance", "me"),
        ]);
        let target = ScrapeTarget::new(&labels, &config()).expect("a target");
        assert_eq!(target.url, "https://h/a%3Fb?q=%C3%A9&q=c&z=1");
        assert_eq!(
            target.public,
            Labels::from_pairs([("instance", "me"), ("job", "other")])
        );
        assert_eq!(
            (target.interval, target.timeout),
            (Duration::from_secs(90), Duration::from_millis(500))
        );
    }

    #[test]
    fn nonsense_is_an_error_that_names_the_target() {
        for (name, value, message) in [
            ("__address__", "", "no address"),
            ("__address__", "h/x", "host"),
            ("__scheme__", "ftp", "ftp"),
            ("__scrape_interval__", "soon", "duration"),
            ("__scrape_interval__", "0", "interval"),
            ("__scrape_timeout__", "2m", "greater"),
        ] {
            let mut labels = LabelsBuilder::new();
            labels.set("__address__", "h:1");
            labels.set(name, value);
            let error = ScrapeTarget::new(&labels.labels(), &config()).expect_err(message);
            assert_eq!(error.kind(), ErrorKind::Target);
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    #[test]
    fn durations_are_read_and_written() {
        for text in ["1m", "1m30s", "500ms", "1h", "1d", "1w", "2y", "25h", "1h500ms"] {
            let duration = parse_duration(text).expect(text);
            assert_eq!(
                parse_duration(&format_duration(duration)),
                Some(duration),
                "{text}"
            );
        }
        assert_eq!(format_duration(Duration::from_secs(90)), "1m30s");
        for text in [
            "",
            "1",
            "s",
            "1s1m",
            "1m1m",
            "-1s",
            "1.5s",
            "99999999999999999999s",
            "1x",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
