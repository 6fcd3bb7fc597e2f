//! `array.*`

use crate::types::Type;
use crate::value::{Call, CallError, Function, Params, Value};

pub(super) const CONCAT: Function = Function {
    name: "array.concat",
    params: Params::variadic(&[], "arrays", Type::List(&Type::Any)),
    result: Type::List(&Type::Any),
    docs: "The elements of all the given arrays, in order.",
    call: concat,
};

fn concat(call: &Call<'_>) -> Result<Value, CallError> {
    let mut out = Vec::new();
    for at in 0..call.args.len() {
        out.extend(call.arg::<Vec<Value>>(at)?);
    }
    Ok(Value::array(out))
}
