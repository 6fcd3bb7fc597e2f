//! "Did you mean": the known name nearest to a mistaken one.

/// The nearest of `known` by edits, if it is near enough to be meant.
pub(crate) fn nearest<'a>(mistaken: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (mistaken.len() / 3).max(1);
    known
        .map(|name| (distance(mistaken, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance in bytes.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_only() {
        let known = ["cpu", "cpufreq", "meminfo", "netdev"];
        assert_eq!(nearest("memory_info", known.into_iter()), None);
        assert_eq!(nearest("mminfo", known.into_iter()), Some("meminfo"));
        assert_eq!(nearest("cpu_freq", known.into_iter()), Some("cpufreq"));
        assert_eq!(nearest("netdevs", known.into_iter()), Some("netdev"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
    }
}
