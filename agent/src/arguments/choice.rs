//! Arguments that are one of a few words.

/// Declares an enum that is written as one of a few words, and how it is decoded.
macro_rules! choice {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            const WORDS: &'static [&'static str] = &[$($text,)*];
        }

        impl river_syntax::FromValue for $name {
            const TYPE: river_syntax::Type = river_syntax::Type::Enum(Self::WORDS);

            fn from_value(value: &river_syntax::Value) -> Result<Self, river_syntax::Mismatch> {
                let text = String::from_value(value)?;
                match text.as_str() {
                    $($text => Ok(Self::$variant),)*
                    other => Err(river_syntax::Mismatch::not_one_of(other, Self::WORDS)),
                }
            }
        }

        impl river_syntax::ToValue for $name {
            const TYPE: river_syntax::Type = river_syntax::Type::Enum(Self::WORDS);

            fn to_value(&self) -> river_syntax::Value {
                match self {
                    $(Self::$variant => river_syntax::Value::from($text),)*
                }
            }
        }
    };
}

pub(crate) use choice;
