//! `coalesce`

use crate::stability::Stability;
use crate::types::Type;
use crate::value::{Call, CallError, Function, Params, Value};

pub(super) const COALESCE: Function = Function {
    name: "coalesce",
    params: Params::variadic(&[], "values", Type::Any),
    result: Type::Any,
    stability: Stability::GenerallyAvailable,
    docs: "The first argument that is neither null nor zero, false or empty; the last one if there is none such.",
    call: coalesce,
};

// Every function has this signature.
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of every function")]
fn coalesce(call: &Call<'_>) -> Result<Value, CallError> {
    let found = call.args.iter().find(|value| !value.is_zero());
    Ok(found.or(call.args.last()).cloned().unwrap_or_default())
}
