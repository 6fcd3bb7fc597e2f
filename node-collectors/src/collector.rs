//! What a collector is: a descriptor, from which documentation and flags follow, and an object that turns facts
//! of the host into metric families when asked.

use std::fmt;

use ferroalloy_model::Families;

use crate::collectors::Options;
use crate::error::Error;
use crate::mode::Mode;
use crate::option::OptionSpec;
use crate::roots::Roots;
use crate::sysfs::Sysfs;

/// An operating system with collectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Platform {
    /// Linux.
    Linux,
    /// macOS.
    MacOs,
}

impl Platform {
    /// The one this program runs on; `None` on others, where no collector exists.
    pub fn current() -> Option<Self> {
        if cfg!(target_os = "linux") {
            Some(Self::Linux)
        } else if cfg!(target_os = "macos") {
            Some(Self::MacOs)
        } else {
            None
        }
    }

    /// Its name in messages and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::MacOs => "macOS",
        }
    }
}

/// Whether a collector exists on a platform, and runs unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// In the default set.
    On,
    /// Runs when enabled.
    Off,
    /// Does not exist there.
    Absent,
}

/// All that is said about a collector without running it.
pub struct Descriptor {
    /// node_exporter's name of the collector.
    pub name: &'static str,
    /// Its place on Linux.
    pub linux: Support,
    /// Its place on macOS.
    pub macos: Support,
    /// One sentence: what it measures.
    pub summary: &'static str,
    /// The files below the roots that it reads, and the system calls it makes.
    pub sources: &'static [&'static str],
    /// The families it gives; a name that ends with `*` stands for those that begin with it.
    pub families: &'static [&'static str],
    /// Its options.
    pub options: &'static [OptionSpec],
    /// Makes a collector; an error is a mistake in the options.
    pub(crate) build: fn(&Context<'_>) -> Result<Box<dyn Collector>, Error>,
}

impl Descriptor {
    /// Its place on `platform`.
    pub fn support(&self, platform: Platform) -> Support {
        match platform {
            Platform::Linux => self.linux,
            Platform::MacOs => self.macos,
        }
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Descriptor")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What a collector is built from.
pub(crate) struct Context<'a> {
    /// The system whose side of a collector is wanted: the one this runs on, except in tests.
    pub(crate) platform: Platform,
    pub(crate) roots: &'a Roots,
    pub(crate) options: &'a Options,
    pub(crate) mode: Mode,
    pub(crate) enabled: &'a dyn Fn(&str) -> bool,
}

impl Context<'_> {
    /// How attributes of sysfs are read.
    pub(crate) fn sysfs(&self) -> Sysfs {
        Sysfs::new(self.mode)
    }
}

/// How a collector's run ended if it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It said what there is to say, be it nothing.
    Data,
    /// What it measures is not there: hardware, kernel module or file. Counts as no success, but is no fault.
    NoData,
}

/// Turns facts of the host into metric families.
///
/// A collector is called from several threads at once if scrapes overlap; one with state locks it.
pub trait Collector: Send + Sync {
    /// Adds this collector's families. What was added before an error stays.
    fn update(&self, out: &mut Families) -> Result<Outcome, Error>;

    /// What the last run met that a user should hear of, though the run succeeded: one line each.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}
