//! `application/x-www-form-urlencoded`.

use std::fmt::Write;

/// Parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Form(String);

impl Form {
    pub(super) fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(&encode(name));
        self.0.push('=');
        self.0.push_str(&encode(value));
    }

    pub(super) fn into_body(self) -> String {
        self.0
    }
}

pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_escaped() {
        let mut form = Form::default();
        form.add("grant_type", "client_credentials");
        form.add("scope", "a b");
        form.add("ä&", "=%+/~");
        assert_eq!(
            form.into_body(),
            "grant_type=client_credentials&scope=a+b&%C3%A4%26=%3D%25%2B%2F~"
        );
    }
}
