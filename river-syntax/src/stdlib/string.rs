//! `string.*`

mod printf;

use crate::stability::Stability;
use crate::types::Type;
use crate::value::{Call, CallError, Function, Params, Value};

const TEXT: Params = Params::fixed(&[("text", Type::String)]);

pub(super) const FORMAT: Function = Function {
    name: "string.format",
    params: Params::variadic(&[("format", Type::String)], "values", Type::Any),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The values put into a format with the verbs of Go's printf.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        let format: String = call.arg(0)?;
        printf::format(&format, call.args.get(1..).unwrap_or_default())
            .map(Value::from)
            .map_err(CallError::Failed)
    },
};

pub(super) const JOIN: Function = Function {
    name: "string.join",
    params: Params::fixed(&[("list", Type::List(&Type::String)), ("separator", Type::String)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The strings of a list with a separator between them.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        Ok(call.arg::<Vec<String>>(0)?.join(&call.arg::<String>(1)?).into())
    },
};

pub(super) const REPLACE: Function = Function {
    name: "string.replace",
    params: Params::fixed(&[
        ("text", Type::String),
        ("old", Type::String),
        ("new", Type::String),
    ]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text with every occurrence of a part replaced.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        Ok(call
            .arg::<String>(0)?
            .replace(&call.arg::<String>(1)?, &call.arg::<String>(2)?)
            .into())
    },
};

pub(super) const SPLIT: Function = Function {
    name: "string.split",
    params: Params::fixed(&[("text", Type::String), ("separator", Type::String)]),
    result: Type::List(&Type::String),
    stability: Stability::GenerallyAvailable,
    docs: "The parts of the text between separators; its characters if the separator is empty.",
    call: split,
};

fn split(call: &Call<'_>) -> Result<Value, CallError> {
    let text: String = call.arg(0)?;
    let separator: String = call.arg(1)?;
    Ok(if separator.is_empty() {
        Value::array(text.chars().map(|c| c.to_string().into()))
    } else {
        Value::array(text.split(&separator).map(Value::from))
    })
}

pub(super) const TO_LOWER: Function = Function {
    name: "string.to_lower",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text in lower case.",
    call: |call: &Call<'_>| -> Result<Value, CallError> { Ok(call.arg::<String>(0)?.to_lowercase().into()) },
};

pub(super) const TO_UPPER: Function = Function {
    name: "string.to_upper",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text in upper case.",
    call: |call: &Call<'_>| -> Result<Value, CallError> { Ok(call.arg::<String>(0)?.to_uppercase().into()) },
};

pub(super) const TRIM: Function = Function {
    name: "string.trim",
    params: Params::fixed(&[("text", Type::String), ("cutset", Type::String)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text without the characters of a set at its ends.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        let cutset: String = call.arg(1)?;
        Ok(call.arg::<String>(0)?.trim_matches(|c| cutset.contains(c)).into())
    },
};

pub(super) const TRIM_PREFIX: Function = Function {
    name: "string.trim_prefix",
    params: Params::fixed(&[("text", Type::String), ("prefix", Type::String)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text without a prefix, if it has it.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        let (text, prefix): (String, String) = (call.arg(0)?, call.arg(1)?);
        Ok(text.strip_prefix(&prefix).unwrap_or(&text).into())
    },
};

pub(super) const TRIM_SPACE: Function = Function {
    name: "string.trim_space",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text without white space at its ends.",
    call: |call: &Call<'_>| -> Result<Value, CallError> { Ok(call.arg::<String>(0)?.trim().into()) },
};

pub(super) const TRIM_SUFFIX: Function = Function {
    name: "string.trim_suffix",
    params: Params::fixed(&[("text", Type::String), ("suffix", Type::String)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text without a suffix, if it has it.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        let (text, suffix): (String, String) = (call.arg(0)?, call.arg(1)?);
        Ok(text.strip_suffix(&suffix).unwrap_or(&text).into())
    },
};
