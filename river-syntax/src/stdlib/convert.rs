//! `convert.*`

use crate::stability::Stability;
use crate::types::Type;
use crate::value::{Call, CallError, Function, OptionalSecret, Params, Value};

pub(super) const NONSENSITIVE: Function = Function {
    name: "convert.nonsensitive",
    params: Params::fixed(&[("secret", Type::OptionalSecret)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The text of a secret as a plain string, which will be shown.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        call.text(call.arg::<OptionalSecret>(0)?.expose())
    },
};
