//! Writing HTML in which no text from outside can become markup.

use std::fmt::{self, Write};

/// A page under construction.
pub(super) struct Page {
    text: String,
}

impl Page {
    /// A page at the root.
    pub(super) fn new(title: &str) -> Self {
        Self::with_base(title, "", "")
    }

    /// A page one level below the root.
    pub(super) fn below(title: &str) -> Self {
        Self::with_base(
            title,
            "../",
            "<p class=\"sub\"><a href=\"../\">Ferroalloy</a></p>",
        )
    }

    /// Links are relative, so that the pages work behind a proxy that serves them under a path.
    fn with_base(title: &str, base: &str, above: &str) -> Self {
        let title = Escaped(title);
        Self {
            text: format!(
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
                 <title>{title}</title><link rel=\"stylesheet\" href=\"{base}style.css\">\
                 <script src=\"{base}page.js\" defer></script></head><body><main>{above}<h1>{title}</h1>"
            ),
        }
    }

    /// Appends markup. What comes from outside goes through [`Escaped`].
    pub(super) fn put(&mut self, markup: fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(markup);
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</main></body></html>\n");
        self.text
    }
}

/// Text as HTML, in elements and in quoted attributes.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            Escaped("<a href=\"x\">'&'").to_string(),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;"
        );
    }
}
