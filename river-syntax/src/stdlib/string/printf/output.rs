//! What has been printed, and how the next value is to be.

use crate::eval::{Budget, Exceeded};

/// A verb's flags, width and precision.
#[expect(clippy::struct_excessive_bools, reason = "they are printf's flags")]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spec {
    pub minus: bool,
    pub plus: bool,
    pub sharp: bool,
    pub space: bool,
    pub zero: bool,
    /// `%#v`, which is not the flag of other verbs.
    pub sharp_v: bool,
    pub width: Option<usize>,
    pub precision: Option<usize>,
}

/// The text so far. Whatever is added is taken from the budget first.
pub(super) struct Output<'a> {
    pub text: String,
    pub spec: Spec,
    budget: &'a Budget,
}

impl<'a> Output<'a> {
    pub(super) fn new(budget: &'a Budget) -> Output<'a> {
        Output {
            text: String::new(),
            spec: Spec::default(),
            budget,
        }
    }

    pub(super) fn push(&mut self, text: &str) -> Result<(), Exceeded> {
        self.budget.text(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    pub(super) fn push_char(&mut self, c: char) -> Result<(), Exceeded> {
        self.push(c.encode_utf8(&mut [0; char::MAX_LEN_UTF8]))
    }

    pub(super) fn repeat(&mut self, c: char, count: usize) -> Result<(), Exceeded> {
        self.budget.text(count.saturating_mul(c.len_utf8()))?;
        self.text.push_str(&c.to_string().repeat(count));
        Ok(())
    }

    /// Adds a text, padded to the width. As in Go, zeros pad texts too, but only on the left.
    pub(super) fn pad(&mut self, text: &str) -> Result<(), Exceeded> {
        let Spec {
            minus, zero, width, ..
        } = self.spec;
        let missing = width.unwrap_or(0).saturating_sub(text.chars().count());
        let fill = if zero && !minus { '0' } else { ' ' };
        if minus {
            self.push(text)?;
            return self.repeat(fill, missing);
        }
        self.repeat(fill, missing)?;
        self.push(text)
    }

    /// As [`Output::pad`], with blanks in any case.
    pub(super) fn pad_with_blanks(&mut self, text: &str) -> Result<(), Exceeded> {
        let zero = std::mem::take(&mut self.spec.zero);
        let result = self.pad(text);
        self.spec.zero = zero;
        result
    }

    /// A text of the parts, with zeros between the second and the third.
    pub(super) fn with_zeros(&self, before: &str, count: usize, after: &str) -> Result<String, Exceeded> {
        self.budget.look(count)?;
        let mut text = String::with_capacity(before.len() + count + after.len());
        text.push_str(before);
        text.push_str(&"0".repeat(count));
        text.push_str(after);
        Ok(text)
    }
}
