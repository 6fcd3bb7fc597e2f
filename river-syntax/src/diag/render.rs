//! Plain rendering, in the form Alloy prints: a head line, the source lines with one line of context before and after,
//! and carets under the whole span.
//!
//! What Alloy's form has no place for (second places, notes, suggestions) follows the source lines.

use std::fmt::Write as _;

use crate::diag::Diagnostic;
use crate::source::{Source, SourceMap, Span};

/// Lines shown of a span that is longer: its first and its last ones.
const EDGE_LINES: usize = 8;

/// Renders one diagnostic; the text ends with a newline.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut out = String::new();
    let place = sources.locate(diagnostic.span());
    let _ = writeln!(
        out,
        "{}: {place}: {}",
        diagnostic.severity(),
        diagnostic.message()
    );
    if let Some(source) = sources.get(diagnostic.span().source())
        && !source.text().is_empty()
    {
        out.push('\n');
        Snippet::new(source, diagnostic.span()).write(&mut out);
    }
    let mut tail = String::new();
    for label in diagnostic.labels() {
        let _ = writeln!(tail, "  {}: {}", sources.locate(label.span), label.message);
    }
    for note in diagnostic.notes() {
        let _ = writeln!(tail, "  note: {note}");
    }
    if let Some(suggestion) = diagnostic.suggestion() {
        let _ = writeln!(tail, "  help: did you mean `{}`?", suggestion.replacement);
    }
    if !tail.is_empty() {
        out.push('\n');
        out.push_str(&tail);
    }
    out
}

/// Renders diagnostics in their order, with an empty line between them.
pub fn render_all<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>, sources: &SourceMap) -> String {
    let rendered: Vec<String> = diagnostics.into_iter().map(|d| render(d, sources)).collect();
    rendered.join("\n")
}

/// The lines around a span.
struct Snippet<'a> {
    source: &'a Source,
    span: Span,
    first: usize,
    last: usize,
    /// Columns of the numbers.
    width: usize,
}

impl<'a> Snippet<'a> {
    fn new(source: &'a Source, span: Span) -> Snippet<'a> {
        let first = source.position(span.start()).line;
        let last = source
            .position(span.end().saturating_sub(1).max(span.start()))
            .line;
        let context = if source.line(last + 1).is_some() {
            last + 1
        } else {
            last
        };
        Snippet {
            source,
            span,
            first,
            last,
            width: context.to_string().len(),
        }
    }

    fn write(&self, out: &mut String) {
        let multiline = self.first != self.last;
        if self.first > 1 {
            self.line(out, self.first - 1, if multiline { "  " } else { "" });
        }
        for number in self.first..=self.last {
            let skipped = number >= self.first + EDGE_LINES && number + EDGE_LINES <= self.last;
            if skipped {
                if number == self.first + EDGE_LINES {
                    let _ = writeln!(out, "{:>width$} | ...", "", width = self.width);
                }
                continue;
            }
            let side = match (multiline, number == self.first) {
                (false, _) => "",
                (true, true) => "  ",
                (true, false) => "| ",
            };
            self.line(out, number, side);
            if multiline && number == self.first {
                self.gutter(out);
                let column = self.column(self.span.start());
                let _ = writeln!(out, " {}^", "_".repeat(column + 1));
            }
        }
        if multiline {
            self.gutter(out);
            let column = self.column(self.span.end().saturating_sub(1));
            let _ = writeln!(out, "|{}^", "_".repeat(column + 1));
        } else {
            self.gutter(out);
            let start = self.column(self.span.start());
            let end = self.column(self.span.end()).max(start + 1);
            let _ = writeln!(out, "{}{}", " ".repeat(start), "^".repeat(end - start));
        }
        if self.source.line(self.last + 1).is_some() {
            self.line(out, self.last + 1, if multiline { "  " } else { "" });
        }
    }

    fn gutter(&self, out: &mut String) {
        let _ = write!(out, "{:>width$} | ", "", width = self.width);
    }

    fn line(&self, out: &mut String, number: usize, side: &str) {
        let text = expand(self.source.line(number).unwrap_or(""));
        let _ = writeln!(out, "{number:>width$} | {side}{text}", width = self.width);
    }

    /// The column, from 0, at which the byte is printed.
    fn column(&self, at: usize) -> usize {
        let position = self.source.position(at);
        let line = self.source.line(position.line).unwrap_or("");
        let mut end = (position.column - 1).min(line.len());
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        expand(&line[..end]).chars().count()
    }
}

/// A line as printed: tabs as four blanks, control characters visible, so that a file cannot steer a terminal.
fn expand(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(source: &Source, text: &str) -> Span {
        let start = source.text().find(text).unwrap();
        let at = |offset: usize| u32::try_from(offset).unwrap();
        Span::new(source.id(), at(start), at(start + text.len()))
    }

    #[test]
    fn a_span_over_lines_is_bracketed() {
        let mut sources = SourceMap::new();
        let source = sources.add("a.alloy", "x = 1\n\ty = [\n  1,\n]\nz = 2\n");
        let diagnostic = Diagnostic::error(span(&source, "[\n  1,\n]"), "wrong")
            .label(span(&source, "z"), "compare this")
            .note("arrays are not for this");
        let expected = "\
Error: a.alloy:2:6: wrong

1 |   x = 1
2 |       y = [
  |  _________^
3 | |   1,
4 | | ]
  | |_^
5 |   z = 2

  a.alloy:5:1: compare this
  note: arrays are not for this
";
        assert_eq!(render(&diagnostic, &sources), expected);
    }

    #[test]
    fn a_long_span_is_cut_in_the_middle() {
        let mut sources = SourceMap::new();
        let text = "1,\n".repeat(100);
        let source = sources.add("a.alloy", text.trim_end().to_owned());
        let rendered = render(
            &Diagnostic::error(span(&source, text.trim_end()), "wrong"),
            &sources,
        );
        assert_eq!(rendered.lines().filter(|line| line.contains("1,")).count(), 16);
        assert!(rendered.contains("    | ...\n 93 | | 1,\n"), "{rendered}");
    }

    #[test]
    fn carets_stand_under_wide_and_control_characters() {
        let mut sources = SourceMap::new();
        let source = sources.add("a.alloy", "é\u{1b}[31m = x");
        let rendered = render(&Diagnostic::warning(span(&source, "x"), "odd"), &sources);
        assert_eq!(
            rendered,
            "Warning: a.alloy:1:11: odd\n\n1 | é\u{fffd}[31m = x\n  |          ^\n"
        );
    }
}
