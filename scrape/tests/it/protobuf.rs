//! Writes protobuf expositions for tests: messages as lists of fields.

use proptest::prelude::*;

/// A field of a message.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    Varint(u32, u64),
    Double(u32, f64),
    Text(u32, &'static str),
    Message(u32, Vec<Field>),
}

/// A message, behind its length.
pub(crate) fn delimited(fields: &[Field]) -> Vec<u8> {
    let message = message(fields);
    let mut out = Vec::new();
    varint(message.len() as u64, &mut out);
    out.extend_from_slice(&message);
    out
}

fn message(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        match field {
            Field::Varint(number, value) => {
                varint(u64::from(number << 3), &mut out);
                varint(*value, &mut out);
            }
            Field::Double(number, value) => {
                varint(u64::from(number << 3 | 1), &mut out);
                out.extend_from_slice(&value.to_le_bytes());
            }
            Field::Text(number, text) => bytes(*number, text.as_bytes(), &mut out),
            Field::Message(number, fields) => bytes(*number, &message(fields), &mut out),
        }
    }
    out
}

fn bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    varint(u64::from(number << 3 | 2), out);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Families with metrics whose fields are of the right numbers, more or less.
pub(crate) fn near_protobuf() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let leaf = prop_oneof![
        (1..9_u32, any::<u64>()).prop_map(|(number, value)| Field::Varint(number, value % 9)),
        (1..17_u32, any::<f64>()).prop_map(|(number, value)| Field::Double(number, value)),
        (1..3_u32, prop::sample::select(vec!["m", "le", "é", ""]))
            .prop_map(|(number, text)| Field::Text(number, text)),
    ];
    let tree = leaf.prop_recursive(3, 24, 6, |inner| {
        (1..17_u32, prop::collection::vec(inner, 0..6))
            .prop_map(|(number, fields)| Field::Message(number, fields))
    });
    let metric = prop::collection::vec(tree, 0..6).prop_map(|fields| Field::Message(4, fields));
    let family = (0..6_u64, prop::collection::vec(metric, 0..4)).prop_map(|(kind, metrics)| {
        let mut fields = vec![Field::Text(1, "m"), Field::Varint(3, kind)];
        fields.extend(metrics);
        delimited(&fields)
    });
    prop::collection::vec(family, 0..4)
}
