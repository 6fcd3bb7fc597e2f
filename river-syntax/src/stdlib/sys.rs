//! `sys.*`

use crate::stability::Stability;
use crate::types::Type;
use crate::value::{Call, CallError, Function, Params, Value};

pub(super) const ENV: Function = Function {
    name: "sys.env",
    params: Params::fixed(&[("name", Type::String)]),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The value of an environment variable; empty when it is not set.",
    call: |call: &Call<'_>| -> Result<Value, CallError> {
        let name: String = call.arg(0)?;
        call.text(call.environment.variable(&name).unwrap_or_default())
    },
};
