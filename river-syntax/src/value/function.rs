//! Functions: named, with a checked number of arguments.

use std::fmt;
use std::sync::Arc;

use crate::decode::{FromValue, Mismatch};
use crate::eval::{Budget, Environment};
use crate::stability::Stability;
use crate::types::Type;
use crate::value::Value;

/// A function that expressions can call.
pub struct Function {
    /// The full name: `string.join`.
    pub name: &'static str,
    /// The parameters.
    pub params: Params,
    /// The type of the result.
    pub result: Type,
    /// How settled it is.
    pub stability: Stability,
    /// What it does, in a sentence.
    pub docs: &'static str,
    /// Computes the result.
    pub call: fn(&Call<'_>) -> Result<Value, CallError>,
}

/// The parameters of a function.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    /// Those that must be given, in order.
    pub required: &'static [(&'static str, Type)],
    /// Those that may follow.
    pub optional: &'static [(&'static str, Type)],
    /// The type of any number of further ones.
    pub rest: Option<(&'static str, Type)>,
}

impl Params {
    /// Exactly these.
    pub const fn fixed(required: &'static [(&'static str, Type)]) -> Params {
        Params {
            required,
            optional: &[],
            rest: None,
        }
    }

    /// These and then any number of the last.
    pub const fn variadic(
        required: &'static [(&'static str, Type)],
        name: &'static str,
        rest: Type,
    ) -> Params {
        Params {
            required,
            optional: &[],
            rest: Some((name, rest)),
        }
    }

    /// The type of the argument at a place.
    pub(crate) fn type_at(&self, at: usize) -> &Type {
        let rest = self.rest.as_ref().map_or(&Type::Any, |(_, ty)| ty);
        self.required
            .iter()
            .chain(self.optional)
            .nth(at)
            .map_or(rest, |(_, ty)| ty)
    }

    /// What is wrong with this number of arguments.
    pub(crate) fn check(&self, count: usize) -> Result<(), String> {
        let least = self.required.len();
        let most = if self.rest.is_some() {
            usize::MAX
        } else {
            least + self.optional.len()
        };
        if (least..=most).contains(&count) {
            return Ok(());
        }
        let expected = if self.rest.is_some() {
            format!("at least {least}")
        } else if least == most {
            least.to_string()
        } else {
            format!("{least} to {most}")
        };
        Err(format!("expected {expected} args, got {count}"))
    }
}

/// As a signature has them: `text string, separator string`, what is optional in brackets.
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut params: Vec<String> = Vec::new();
        params.extend(self.required.iter().map(|(name, ty)| format!("{name} {ty}")));
        params.extend(self.optional.iter().map(|(name, ty)| format!("[{name} {ty}]")));
        params.extend(self.rest.iter().map(|(name, ty)| format!("{name} {ty}…")));
        f.write_str(&params.join(", "))
    }
}

/// A call: the arguments, evaluated, and what the host lets functions see.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The arguments; their number has been checked.
    pub args: &'a [Value],
    /// The host's environment.
    pub environment: &'a dyn Environment,
    /// What the evaluation may still cost. A function takes from it before it makes what may be larger than its arguments.
    pub budget: &'a Budget,
}

impl Call<'_> {
    /// The argument at a place, as a Rust type. `null` when it is not given.
    pub fn arg<T: FromValue>(&self, at: usize) -> Result<T, CallError> {
        let value = self.args.get(at).unwrap_or(&Value::Null);
        T::from_value(value).map_err(|mismatch| CallError::Argument { at, mismatch })
    }

    /// A text as the result, which the budget has to have room for.
    pub fn text(&self, text: impl Into<Arc<str>> + AsRef<str>) -> Result<Value, CallError> {
        self.budget.text(text.as_ref().len())?;
        Ok(Value::String(text.into()))
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("args", &self.args)
            .finish_non_exhaustive()
    }
}

/// Why a call failed.
#[derive(Clone, Debug)]
pub enum CallError {
    /// An argument has the wrong type or value.
    Argument {
        /// Its place, from 0.
        at: usize,
        /// What is wrong with it.
        mismatch: Mismatch,
    },
    /// The call as a whole.
    Failed(String),
}

impl CallError {
    /// The call as a whole failed.
    pub fn failed(message: impl Into<String>) -> CallError {
        CallError::Failed(message.into())
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({})", self.name)
    }
}
