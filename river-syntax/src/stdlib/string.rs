//! `string.*`

mod case;
mod printf;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::decode::FromValue;
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
        let format: Arc<str> = call.arg(0)?;
        printf::format(&format, call.args.get(1..).unwrap_or_default(), call.budget).map(Value::from)
    },
};

pub(super) const JOIN: Function = Function {
    name: "string.join",
    params: Params::fixed(&[("list", Type::List(&Type::String)), ("separator", Type::String)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The strings of a list with a separator between them.",
    call: join,
};

fn join(call: &Call<'_>) -> Result<Value, CallError> {
    let list: Vec<Value> = call.arg(0)?;
    let separator: Arc<str> = call.arg(1)?;
    let mut out = String::new();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            call.budget.text(separator.len())?;
            out.push_str(&separator);
        }
        let item = Arc::<str>::from_value(item).map_err(|mismatch| CallError::Argument {
            at: 0,
            mismatch: mismatch.at_index(index),
        })?;
        call.budget.text(item.len())?;
        out.push_str(&item);
    }
    Ok(out.into())
}

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
    call: replace,
};

fn replace(call: &Call<'_>) -> Result<Value, CallError> {
    let (text, old, new): (Arc<str>, Arc<str>, Arc<str>) = (call.arg(0)?, call.arg(1)?, call.arg(2)?);
    let count = text.matches(&*old).count();
    let size = (text.len() - count * old.len()).saturating_add(count.saturating_mul(new.len()));
    call.budget.text(size)?;
    Ok(text.replace(&*old, &new).into())
}

pub(super) const SPLIT: Function = Function {
    name: "string.split",
    params: Params::fixed(&[("text", Type::String), ("separator", Type::String)]),
    result: Type::List(&Type::String),
    stability: Stability::GenerallyAvailable,
    docs: "The parts of the text between separators; its characters if the separator is empty.",
    call: split,
};

fn split(call: &Call<'_>) -> Result<Value, CallError> {
    let text: Arc<str> = call.arg(0)?;
    let separator: Arc<str> = call.arg(1)?;
    call.budget.text(text.len())?;
    Ok(if separator.is_empty() {
        call.budget.elements(text.chars().count())?;
        Value::array(text.chars().map(|c| Value::from(&*c.encode_utf8(&mut [0; 4]))))
    } else {
        call.budget.elements(text.matches(&*separator).count() + 1)?;
        Value::array(text.split(&*separator).map(Value::from))
    })
}

pub(super) const TO_LOWER: Function = Function {
    name: "string.to_lower",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text in lower case.",
    call: |call: &Call<'_>| -> Result<Value, CallError> { call.text(case::lower(&call.arg::<Arc<str>>(0)?)) },
};

pub(super) const TO_UPPER: Function = Function {
    name: "string.to_upper",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text in upper case.",
    call: |call: &Call<'_>| -> Result<Value, CallError> { call.text(case::upper(&call.arg::<Arc<str>>(0)?)) },
};

pub(super) const TRIM: Function = Function {
    name: "string.trim",
    params: Params::fixed(&[("text", Type::String), ("cutset", Type::String)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text without the characters of a set at its ends.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        let cutset: BTreeSet<char> = call.arg::<Arc<str>>(1)?.chars().collect();
        call.text(call.arg::<Arc<str>>(0)?.trim_matches(|c| cutset.contains(&c)))
    },
};

pub(super) const TRIM_PREFIX: Function = Function {
    name: "string.trim_prefix",
    params: Params::fixed(&[("text", Type::String), ("prefix", Type::String)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text without a prefix, if it has it.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        let (text, prefix): (Arc<str>, Arc<str>) = (call.arg(0)?, call.arg(1)?);
        call.text(text.strip_prefix(&*prefix).unwrap_or(&text))
    },
};

pub(super) const TRIM_SPACE: Function = Function {
    name: "string.trim_space",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text without white space at its ends.",
    call: |call: &Call<'_>| -> Result<Value, CallError> { call.text(call.arg::<Arc<str>>(0)?.trim()) },
};

pub(super) const TRIM_SUFFIX: Function = Function {
    name: "string.trim_suffix",
    params: Params::fixed(&[("text", Type::String), ("suffix", Type::String)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text without a suffix, if it has it.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        let (text, suffix): (Arc<str>, Arc<str>) = (call.arg(0)?, call.arg(1)?);
        call.text(text.strip_suffix(&*suffix).unwrap_or(&text))
    },
};
