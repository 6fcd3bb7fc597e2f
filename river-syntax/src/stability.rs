//! How settled a part of the language is.

use std::fmt;
use std::str::FromStr;

/// How settled a function, block or argument is. A host refuses what is below the level that its user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stability {
    /// May change or go at any time.
    Experimental,
    /// May still change.
    PublicPreview,
    /// Stays as it is.
    #[default]
    GenerallyAvailable,
}

impl Stability {
    /// The name on command lines and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Stability::Experimental => "experimental",
            Stability::PublicPreview => "public-preview",
            Stability::GenerallyAvailable => "generally-available",
        }
    }
}

impl fmt::Display for Stability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stability {
    type Err = String;

    fn from_str(text: &str) -> Result<Stability, String> {
        let all = [
            Stability::Experimental,
            Stability::PublicPreview,
            Stability::GenerallyAvailable,
        ];
        all.into_iter()
            .find(|stability| stability.name() == text)
            .ok_or_else(|| {
                let names = all.map(Stability::name).join(", ");
                format!("unknown stability level \"{text}\", expected one of {names}")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(Stability::Experimental < Stability::GenerallyAvailable);
        assert_eq!("public-preview".parse(), Ok(Stability::PublicPreview));
        assert!("beta".parse::<Stability>().is_err());
    }
}
