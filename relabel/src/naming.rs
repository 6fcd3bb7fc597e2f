//! Which names a rule may write: the two schemes of Prometheus, and where which one applies.

/// What a label name may consist of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NameScheme {
    /// Any text but the empty one: the default since Prometheus 3.
    #[default]
    Utf8,
    /// `[a-zA-Z_][a-zA-Z0-9_]*`: all that there was before.
    Legacy,
}

impl NameScheme {
    /// Whether the scheme allows this label name.
    pub fn is_label_name(self, name: &str) -> bool {
        match self {
            Self::Utf8 => !name.is_empty(),
            Self::Legacy => {
                !name.starts_with(|c: char| c.is_ascii_digit())
                    && !name.is_empty()
                    && name.bytes().all(is_word_byte)
            }
        }
    }

    /// Whether the template can give such a name: what is literal in it is legal, and it has no lone `$`.
    pub(crate) fn is_name_template(self, template: &str) -> bool {
        match self {
            Self::Utf8 => !template.is_empty(),
            Self::Legacy => is_legacy_template(template),
        }
    }
}

/// Where which scheme applies.
///
/// Prometheus has one scheme for all. Alloy checks less when it reads a rule than when it runs it, so that a rule may be
/// accepted and then do nothing; the constants for it say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Naming {
    /// Checked when a rule is read: a `target_label` that is a plain name.
    pub target: NameScheme,
    /// Checked when a rule is read: a `target_label` with `$`, and the replacement of `labelmap`.
    pub template: NameScheme,
    /// Checked when `replace` runs: the expanded target. If it is not legal the rule does nothing.
    pub written: NameScheme,
}

impl Naming {
    /// Prometheus with `utf8` validation, its default.
    pub const UTF8: Self = Self::new(NameScheme::Utf8, NameScheme::Utf8, NameScheme::Utf8);
    /// Prometheus with `legacy` validation.
    pub const LEGACY: Self = Self::new(NameScheme::Legacy, NameScheme::Legacy, NameScheme::Legacy);
    /// Alloy's rules for series: `prometheus.relabel`, `write_relabel_config`.
    pub const ALLOY_SERIES: Self = Self::new(NameScheme::Utf8, NameScheme::Legacy, NameScheme::Legacy);
    /// Alloy's rules for targets: `discovery.relabel`.
    pub const ALLOY_TARGETS: Self = Self::new(NameScheme::Utf8, NameScheme::Legacy, NameScheme::Utf8);

    /// Schemes for plain targets, for templates, and for what is written.
    pub const fn new(target: NameScheme, template: NameScheme, written: NameScheme) -> Self {
        Self {
            target,
            template,
            written,
        }
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Letters, digits, `_`, `$word` and `${word}`, of which the first is not a digit.
fn is_legacy_template(template: &str) -> bool {
    let bytes = template.as_bytes();
    if bytes.first().is_none_or(u8::is_ascii_digit) {
        return false;
    }
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != b'$' {
            if !is_word_byte(byte) {
                return false;
            }
            continue;
        }
        let braced = bytes.get(at) == Some(&b'{');
        at += usize::from(braced);
        let word = bytes
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take_while(|b| is_word_byte(**b))
            .count();
        at += word;
        if word == 0 || (braced && bytes.get(at) != Some(&b'}')) {
            return false;
        }
        at += usize::from(braced);
    }
    true
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::re2::Regex;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn legacy_templates_are_those_of_prometheus(template in "[a1_${}-]{0,8}") {
            let pattern = Regex::unanchored(r"^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$").expect("pattern");
            prop_assert_eq!(is_legacy_template(&template), pattern.is_match(&template));
        }

        #[test]
        fn legacy_names(name in "[aZ_0é.-]{0,4}") {
            let pattern = Regex::anchored("[a-zA-Z_][a-zA-Z0-9_]*").expect("pattern");
            prop_assert_eq!(NameScheme::Legacy.is_label_name(&name), pattern.is_match(&name));
        }
    }
}
