//! `array.*`

use std::collections::BTreeMap;

use crate::decode::Mismatch;
use crate::stability::Stability;
use crate::types::Type;
use crate::value::{Call, CallError, Function, Object, Params, Value};

const MAPS: Type = Type::List(&Type::Map(&Type::Any));

pub(super) const COMBINE_MAPS: Function = Function {
    name: "array.combine_maps",
    params: Params {
        required: &[
            ("left", MAPS),
            ("right", MAPS),
            ("keys", Type::List(&Type::String)),
        ],
        optional: &[("keep_left", Type::Bool)],
        rest: None,
    },
    result: MAPS,
    stability: Stability::Experimental,
    docs: "Each object of the left list merged with those of the right list that have the same values for the keys; \
           the right one wins. With keep_left, left objects without a match are kept.",
    call: combine_maps,
};

/// With `keep_left` a left object that matches nothing is kept once; Alloy repeats it for each right object, and drops
/// it when there are none.
fn combine_maps(call: &Call<'_>) -> Result<Value, CallError> {
    let keys: Vec<String> = call.arg(2)?;
    let keep_left: bool = call.arg(3)?;
    if keys.is_empty() {
        return Err(CallError::failed("the list of keys is empty"));
    }
    let left: Vec<Object> = call.arg(0)?;
    let right: Vec<Object> = call.arg(1)?;
    let mut out = Vec::new();
    for left in left {
        let matching = right.iter().filter(|right| {
            keys.iter()
                .all(|key| matches!((left.get(key), right.get(key)), (Some(a), Some(b)) if a == b))
        });
        let before = out.len();
        out.extend(matching.map(|right| {
            let fields = left.iter().chain(right.iter());
            Value::object(fields.map(|(key, value)| (key.clone(), value.clone())))
        }));
        if keep_left && out.len() == before {
            out.push(Value::object(left));
        }
    }
    Ok(Value::array(out))
}

pub(super) const CONCAT: Function = Function {
    name: "array.concat",
    params: Params::variadic(&[], "arrays", Type::List(&Type::Any)),
    result: Type::List(&Type::Any),
    stability: Stability::GenerallyAvailable,
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

pub(super) const GROUP_BY: Function = Function {
    name: "array.group_by",
    params: Params::fixed(&[
        ("list", MAPS),
        ("key", Type::String),
        ("drop_missing", Type::Bool),
    ]),
    result: MAPS,
    stability: Stability::Experimental,
    docs: "The objects of a list in groups by the value of a key: a list of objects of that key and items. Objects \
           without the key are dropped or put into the group of the empty value.",
    call: group_by,
};

/// The groups are in order of the key's value; in Alloy their order is not defined.
fn group_by(call: &Call<'_>) -> Result<Value, CallError> {
    let list: Vec<Object> = call.arg(0)?;
    let key: String = call.arg(1)?;
    let drop_missing: bool = call.arg(2)?;
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (index, fields) in list.into_iter().enumerate() {
        let group = match fields.get(&key) {
            None if drop_missing => continue,
            None => String::new(),
            Some(value) => value
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| CallError::Argument {
                    at: 0,
                    mismatch: Mismatch::wrong_type("string", value).at_key(&key).at_index(index),
                })?,
        };
        groups.entry(group).or_default().push(Value::object(fields));
    }
    let group = |(value, items): (String, Vec<Value>)| {
        Value::object([
            (key.clone(), value.into()),
            ("items".to_owned(), Value::array(items)),
        ])
    };
    Ok(Value::array(groups.into_iter().map(group)))
}
