//! `textfile`: metrics that other programs leave in files, `*.prom` in the given folders, in Prometheus' text format
//! 0.0.4.
//!
//! A file with a mistake or a timestamp is left out as a whole. One family may be in several files: its first HELP
//! counts, and a file whose HELP differs loses the family. Families keep their type; series that lack a label that
//! others of the family have get it with an empty value.

mod glob;
mod parse;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use ferroalloy_model::{Families, MetricKind};

use self::parse::{Family, Group, Series};
use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::option::options;
use crate::probe::Prober;
use crate::read::entries;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "textfile",
    linux: Support::On,
    macos: Support::On,
    summary: "Metrics from files that other programs write.",
    sources: &["*.prom in the given folders"],
    families: &["node_textfile_*", "*"],
    options: options! {
        "textfile.directory" = textfile.directories: Vec<String>, "Folder with files *.prom; may be a pattern, may be given more than once.";
    },
    build: |context| Ok(Box::new(TextFile::new(context))),
};

/// Options of `textfile`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Folders to look in, each a path or a pattern with `*`, `?` and `[…]`; none by default.
    pub directories: Vec<String>,
}

/// How long a folder and its files may take to be read.
const PATIENCE: Duration = Duration::from_secs(5);

struct TextFile {
    directories: Vec<PathBuf>,
    /// A folder may be on a mount that hangs.
    prober: Prober<Vec<Loaded>>,
    warnings: Mutex<Vec<String>>,
}

impl TextFile {
    fn new(context: &Context<'_>) -> Self {
        let directories = &context.options.textfile.directories;
        let given = directories.iter().filter(|folder| !folder.is_empty());
        Self {
            directories: given.map(PathBuf::from).collect(),
            prober: Prober::new(PATIENCE, |pattern| Ok(load(pattern))),
            warnings: Mutex::default(),
        }
    }
}

/// A file with its content and the time of its last change, in seconds since 1970, or what is wrong with it or its folder.
type Loaded = Result<(PathBuf, Vec<u8>, u64), Error>;

/// The files in the folders that match.
fn load(pattern: &Path) -> Vec<Loaded> {
    let mut folders = pattern.to_str().map(glob::expand).unwrap_or_default();
    if folders.is_empty() {
        folders.push(pattern.to_owned());
    }
    let mut loaded = Vec::new();
    for folder in folders {
        match entries(&folder) {
            Ok(names) => {
                let files = names.iter().filter(|name| name.strip_suffix(".prom").is_some());
                loaded.extend(files.map(|name| load_file(folder.join(name))));
            }
            Err(error) => loaded.push(Err(Error::read(&folder, error))),
        }
    }
    loaded
}

fn load_file(path: PathBuf) -> Loaded {
    let read = |error| Error::read(&path, error);
    // A pipe would wait for a writer, and a device has no end.
    if !std::fs::metadata(&path).map_err(read)?.is_file() {
        return Err(Error::parse(&path, "not a regular file"));
    }
    let content = std::fs::read(&path).map_err(read)?;
    let modified = std::fs::metadata(&path)
        .and_then(|data| data.modified())
        .map_err(read)?;
    let age = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok((path, content, age.as_secs()))
}

impl Collector for TextFile {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut reading = Reading::default();
        let answers = self.prober.probe(self.directories.clone())?;
        for (directory, answer) in self.directories.iter().zip(answers) {
            match answer {
                Ok(files) => files.into_iter().for_each(|file| reading.take(file)),
                Err(_) => {
                    let fault = format!("{}: no answer in {PATIENCE:?}", directory.display());
                    reading.mistakes.push(fault);
                }
            }
        }
        reading.emit(out);
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = reading.mistakes;
        Ok(Outcome::Data)
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    families: Vec<Family>,
    /// By family, the HELP that counts.
    helps: BTreeMap<String, String>,
    /// By family, the files that have it.
    files: BTreeMap<String, Vec<String>>,
    /// By file, seconds since 1970.
    times: BTreeMap<String, u64>,
    mistakes: Vec<String>,
}

impl Reading {
    fn take(&mut self, loaded: Loaded) {
        let taken = loaded.and_then(|(path, content, modified)| self.file(&path, content, modified));
        if let Err(error) = taken {
            self.mistakes.push(error.to_line());
        }
    }

    fn file(&mut self, path: &Path, content: Vec<u8>, modified: u64) -> Result<(), Error> {
        let content = String::from_utf8(content).map_err(|_| Error::parse(path, "not UTF-8"))?;
        let families = parse::parse(&content).map_err(|fault| Error::parse(path, fault))?;
        let file = path.display().to_string();
        self.times.insert(file.clone(), modified);
        for family in families {
            if let Some(help) = &family.help {
                let first = self
                    .helps
                    .entry(family.name.clone())
                    .or_insert_with(|| help.clone());
                if first != help {
                    let fault = format!("{} has another HELP than a file before", family.name);
                    self.mistakes.push(Error::parse(path, fault).to_line());
                    continue;
                }
            }
            self.files
                .entry(family.name.clone())
                .or_default()
                .push(file.clone());
            self.families.push(family);
        }
        Ok(())
    }

    fn emit(&self, out: &mut Families) {
        for family in &self.families {
            let from = || {
                let files = self
                    .files
                    .get(&family.name)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                format!("Metric read from {}", files.join(", "))
            };
            let help = family
                .help
                .clone()
                .filter(|help| !help.is_empty())
                .unwrap_or_else(from);
            emit_family(family, &help, out);
        }
        let help = "Unixtime mtime of textfiles successfully read.";
        let mut family = out.family("node_textfile_mtime_seconds", help, MetricKind::Gauge);
        for (file, seconds) in &self.times {
            family.sample(&[("file", file)], *seconds as f64);
        }
        let help = "1 if there was an error opening or reading a file, 0 otherwise";
        let error = f64::from(u8::from(!self.mistakes.is_empty()));
        out.single("node_textfile_scrape_error", help, MetricKind::Gauge, error);
    }
}

fn emit_family(family: &Family, help: &str, out: &mut Families) {
    let names: BTreeSet<&str> = family
        .series
        .iter()
        .flat_map(|series| series.labels.keys())
        .map(String::as_str)
        .collect();
    let labels = |series: &Series| -> Vec<(String, String)> {
        let value = |name: &str| series.labels.get(name).cloned().unwrap_or_default();
        names
            .iter()
            .map(|name| ((*name).to_owned(), value(name)))
            .collect()
    };
    let mut rows: Vec<_> = family
        .series
        .iter()
        .map(|series| (labels(series), &series.group))
        .collect();
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    let mut writer = out.family(&family.name, help, family.kind);
    for (labels, group) in &rows {
        let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        match group {
            Group::Value(value) => {
                writer.sample(&labels, *value);
            }
            Group::Histogram { buckets, sum, count } => {
                let finite = buckets.iter().filter(|(bound, _)| bound.0.is_finite());
                writer.histogram(
                    &labels,
                    finite.map(|(bound, count)| (bound.0, *count)),
                    *sum,
                    *count,
                );
            }
            Group::Summary {
                quantiles,
                sum,
                count,
            } => {
                for (quantile, value) in quantiles {
                    let mut text = Vec::new();
                    ferroalloy_model::float::write_go(quantile.0, &mut text);
                    let mut labels = labels.clone();
                    labels.push(("quantile", std::str::from_utf8(&text).unwrap_or_default()));
                    writer.sample(&labels, *value);
                }
                writer.sample_suffix("_sum", &labels, *sum);
                writer.sample_suffix("_count", &labels, *count as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, samples};

    fn lines(host: &Host, folders: &[&str]) -> (Vec<String>, usize) {
        let collector = host.collector(&DESCRIPTOR, |options| {
            options.textfile.directories = folders
                .iter()
                .map(|folder| host.path().join(folder).display().to_string())
                .collect();
        });
        let collector = collector.unwrap();
        let prefix = format!("{}/", host.path().display());
        let lines = samples(collector.as_ref())
            .into_iter()
            .map(|line| line.replace(&prefix, ""));
        (
            lines.filter(|line| !line.contains("mtime")).collect(),
            collector.warnings().len(),
        )
    }

    #[test]
    fn files_are_merged_and_labels_completed() {
        let host = Host::new(&[
            (
                "d1/a.prom",
                "# HELP m One.\n# TYPE m counter\nm{x=\"1\"} 1\nm{y=\"2\"} 2\n",
            ),
            ("d2/b.prom", "# HELP m One.\n# TYPE m counter\nm 3\n"),
            ("d2/ignored.txt", "?"),
        ]);
        let (text, warnings) = lines(&host, &["d[12]"]);
        assert_eq!(
            text,
            [
                "m 3",
                "m{x=\"\",y=\"2\"} 2",
                "m{x=\"1\",y=\"\"} 1",
                "node_textfile_scrape_error 0"
            ]
        );
        assert_eq!(warnings, 0);
    }

    #[test]
    fn mistakes_cost_a_file_or_a_family() {
        let host = Host::new(&[
            ("d/a.prom", "# HELP m One.\nm 1\n"),
            ("d/b.prom", "# HELP m Two.\nm{b=\"\"} 2\nother 5\n"),
            ("d/c.prom", "stamped 1 1234\n"),
            ("d/d.prom", "no newline at the end 1"),
        ]);
        let (text, warnings) = lines(&host, &["d", "absent"]);
        assert_eq!(text, ["m 1", "node_textfile_scrape_error 1", "other 5"]);
        assert_eq!(warnings, 4);
        assert_eq!(
            lines(&host, &[]),
            (vec!["node_textfile_scrape_error 0".to_owned()], 0)
        );
    }

    #[test]
    fn pipes_are_not_waited_for() {
        let host = Host::new(&[("d/a.prom", "m 1\n"), ("d/c.prom", "n 1\n")]);
        let mode = nix::sys::stat::Mode::S_IRUSR;
        nix::unistd::mkfifo(&host.path().join("d/b.prom"), mode).unwrap();
        let (text, warnings) = lines(&host, &["d"]);
        assert_eq!(text, ["m 1", "n 1", "node_textfile_scrape_error 1"]);
        assert_eq!(warnings, 1);
    }

    #[test]
    fn histograms_and_summaries_stay_whole() {
        let host = Host::new(&[(
            "d/a.prom",
            "# TYPE h histogram\nh_bucket{le=\"1000000.0\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_count 3\n\
             # TYPE s summary\ns{quantile=\"0.50\"} 7\ns_sum 8\ns_count 9\n",
        )]);
        assert_eq!(
            lines(&host, &["d"]).0,
            [
                "h_bucket{le=\"1e+06\"} 1",
                "h_bucket{le=\"+Inf\"} 3",
                "h_sum 4.5",
                "h_count 3",
                "node_textfile_scrape_error 0",
                "s{quantile=\"0.5\"} 7",
                "s_sum 8",
                "s_count 9",
            ]
        );
    }
}
