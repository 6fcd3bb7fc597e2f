//! `ferroalloy tools queue dump`: the samples that are queued.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use ferroalloy_model::{Exemplar, float, is_stale};
use remote_write::inspect::{Found, QueueFolder, QueuedPoint};
use remote_write::{Encoder, Value};

use super::{Format, Stop};
use crate::cli::complain;

/// As many samples a request has by default when they are sent.
const SAMPLES: usize = 2_000;

#[derive(Debug, Args)]
pub(in crate::cli) struct Dump {
    /// The folder of a queue, or one with queues in it: the agent's --storage.path.
    path: PathBuf,
    /// The form: text on standard output, or requests in files.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The folder for the files of --format=write-v1, which is made.
    #[arg(long, value_name = "DIR", required_if_eq("format", "write-v1"))]
    output: Option<PathBuf>,
    /// Only what is queued for the endpoint of this name or URL. Unless given, what is queued for any.
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    /// Only series of this metric name.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
}

impl Dump {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn print(&self, queues: &[(PathBuf, QueueFolder)]) -> Result<(), Stop> {
        if let Some(wanted) = self.endpoint.as_deref() {
            let mut known = queues.iter().flat_map(|(_, queue)| queue.endpoints());
            if !queues.iter().any(|(_, queue)| queue.has_endpoint(wanted)) {
                let known: Vec<&str> = known.by_ref().collect();
                let known = known.join(", ");
                return Err(Stop::Failed(format!(
                    "there is no endpoint {wanted} in the queue; there are: {known}"
                )));
            }
        }
        match (self.format, &self.output) {
            (Format::WriteV1, Some(output)) => self.write(queues, output),
            (Format::WriteV1, None) => Err(Stop::Failed("--format=write-v1 needs --output".to_owned())),
            (Format::Text, Some(_)) => {
                Err(Stop::Failed("--output is for --format=write-v1 alone".to_owned()))
            }
            (Format::Text, None) => self.print_text(queues),
        }
    }

    /// Calls with each point that is wanted. What is damaged is told, and passed over.
    fn each(
        &self,
        queues: &[(PathBuf, QueueFolder)],
        mut each: impl FnMut(QueuedPoint<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        for (folder, queue) in queues {
            for found in queue.contents() {
                let batch = match found? {
                    Found::Batch(batch) => batch,
                    Found::Damage(damage) => {
                        if !damage.is_torn_end() {
                            complain(&format!("{}\n", folder.join(damage.to_string()).display()));
                        }
                        continue;
                    }
                };
                let mut outcome = Ok(());
                queue.for_each_queued(&batch, self.endpoint.as_deref(), |point| {
                    let metric = self.metric.as_deref();
                    if outcome.is_ok() && metric.is_none_or(|name| point.series.name() == Some(name)) {
                        outcome = each(point);
                    }
                });
                outcome?;
            }
        }
        Ok(())
    }

    fn print_text(&self, queues: &[(PathBuf, QueueFolder)]) -> Result<(), Stop> {
        let mut out = BufWriter::new(io::stdout().lock());
        let mut number = Vec::new();
        let mut text = |value: f64| {
            number.clear();
            if is_stale(value) {
                number.extend_from_slice(b"stale");
            } else {
                float::write_go(value, &mut number);
            }
            String::from_utf8_lossy(&number).into_owned()
        };
        self.each(queues, |queued| {
            let (series, time) = (queued.series, queued.point.timestamp);
            match queued.point.value {
                Value::Float(value) => writeln!(out, "{series} {} {time}", text(value))?,
                Value::Histogram(histogram) => {
                    writeln!(out, "# native histogram {series} {histogram:?} {time}")?;
                }
                Value::None => {}
            }
            for (_, exemplar) in queued.exemplars {
                let (labels, value, time) = (&exemplar.labels, text(exemplar.value), exemplar.timestamp);
                writeln!(out, "# exemplar of {series}: {labels} {value} {time}")?;
            }
            Ok(())
        })?;
        Ok(out.flush()?)
    }

    fn write(&self, queues: &[(PathBuf, QueueFolder)], output: &Path) -> Result<(), Stop> {
        fs::create_dir(output)
            .map_err(|error| Stop::Failed(format!("cannot make {}: {error}", output.display())))?;
        let mut files = Files {
            folder: output,
            encoder: Encoder::new(),
            points: 0,
            written: 0,
        };
        self.each(queues, |queued| {
            let exemplars: Vec<Exemplar> = queued.exemplars.iter().map(|(_, one)| one.clone()).collect();
            files
                .encoder
                .point(&queued.series.labels(), &queued.point, &exemplars);
            files.points += 1;
            files.write_unless(files.points < SAMPLES)
        })?;
        let empty = files.points == 0;
        files.write_unless(empty)?;
        writeln!(io::stdout(), "{} requests in {}", files.written, output.display())?;
        Ok(())
    }
}

/// Requests on their way into files.
struct Files<'a> {
    folder: &'a Path,
    encoder: Encoder,
    points: usize,
    written: u64,
}

impl Files<'_> {
    fn write_unless(&mut self, wait: bool) -> Result<(), Stop> {
        if wait {
            return Ok(());
        }
        self.points = 0;
        self.written += 1;
        let path = self.folder.join(format!("{:08}.snappy", self.written));
        let body = self.encoder.finish();
        fs::write(&path, body.bytes())
            .map_err(|error| Stop::Failed(format!("cannot write {}: {error}", path.display())))
    }
}
