//! The block `rule`, which `write_relabel_config` is too.

use std::sync::Arc;

use relabel::{Action, Naming, Rules};
use river_syntax::{Block, Capsule, CapsuleType, FromValue, Invalid, Mismatch, ToValue, Type, Value};

use super::Pattern;
use crate::error::Error;

/// One relabelling rule.
#[derive(Debug, Clone, PartialEq, Block)]
#[river(validate = Rule::validate)]
pub(crate) struct Rule {
    /// Labels whose values are joined and matched.
    #[river(default)]
    source_labels: Vec<String>,
    /// What the values are joined with.
    #[river(default = ";".to_owned())]
    separator: String,
    /// What the joined values must match, from their beginning to their end (RE2 syntax).
    #[river(default = Pattern::new("(.*)"))]
    regex: Pattern,
    /// The number of buckets of `hashmod`.
    #[river(default)]
    modulus: u64,
    /// The label that is written.
    #[river(default)]
    target_label: String,
    /// What is written; `$1` stands for the first group of the match.
    #[river(default = "$1".to_owned())]
    replacement: String,
    /// What the rule does.
    #[river(default = ActionName(Action::Replace))]
    action: ActionName,
}

/// The name of an action.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ActionName(Action);

impl ActionName {
    const NAMES: [&'static str; Action::ALL.len()] = {
        let mut names = [""; Action::ALL.len()];
        let mut index = 0;
        while index < names.len() {
            names[index] = Action::ALL[index].as_str();
            index += 1;
        }
        names
    };
}

impl FromValue for ActionName {
    const TYPE: Type = Type::Enum(&Self::NAMES);

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        let name = String::from_value(value)?;
        // Prometheus takes any case.
        let known = Action::ALL
            .into_iter()
            .find(|action| action.as_str().eq_ignore_ascii_case(&name));
        known
            .map(Self)
            .ok_or_else(|| Mismatch::not_one_of(&name, &Self::NAMES))
    }
}

impl ToValue for ActionName {
    const TYPE: Type = Type::Enum(&Self::NAMES);

    fn to_value(&self) -> Value {
        Value::from(self.0.as_str())
    }
}

impl Rule {
    /// Whatever is wrong with a rule by itself is reported at its block.
    fn validate(&self) -> Result<(), Invalid> {
        self.config()
            .validate(Naming::ALLOY_SERIES)
            .map_err(|error| Invalid::block(crate::error::chain(&error)))
    }

    fn config(&self) -> relabel::Rule {
        relabel::Rule {
            source_labels: self.source_labels.clone(),
            separator: self.separator.clone(),
            regex: self.regex.as_str().to_owned(),
            modulus: self.modulus,
            target_label: self.target_label.clone(),
            replacement: self.replacement.clone(),
            action: self.action.0,
        }
    }
}

/// Compiles rules.
pub(crate) fn rules(rules: &[Rule], naming: Naming) -> Result<Rules, Error> {
    Rules::new(rules.iter().map(Rule::config), naming)
        .map_err(|error| Error::new(crate::error::chain(&error)))
}

/// Rules as a value of the language.
#[derive(Debug)]
pub(crate) struct RuleList(Rules);

impl CapsuleType for RuleList {
    const NAME: &'static str = "relabel.rules";

    fn same(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// An export of rules.
#[derive(Debug, Clone)]
pub(crate) struct RulesExport(Arc<RuleList>);

impl RulesExport {
    pub(crate) fn new(rules: Rules) -> Self {
        Self(Arc::new(RuleList(rules)))
    }
}

impl ToValue for RulesExport {
    const TYPE: Type = RuleList::TYPE;

    fn to_value(&self) -> Value {
        Value::Capsule(Capsule::new(Arc::clone(&self.0)))
    }
}
