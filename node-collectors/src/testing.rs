//! What the unit tests of collectors share.

use std::path::Path;

use ferroalloy_model::{Families, text as exposition};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform};
use crate::collectors::Options;
use crate::error::Error;
use crate::mode::Mode;
use crate::roots::Roots;

/// A tree of files that stands for a Linux host: `proc/…`, `sys/…`, `udev/…`, the rest is its root file system.
pub(crate) struct Host(tempfile::TempDir);

impl Host {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        for (path, content) in files {
            host.write(path, content);
        }
        host
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn roots(&self) -> Roots {
        let root = self.0.path();
        Roots {
            proc: root.join("proc"),
            sys: root.join("sys"),
            rootfs: root.to_owned(),
            udev: root.join("udev"),
        }
    }

    /// Builds the collector with the default options, changed by `change`.
    pub(crate) fn collector(
        &self,
        descriptor: &Descriptor,
        change: impl FnOnce(&mut Options),
    ) -> Result<Box<dyn Collector>, Error> {
        self.collector_as(Mode::Fixed, descriptor, change)
    }

    /// As [`Host::collector`], with or without node_exporter's quirks.
    pub(crate) fn collector_as(
        &self,
        mode: Mode,
        descriptor: &Descriptor,
        change: impl FnOnce(&mut Options),
    ) -> Result<Box<dyn Collector>, Error> {
        let mut options = Options::default();
        change(&mut options);
        let roots = self.roots();
        (descriptor.build)(&Context {
            platform: Platform::Linux,
            roots: &roots,
            options: &options,
            mode,
            enabled: &|_| true,
        })
    }

    /// The sample lines of one run with default options and node_exporter's quirks.
    pub(crate) fn compat_samples(&self, descriptor: &Descriptor) -> Vec<String> {
        samples(
            self.collector_as(Mode::Compat, descriptor, |_| ())
                .unwrap()
                .as_ref(),
        )
    }

    /// The sample lines of one run with default options.
    pub(crate) fn samples(&self, descriptor: &Descriptor) -> Vec<String> {
        samples(self.collector(descriptor, |_| ()).unwrap().as_ref())
    }
}

/// The sample lines of one run that has to give data, in order of the text format.
pub(crate) fn samples(collector: &dyn Collector) -> Vec<String> {
    let mut families = Families::new();
    assert_eq!(collector.update(&mut families).unwrap(), Outcome::Data);
    lines(&families)
}

/// The sample lines in `families`.
pub(crate) fn lines(families: &Families) -> Vec<String> {
    let mut body = Vec::new();
    exposition::write(families, &mut body);
    let body = String::from_utf8(body).unwrap();
    body.lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Feeds a parser arbitrary bytes, and `sample` with bytes changed and ends cut: it may refuse, never panic.
pub(crate) fn never_panics<T>(sample: &str, parse: impl Fn(&[u8]) -> T) {
    let mut runner = TestRunner::deterministic();
    let sample = sample.as_bytes().to_vec();
    let length = sample.len();
    let changes = prop::collection::vec((0..=length, any::<u8>()), 0..6);
    runner
        .run(
            &(any::<Vec<u8>>(), changes, 0..=length),
            |(noise, changes, end)| {
                parse(&noise);
                let mut text = sample.clone();
                for (at, byte) in changes {
                    if let Some(place) = text.get_mut(at) {
                        *place = byte;
                    }
                }
                text.truncate(end.max(1));
                parse(&text);
                Ok(())
            },
        )
        .unwrap();
}
