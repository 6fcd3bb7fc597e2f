//! Targets whose answers are in memory already, so that only what comes after fetching is measured.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scrape::parse::{Format, Protocol};
use scrape::{Fetching, Page, Target};

use crate::churn::Churning;

/// A target that says the same each time, or [`Churning`] does for it.
#[derive(Debug)]
pub struct InMemory {
    body: Body,
    format: &'static Format,
}

#[derive(Debug)]
enum Body {
    Steady(Vec<u8>),
    Churning(Mutex<Churning>),
}

impl InMemory {
    /// One that says `body`, in the format that `protocol` names.
    ///
    /// # Errors
    /// There is no parser for such a protocol.
    pub fn new(protocol: &str, body: impl Into<Vec<u8>>) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            body: Body::Steady(body.into()),
            format: format(protocol)?,
        })
    }

    /// One whose series come and go, in the text format.
    ///
    /// # Errors
    /// None, as long as there is a parser for text.
    pub fn churning(series: usize) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            body: Body::Churning(Mutex::new(Churning::new(series))),
            format: format("PrometheusText0.0.4")?,
        })
    }
}

fn format(protocol: &str) -> Result<&'static Format, Box<dyn Error>> {
    Ok(Protocol::named(protocol)?.format().ok_or("no parser")?)
}

impl Target for InMemory {
    fn fetch<'a>(&'a self, _: Duration, page: &'a mut Page) -> Fetching<'a> {
        let out = page.body(self.format);
        match &self.body {
            Body::Steady(body) => out.extend_from_slice(body),
            Body::Churning(target) => {
                out.extend_from_slice(target.lock().unwrap_or_else(PoisonError::into_inner).turn());
            }
        }
        Box::pin(std::future::ready(Ok(())))
    }
}
