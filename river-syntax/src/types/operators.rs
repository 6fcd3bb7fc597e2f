//! What operators make of types. A fault is one only if no value of the types would do.

use crate::ast::{BinaryOp, UnaryOp};
use crate::types::Type;

/// The type of an operator's result; the error is the evaluator's message.
pub(super) fn unary(op: UnaryOp, operand: &Type) -> Result<Type, String> {
    let (symbol, needs, result) = match op {
        UnaryOp::Not => ("!", "a bool", Type::Bool),
        UnaryOp::Neg => ("-", "a number", Type::Number),
    };
    if is(operand, &result) {
        Ok(result)
    } else {
        Err(format!("operator {symbol} needs {needs}, got {operand}"))
    }
}

/// As [`unary`], of two values.
pub(super) fn binary(op: BinaryOp, left: Type, right: Type) -> Result<Type, String> {
    let both = |fits: fn(&Type) -> bool| fits(&left) && fits(&right);
    let number = |ty: &Type| is(ty, &Type::Number);
    let (fits, needs, result) = match op {
        BinaryOp::Eq | BinaryOp::Ne => (true, "", Type::Bool),
        BinaryOp::Or | BinaryOp::And => (both(|ty| is(ty, &Type::Bool)), "two bools", Type::Bool),
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => (
            both(number) || both(is_plain_text),
            "two numbers or two strings",
            Type::Bool,
        ),
        BinaryOp::Add => (
            both(number) || both(is_text),
            "two numbers or two strings",
            sum(left, right),
        ),
        BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod | BinaryOp::Pow => {
            (both(number), "two numbers", Type::Number)
        }
    };
    if fits {
        Ok(result)
    } else {
        Err(format!(
            "operator {} needs {needs}, got {left} and {right}",
            op.symbol()
        ))
    }
}

fn sum(left: Type, right: Type) -> Type {
    match (left, right) {
        (Type::Any | Type::Scalar, _) | (_, Type::Any | Type::Scalar) => Type::Any,
        (Type::Number, _) => Type::Number,
        (Type::Secret, _) | (_, Type::Secret) => Type::Secret,
        (Type::OptionalSecret, _) | (_, Type::OptionalSecret) => Type::OptionalSecret,
        _ => Type::String,
    }
}

/// Whether a value may be of a type without being converted.
fn is(ty: &Type, wanted: &Type) -> bool {
    matches!(ty, Type::Any | Type::Scalar) || ty == wanted
}

fn is_plain_text(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Any | Type::Scalar | Type::String | Type::Enum(_) | Type::Text(_) | Type::OptionalSecret
    )
}

fn is_text(ty: &Type) -> bool {
    is_plain_text(ty) || matches!(ty, Type::Secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_value_would_do_for_is_refused() {
        const RECEIVER: Type = Type::Capsule {
            name: "metrics.receiver",
            view: None,
        };
        let said = |outcome: Result<Type, String>| match outcome {
            Ok(ty) => ty.to_string(),
            Err(message) => message,
        };
        for (op, left, right, expected) in [
            (BinaryOp::Add, Type::Secret, Type::String, "secret"),
            (
                BinaryOp::Add,
                Type::OptionalSecret,
                Type::String,
                "optional secret",
            ),
            (BinaryOp::Add, Type::Any, Type::String, "any"),
            (BinaryOp::Add, Type::Text("URL"), Type::String, "string"),
            (
                BinaryOp::Add,
                Type::Number,
                Type::String,
                "operator + needs two numbers or two strings, got number and string",
            ),
            (
                BinaryOp::Mul,
                Type::Number,
                RECEIVER,
                "operator * needs two numbers, got number and capsule(\"metrics.receiver\")",
            ),
            (BinaryOp::Eq, Type::Number, RECEIVER, "bool"),
            (
                BinaryOp::And,
                Type::Bool,
                Type::Number,
                "operator && needs two bools, got bool and number",
            ),
            (
                BinaryOp::Lt,
                Type::Secret,
                Type::String,
                "operator < needs two numbers or two strings, got secret and string",
            ),
        ] {
            assert_eq!(said(binary(op, left, right)), expected);
        }
        assert_eq!(said(unary(UnaryOp::Neg, &Type::Any)), "number");
        assert_eq!(
            said(unary(UnaryOp::Not, &Type::String)),
            "operator ! needs a bool, got string"
        );
    }
}
