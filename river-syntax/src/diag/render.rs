//! Rendering for people: a head line, the source lines with one line of context before and after, and carets under the
//! whole span.
//!
//! That much is Alloy's form. The full form adds what Alloy's has no place for: second places with their lines, notes
//! and suggestions.

use std::fmt::Write as _;
use std::ops::Range;

use crate::diag::{Diagnostic, Severity};
use crate::source::{Source, SourceMap, Span};
use crate::work;

/// Lines shown of a span that is longer: its first and its last ones.
const EDGE_LINES: usize = 8;

/// Bytes shown of a line that is longer, so that what many errors on one line cost does not grow with the line.
const LONGEST_LINE: usize = 240;

/// As many of them are before what the line is shown for.
const BEFORE: usize = 80;

/// How diagnostics are printed.
///
/// ```
/// use river_syntax::{SourceMap, diag::Renderer, parse};
///
/// let mut sources = SourceMap::new();
/// let source = sources.add("a.river", "a = 1 +\n");
/// let (_, problems) = parse(&source);
/// let text = Renderer::new(&sources).plain().render_all(&problems);
/// assert_eq!(text, "Error: a.river:2:1: expected expression, got EOF\n\n1 | a = 1 +\n2 | \n  | ^\n");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Renderer<'a> {
    sources: &'a SourceMap,
    plain: bool,
    color: bool,
}

impl<'a> Renderer<'a> {
    /// The full form, without colours.
    pub fn new(sources: &'a SourceMap) -> Renderer<'a> {
        Renderer {
            sources,
            plain: false,
            color: false,
        }
    }

    /// Alloy's form.
    #[must_use]
    pub fn plain(self) -> Renderer<'a> {
        Renderer { plain: true, ..self }
    }

    /// Whether to colour the text for a terminal.
    #[must_use]
    pub fn color(self, color: bool) -> Renderer<'a> {
        Renderer { color, ..self }
    }

    /// Renders one diagnostic; the text ends with a newline.
    pub fn render(&self, diagnostic: &Diagnostic) -> String {
        let mut out = String::new();
        let place = self.sources.locate(diagnostic.span());
        let severity = diagnostic.severity();
        let ink = Ink::of(severity, self.color);
        let head = ink.wrap(&severity.to_string());
        let _ = writeln!(out, "{head}: {place}: {}", ink.bold(diagnostic.message()));
        if let Some(source) = self.sources.get(diagnostic.span().source())
            && !source.text().is_empty()
        {
            out.push('\n');
            Snippet::new(source, diagnostic.span(), ink).write(&mut out);
        }
        if !self.plain {
            let more = self.more(diagnostic);
            if !more.is_empty() {
                out.push('\n');
                out.push_str(&more);
            }
        }
        out
    }

    /// What Alloy's form has no place for.
    fn more(&self, diagnostic: &Diagnostic) -> String {
        let mut out = String::new();
        for label in diagnostic.labels() {
            let _ = writeln!(out, "  {}: {}", self.sources.locate(label.span), label.message);
            if let Some(source) = self.sources.get(label.span.source()) {
                Snippet::new(source, label.span, Ink::none()).write_aside(&mut out);
            }
        }
        for note in diagnostic.notes() {
            let _ = writeln!(out, "  note: {note}");
        }
        if let Some(suggestion) = diagnostic.suggestion() {
            let _ = writeln!(out, "  help: did you mean `{}`?", suggestion.replacement);
        }
        out
    }

    /// Renders diagnostics in their order, with an empty line between them.
    pub fn render_all<'d>(&self, diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> String {
        let rendered: Vec<String> = diagnostics.into_iter().map(|d| self.render(d)).collect();
        rendered.join("\n")
    }
}

/// Renders one diagnostic in the full form, without colours.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    Renderer::new(sources).render(diagnostic)
}

/// Renders diagnostics in the full form, without colours, with an empty line between them.
pub fn render_all<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>, sources: &SourceMap) -> String {
    Renderer::new(sources).render_all(diagnostics)
}

/// The terminal's colour of a severity.
#[derive(Clone, Copy)]
struct Ink(Option<&'static str>);

impl Ink {
    fn none() -> Ink {
        Ink(None)
    }

    fn of(severity: Severity, color: bool) -> Ink {
        Ink(color.then_some(match severity {
            Severity::Error => "31",
            Severity::Warning => "33",
        }))
    }

    fn wrap(self, text: &str) -> String {
        match self.0 {
            Some(color) => format!("\u{1b}[1;{color}m{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }

    fn bold(self, text: &str) -> String {
        match self.0 {
            Some(_) => format!("\u{1b}[1m{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }
}

/// The lines around a span.
struct Snippet<'a> {
    source: &'a Source,
    span: Span,
    first: usize,
    last: usize,
    /// Columns of the numbers.
    width: usize,
    ink: Ink,
}

impl<'a> Snippet<'a> {
    fn new(source: &'a Source, span: Span, ink: Ink) -> Snippet<'a> {
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
            ink,
        }
    }

    /// The first line alone, indented, with the span underlined as far as it is on it.
    fn write_aside(&self, out: &mut String) {
        let text = self.text(self.first);
        let start = self.column(self.first, self.span.start());
        let end = if self.first == self.last {
            self.column(self.first, self.span.end())
        } else {
            text.chars().count()
        };
        let (number, width) = (self.first, self.width);
        let _ = writeln!(out, "    {number:>width$} | {text}");
        let line = "-".repeat(end.saturating_sub(start).max(1));
        let _ = writeln!(out, "    {:>width$} | {}{line}", "", " ".repeat(start));
    }

    fn write(&self, out: &mut String) {
        let multiline = self.first != self.last;
        if self.first > 1 {
            self.line(out, self.first - 1, if multiline { "  " } else { "" });
        }
        let mut next = self.first;
        while next <= self.last {
            let number = next;
            next += 1;
            if number == self.first + EDGE_LINES && number + EDGE_LINES <= self.last {
                let _ = writeln!(out, "{:>width$} | ...", "", width = self.width);
                next = self.last + 1 - EDGE_LINES;
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
                let column = self.column(number, self.span.start());
                let _ = writeln!(out, " {}", self.ink.wrap(&format!("{}^", "_".repeat(column + 1))));
            }
        }
        if multiline {
            self.gutter(out);
            let column = self.column(self.last, self.span.end().saturating_sub(1));
            let _ = writeln!(out, "{}", self.ink.wrap(&format!("|{}^", "_".repeat(column + 1))));
        } else {
            self.gutter(out);
            let start = self.column(self.first, self.span.start());
            let end = self.column(self.first, self.span.end()).max(start + 1);
            let _ = writeln!(
                out,
                "{}{}",
                " ".repeat(start),
                self.ink.wrap(&"^".repeat(end - start))
            );
        }
        if self.source.line(self.last + 1).is_some() {
            self.line(out, self.last + 1, if multiline { "  " } else { "" });
        }
    }

    fn gutter(&self, out: &mut String) {
        let _ = write!(out, "{:>width$} | ", "", width = self.width);
    }

    fn line(&self, out: &mut String, number: usize, side: &str) {
        work::count(1);
        let text = self.text(number);
        let _ = writeln!(out, "{number:>width$} | {side}{text}", width = self.width);
    }

    /// A line as shown, with a mark where it is cut.
    fn text(&self, number: usize) -> String {
        let (line, shown) = self.shown(number);
        let mark = |cut: bool| if cut { "…" } else { "" };
        let (before, after) = (mark(shown.start > 0), mark(shown.end < line.len()));
        format!("{before}{}{after}", expand(&line[shown]))
    }

    /// A line and the bytes of it that are shown.
    fn shown(&self, number: usize) -> (&'a str, Range<usize>) {
        let line = self.source.line(number).unwrap_or("");
        if line.len() <= LONGEST_LINE {
            return (line, 0..line.len());
        }
        let focus = if number == self.first {
            self.span.start()
        } else if number == self.last {
            self.span.end()
        } else {
            0
        };
        let column = self.source.position(focus).column - 1;
        let start = column.saturating_sub(BEFORE).min(line.len() - LONGEST_LINE);
        let start = line.floor_char_boundary(start);
        (line, start..line.floor_char_boundary(start + LONGEST_LINE))
    }

    /// The column, from 0, at which the byte of a line is printed, or the nearest one that is.
    fn column(&self, number: usize, at: usize) -> usize {
        let (line, shown) = self.shown(number);
        let at = (self.source.position(at).column - 1).clamp(shown.start, shown.end);
        let before = &line[shown.start..line.floor_char_boundary(at)];
        usize::from(shown.start > 0) + expand(before).chars().count()
    }
}

/// A line as printed: tabs as four blanks, control characters visible, so that a file cannot steer a terminal.
fn expand(line: &str) -> String {
    work::count(line.len());
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
    5 | z = 2
      | -
  note: arrays are not for this
";
        assert_eq!(render(&diagnostic, &sources), expected);
        let plain = Renderer::new(&sources).plain().render(&diagnostic);
        assert_eq!(
            Some(plain.as_str()),
            expected.split_inclusive("5 |   z = 2\n").next()
        );
    }

    #[test]
    fn colours_are_for_terminals() {
        let mut sources = SourceMap::new();
        let source = sources.add("a.alloy", "x = y\n");
        let diagnostic = Diagnostic::error(span(&source, "y"), "wrong");
        let colored = Renderer::new(&sources).color(true).render(&diagnostic);
        assert!(
            colored.starts_with("\u{1b}[1;31mError\u{1b}[0m: a.alloy:1:5: "),
            "{colored:?}"
        );
        assert!(colored.contains("    \u{1b}[1;31m^\u{1b}[0m\n"), "{colored:?}");
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
    fn a_long_line_is_cut_around_the_span() {
        let mut sources = SourceMap::new();
        let line = format!("{}é = x{}", "a".repeat(10_000), " ".repeat(10_000));
        let source = sources.add("a.alloy", format!("{line}\n{line}"));
        let rendered = render(&Diagnostic::error(span(&source, "é"), "wrong"), &sources);
        let lines: Vec<&str> = rendered.lines().collect();
        assert_eq!(
            lines[2],
            format!("1 | …{}é = x{}…", "a".repeat(80), " ".repeat(154))
        );
        assert_eq!(lines[3], format!("  | {}^", " ".repeat(81)));
        assert_eq!(lines[4], format!("2 | {}…", "a".repeat(240)));

        let over = Diagnostic::error(span(&source, &format!("x{}\na", " ".repeat(10_000))), "wrong");
        let rendered = render(&over, &sources);
        let lines: Vec<&str> = rendered.lines().collect();
        assert_eq!(lines[3], format!("  |  {}^", "_".repeat(81)), "{rendered}");
        assert_eq!(lines[5], "  | |_^", "{rendered}");
    }

    #[test]
    fn many_errors_on_one_line_cost_what_they_are() {
        let mut sources = SourceMap::new();
        let source = sources.add("a.alloy", "@".repeat(250_000));
        let (_, problems) = crate::parse(&source);
        assert_eq!(problems.len(), crate::diag::MOST_DIAGNOSTICS + 1);
        let rendered = render_all(&problems, &sources);
        assert!(
            rendered.len() < problems.len() * 3 * LONGEST_LINE,
            "{}",
            rendered.len()
        );
        assert!(rendered.contains("a.alloy:1:1001: too many problems"));
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
