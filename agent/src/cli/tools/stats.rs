//! `ferroalloy tools queue stats`: a table for each queue.

use std::io::{self, Write};
use std::path::PathBuf;

use remote_write::inspect::{QueueFolder, QueueStats};

use super::Stop;

const HEAD: [&str; 7] = [
    "ENDPOINT", "SAMPLES", "BATCHES", "BYTES", "OLDEST", "NEWEST", "IN DOUBT",
];

/// Prints what is queued. Times are those at which samples were accepted; in doubt are requests whose answer is not known.
pub(super) fn print(queues: &[(PathBuf, QueueFolder)]) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    for (folder, queue) in queues {
        let stats = queue.stats()?;
        writeln!(
            out,
            "{}: {} bytes in {} segments",
            folder.display(),
            queue.bytes(),
            queue.segments()
        )?;
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(stats.iter().map(row));
        let widths: [usize; 7] =
            std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0));
        for row in &rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line.push_str("  ");
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.len()));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    Ok(())
}

fn row(stats: &QueueStats) -> [String; 7] {
    let time = |millis: Option<i64>| {
        let time = millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
        time.map_or_else(|| "-".to_owned(), |time| format!("{time:.3}"))
    };
    [
        stats.endpoint.clone(),
        stats.samples.to_string(),
        stats.batches.to_string(),
        stats.bytes.to_string(),
        time(stats.accepted.map(|(oldest, _)| oldest)),
        time(stats.accepted.map(|(_, newest)| newest)),
        stats.requests.to_string(),
    ]
}
