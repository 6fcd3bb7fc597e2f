//! Path patterns as Go's `filepath.Glob` reads them: `*`, `?`, `[a-z]`, `[^a-z]` and `\` within one path component.

use std::path::{Path, PathBuf};

use crate::read::entries;

/// The existing paths that match, in order of name.
pub(super) fn expand(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "" })];
    for component in pattern.split('/').filter(|component| !component.is_empty()) {
        found = found.iter().flat_map(|folder| step(folder, component)).collect();
    }
    found.retain(|path| path.exists());
    found
}

fn step(folder: &Path, component: &str) -> Vec<PathBuf> {
    if !component.contains(['*', '?', '[', '\\']) {
        return vec![folder.join(component)];
    }
    let listed = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let names = entries(listed).unwrap_or_default();
    let pattern: Vec<char> = component.chars().collect();
    names
        .iter()
        .filter(|name| matches(&pattern, &name.chars().collect::<Vec<_>>()))
        .map(|name| folder.join(name))
        .collect()
}

/// Whether the whole name matches. A star tries the rest at every later place, remembering only the last star.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    loop {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
            continue;
        }
        if p == pattern.len() && n == name.len() {
            return true;
        }
        let one = name
            .get(n)
            .and_then(|character| match_one(&pattern[p..], *character));
        match (one, star) {
            (Some(used), _) => {
                p += used;
                n += 1;
            }
            (None, Some((at, tried))) if tried < name.len() => {
                star = Some((at, tried + 1));
                p = at + 1;
                n = tried + 1;
            }
            _ => return false,
        }
    }
}

/// How much of the pattern one character uses up, if it matches.
fn match_one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == character).then_some(2),
        ['[', rest @ ..] => {
            let end = rest.iter().skip(1).position(|close| *close == ']')? + 1;
            let (negated, class) = match &rest[..end] {
                ['^', class @ ..] => (true, class),
                class => (false, class),
            };
            let mut within = false;
            let mut class = class;
            while let Some((&low, after)) = class.split_first() {
                let (high, after) = match after {
                    ['-', high, after @ ..] => (*high, after),
                    _ => (low, after),
                };
                within |= (low..=high).contains(&character);
                class = after;
            }
            (within != negated).then_some(end + 2)
        }
        [same, ..] => (*same == character).then_some(1),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_match(pattern: &str, name: &str) -> bool {
        matches(
            &pattern.chars().collect::<Vec<_>>(),
            &name.chars().collect::<Vec<_>>(),
        )
    }

    #[test]
    fn patterns() {
        for (pattern, name) in [
            ("a*c", "abbc"),
            ("*", ""),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[^a]x", "bx"),
            (r"\*", "*"),
            ("*_x_*", "a_x_b"),
        ] {
            assert!(is_match(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a*c", "abcd"),
            ("[a-c]x", "dx"),
            ("a", "ab"),
            ("ab", "a"),
            ("[a", "a"),
            ("?", ""),
        ] {
            assert!(!is_match(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn paths() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["one", "two", "three"] {
            std::fs::create_dir_all(folder.path().join(name).join("in")).unwrap();
        }
        let pattern = format!("{}/t*/in", folder.path().display());
        let names: Vec<_> = ["three", "two"]
            .iter()
            .map(|name| folder.path().join(name).join("in"))
            .collect();
        assert_eq!(expand(&pattern), names);
        assert!(expand(&format!("{}/absent", folder.path().display())).is_empty());
    }

    proptest! {
        #[test]
        fn any_pattern_comes_to_an_end(pattern: String, name: String) {
            is_match(&pattern, &name);
        }
    }
}
