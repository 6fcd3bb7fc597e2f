//! A rule as it is configured, its defaults and what is wrong with it.

use ferroalloy_model::re2::Regex;

use crate::action::Action;
use crate::error::Error;
use crate::naming::Naming;

/// A relabel rule, as Prometheus' `relabel_config` and Alloy's `rule` block have it.
///
/// `Rule::default()` has Prometheus' defaults, so give only the fields that differ. An empty text is an empty text, not
/// the default.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The labels whose values are joined; one that is missing counts as empty.
    pub source_labels: Vec<String>,
    /// What the values are joined with; `;` by default.
    pub separator: String,
    /// What the joined values (or, for the actions on names, each label name) must match as a whole; `(.*)` by default.
    /// Go's dialect, see [`Regex`](crate::Regex).
    pub regex: String,
    /// For `hashmod`: the number of buckets.
    pub modulus: u64,
    /// The label that is written, or compared with. For `replace` it may use groups.
    pub target_label: String,
    /// What `replace` writes, or the new name for `labelmap`; `$1` by default.
    pub replacement: String,
    /// What the rule does; `replace` by default.
    pub action: Action,
}

const DEFAULT_SEPARATOR: &str = ";";
const DEFAULT_REGEX: &str = "(.*)";
const DEFAULT_REPLACEMENT: &str = "$1";

impl Default for Rule {
    fn default() -> Self {
        Self {
            source_labels: Vec::new(),
            separator: DEFAULT_SEPARATOR.into(),
            regex: DEFAULT_REGEX.into(),
            modulus: 0,
            target_label: String::new(),
            replacement: DEFAULT_REPLACEMENT.into(),
            action: Action::Replace,
        }
    }
}

impl Rule {
    /// Checks the rule, in Prometheus' order and with its messages.
    ///
    /// Not exactly Prometheus: it refuses a `regex` given to `keepequal` and `dropequal` even if that is the default,
    /// and an empty list of source labels given to `labeldrop` and `labelkeep`. Here what equals the default counts as not given.
    pub fn validate(&self, naming: Naming) -> Result<(), Error> {
        self.compile(naming).map(drop)
    }

    /// Checks the rule and gives its regular expression, which is checked first and even where it is not used.
    pub(crate) fn compile(&self, naming: Naming) -> Result<Regex, Error> {
        let regex = Regex::anchored(&self.regex)?;
        self.check_fields(naming)?;
        Ok(regex)
    }

    fn check_fields(&self, naming: Naming) -> Result<(), Error> {
        use Action as A;
        let action = self.action;
        let refuse = |message: String| Err(Error::invalid(message));

        if action == A::HashMod && self.modulus == 0 {
            return refuse("relabel configuration for hashmod requires non-zero modulus".into());
        }
        let writes_target = matches!(
            action,
            A::Replace | A::HashMod | A::Lowercase | A::Uppercase | A::KeepEqual | A::DropEqual
        );
        if writes_target && self.target_label.is_empty() {
            return refuse(format!(
                "relabel configuration for {action} action requires 'target_label' value"
            ));
        }
        let target_is_legal = if action == A::Replace && self.target_label.contains('$') {
            naming.template.is_name_template(&self.target_label)
        } else {
            naming.target.is_label_name(&self.target_label)
        };
        if writes_target && !target_is_legal {
            return refuse(format!(
                "{:?} is invalid 'target_label' for {action} action",
                self.target_label
            ));
        }
        let default_replacement = self.replacement == DEFAULT_REPLACEMENT;
        if matches!(action, A::Lowercase | A::Uppercase | A::KeepEqual | A::DropEqual) && !default_replacement
        {
            return refuse(format!("'replacement' can not be set for {action} action"));
        }
        if action == A::LabelMap && !naming.template.is_name_template(&self.replacement) {
            return refuse(format!(
                "{:?} is invalid 'replacement' for {action} action",
                self.replacement
            ));
        }
        let others_default = self.modulus == 0 && self.separator == DEFAULT_SEPARATOR && default_replacement;
        if matches!(action, A::KeepEqual | A::DropEqual) && !(others_default && self.regex == DEFAULT_REGEX) {
            return refuse(format!(
                "{action} action requires only 'source_labels' and `target_label`, and no other fields"
            ));
        }
        let names_nothing = self.source_labels.is_empty() && self.target_label.is_empty();
        if matches!(action, A::LabelDrop | A::LabelKeep) && !(others_default && names_nothing) {
            return refuse(format!(
                "{action} action requires only 'regex', and no other fields"
            ));
        }
        Ok(())
    }
}
