//! `file.*`

use std::sync::Arc;

use crate::stability::Stability;
use crate::types::Type;
use crate::value::{Call, CallError, Function, Params, Value};

pub(super) const PATH_JOIN: Function = Function {
    name: "file.path_join",
    params: Params::variadic(&[], "parts", Type::String),
    result: Type::String,
    stability: Stability::GenerallyAvailable,
    docs: "The parts as one path, without empty parts, `.` and, where they can be resolved, `..`.",
    call: path_join,
};

fn path_join(call: &Call<'_>) -> Result<Value, CallError> {
    let mut parts = Vec::new();
    for at in 0..call.args.len() {
        let part: Arc<str> = call.arg(at)?;
        if !part.is_empty() {
            parts.push(part);
        }
    }
    if parts.is_empty() {
        return Ok("".into());
    }
    call.text(clean(&parts.join("/")))
}

/// The path without needless parts, as Go's `filepath.Clean` on systems whose separator is `/`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if out.last().is_some_and(|last| *last != "..") => {
                out.pop();
            }
            ".." if rooted => {}
            part => out.push(part),
        }
    }
    match (rooted, out.is_empty()) {
        (true, _) => format!("/{}", out.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => out.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        assert_eq!(clean("a//b/./c"), "a/b/c");
        assert_eq!(clean("/../a/.."), "/");
        assert_eq!(clean("../../a/.."), "../..");
        assert_eq!(clean("a/.."), ".");
    }
}
