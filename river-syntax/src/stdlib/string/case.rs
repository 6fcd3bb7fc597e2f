//! Upper and lower case as Go has them: one character for one, whatever stands beside it. So `ß` stays as it is, and no
//! `Σ` becomes a final one.

pub(super) fn lower(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'İ' => 'i',
            c => only(c.to_lowercase()).unwrap_or(c),
        })
        .collect()
}

pub(super) fn upper(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            // With an iota below, which several characters stand for or the one for titles.
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => after(c, 8),
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => after(c, 9),
            c => only(c.to_uppercase()).unwrap_or(c),
        })
        .collect()
}

/// The character that so many come before.
fn after(c: char, distance: u32) -> char {
    char::from_u32(u32::from(c) + distance).unwrap_or(c)
}

/// The only one.
fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_for_one() {
        assert_eq!(upper("aßŉéǆᾳᾀΐﬁ"), "AßŉÉǄᾼᾈΐﬁ");
        assert_eq!(lower("ΑΣ ẞİÉǅK"), "ας ßiéǆk".replace('ς', "σ"));
    }
}
