//! What a receiver says it wrote: the response headers of remote write 2.0.

use http::HeaderMap;

use crate::encode::Body;

/// How much of a request a receiver wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Float samples.
    pub samples: u64,
    /// Native histograms.
    pub histograms: u64,
    /// Exemplars.
    pub exemplars: u64,
}

impl Written {
    /// What the headers say; `None` when there is none of them. One that is absent or no number counts as zero.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let [samples, histograms, exemplars] = [
            "x-prometheus-remote-write-samples-written",
            "x-prometheus-remote-write-histograms-written",
            "x-prometheus-remote-write-exemplars-written",
        ]
        .map(|name| headers.get(name)?.to_str().ok()?.trim().parse().ok());
        samples.or(histograms).or(exemplars)?;
        Some(Self {
            samples: samples.unwrap_or(0),
            histograms: histograms.unwrap_or(0),
            exemplars: exemplars.unwrap_or(0),
        })
    }

    /// A 1.0 receiver that does not complain has written all.
    pub(crate) fn all_of(body: &Body) -> Self {
        Self {
            samples: body.samples() as u64,
            histograms: body.histograms() as u64,
            exemplars: body.exemplars() as u64,
        }
    }

    /// What is in `self` and not in `other`.
    pub(crate) fn without(self, other: Self) -> Self {
        Self {
            samples: self.samples.saturating_sub(other.samples),
            histograms: self.histograms.saturating_sub(other.histograms),
            exemplars: self.exemplars.saturating_sub(other.exemplars),
        }
    }

    /// Samples and histograms.
    pub(crate) fn points(&self) -> u64 {
        self.samples.saturating_add(self.histograms)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn one_header_is_enough() {
        let mut headers = HeaderMap::new();
        assert_eq!(Written::of(&headers), None);
        let name = "X-Prometheus-Remote-Write-Histograms-Written".to_lowercase();
        let name = http::HeaderName::try_from(name).unwrap();
        headers.insert(&name, HeaderValue::from_static("many"));
        assert_eq!(Written::of(&headers), None, "not a number");
        headers.insert(&name, HeaderValue::from_static(" 7 "));
        let written = Written::of(&headers).unwrap();
        assert_eq!((written.samples, written.histograms, written.points()), (0, 7, 7));
    }
}
