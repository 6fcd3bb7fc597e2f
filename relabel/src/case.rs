//! Case mapping one character to one character, as Go's `strings.ToLower` and `strings.ToUpper` do it.
//!
//! Rust's `str` methods map to as many characters as the language needs (`ß` to `SS`) and know the final sigma; these
//! use the simple mappings of the Unicode Character Database only.

/// Appends the text in lower case.
pub(crate) fn push_lower(text: &str, out: &mut String) {
    out.extend(text.chars().map(lower));
}

/// Appends the text in upper case.
pub(crate) fn push_upper(text: &str, out: &mut String) {
    out.extend(text.chars().map(upper));
}

fn lower(c: char) -> char {
    let mut full = c.to_lowercase();
    match (full.next(), full.next()) {
        (Some(only), None) => only,
        // Only U+0130 maps to two characters; its simple mapping is the first of them.
        (Some(first), Some(_)) => first,
        (None, _) => c,
    }
}

fn upper(c: char) -> char {
    let mut full = c.to_uppercase();
    if let (Some(only), None) = (full.next(), full.next()) {
        return only;
    }
    // Greek letters with an iota have a title case of their own, which is also their simple upper case. Every other
    // character whose full mapping is longer has no simple one.
    let offset = match c {
        '\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}' => 8,
        '\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(c) + offset).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(text: &str) -> (String, String) {
        let (mut low, mut up) = (String::new(), String::new());
        push_lower(text, &mut low);
        push_upper(text, &mut up);
        (low, up)
    }

    #[test]
    fn one_character_gives_one_character() {
        assert_eq!(both("bAr-ÇΣ"), ("bar-çσ".into(), "BAR-ÇΣ".into()));
        assert_eq!(both("straßE"), ("straße".into(), "STRAßE".into()));
        assert_eq!(both("İıŉ"), ("iıŉ".into(), "İIŉ".into()));
        assert_eq!(both("\u{1F80}\u{1FB3}\u{1F88}").1, "\u{1F88}\u{1FBC}\u{1F88}");
        assert_eq!(both("ﬁǆǅ").1, "ﬁǄǄ");
        assert_eq!(both("ΟΔΟΣ").0, "οδοσ");
    }
}
