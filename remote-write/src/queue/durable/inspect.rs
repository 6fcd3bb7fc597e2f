//! A queue's folder looked at from outside: nothing is written, locked or waited for, so that it can be done beside the process that uses it.
//!
//! What is found is what there is on disk at the moment. A process that runs may have some batches in memory alone, and may delete
//! segments while they are looked at: what is gone then was delivered or dropped, and is not missed.
//!
//! ```no_run
//! use remote_write::inspect::{Found, QueueFolder};
//!
//! # fn look() -> Result<(), remote_write::Error> {
//! let queue = QueueFolder::open("data/queue")?;
//! for stats in queue.stats()? {
//!     println!("{}: {} samples", stats.endpoint, stats.samples);
//! }
//! for found in queue.contents() {
//!     match found? {
//!         Found::Batch(batch) => println!("{} samples at {}", batch.samples, batch.offset),
//!         Found::Damage(damage) => println!("{damage}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod contents;
mod damage;
mod points;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::contents::{Contents, Found, QueuedBatch};
pub use self::damage::{Damage, Flaw};
pub use self::points::QueuedPoint;
use super::frame::{self, FileHeader, FileKind, Foreign};
use super::fs::{Fs, HostFs};
use super::places::{Places, Progress, Read};
use super::segments::Segment;
use crate::queue::Place;
use crate::{Error, ErrorKind};

/// What there is in a queue's folder.
#[derive(Debug)]
pub struct QueueFolder {
    fs: Arc<dyn Fs>,
    segments: Vec<Segment>,
    endpoints: Vec<Endpoint>,
    damage: Vec<Damage>,
}

/// What is queued for one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueStats {
    /// The endpoint's name; one that has none is named by its URL, without secrets.
    pub endpoint: String,
    /// Samples that are neither delivered nor dropped, native histograms and exemplars of push clients included.
    pub samples: u64,
    /// The batches that they are in.
    pub batches: u64,
    /// Bytes of these batches in the files, without the layouts that they share.
    pub bytes: u64,
    /// When the oldest and the newest of them were accepted, in milliseconds since 1970.
    pub accepted: Option<(i64, i64)>,
    /// Requests that were begun, and of which it is not known whether the receiver has them.
    pub requests: usize,
}

#[derive(Debug)]
struct Endpoint {
    /// As it is written down.
    key: String,
    name: String,
    progress: Progress,
}

impl QueueFolder {
    /// Looks at the folder: the places of endpoints are read, and the beginnings of all segments.
    ///
    /// # Errors
    /// That the folder or a file in it cannot be read. Damage is no error: see [`contents`](Self::contents).
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        Self::on(Arc::new(HostFs::new(&folder)))
    }

    /// Whether there are files of a queue in the folder.
    pub fn is_one(folder: impl AsRef<Path>) -> bool {
        let names = HostFs::new(folder.as_ref()).list().unwrap_or_default();
        names.iter().any(|name| is_ours(name))
    }

    pub(crate) fn on(fs: Arc<dyn Fs>) -> Result<Self, Error> {
        let listed = fs.list();
        let mut found = Self {
            fs,
            segments: Vec::new(),
            endpoints: Vec::new(),
            damage: Vec::new(),
        };
        // Places first: what is done after that is only shown as queued still.
        let names = listed.map_err(|error| found.failed(None, &error))?;
        for name in names.iter().filter(|name| is_places(name)) {
            found
                .read_places(name)
                .map_err(|error| found.failed(Some(name), &error))?;
        }
        for name in &names {
            if let Some(number) = Segment::number(name) {
                found
                    .read_segment(name, number)
                    .map_err(|error| found.failed(Some(name), &error))?;
            }
        }
        found.endpoints.sort_by(|a, b| a.name.cmp(&b.name));
        found.sort_out();
        Ok(found)
    }

    /// The endpoints that have a place in the queue, in order of name.
    pub fn endpoints(&self) -> impl ExactSizeIterator<Item = &str> {
        self.endpoints.iter().map(|endpoint| &*endpoint.name)
    }

    /// Whether an endpoint of this name, or of this URL, has a place in the queue.
    pub fn has_endpoint(&self, name: &str) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.is(name))
    }

    /// The number of segments that can be read.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Bytes of the segments that can be read.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.len).sum()
    }

    /// Every batch, in the order in which it was accepted, and all damage.
    pub fn contents(&self) -> Contents<'_> {
        Contents::new(self)
    }

    /// What is queued, endpoint by endpoint. Every segment is read through for it.
    ///
    /// # Errors
    /// That a file cannot be read.
    pub fn stats(&self) -> Result<Vec<QueueStats>, Error> {
        let mut all: Vec<QueueStats> = self
            .endpoints
            .iter()
            .map(|endpoint| QueueStats {
                endpoint: endpoint.name.clone(),
                samples: 0,
                batches: 0,
                bytes: 0,
                accepted: None,
                requests: endpoint.progress.requests.len(),
            })
            .collect();
        for found in self.contents() {
            let Found::Batch(batch) = found? else { continue };
            for (stats, endpoint) in all.iter_mut().zip(&self.endpoints) {
                let Some(place) = endpoint.owed(batch.position) else {
                    continue;
                };
                stats.samples += match place {
                    0 => batch.samples,
                    place => points::count(&batch.batch, place),
                };
                stats.batches += 1;
                stats.bytes += batch.bytes;
                let (oldest, newest) = stats.accepted.unwrap_or((batch.accepted, batch.accepted));
                stats.accepted = Some((oldest.min(batch.accepted), newest.max(batch.accepted)));
            }
        }
        Ok(all)
    }

    /// Calls with each point of `batch` that is queued for the endpoint of this name, or without a name for any endpoint; as the batch
    /// was accepted, before external labels and rules. In a queue without endpoints everything is queued.
    pub fn for_each_queued(
        &self,
        batch: &QueuedBatch,
        endpoint: Option<&str>,
        mut each: impl FnMut(QueuedPoint<'_>),
    ) {
        let wanted = |of: &&Endpoint| endpoint.is_none_or(|name| of.is(name));
        let places = self.endpoints.iter().filter(wanted);
        let mut place = places.filter_map(|of| of.owed(batch.position)).min();
        if self.endpoints.is_empty() && endpoint.is_none() {
            place = Some(0);
        }
        if let Some(place) = place {
            points::for_each(&batch.batch, place, &mut each);
        }
    }

    /// The names of endpoints as they are written down.
    #[cfg(feature = "fuzz")]
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.endpoints.iter().map(|endpoint| &*endpoint.key)
    }

    /// From which place on the batch at `position` is queued for an endpoint, if it is.
    #[cfg(any(test, feature = "fuzz"))]
    pub(super) fn owed(&self, key: &str, position: u64) -> Option<Place> {
        let of_it = self.endpoints.iter().filter(|endpoint| endpoint.key == key);
        of_it.filter_map(|endpoint| endpoint.owed(position)).min()
    }

    fn read_places(&mut self, name: &str) -> io::Result<()> {
        let read = match Places::read(&*self.fs, name) {
            // It was replaced, or its endpoint is gone.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read?,
        };
        let flaws = match read {
            Read::Known(key, progress, flaws) => {
                let name = readable(&key);
                self.endpoints.push(Endpoint { key, name, progress });
                flaws
            }
            Read::Damaged(flaws) => {
                self.damage.push(Damage::new(name, 0, Flaw::NoSnapshot));
                flaws
            }
            Read::Foreign(foreign) => {
                self.damage.push(Damage::new(name, 0, foreign.into()));
                return Ok(());
            }
        };
        let flaws = flaws.into_iter();
        self.damage
            .extend(flaws.map(|(at, flaw)| Damage::new(name, at, flaw.into())));
        Ok(())
    }

    fn read_segment(&mut self, name: &str, number: u64) -> io::Result<()> {
        let file = match self.fs.open_to_read(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        match FileHeader::read(FileKind::Segment, &*file)? {
            Ok(header) => self.segments.push(Segment::found(number, &header, file.len()?)),
            Err(foreign) => self.damage.push(Damage::new(name, 0, foreign.into())),
        }
        Ok(())
    }

    /// Segments in order; those that opening the queue would set aside do not count.
    fn sort_out(&mut self) {
        let mut sorted: Vec<Segment> = Vec::new();
        self.segments.sort_unstable_by_key(|segment| segment.number);
        for segment in self.segments.drain(..) {
            while let Some(before) = sorted.pop_if(|before| before.first > segment.first) {
                let name = Segment::name(before.number);
                self.damage.push(Damage::new(&name, 0, Flaw::OtherQueue));
            }
            sorted.push(segment);
        }
        self.segments = sorted;
    }

    fn failed(&self, file: Option<&str>, error: &io::Error) -> Error {
        let folder = self.fs.folder();
        let path = file.map_or_else(|| folder.to_owned(), |file| folder.join(file));
        Error::new(
            ErrorKind::Storage,
            format!("cannot read {}: {error}", path.display()),
        )
    }
}

impl Endpoint {
    fn is(&self, name: &str) -> bool {
        self.name == name || self.key == name
    }

    /// From which place on a batch is queued, if it is.
    fn owed(&self, position: u64) -> Option<Place> {
        let progress = &self.progress;
        (!progress.done.contains(position)).then(|| progress.parts.get(&position).copied().unwrap_or(0))
    }
}

fn is_places(name: &str) -> bool {
    name.strip_suffix(".pos").is_some()
}

fn is_ours(name: &str) -> bool {
    is_places(name) || Segment::number(name).is_some()
}

/// An endpoint without a name is known by its URL, which may have a password in it.
fn readable(key: &str) -> String {
    match key.parse::<http::Uri>() {
        Ok(uri) if uri.host().is_some() && uri.scheme().is_some() => ferroalloy_http_client::redact(&uri),
        _ => key.to_owned(),
    }
}

impl From<frame::Flaw> for Flaw {
    fn from(flaw: frame::Flaw) -> Self {
        match flaw {
            frame::Flaw::Header => Self::Header,
            frame::Flaw::Payload => Self::Payload,
            frame::Flaw::Content => Self::Content,
            frame::Flaw::NoLayout => Self::NoLayout,
            frame::Flaw::Torn => Self::Torn,
        }
    }
}

impl From<Foreign> for Flaw {
    fn from(foreign: Foreign) -> Self {
        match foreign {
            Foreign::Short => Self::Torn,
            Foreign::Unknown => Self::Unknown,
            Foreign::Version(version) => Self::Version(version),
        }
    }
}
