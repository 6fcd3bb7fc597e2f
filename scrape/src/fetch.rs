//! How a target is asked: one trait for targets over HTTP and for exporters in this process.

mod gzip;
mod http_target;
mod spares;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{Collect, Families};

pub use self::http_target::HttpTarget;
use self::spares::Spares;
use crate::error::Error;
use crate::ingest::{Ingest, ingest_families};
use crate::parse::Format;
use crate::series::Scrape;

/// What a target's answer is read into. Used again and again: buffers are kept.
#[derive(Debug, Default)]
pub struct Page {
    /// The decompressed body, if the answer is one; else without meaning.
    pub(crate) body: Vec<u8>,
    /// The body as it came, if it came compressed.
    pub(crate) encoded: Vec<u8>,
    /// The families, if the answer is data.
    pub(crate) families: Families,
    pub(crate) content: Content,
    /// The data of batches that were made before.
    pub(crate) spares: Spares,
}

/// What an answer is.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) enum Content {
    /// Nothing: a good scrape of no series.
    #[default]
    Empty,
    /// A body in that format.
    Body(&'static Format),
    /// Families as data.
    Families,
}

/// A fetch on its way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Something that can be scraped.
pub trait Target: Send + Sync + fmt::Debug {
    /// Asks the target and reads its answer into `page`. The caller sets the deadline: it drops the future when
    /// `timeout` has passed, which is given so that the target can be told.
    fn fetch<'a>(&'a self, timeout: Duration, page: &'a mut Page) -> Fetching<'a>;

    /// The machine was asleep: connections that were idle are probably dead.
    fn resume(&self) {}
}

/// Something in this process, scraped without a socket and without text.
pub struct InProcess(Arc<dyn Collect>);

/// Page buffers larger than this are given back when a scrape needs less than a quarter of them.
const KEEP: usize = 1 << 20;

// === impl Page ===

impl Page {
    /// An empty page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the answer one of families, and gives the arena to write them to, which is empty.
    pub fn families(&mut self) -> &mut Families {
        self.content = Content::Families;
        self.families.clear();
        &mut self.families
    }

    /// Makes the answer a body in that format, and gives the buffer to write it to, which is empty.
    pub fn body(&mut self, format: &'static Format) -> &mut Vec<u8> {
        self.content = Content::Body(format);
        self.body.clear();
        &mut self.body
    }

    /// Bytes of the decompressed body.
    pub(crate) fn body_size(&self) -> usize {
        match self.content {
            Content::Body(_) => self.body.len(),
            Content::Empty | Content::Families => 0,
        }
    }

    /// Takes what was answered into a scrape.
    pub(crate) fn ingest(&self, scrape: &mut Scrape<'_>) -> Result<(), Error> {
        match self.content {
            Content::Empty => Ok(()),
            Content::Body(format) => format.parse(&self.body, scrape.parse_options(), Ingest(scrape))?,
            Content::Families => ingest_families(&self.families, scrape),
        }
    }

    /// Empties the page and keeps its buffers. What is in the body stays there: to inflate over bytes is cheaper than to
    /// make room for them again.
    pub(crate) fn clear(&mut self) {
        self.encoded.clear();
        self.families.clear();
        self.content = Content::Empty;
    }

    /// Empties the page after use, and gives back what it did not need by far.
    pub(crate) fn trim(&mut self) {
        for buffer in [&mut self.body, &mut self.encoded] {
            if buffer.capacity() > KEEP && buffer.capacity() / 4 > buffer.len() {
                buffer.shrink_to(KEEP.max(2 * buffer.len()));
            }
        }
        self.clear();
    }
}

// === impl InProcess ===

impl InProcess {
    /// Scrapes what `source` collects. Collecting must not block.
    pub fn new(source: Arc<dyn Collect>) -> Self {
        Self(source)
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl Target for InProcess {
    fn fetch<'a>(&'a self, _: Duration, page: &'a mut Page) -> Fetching<'a> {
        self.0.collect(page.families());
        Box::pin(std::future::ready(Ok(())))
    }
}
