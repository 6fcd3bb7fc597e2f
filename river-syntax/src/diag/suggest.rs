//! "Did you mean": the nearest of a set of names.

/// The candidate nearest to `name` by edits (insert, delete, replace, swap of neighbours), if it is near enough: at
/// most a third of the longer name's characters.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter(|&candidate| candidate != name)
        .map(|candidate| {
            let longer = candidate.chars().count().max(name.chars().count());
            (distance(name, candidate), longer, candidate)
        })
        .filter(|&(edits, longer, _)| edits <= (longer / 3).max(1) && edits < longer)
        .min_by_key(|&(edits, _, _)| edits)
        .map(|(_, _, candidate)| candidate)
}

/// The optimal string alignment distance.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
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
        before = last;
        last = row;
    }
    last[b.len()]
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
    }
}
