//! `bcachefs`: mounted bcachefs file systems, `sys/fs/bcachefs/<uuid>` (fs/bcachefs/sysfs.c).

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::{Buffer, entries_if_any};
use crate::sysfs::{Sysfs, if_any};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "bcachefs",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Use, errors, compression and devices of bcachefs file systems.",
    sources: &["sys/fs/bcachefs/*"],
    families: &["node_bcachefs_*"],
    options: &[],
    build: |context| Ok(Box::new(Bcachefs::new(context))),
};

/// The head of the lines that count since the file system was made, not since it was mounted.
const SINCE_CREATION: &[u8] = b"since filesystem creation";

struct Bcachefs {
    folder: PathBuf,
    sysfs: Sysfs,
}

impl Bcachefs {
    fn new(context: &Context<'_>) -> Self {
        Self {
            folder: context.roots.sys("fs/bcachefs"),
            sysfs: context.sysfs(),
        }
    }

    fn file_system(&self, uuid: &str, out: &mut Families) -> Result<(), Error> {
        let folder = self.folder.join(uuid);
        let id = ("uuid", uuid);
        emit::gauge(out, "node_bcachefs_info", "Filesystem information.", &[id], 1.0);
        let size = self.parsed(&folder.join("btree_cache_size"), size)?;
        if let Some(size) = size {
            let help = "Btree cache memory usage in bytes.";
            emit::gauge(
                out,
                "node_bcachefs_btree_cache_size_bytes",
                help,
                &[id],
                size as f64,
            );
        }
        self.table(&folder.join("compression_stats"), |row| {
            let [algorithm, packed, plain, ..] = row else {
                return;
            };
            let (Some(packed), Some(plain)) = (size_of(packed), size_of(plain)) else {
                return;
            };
            let labels = [id, ("algorithm", *algorithm)];
            for (name, help, value) in [
                (
                    "node_bcachefs_compression_compressed_bytes",
                    "Compressed size by algorithm.",
                    packed,
                ),
                (
                    "node_bcachefs_compression_uncompressed_bytes",
                    "Uncompressed size by algorithm.",
                    plain,
                ),
            ] {
                emit::gauge(out, name, help, &labels, value as f64);
            }
        })?;
        self.lines(&folder.join("errors"), |row| {
            let [kind, count, ..] = row else { return };
            if let Some(count) = text::decimal(count.as_bytes()) {
                let labels = [id, ("error_type", *kind)];
                let help = "Error count by error type.";
                emit::counter(out, "node_bcachefs_errors_total", help, &labels, count as f64);
            }
        })?;
        self.table(&folder.join("btree_write_stats"), |row| {
            let [kind, count, size, ..] = row else { return };
            let (Some(count), Some(size)) = (size_of(count), size_of(size)) else {
                return;
            };
            let labels = [id, ("type", kind.trim_end_matches(':'))];
            let help = "Number of btree writes by type.";
            emit::counter(
                out,
                "node_bcachefs_btree_writes_total",
                help,
                &labels,
                count as f64,
            );
            let (name, help) = (
                "node_bcachefs_btree_write_average_size_bytes",
                "Average btree write size by type.",
            );
            emit::gauge(out, name, help, &labels, size as f64);
        })?;
        for counter in entries_if_any(&folder.join("counters"))? {
            let path = folder.join("counters").join(&counter);
            if let Some(value) = self.parsed(&path, since_creation)? {
                let name = format!("node_bcachefs_{}_total", text::metric_name(&counter));
                let help = format!("Bcachefs counter {counter} since filesystem creation.");
                emit::counter(out, &name, &help, &[id], value as f64);
            }
        }
        for entry in entries_if_any(&folder)? {
            if let Some(device) = entry.strip_prefix("dev-") {
                self.sysfs
                    .lenient(self.device(&folder.join(&entry), [id, ("device", device)], out))?;
            }
        }
        Ok(())
    }

    fn device(&self, folder: &Path, id: [(&str, &str); 2], out: &mut Families) -> Result<(), Error> {
        let text =
            |file: &str| Ok::<_, Error>(self.sysfs.text_if_any(&folder.join(file))?.unwrap_or_default());
        let (label, state) = (text("label")?, text("state")?);
        let labels = [id[0], id[1], ("label", &*label), ("state", &*state)];
        emit::gauge(
            out,
            "node_bcachefs_device_info",
            "Device information.",
            &labels,
            1.0,
        );
        for (file, name, help) in [
            (
                "bucket_size",
                "node_bcachefs_device_bucket_size_bytes",
                "Bucket size in bytes.",
            ),
            (
                "nbuckets",
                "node_bcachefs_device_buckets",
                "Total number of buckets.",
            ),
            (
                "durability",
                "node_bcachefs_device_durability",
                "Device durability setting.",
            ),
        ] {
            if let Some(value) = self.parsed(&folder.join(file), size)? {
                emit::gauge(out, name, help, &id, value as f64);
            }
        }
        let mut operation = String::new();
        self.lines(&folder.join("io_done"), |row| match row {
            ["read:" | "write:"] => row[0].trim_end_matches(':').clone_into(&mut operation),
            _ => {
                let joined = row.concat();
                let Some((kind, value)) = joined.split_once(':') else {
                    return;
                };
                let Some(value) = text::decimal(value.as_bytes()).filter(|_| !operation.is_empty()) else {
                    return;
                };
                let labels = [id[0], id[1], ("operation", &*operation), ("data_type", kind)];
                let help = "IO bytes by operation type and data type.";
                let name = "node_bcachefs_device_io_done_bytes_total";
                emit::counter(out, name, help, &labels, value as f64);
            }
        })?;
        let mut wanted = false;
        self.lines(&folder.join("io_errors"), |row| {
            let joined = row.concat();
            match joined.split_once(':') {
                None => wanted = row.join(" ").as_bytes().ends_with(SINCE_CREATION),
                Some((kind, value)) if wanted => {
                    if let Some(value) = text::decimal(value.as_bytes()) {
                        let labels = [id[0], id[1], ("type", kind)];
                        let help = "IO errors by error type.";
                        emit::counter(
                            out,
                            "node_bcachefs_device_io_errors_total",
                            help,
                            &labels,
                            value as f64,
                        );
                    }
                }
                Some(_) => {}
            }
        })
    }

    /// What `parse` makes of a file, if the file is there.
    fn parsed(&self, path: &Path, parse: impl Fn(&[u8]) -> Option<u64>) -> Result<Option<u64>, Error> {
        let mut buffer = Buffer::take();
        let content = match if_any(buffer.file(path))? {
            Some(content) => content.trim_ascii(),
            None => return Ok(None),
        };
        let value = parse(content).ok_or_else(|| Error::parse(path, "no size or count in it"));
        self.sysfs.lenient(value)
    }

    /// The words of each line of a file, if it is there.
    fn lines(&self, path: &Path, mut each: impl FnMut(&[&str])) -> Result<(), Error> {
        let mut buffer = Buffer::take();
        let Some(content) = self.sysfs.lenient(buffer.optional(path))?.flatten() else {
            return Ok(());
        };
        let content = text::utf8(content);
        for line in content.lines() {
            let row: Vec<_> = line.split_ascii_whitespace().collect();
            if !row.is_empty() {
                each(&row);
            }
        }
        Ok(())
    }

    /// As `lines`, without the first, which names the columns.
    fn table(&self, path: &Path, mut each: impl FnMut(&[&str])) -> Result<(), Error> {
        let mut head = true;
        self.lines(path, |row| {
            if !std::mem::take(&mut head) {
                each(row);
            }
        })
    }
}

impl Collector for Bcachefs {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let systems = entries_if_any(&self.folder)?;
        if systems.is_empty() {
            return Ok(Outcome::NoData);
        }
        for uuid in systems {
            self.sysfs.lenient(self.file_system(&uuid, out))?;
        }
        Ok(Outcome::Data)
    }
}

fn size_of(word: &str) -> Option<u64> {
    size(word.as_bytes())
}

/// A count or a size as bcachefs writes it, `1.5k`: times 1024 for each step, without the fraction of the result.
fn size(word: &[u8]) -> Option<u64> {
    let (number, power) = match word.split_last()? {
        (unit, number) if unit.is_ascii_alphabetic() => {
            let steps = b"KMGTPE";
            let at = steps.iter().position(|step| *step == unit.to_ascii_uppercase())?;
            (number, i32::try_from(at).ok()? + 1)
        }
        _ => (word, 0),
    };
    if let (Some(whole), 0) = (text::decimal(number), power) {
        return Some(whole);
    }
    if !number.first()?.is_ascii_digit() {
        return None;
    }
    let value = text::float(number)? * 1024_f64.powi(power);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cut as the original does, in range"
    )]
    (value < 18_446_744_073_709_551_616.0).then_some(value as u64)
}

/// The number of a counter's second line.
fn since_creation(content: &[u8]) -> Option<u64> {
    text::lines(content).find_map(|line| {
        let (head, value) = text::split_once(line, b':')?;
        (head == SINCE_CREATION).then(|| size(value))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    #[test]
    fn sizes_and_counters() {
        assert_eq!(size(b"1.5k"), Some(1536));
        assert_eq!(size(b"14.9G"), Some(15_998_753_177));
        assert_eq!(size(b"720"), Some(720));
        for bad in [&b""[..], b"k", b"1.5x", b"-1", b"nan", b"99999999E"] {
            assert_eq!(size(bad), None, "{bad:?}");
        }
        let counter = "since mount:                   7\nsince filesystem creation:     1.0k\n";
        assert_eq!(since_creation(counter.as_bytes()), Some(1024));
        assert_eq!(since_creation(b"since mount: 7"), None);
        never_panics(counter, since_creation);
        never_panics("12.5M", size);
    }

    #[test]
    fn a_file_system_and_its_device() {
        let host = Host::new(&[
            ("sys/fs/bcachefs/u/btree_cache_size", "1.00k\n"),
            ("sys/fs/bcachefs/u/compression_stats", "head\nlz4 1k 2k 3k\nodd\n"),
            ("sys/fs/bcachefs/u/errors", "bad_csum 2 99\n"),
            ("sys/fs/bcachefs/u/btree_write_stats", "nr size\ninitial: 3 1k\n"),
            ("sys/fs/bcachefs/u/dev-0/label", "a\n"),
            (
                "sys/fs/bcachefs/u/dev-0/io_done",
                "read:\nsb : 5\nwrite:\nsb :6\n",
            ),
            (
                "sys/fs/bcachefs/u/dev-0/io_errors",
                "IO errors since filesystem creation\n read: 1\nIO errors since 8 y ago\n read: 9\n",
            ),
            ("sys/fs/bcachefs/u/dev-0/nbuckets", "?\n"),
        ]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_bcachefs_btree_cache_size_bytes{uuid=\"u\"} 1024",
                "node_bcachefs_btree_write_average_size_bytes{type=\"initial\",uuid=\"u\"} 1024",
                "node_bcachefs_btree_writes_total{type=\"initial\",uuid=\"u\"} 3",
                "node_bcachefs_compression_compressed_bytes{algorithm=\"lz4\",uuid=\"u\"} 1024",
                "node_bcachefs_compression_uncompressed_bytes{algorithm=\"lz4\",uuid=\"u\"} 2048",
                "node_bcachefs_device_info{device=\"0\",label=\"a\",state=\"\",uuid=\"u\"} 1",
                "node_bcachefs_device_io_done_bytes_total{data_type=\"sb\",device=\"0\",operation=\"read\",uuid=\"u\"} 5",
                "node_bcachefs_device_io_done_bytes_total{data_type=\"sb\",device=\"0\",operation=\"write\",uuid=\"u\"} 6",
                "node_bcachefs_device_io_errors_total{device=\"0\",type=\"read\",uuid=\"u\"} 1",
                "node_bcachefs_errors_total{error_type=\"bad_csum\",uuid=\"u\"} 2",
                "node_bcachefs_info{uuid=\"u\"} 1",
            ]
        );
        let strict = host
            .collector_as(crate::Mode::Compat, &DESCRIPTOR, |_| ())
            .unwrap();
        assert!(strict.update(&mut Families::new()).is_err());
    }

    #[test]
    fn no_file_system_is_no_data() {
        let collector = Host::new(&[]).collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(collector.update(&mut Families::new()).unwrap(), Outcome::NoData);
    }
}
