//! The eleven actions and their names.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// What a rule does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Action {
    /// Sets the target label to the expanded replacement if the joined source values match.
    #[default]
    Replace,
    /// Drops the label set unless the joined source values match.
    Keep,
    /// Drops the label set if the joined source values match.
    Drop,
    /// Sets the target label to a hash of the joined source values, modulo the modulus.
    HashMod,
    /// Copies each label whose name matches to the name that the replacement expands to.
    LabelMap,
    /// Removes each label whose name matches.
    LabelDrop,
    /// Removes each label whose name does not match.
    LabelKeep,
    /// Sets the target label to the joined source values in lower case.
    Lowercase,
    /// Sets the target label to the joined source values in upper case.
    Uppercase,
    /// Drops the label set unless the joined source values equal the target label.
    KeepEqual,
    /// Drops the label set if the joined source values equal the target label.
    DropEqual,
}

impl Action {
    /// All actions, in the order in which the Prometheus documentation has them.
    pub const ALL: [Self; 11] = [
        Self::Replace,
        Self::Lowercase,
        Self::Uppercase,
        Self::Keep,
        Self::Drop,
        Self::KeepEqual,
        Self::DropEqual,
        Self::HashMod,
        Self::LabelMap,
        Self::LabelDrop,
        Self::LabelKeep,
    ];

    /// The word for it in a configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::HashMod => "hashmod",
            Self::LabelMap => "labelmap",
            Self::LabelDrop => "labeldrop",
            Self::LabelKeep => "labelkeep",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
            Self::KeepEqual => "keepequal",
            Self::DropEqual => "dropequal",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads the word exactly, as Alloy does. Prometheus' configuration file takes any case: lower the word first.
impl FromStr for Action {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        if word.is_empty() {
            return Err(Error::invalid("relabel action cannot be empty"));
        }
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == word)
            .ok_or_else(|| Error::invalid(format!("unknown relabel action {word:?}")))
    }
}
