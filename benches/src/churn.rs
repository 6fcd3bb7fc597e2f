//! A target whose series come and go.

use std::fmt::Write;

/// One in how many series another takes the place of, at every scrape.
const ONE_IN: usize = 20;

/// A body in which at each turn a twentieth of the series have another label than before, neighbours together.
#[derive(Debug)]
pub struct Churning {
    body: Vec<u8>,
    /// Where the label's eight digits are, by series.
    places: Vec<usize>,
    turn: usize,
}

impl Churning {
    /// With that many series.
    pub fn new(series: usize) -> Self {
        let (mut text, mut places) = (String::new(), Vec::with_capacity(series));
        for index in 0..series {
            let _ = write!(text, "churn_seconds_bucket{{pod=\"api-");
            places.push(text.len());
            let value = index * 7919 % 1_000_003;
            let _ = writeln!(
                text,
                "00000000\",route=\"/api/v1/resource/{}\",le=\"{}\"}} {value}",
                index / 10,
                index % 10
            );
        }
        Self {
            body: text.into_bytes(),
            places,
            turn: 0,
        }
    }

    /// The body of the next scrape.
    pub fn turn(&mut self) -> &[u8] {
        self.turn += 1;
        let digits = format!("{:08}", self.turn % 100_000_000);
        for (index, place) in self.places.iter().enumerate() {
            if (index / 10 + self.turn).is_multiple_of(ONE_IN) {
                self.body[*place..place + digits.len()].copy_from_slice(digits.as_bytes());
            }
        }
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twentieth_is_new_at_each_turn() {
        let mut target = Churning::new(1000);
        let before = String::from_utf8_lossy(target.turn()).into_owned();
        let now = String::from_utf8_lossy(target.turn()).into_owned();
        let changed = before.lines().zip(now.lines()).filter(|(a, b)| a != b).count();
        assert_eq!(changed, 50);
    }
}
