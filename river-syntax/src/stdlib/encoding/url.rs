//! URL query components: what is not a letter, digit or `-_.~` as `%XX`, a blank as `+`.

use std::fmt::Write as _;

/// The text as a component.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// The text of a component.
pub(super) fn decode(text: &str) -> Result<String, String> {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
                let (Some(high), Some(low)) = (digit(at), digit(at + 1)) else {
                    return Err(format!("invalid URL escape at byte {}", at - 1));
                };
                out.push(u8::try_from(high * 16 + low).unwrap_or(0));
                at += 2;
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).map_err(|_| "what is encoded is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        assert_eq!(encode("a b&c=é/~"), "a+b%26c%3D%C3%A9%2F~");
        assert_eq!(decode("a+b%26c%3d%C3%A9%2F~").unwrap(), "a b&c=é/~");
        assert!(decode("%").is_err());
        assert!(decode("%zz").is_err());
        assert!(decode("%ff").is_err());
    }
}
