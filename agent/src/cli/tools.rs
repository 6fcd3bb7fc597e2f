//! `ferroalloy tools queue`: what is in the queues of `prometheus.remote_write`. Nothing is changed, so that it can be done beside a running agent.

mod dump;
mod stats;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use remote_write::inspect::{Found, QueueFolder};

use super::complain;
use dump::Dump;

#[derive(Debug, Subcommand)]
pub(super) enum Tools {
    /// Look into the queues of prometheus.remote_write, while the agent runs or after it.
    #[command(subcommand)]
    Queue(Queue),
}

#[derive(Debug, Subcommand)]
pub(super) enum Queue {
    /// What is queued for each endpoint: how much, since when, until when.
    Stats(Folder),
    /// The samples that are queued.
    Dump(Dump),
    /// Read everything and say what is damaged. Exit status 1 if something is.
    Verify(Folder),
}

#[derive(Debug, Args)]
pub(super) struct Folder {
    /// The folder of a queue, or one with queues in it: the agent's --storage.path.
    path: PathBuf,
}

/// The form of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line for each sample: series, value, milliseconds since 1970.
    Text,
    /// Bodies of remote write 1.0 requests, a file each.
    WriteV1,
}

/// Why a command ends early.
#[derive(Debug)]
enum Stop {
    /// To be told.
    Failed(String),
    /// Nobody reads standard output any more.
    NobodyReads,
}

impl Tools {
    pub(super) fn execute(self) -> ExitCode {
        let Self::Queue(queue) = self;
        let outcome = match &queue {
            Queue::Stats(folder) => queues(&folder.path).and_then(|queues| stats::print(&queues)),
            Queue::Dump(dump) => queues(dump.path()).and_then(|queues| dump.print(&queues)),
            Queue::Verify(folder) => queues(&folder.path).and_then(|queues| verify(&queues)),
        };
        match outcome {
            Ok(()) | Err(Stop::NobodyReads) => ExitCode::SUCCESS,
            Err(Stop::Failed(message)) => {
                complain(&format!("Error: {message}\n"));
                ExitCode::FAILURE
            }
        }
    }
}

impl From<remote_write::Error> for Stop {
    fn from(error: remote_write::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::NobodyReads;
        }
        Self::Failed(format!("cannot write to standard output: {error}"))
    }
}

/// The queues in a folder: itself, or those of its components.
fn queues(path: &Path) -> Result<Vec<(PathBuf, QueueFolder)>, Stop> {
    let cannot_read = |error: io::Error| Stop::Failed(format!("cannot read {}: {error}", path.display()));
    let mut folders = Vec::new();
    if QueueFolder::is_one(path) {
        folders.push(path.to_owned());
    } else {
        for entry in std::fs::read_dir(path).map_err(cannot_read)? {
            let component = entry.map_err(cannot_read)?.path();
            let inside = [component.join("queue"), component];
            folders.extend(inside.into_iter().find(|folder| QueueFolder::is_one(folder)));
        }
        folders.sort_unstable();
    }
    if folders.is_empty() {
        return Err(Stop::Failed(format!("there is no queue in {}", path.display())));
    }
    let open = |folder: PathBuf| Ok((folder.clone(), QueueFolder::open(folder)?));
    folders.into_iter().map(open).collect()
}

fn verify(queues: &[(PathBuf, QueueFolder)]) -> Result<(), Stop> {
    use std::io::Write;
    let mut out = io::stdout().lock();
    let mut damaged = 0_u64;
    for (folder, queue) in queues {
        let (mut batches, mut samples) = (0_u64, 0_u64);
        for found in queue.contents() {
            match found? {
                Found::Batch(batch) => {
                    batches += 1;
                    samples += batch.samples;
                }
                Found::Damage(damage) => {
                    let path = folder.join(&damage.file);
                    writeln!(
                        out,
                        "{}: offset {}: {}",
                        path.display(),
                        damage.offset,
                        damage.flaw
                    )?;
                    damaged += u64::from(!damage.is_torn_end());
                }
            }
        }
        writeln!(
            out,
            "{}: {batches} batches with {samples} samples in {} segments can be read",
            folder.display(),
            queue.segments()
        )?;
    }
    match damaged {
        0 => Ok(()),
        1 => Err(Stop::Failed("1 place is damaged".to_owned())),
        damaged => Err(Stop::Failed(format!("{damaged} places are damaged"))),
    }
}
