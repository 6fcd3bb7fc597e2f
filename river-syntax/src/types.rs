//! Static types: what a place takes and what an export gives, known without evaluating anything.

mod infer;
mod operators;

use std::fmt;

pub(crate) use infer::check;
pub use infer::{TypeScope, UnknownTypes};

/// A type, as the reference and the type checker have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    /// Any value.
    Any,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// A string, a number or a bool.
    Scalar,
    /// A string of one of these values.
    Enum(&'static [&'static str]),
    /// A string in a form of its own, such as a duration or a URL; the name says which.
    Text(&'static str),
    /// A secret; a string will do.
    Secret,
    /// A string or a secret.
    OptionalSecret,
    /// An array.
    List(&'static Type),
    /// An object with any keys.
    Map(&'static Type),
    /// An object with these fields.
    Object(&'static [Field]),
    /// A capsule; [`CapsuleType::TYPE`](crate::CapsuleType::TYPE) is that of a native type.
    Capsule {
        /// The name of what is in it.
        name: &'static str,
        /// The type of the ordinary value that it stands for, if it stands for one.
        view: Option<&'static Type>,
    },
    /// A function.
    Function,
}

/// A field of an object type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// What it holds, from the doc comment.
    pub docs: &'static str,
    /// Its type.
    pub ty: Type,
}

impl Type {
    /// The type of the field of this name; `None` if the type is known not to have it.
    pub fn field(&self, name: &str) -> Option<Type> {
        match self {
            Type::Any => Some(Type::Any),
            Type::Capsule { view: Some(view), .. } => view.field(name),
            Type::Map(inner) => Some(**inner),
            Type::Object(fields) => fields
                .iter()
                .find(|field| field.name == name)
                .map(|field| field.ty),
            _ => None,
        }
    }

    /// Whether a value of this type can be decoded where `target` is wanted. When it depends on the value, the answer
    /// is yes.
    pub fn may_become(&self, target: &Type) -> bool {
        match (self, target) {
            (Type::Any, _) | (_, Type::Any) | (Type::Object(_), Type::Object(_)) => true,
            (Type::Capsule { name: a, .. }, Type::Capsule { name: b, .. }) => a == b,
            (Type::Capsule { view: Some(view), .. }, Type::List(_) | Type::Map(_) | Type::Object(_)) => {
                view.may_become(target)
            }
            (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => a.may_become(b),
            (Type::Object(fields), Type::Map(inner)) => fields.iter().all(|field| field.ty.may_become(inner)),
            (Type::Map(inner), Type::Object(fields)) => {
                fields.iter().all(|field| inner.may_become(&field.ty))
            }
            (a, b) => match (a.class(), b.class()) {
                (
                    Class::Text | Class::OptionalSecret,
                    Class::Text | Class::Number | Class::Secret | Class::OptionalSecret,
                )
                | (Class::Number, Class::Text | Class::Number)
                | (Class::Secret, Class::Secret | Class::OptionalSecret)
                | (Class::Text | Class::OptionalSecret | Class::Number | Class::Bool, Class::Scalar)
                | (Class::Scalar, Class::Text | Class::Number | Class::Bool) => true,
                (a, b) => a == b && a != Class::Other,
            },
        }
    }

    fn class(&self) -> Class {
        match self {
            Type::Bool => Class::Bool,
            Type::Number => Class::Number,
            Type::String | Type::Enum(_) | Type::Text(_) => Class::Text,
            Type::Scalar => Class::Scalar,
            Type::Secret => Class::Secret,
            Type::OptionalSecret => Class::OptionalSecret,
            Type::Function => Class::Function,
            _ => Class::Other,
        }
    }
}

/// Types that convert alike.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Bool,
    Number,
    Text,
    Scalar,
    Secret,
    OptionalSecret,
    Function,
    Other,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String | Type::Enum(_) => f.write_str("string"),
            Type::Text(name) => f.write_str(name),
            Type::Scalar => f.write_str("scalar"),
            Type::Secret => f.write_str("secret"),
            Type::OptionalSecret => f.write_str("optional secret"),
            Type::List(inner) => write!(f, "list({inner})"),
            Type::Map(inner) => write!(f, "map({inner})"),
            Type::Object(_) => f.write_str("object"),
            Type::Capsule { name, .. } => write!(f, "capsule(\"{name}\")"),
            Type::Function => f.write_str("function"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_become_what() {
        const fn capsule(name: &'static str, view: Option<&'static Type>) -> Type {
            Type::Capsule { name, view }
        }
        const RECEIVER: Type = capsule("metrics.receiver", None);
        const TARGET: Type = capsule("target", Some(&Type::Map(&Type::String)));
        assert!(Type::String.may_become(&Type::Text("duration")));
        assert!(Type::Number.may_become(&Type::String));
        assert!(!Type::Secret.may_become(&Type::String));
        assert!(Type::Bool.may_become(&Type::Scalar));
        assert!(!Type::Secret.may_become(&Type::Scalar));
        assert!(!RECEIVER.may_become(&Type::Scalar));
        assert!(!Type::Bool.may_become(&Type::String));
        assert!(!Type::List(&RECEIVER).may_become(&RECEIVER));
        assert!(Type::List(&RECEIVER).may_become(&Type::List(&RECEIVER)));
        assert!(!Type::String.may_become(&Type::List(&Type::String)));
        assert!(!RECEIVER.may_become(&capsule("logs.receiver", None)));
        assert!(!RECEIVER.may_become(&Type::String));
        assert!(!RECEIVER.may_become(&Type::List(&Type::Any)));
        assert!(!RECEIVER.may_become(&Type::Map(&Type::Any)));
        assert!(!Type::String.may_become(&RECEIVER));
        assert!(TARGET.may_become(&TARGET));
        assert!(TARGET.may_become(&Type::Map(&Type::Any)));
        assert!(!TARGET.may_become(&Type::Map(&RECEIVER)));
        assert!(!TARGET.may_become(&Type::String));
        assert!(!Type::Map(&Type::String).may_become(&TARGET));
        assert_eq!(TARGET.field("job"), Some(Type::String));
        assert_eq!(RECEIVER.field("job"), None);
    }
}
