//! `array.*`

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::decode::Mismatch;
use crate::eval::{Budget, Exceeded, equal};
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
    let left = objects(call, 0)?;
    let right = objects(call, 1)?;
    let mut by_keys: HashMap<u64, Vec<&Object>> = HashMap::new();
    for right in &right {
        call.budget.look(keys.len() * size_of::<Value>())?;
        if let Some(hash) = hash_of(right, &keys) {
            by_keys.entry(hash).or_default().push(right);
        }
    }
    let mut out = Vec::new();
    for left in left {
        call.budget.look(keys.len() * size_of::<Value>())?;
        let candidates = hash_of(&left, &keys).and_then(|hash| by_keys.get(&hash));
        let before = out.len();
        for right in candidates.into_iter().flatten() {
            if !agree(&left, right, &keys, call.budget)? {
                continue;
            }
            call.budget.elements(1)?;
            let fields = left.iter().chain(right.iter());
            for (name, _) in fields.clone() {
                call.budget.field(name)?;
            }
            out.push(Value::object(
                fields.map(|(key, value)| (key.clone(), value.clone())),
            ));
        }
        if keep_left && out.len() == before {
            call.budget.elements(1)?;
            out.push(Value::Object(left));
        }
    }
    Ok(Value::array(out))
}

/// A list of objects, which are not copied.
fn objects(call: &Call<'_>, at: usize) -> Result<Vec<Arc<Object>>, CallError> {
    let list: Vec<Value> = call.arg(at)?;
    let objects = list.iter().enumerate().map(|(index, value)| match value.view() {
        Value::Null => Ok(Arc::default()),
        Value::Object(fields) => Ok(fields),
        _ => Err(CallError::Argument {
            at,
            mismatch: Mismatch::wrong_type("object", value).at_index(index),
        }),
    });
    objects.collect()
}

/// A hash of an object's values for the keys, the same for equal ones; `None` when it lacks one.
fn hash_of(fields: &Object, keys: &[String]) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    for key in keys {
        match fields.get(key)? {
            // Adding zero makes negative zero positive, which it equals.
            Value::Number(number) => (number.to_f64() + 0.0).to_bits().hash(&mut hasher),
            Value::String(text) => text.hash(&mut hasher),
            Value::Bool(value) => value.hash(&mut hasher),
            Value::Array(items) => items.len().hash(&mut hasher),
            Value::Object(fields) => fields.len().hash(&mut hasher),
            _ => {}
        }
    }
    Some(hasher.finish())
}

/// Whether two objects have equal values for all of the keys.
fn agree(left: &Object, right: &Object, keys: &[String], budget: &Budget) -> Result<bool, Exceeded> {
    for key in keys {
        match (left.get(key), right.get(key)) {
            (Some(a), Some(b)) if same(a, b, budget)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Equality as it is between the fields of objects: a capsule is equal only to a capsule.
fn same(a: &Value, b: &Value, budget: &Budget) -> Result<bool, Exceeded> {
    match (a, b) {
        (Value::Capsule(_), _) | (_, Value::Capsule(_)) => Ok(a == b),
        _ => equal(a, b, budget),
    }
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
        let list: Vec<Value> = call.arg(at)?;
        call.budget.elements(list.len())?;
        out.extend(list);
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
    let list = objects(call, 0)?;
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
        call.budget.elements(1)?;
        call.budget.text(group.len())?;
        let items = groups.entry(group).or_default();
        if items.is_empty() {
            call.budget.field(&key)?;
        }
        items.push(Value::Object(fields));
    }
    let group = |(value, items): (String, Vec<Value>)| {
        Value::object([
            (key.clone(), value.into()),
            ("items".to_owned(), Value::array(items)),
        ])
    };
    Ok(Value::array(groups.into_iter().map(group)))
}
