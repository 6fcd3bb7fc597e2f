//! Include and exclude expressions with node_exporter's meaning: Go syntax, searched anywhere in the text.

use ferroalloy_model::re2::Regex;

use crate::error::Error;

/// A compiled expression of an option; an empty one is "unset".
#[derive(Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// `None` for an empty expression; `option` names the option in the error.
    pub(crate) fn compile(option: &str, expression: &str) -> Result<Option<Self>, Error> {
        if expression.is_empty() {
            return Ok(None);
        }
        match Regex::unanchored(expression) {
            Ok(regex) => Ok(Some(Self(regex))),
            Err(error) => Err(Error::option(format!(
                "{option}: bad expression {expression:?}: {error}"
            ))),
        }
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// A pair of expressions: a name is dropped if the exclude matches, or if the include is set and does not match.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    include: Option<Pattern>,
    exclude: Option<Pattern>,
}

impl Filter {
    /// Options are given as (name, expression).
    pub(crate) fn new(include: (&str, &str), exclude: (&str, &str)) -> Result<Self, Error> {
        Ok(Self {
            include: Pattern::compile(include.0, include.1)?,
            exclude: Pattern::compile(exclude.0, exclude.1)?,
        })
    }

    /// As [`Filter::new`] where node_exporter refuses to have both set.
    pub(crate) fn either(include: (&str, &str), exclude: (&str, &str)) -> Result<Self, Error> {
        if !include.1.is_empty() && !exclude.1.is_empty() {
            return Err(Error::option(format!(
                "{} and {} exclude each other",
                include.0, exclude.0
            )));
        }
        Self::new(include, exclude)
    }

    /// As [`Filter::either`] for an exclude that has a default, which gives way to an include.
    pub(crate) fn instead_of_default(
        include: (&str, &str),
        exclude: (&str, &str),
        default: &str,
    ) -> Result<Self, Error> {
        let gives_way = !include.1.is_empty() && exclude.1 == default;
        Self::either(include, if gives_way { (exclude.0, "") } else { exclude })
    }

    pub(crate) fn keeps(&self, name: &str) -> bool {
        !self
            .exclude
            .as_ref()
            .is_some_and(|exclude| exclude.is_match(name))
            && self.include.as_ref().is_none_or(|include| include.is_match(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_is_not_anchored_and_exclude_wins() {
        let filter = Filter::new(("i", "th"), ("e", "1$")).unwrap();
        assert!(filter.keeps("eth0"));
        assert!(!filter.keeps("eth1"));
        assert!(!filter.keeps("lo"));
        assert!(Filter::default().keeps("lo"));
    }

    #[test]
    fn mistakes_name_the_option() {
        let error = Filter::new(("a.include", "("), ("a.exclude", "")).unwrap_err();
        assert!(
            error.to_string().starts_with("a.include: bad expression \"(\""),
            "{error}"
        );
        let error = Filter::either(("a.include", "x"), ("a.exclude", "y")).unwrap_err();
        assert_eq!(error.to_string(), "a.include and a.exclude exclude each other");
    }
}
