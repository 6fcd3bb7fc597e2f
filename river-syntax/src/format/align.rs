//! Columns: the `=` of neighbouring lines and the comments at their ends.
//!
//! A run of lines shares a column as long as the lines are in the same bracket or block with no empty line and no other
//! line between them. A line whose value goes on over more lines is the last of its run.

use super::layout::Line;

/// Writes the lines, their columns aligned, with a newline at the end of each.
pub(super) fn write(lines: &[Line]) -> String {
    let mut texts: Vec<String> = Vec::with_capacity(lines.len());
    for run in runs(
        lines,
        |line| line.value.is_some(),
        |line| line.value.as_deref().is_some_and(multiline),
    ) {
        let width = run.iter().map(|line| columns(&line.head)).max().unwrap_or(0);
        texts.extend(run.iter().map(|line| match &line.value {
            Some(value) => format!("{}{} {value}", line.head, " ".repeat(width - columns(&line.head))),
            None => line.head.trim_end().to_owned(),
        }));
    }
    let mut out = String::new();
    let mut at = 0;
    for run in runs(lines, |line| line.comment.is_some(), |line| multiline(&line.head)) {
        let texts = &texts[at..at + run.len()];
        at += run.len();
        let width = texts.iter().map(|text| columns(text)).max().unwrap_or(0);
        for (line, text) in run.iter().zip(texts) {
            if line.blank {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('\t', line.indent));
            out.push_str(text);
            if let Some(comment) = &line.comment {
                out.extend(std::iter::repeat_n(' ', width - columns(text) + 1));
                out.push_str(comment);
            }
            out.push('\n');
        }
    }
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

/// The width of a text whose last line counts.
fn columns(text: &str) -> usize {
    text.rsplit('\n').next().unwrap_or("").chars().count()
}
