//! Columns: the `=` of neighbouring lines and the comments at their ends.
//!
//! A run of lines shares a column as long as the lines are in the same bracket or block with no empty line and no other
//! line between them. A line whose value goes on over more lines is the last of its run.

use super::layout::Line;
use crate::work;

/// The widest column that others are aligned with. A line that is wider stands alone, so that one long line does not
/// make every other one as long.
const WIDEST: usize = 4_000;

/// Writes the lines, their columns aligned, with a newline at the end of each.
pub(super) fn write(lines: &[Line]) -> String {
    let mut texts: Vec<String> = Vec::with_capacity(lines.len());
    for run in runs(
        lines,
        |line| line.value.is_some(),
        |line| line.value.as_deref().is_some_and(multiline),
    ) {
        let width = widest(run.iter().map(|line| columns(&line.head)));
        texts.extend(run.iter().map(|line| match &line.value {
            Some(value) => format!("{}{} {value}", line.head, padding(width, &line.head)),
            None => line.head.trim_end().to_owned(),
        }));
    }
    let mut out = String::new();
    let mut at = 0;
    for run in runs(lines, |line| line.comment.is_some(), |line| multiline(&line.head)) {
        let texts = &texts[at..at + run.len()];
        at += run.len();
        let width = widest(texts.iter().map(|text| columns(text)));
        for (line, text) in run.iter().zip(texts) {
            if line.blank {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('\t', line.indent));
            out.push_str(text);
            if let Some(comment) = &line.comment {
                out.push_str(&padding(width, text));
                out.push(' ');
                out.push_str(comment);
            }
            out.push('\n');
        }
    }
    work::count(out.len());
    if out.is_empty() {
        out.push('\n');
    }
    out
}

/// Splits lines into runs that share a column; a line without the column is a run of its own.
fn runs(
    lines: &[Line],
    has_column: impl Fn(&Line) -> bool,
    ends_run: impl Fn(&Line) -> bool,
) -> impl Iterator<Item = &[Line]> {
    lines.chunk_by(move |a, b| {
        has_column(a)
            && has_column(b)
            && !b.blank
            && !ends_run(a)
            && a.owner == b.owner
            && a.value.is_some() == b.value.is_some()
    })
}

fn multiline(text: &str) -> bool {
    text.contains('\n')
}

/// The column that is shared.
fn widest(columns: impl Iterator<Item = usize>) -> usize {
    columns.filter(|&columns| columns <= WIDEST).max().unwrap_or(0)
}

/// What is between a text and a column.
fn padding(column: usize, text: &str) -> String {
    " ".repeat(column.saturating_sub(columns(text)))
}

/// The width of a text whose last line counts.
fn columns(text: &str) -> usize {
    text.rsplit('\n').next().unwrap_or("").chars().count()
}
