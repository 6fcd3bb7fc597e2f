//! The standard library: one file for each namespace, one line in [`MEMBERS`] for each name.
//!
//! Adding a function is its file and its line here.

mod array;
mod coalesce;
mod constants;
mod convert;
mod encoding;
mod file;
mod json_path;
mod string;
mod sys;

use crate::ast::Reference;
use crate::diag::Diagnostic;
use crate::eval::Environment;
use crate::stability::Stability;
use crate::types::Type;
use crate::value::{Function, Value};

/// What a name of the library stands for.
#[derive(Clone, Copy, Debug)]
pub enum Member {
    /// A function.
    Function(&'static Function),
    /// A string that the environment knows.
    Constant(&'static Constant),
}

/// A constant of the library.
#[derive(Debug)]
pub struct Constant {
    /// The full name.
    pub name: &'static str,
    /// What it holds.
    pub docs: &'static str,
    /// Reads it.
    pub read: fn(&dyn Environment) -> String,
}

impl Member {
    /// The full name.
    pub fn name(&self) -> &'static str {
        match self {
            Member::Function(function) => function.name,
            Member::Constant(constant) => constant.name,
        }
    }

    /// How settled it is.
    pub fn stability(&self) -> Stability {
        match self {
            Member::Function(function) => function.stability,
            Member::Constant(_) => Stability::GenerallyAvailable,
        }
    }

    /// What it is or does.
    pub fn docs(&self) -> &'static str {
        match self {
            Member::Function(function) => function.docs,
            Member::Constant(constant) => constant.docs,
        }
    }

    /// The type of the value that the name stands for.
    pub fn ty(&self) -> Type {
        match self {
            Member::Function(_) => Type::Function,
            Member::Constant(_) => Type::String,
        }
    }

    fn value(&self, environment: &dyn Environment) -> Value {
        match self {
            Member::Function(function) => Value::Function(function),
            Member::Constant(constant) => (constant.read)(environment).into(),
        }
    }
}

/// Everything in the library, in order of name.
pub const MEMBERS: &[Member] = &[
    Member::Function(&array::COMBINE_MAPS),
    Member::Function(&array::CONCAT),
    Member::Function(&array::GROUP_BY),
    Member::Function(&coalesce::COALESCE),
    Member::Constant(&constants::ARCH),
    Member::Constant(&constants::HOSTNAME),
    Member::Constant(&constants::OS),
    Member::Constant(&constants::VERSION),
    Member::Function(&convert::NONSENSITIVE),
    Member::Function(&encoding::FROM_URL_BASE64),
    Member::Function(&encoding::FROM_BASE64),
    Member::Function(&encoding::FROM_JSON),
    Member::Function(&encoding::FROM_YAML),
    Member::Function(&encoding::TO_URL_BASE64),
    Member::Function(&encoding::TO_BASE64),
    Member::Function(&encoding::TO_JSON),
    Member::Function(&encoding::URL_DECODE),
    Member::Function(&encoding::URL_ENCODE),
    Member::Function(&file::PATH_JOIN),
    Member::Function(&json_path::JSON_PATH),
    Member::Function(&string::FORMAT),
    Member::Function(&string::JOIN),
    Member::Function(&string::REPLACE),
    Member::Function(&string::SPLIT),
    Member::Function(&string::TO_LOWER),
    Member::Function(&string::TO_UPPER),
    Member::Function(&string::TRIM),
    Member::Function(&string::TRIM_PREFIX),
    Member::Function(&string::TRIM_SPACE),
    Member::Function(&string::TRIM_SUFFIX),
    Member::Function(&sys::ENV),
];

/// Names that are out of use, and what to write instead.
pub const FORMER_NAMES: &[(&str, &str)] = &[
    ("base64_decode", "encoding.from_base64"),
    ("concat", "array.concat"),
    ("env", "sys.env"),
    ("format", "string.format"),
    ("join", "string.join"),
    ("json_decode", "encoding.from_json"),
    ("nonsensitive", "convert.nonsensitive"),
    ("replace", "string.replace"),
    ("split", "string.split"),
    ("to_lower", "string.to_lower"),
    ("to_upper", "string.to_upper"),
    ("trim", "string.trim"),
    ("trim_prefix", "string.trim_prefix"),
    ("trim_space", "string.trim_space"),
    ("trim_suffix", "string.trim_suffix"),
    ("yaml_decode", "encoding.from_yaml"),
];

/// What a path means to the library.
#[derive(Clone, Copy, Debug)]
pub enum Lookup {
    /// A name of the library.
    Member {
        /// What it stands for.
        member: Member,
        /// How many names of the path it takes.
        segments: usize,
        /// The name to use instead, when this one is out of use.
        replaced_by: Option<&'static str>,
    },
    /// A namespace, such as `constants`, with no name of it.
    Namespace(&'static str),
    /// A namespace, with a name that it does not have.
    NoSuchMember(&'static str),
}

/// Looks a path up in the library; `None` when its first name is not one of the library's.
pub fn lookup(path: &[&str]) -> Option<Lookup> {
    let first = *path.first()?;
    if let Some(&(_, name)) = FORMER_NAMES.iter().find(|(old, _)| *old == first) {
        return member(name).map(|member| Lookup::Member {
            member,
            segments: 1,
            replaced_by: Some(name),
        });
    }
    for segments in [1, 2] {
        let name = path.get(..segments)?.join(".");
        if let Some(member) = member(&name) {
            return Some(Lookup::Member {
                member,
                segments,
                replaced_by: None,
            });
        }
        if segments == 1 {
            let namespace = namespace(first)?;
            if path.len() == 1 {
                return Some(Lookup::Namespace(namespace));
            }
        }
    }
    namespace(first).map(Lookup::NoSuchMember)
}

fn member(name: &str) -> Option<Member> {
    MEMBERS.iter().find(|member| member.name() == name).copied()
}

fn namespace(name: &str) -> Option<&'static str> {
    MEMBERS
        .iter()
        .filter_map(|member| member.name().split_once('.'))
        .map(|(space, _)| space)
        .find(|s| *s == name)
}

/// The names of a namespace, without it.
fn names_of(space: &str) -> impl Iterator<Item = (&'static str, Member)> {
    MEMBERS.iter().filter_map(move |member| {
        let (found, name) = member.name().split_once('.')?;
        (found == space).then_some((name, *member))
    })
}

/// What is to be said about a reference that no scope knows, without evaluating it: an error when the library does not
/// have it, a warning when it is out of use.
pub fn check(reference: &Reference<'_>) -> Option<Diagnostic> {
    match lookup(&reference.names()) {
        Some(
            Lookup::Member {
                replaced_by: None, ..
            }
            | Lookup::Namespace(_),
        ) => None,
        Some(Lookup::Member {
            segments,
            replaced_by: Some(name),
            ..
        }) => {
            let span = reference.prefix_span(segments);
            let message = "this stdlib function is deprecated; please refer to the documentation for updated usage and alternatives";
            Some(Diagnostic::warning(span, message).suggest(span, name))
        }
        fault => Some(fault_of(reference, fault)),
    }
}

fn fault_of(reference: &Reference<'_>, lookup: Option<Lookup>) -> Diagnostic {
    let first = reference.prefix_span(1);
    match lookup {
        Some(Lookup::NoSuchMember(space)) => {
            let name = reference.path.get(1).map_or("", |name| name.name);
            let span = reference.path.get(1).map_or(first, |name| name.span);
            let names = names_of(space).map(|(name, _)| name);
            Diagnostic::error(span, format!("field \"{name}\" does not exist"))
                .suggest_from(span, name, names)
        }
        _ => {
            let name = reference.path.first().map_or("", |name| name.name);
            let spaces = MEMBERS
                .iter()
                .map(|member| member.name().split('.').next().unwrap_or(""));
            Diagnostic::error(first, format!("identifier \"{name}\" does not exist"))
                .suggest_from(first, name, spaces)
        }
    }
}

/// The value of the prefix of a reference that the library knows, and how many names that is.
pub(crate) fn resolve(
    reference: &Reference<'_>,
    environment: &dyn Environment,
) -> Result<(usize, Value), Diagnostic> {
    match lookup(&reference.names()) {
        Some(Lookup::Member { member, segments, .. }) => Ok((segments, member.value(environment))),
        Some(Lookup::Namespace(space)) => Ok((
            1,
            Value::object(names_of(space).map(|(name, member)| (name, member.value(environment)))),
        )),
        fault => Err(fault_of(reference, fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_said_once() {
        let names: Vec<&str> = MEMBERS.iter().map(Member::name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn former_names_lead_to_names() {
        for (old, new) in FORMER_NAMES {
            assert!(member(new).is_some(), "{old} leads to {new}");
            assert!(member(old).is_none());
        }
    }
}
