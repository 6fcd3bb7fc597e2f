//! `encoding.*`

mod base64;
mod json;
mod url;
mod yaml;

pub(super) use json::decode as decode_json;

use std::sync::Arc;

use crate::stability::Stability;
use crate::types::Type;
use crate::value::{Call, CallError, Function, Params, Value};

const TEXT: Params = Params::fixed(&[("text", Type::String)]);

pub(super) const FROM_JSON: Function = Function {
    name: "encoding.from_json",
    params: TEXT,
    result: Type::Any,
    stability: Stability::GenerallyAvailable,
    docs: "The value of a JSON text; all its numbers are floats.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        json::decode(&call.arg::<Arc<str>>(0)?, call.budget).map_err(CallError::Failed)
    },
};

pub(super) const FROM_YAML: Function = Function {
    name: "encoding.from_yaml",
    params: TEXT,
    result: Type::Any,
    stability: Stability::GenerallyAvailable,
    docs: "The value of the first document of a YAML text. The keys of its mappings must be strings; dates stay strings.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        yaml::decode(&call.arg::<Arc<str>>(0)?, call.budget).map_err(CallError::Failed)
    },
};

pub(super) const TO_JSON: Function = Function {
    name: "encoding.to_json",
    params: Params::fixed(&[("object", Type::Map(&Type::Any))]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "An object as JSON text, its keys sorted.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        let Some(Value::Object(fields)) = call.args.first().map(Value::view) else {
            return Err(CallError::failed("only objects can be encoded as JSON"));
        };
        json::encode(&fields, call.budget)
            .map(Value::from)
            .map_err(CallError::Failed)
    },
};

pub(super) const FROM_BASE64: Function = Function {
    name: "encoding.from_base64",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text that is encoded in standard base64, with padding.",
    call: |call| from_base64(call, base64::STANDARD),
};

pub(super) const FROM_URL_BASE64: Function = Function {
    name: "encoding.from_URLbase64",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text that is encoded in the base64 for URLs, with padding.",
    call: |call| from_base64(call, base64::URL),
};

fn from_base64(call: &Call<'_>, alphabet: &[u8; 64]) -> Result<Value, CallError> {
    let bytes = base64::decode(&call.arg::<Arc<str>>(0)?, alphabet).map_err(CallError::Failed)?;
    let text = String::from_utf8(bytes).map_err(|_| CallError::failed("what is encoded is not UTF-8"))?;
    call.text(text)
}

pub(super) const TO_BASE64: Function = Function {
    name: "encoding.to_base64",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text in standard base64, with padding.",
    call: |call| to_base64(call, base64::STANDARD),
};

pub(super) const TO_URL_BASE64: Function = Function {
    name: "encoding.to_URLbase64",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text in the base64 for URLs, with padding.",
    call: |call| to_base64(call, base64::URL),
};

fn to_base64(call: &Call<'_>, alphabet: &[u8; 64]) -> Result<Value, CallError> {
    call.text(base64::encode(call.arg::<Arc<str>>(0)?.as_bytes(), alphabet))
}

pub(super) const URL_DECODE: Function = Function {
    name: "encoding.url_decode",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text of a URL query component, in which `+` is a blank.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        call.text(url::decode(&call.arg::<Arc<str>>(0)?).map_err(CallError::Failed)?)
    },
};

pub(super) const URL_ENCODE: Function = Function {
    name: "encoding.url_encode",
    params: TEXT,
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text as a URL query component, in which a blank is `+`.",
    call: |call: &Call<'_>| -> Result<Value, CallError> { call.text(url::encode(&call.arg::<Arc<str>>(0)?)) },
};
