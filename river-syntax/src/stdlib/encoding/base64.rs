//! Base64 (RFC 4648) with padding. As in Go, line breaks in the text are skipped.

/// The standard alphabet.
pub(super) const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The alphabet for URLs and file names.
pub(super) const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The text of the bytes.
pub(super) fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = (group >> (18 - 6 * at)) & 63;
            out.push(if at > chunk.len() {
                '='
            } else {
                char::from(alphabet[digit as usize])
            });
        }
    }
    out
}

/// The bytes of a text.
pub(super) fn decode(text: &str, alphabet: &[u8; 64]) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !is_break(*byte)).collect();
    // The place in the text of the digit that is the `index`th.
    let bad = |index: usize| {
        let mut places = text.bytes().enumerate().filter(|(_, byte)| !is_break(*byte));
        let at = places.nth(index).map_or(text.len(), |(at, _)| at);
        format!("illegal base64 data at byte {at}")
    };
    if !digits.len().is_multiple_of(4) {
        return Err(bad(digits.len()));
    }
    let padding = digits
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count();
    let (data, _) = digits.split_at(digits.len() - padding);
    let mut out = Vec::with_capacity(data.len() / 4 * 3 + 2);
    for (chunk_at, chunk) in data.chunks(4).enumerate() {
        let mut group = 0_u32;
        for place in 0..4 {
            let value = match chunk.get(place) {
                Some(&byte) => alphabet
                    .iter()
                    .position(|&a| a == byte)
                    .ok_or_else(|| bad(chunk_at * 4 + place))?,
                None => 0,
            };
            group = group << 6 | u32::try_from(value).unwrap_or(0);
        }
        let bytes = group.to_be_bytes();
        out.extend_from_slice(&bytes[1..chunk.len().max(1)]);
    }
    Ok(out)
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_rfc() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (plain, encoded) in vectors {
            assert_eq!(encode(plain.as_bytes(), STANDARD), encoded);
            assert_eq!(decode(encoded, STANDARD).unwrap(), plain.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff], URL), "-_8=");
        assert_eq!(decode("Zm9v\nYg==", STANDARD).unwrap(), b"foob");
        let fault = decode("Zm9v\nZ*==", STANDARD).unwrap_err();
        assert_eq!(fault, "illegal base64 data at byte 6");
        for bad in ["Zg", "Zg=", "Z===", "Z*==", "=Zg=", "Zg==Zg=="] {
            assert!(decode(bad, STANDARD).is_err(), "{bad}");
        }
    }
}
