//! "Did you mean": the nearest of a set of names.

/// Names that are longer, in characters, are not compared: nobody misspells one by hand.
const LONGEST: usize = 200;

/// The candidate nearest to `name` by edits (insert, delete, replace, swap of neighbours), if it is near enough: at
/// most a third of the longer name's characters.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.chars().take(LONGEST + 1).collect();
    if name.len() > LONGEST {
        return None;
    }
    let mut found: Option<(usize, &str)> = None;
    let mut letters: Vec<char> = Vec::new();
    for candidate in candidates {
        letters.clear();
        letters.extend(candidate.chars().take(LONGEST + 1));
        if letters.len() > LONGEST || letters == name {
            continue;
        }
        let longer = letters.len().max(name.len());
        let enough = (longer / 3).max(1).min(longer.saturating_sub(1));
        // Only what is nearer than the nearest so far is of interest.
        let most = match found {
            Some((0 | 1, _)) => break,
            Some((edits, _)) => enough.min(edits - 1),
            None => enough,
        };
        if let Some(edits) = distance(&name, &letters, most) {
            found = Some((edits, candidate));
        }
    }
    found.map(|(_, candidate)| candidate)
}

/// The optimal string alignment distance, if it is `most` or less.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        // A swap reaches over one row, so two rows that are too far mean that all further ones are.
        if row.iter().chain(&last).all(|edits| *edits > most) {
            return None;
        }
        before = last;
        last = row;
    }
    last.last().copied().filter(|edits| *edits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let names = ["scrape_interval", "scrape_timeout", "targets", "url"];
        assert_eq!(closest("scrape_intervall", names), Some("scrape_interval"));
        assert_eq!(closest("tragets", names), Some("targets"));
        assert_eq!(closest("urls", names), Some("url"));
        assert_eq!(closest("job_name", names), None);
        assert_eq!(closest("x", ["y"]), None);
        assert_eq!(closest("", ["a", ""]), None);
        assert_eq!(
            closest("abcdefgh", ["abxxefgh", "abcdefhg", "abcdxfgh"]),
            Some("abcdefhg")
        );
        let long = "x".repeat(10_000);
        assert_eq!(closest(&long, [&*format!("{long}y")]), None);
    }

    #[test]
    fn a_limit_changes_no_distance_below_it() {
        let letters = |text: &str| text.chars().collect::<Vec<char>>();
        for (a, b, edits) in [
            ("abcd", "acbd", 1),
            ("kitten", "sitting", 3),
            ("abcdef", "badcfe", 3),
            ("", "ab", 2),
        ] {
            let (a, b) = (letters(a), letters(b));
            assert_eq!(distance(&a, &b, edits), Some(edits));
            assert_eq!(distance(&a, &b, edits + 9), Some(edits));
            assert_eq!(distance(&a, &b, edits - 1), None);
        }
    }
}
